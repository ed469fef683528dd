//! A store to test with: real, private, with a clock and randomness of its own.

#[path = "../../../tests/it/support/postgres.rs"]
#[allow(
    dead_code,
    clippy::disallowed_methods,
    reason = "shared with the tests of the whole, which use more of it and are configured by the environment"
)]
mod postgres;
#[path = "../../../tests/it/support/watchdog.rs"]
#[allow(dead_code, reason = "shared with the tests of the whole, which use more of it")]
mod watchdog;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::DateTime;
use evident_domain::ports::{Clock, Entropy};
use evident_domain::session::{AssuranceLevel, AuthenticationMethod, SessionEvent};
use evident_domain::user::{Confirmed, IdentityData, SignUp, SignUpMethod, User, UserCommand, UserEvent};
use evident_domain::{
    Actor, Email, Event, IdentityId, Metadata, PasswordHash, Personal, Provenance, StreamId, Subject,
    Surface, Time, UserId,
};
use evident_eventstore::{
    Append, AppendError, Committed, Contents, Database, Dialect, EventStore, MasterKey, PostgresOptions, Row,
    StreamAppend, Value, Vault,
};
use evident_projections::retention::{self, Policy};
use evident_projections::{PATIENCE, Projections};
use tempfile::TempDir;

/// Somebody signed in with a password.
pub(crate) fn session_started(user: UserId, at: Time) -> SessionEvent {
    SessionEvent::Started {
        user,
        amr: vec![AuthenticationMethod { method: "password".to_owned(), at }],
        aal: AssuranceLevel::Aal1,
        not_after: None,
        started_at: at,
        client: None,
        scopes: None,
        slides: false,
        impersonator: None,
    }
}

/// The tables of all projections, and the column that orders them.
pub(crate) const TABLES: [(&str, &str); 19] = [
    ("users", "id"),
    ("user_counts", "bucket"),
    ("identities", "identity_id"),
    ("sessions", "id"),
    ("sign_in_failures", "account"),
    ("erased_subjects", "subject"),
    ("oauth_clients", "id"),
    ("oauth_consents", "id"),
    ("sso_providers", "id"),
    ("organizations", "id"),
    ("members", "id"),
    ("invitations", "id"),
    ("teams", "id"),
    ("team_members", "id"),
    ("organization_roles", "id"),
    ("audit_actions", "number"),
    ("audit_authors", "entry"),
    ("audit_counts", "bucket"),
    ("claims", "claim"),
];

/// Says something that no captured output hides.
fn say_aloud(text: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{text}").unwrap_or_default();
}

/// A clock that only moves when it is read: a second each time.
#[derive(Debug)]
pub(crate) struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now(&self) -> Time {
        DateTime::from_timestamp_micros(self.0.fetch_add(1_000_001, Ordering::Relaxed)).unwrap()
    }
}

impl StepClock {
    /// Lets time pass.
    pub(crate) fn skip_micros(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::Relaxed);
    }

    /// What the clock said last.
    pub(crate) fn last(&self) -> Time {
        DateTime::from_timestamp_micros(self.0.load(Ordering::Relaxed) - 1_000_001).unwrap()
    }
}

/// Randomness good enough for tests.
#[derive(Debug, Default)]
pub(crate) struct TestEntropy(RandomState, AtomicI64);

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let mut hasher = self.0.build_hasher();
            hasher.write_i64(self.1.fetch_add(1, Ordering::Relaxed));
            let bytes = hasher.finish().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// A store, and what goes with it.
pub(crate) struct World {
    pub(crate) store: EventStore,
    pub(crate) clock: Arc<StepClock>,
    pub(crate) entropy: Arc<TestEntropy>,
    pub(crate) folder: TempDir,
    on: On,
    /// Where everything is on PostgreSQL.
    schema: String,
    master: MasterKey,
}

/// On which database to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// Runs a test on SQLite, and on PostgreSQL where there is one; there must be one in CI.
pub(crate) fn on_both<F: Future<Output = ()>>(test: impl Fn(On) -> F) {
    for on in [On::Sqlite, On::Postgres] {
        if is_there(on) {
            runtime().block_on(test(on));
        }
    }
}

pub(crate) fn is_there(on: On) -> bool {
    if on == On::Sqlite || postgres::Cluster::of_this_run().is_some() {
        return true;
    }
    let in_ci = std::env::vars().any(|(name, value)| name == "CI" && value == "true");
    assert!(!in_ci, "CI needs PostgreSQL");
    say_aloud("NOT TESTED on PostgreSQL");
    false
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A schema of the run's PostgreSQL.
fn in_schema(schema: &str) -> PostgresOptions {
    PostgresOptions {
        url: postgres::Cluster::of_this_run().unwrap().url("postgres"),
        schema: schema.to_owned(),
        // Whoever holds one for long keeps everybody waiting.
        max_connections: 1,
        acquire_timeout: Duration::from_secs(30),
    }
}

/// A store in a folder, or in a schema.
async fn opened(
    on: On,
    (folder, schema): (&Path, &str),
    master: &MasterKey,
    (clock, entropy): (&Arc<StepClock>, &Arc<TestEntropy>),
) -> EventStore {
    let (log, keys) = match on {
        On::Sqlite => {
            let log = Database::open_sqlite_log(&folder.join("log.db")).await.unwrap();
            (log, Database::open_sqlite(&folder.join("keys.db"), Contents::Keys).await.unwrap())
        }
        On::Postgres => {
            let options = in_schema(schema);
            let log = Database::open_postgres(&options, Contents::Log).await.unwrap();
            (log, Database::open_postgres(&options, Contents::Keys).await.unwrap())
        }
    };
    let vault = Vault::open(keys, master, clock.clone(), entropy.clone()).await.unwrap();
    node(log, vault, (clock, entropy)).await
}

async fn node(
    log: Database,
    vault: Vault,
    (clock, entropy): (&Arc<StepClock>, &Arc<TestEntropy>),
) -> EventStore {
    let inline = Arc::new(Projections::default());
    EventStore::open(log, vault, inline, clock.clone(), entropy.clone()).await.unwrap()
}

impl World {
    pub(crate) async fn new(on: On) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(StepClock(AtomicI64::new(1_795_000_000_000_000)));
        let entropy = Arc::new(TestEntropy::default());
        let schema = format!("t_{}", entropy.uuid().simple());
        let master = MasterKey::generate(&*entropy);
        let store = opened(on, (folder.path(), &schema), &master, (&clock, &entropy)).await;
        Self { store, clock, entropy, folder, on, schema, master }
    }

    /// The same store as another process opens it.
    pub(crate) async fn opened_again(&self) -> EventStore {
        let place = (self.folder.path(), &*self.schema);
        opened(self.on, place, &self.master, (&self.clock, &self.entropy)).await
    }

    /// A second node on the same log.
    pub(crate) async fn another_node(&self) -> EventStore {
        let (log, vault) = (self.store.database().clone(), self.store.vault().clone());
        node(log, vault, (&self.clock, &self.entropy)).await
    }

    /// Connections of somebody else to the same tables, on PostgreSQL.
    pub(crate) async fn connected_beside(&self) -> Database {
        Database::open_postgres(&in_schema(&self.schema), Contents::Log).await.unwrap()
    }

    /// Commits events of several streams in one change, sealed for one subject.
    pub(crate) async fn append(
        &self,
        subject: Subject,
        actor: Actor,
        streams: Vec<(StreamId, u64, Vec<Event>)>,
    ) -> Result<Committed, AppendError> {
        let provenance = Provenance {
            ip: Some(Personal::Known("192.0.2.7".parse().unwrap())),
            user_agent: Some(Personal::Known("test/1.0".to_owned())),
            ..Provenance::internal(actor, Surface::Gotrue, self.entropy.uuid())
        };
        let stream =
            |(stream, expected, events)| StreamAppend { stream, expected, subject: subject.clone(), events };
        self.store
            .append(Append {
                streams: streams.into_iter().map(stream).collect(),
                guards: Vec::new(),
                messages: Vec::new(),
                provenance,
                occurred_at: self.clock.now(),
            })
            .await
    }

    /// A user who signs up.
    pub(crate) async fn sign_up(&self, address: &str, name: &str) -> UserId {
        let id = UserId(self.entropy.uuid());
        let events = signing_up(id, IdentityId(self.entropy.uuid()), address, name);
        let events = events.into_iter().map(Event::User).collect();
        self.append(Subject::User(id), Actor::Visitor, vec![(StreamId::user(id), 0, events)]).await.unwrap();
        id
    }

    /// Two days pass, and everything that may be dropped after one is dropped.
    pub(crate) async fn retain(&self) {
        let day = Some(Duration::from_secs(86_400));
        let policy = Policy { session: day, attempt: day, flow: day, period: None };
        self.clock.skip_micros(2 * 86_400_000_000);
        retention::run(&self.store, &policy, self.clock.now(), PATIENCE).await.unwrap();
    }

    /// All rows of all projections, the same from either database.
    pub(crate) async fn rows(&self) -> BTreeMap<&'static str, Vec<Row>> {
        rows(self.store.database()).await
    }
}

pub(crate) async fn rows(database: &Database) -> BTreeMap<&'static str, Vec<Row>> {
    let mut tables = BTreeMap::new();
    for (table, key) in TABLES {
        // By their names: a statement that was prepared before a column came knows nothing of it.
        let columns = match database.dialect() {
            Dialect::Sqlite => "select name from pragma_table_info($1) order by cid",
            Dialect::Postgres => {
                "select attname::text from pg_attribute where attrelid = to_regclass($1) and attnum > 0 \
                 and not attisdropped order by attnum"
            }
        };
        let columns = database.query(columns, &[table.into()]).await.unwrap();
        let columns: Vec<_> = columns.iter().map(|row| row[0].as_text().unwrap()).collect();
        let sql = format!("select {} from {table} order by {key}", columns.join(", "));
        let mut rows = database.query(&sql, &[]).await.unwrap();
        for value in rows.iter_mut().flatten() {
            if let Value::Bool(truth) = value {
                *value = Value::Int(i64::from(*truth));
            }
        }
        tables.insert(table, rows);
    }
    tables
}

/// What happens when somebody signs up with a password.
pub(crate) fn signing_up(id: UserId, identity: IdentityId, address: &str, name: &str) -> Vec<UserEvent> {
    let data = Metadata::default().with("sub", id.to_string()).with("email", address);
    let command = UserCommand::SignUp(Box::new(SignUp {
        method: SignUpMethod::Password,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: Some((Email::parse(address).unwrap(), Confirmed::No)),
        phone: None,
        password: Some(PasswordHash("$argon2id$x".to_owned())),
        user_metadata: data.clone().with("full_name", name),
        app_metadata: Metadata::default().with("provider", "email"),
        identities: vec![IdentityData {
            id: identity,
            provider: "email".to_owned(),
            provider_id: id.to_string(),
            data,
        }],
    }));
    User::default().decide(command).unwrap()
}

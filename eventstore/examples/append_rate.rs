//! How many changes a second the log takes, beside the bare database.
//!
//! `cargo run --release -p evident-eventstore --example append_rate -- FOLDER`
//! `cargo run --release -p evident-eventstore --example append_rate -- postgres://user@host/database`
//!
//! A number as second argument measures only so many callers. Each caller keeps one session of its own and
//! refreshes it again and again, waiting for every answer, as clients do; then once more without the client's
//! address and program, so that there is nothing to seal. The bare database gets the same rows from one
//! connection, 20 in a transaction. In the end it says what sealing and hashing alone take for such an event.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{SubsecRound, Utc};
use evident_domain::ports::{Clock, Entropy};
use evident_domain::session::{AssuranceLevel, AuthenticationMethod, SessionEvent};
use evident_domain::{
    Actor, EventId, Personal, Position, Provenance, SessionId, StreamId, Subject, Surface, Time, UserId,
};
use evident_eventstore::merkle::{Frontier, Leaf, content_digest};
use evident_eventstore::seal::SealingKey;
use evident_eventstore::{
    Append, Contents, Database, EventStore, MasterKey, NoProjections, PostgresOptions, StreamAppend, Tables,
    Value, Vault,
};
use tokio::task::JoinSet;

/// How long each number of callers is measured.
const MEASURED: Duration = Duration::from_secs(4);
/// Rows a transaction of the bare database.
const BARE_BATCH: u32 = 20;

/// Events that are sealed and hashed to say how long that takes.
const ROUNDS: u32 = 100_000;
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0";

/// Whether events say from where and with what they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Told,
    Untold,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug)]
struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the port")]
    fn now(&self) -> Time {
        Utc::now().trunc_subsecs(6)
    }
}

impl Entropy for System {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            std::process::abort();
        }
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let target = std::env::args().nth(1).ok_or("say a folder or a PostgreSQL URL")?;
    let (log, keys) = open(&target).await?;
    let vault = Vault::open(keys, &MasterKey::generate(&System), Arc::new(System), Arc::new(System)).await?;
    let store =
        EventStore::open(log.clone(), vault, Arc::new(NoProjections), Arc::new(System), Arc::new(System))
            .await?;
    let callers = std::env::args().nth(2).map(|number| number.parse()).transpose()?;
    for callers in callers.map_or_else(|| vec![1, 16, 64], |number| vec![number]) {
        for origin in [Origin::Told, Origin::Untold] {
            let (events, seconds, commits) = measure(&store, callers, origin).await?;
            println!(
                "{callers:>3} callers: {:>7.0} events/s, {:>6.0} commits/s{}",
                f64::from(events) / seconds,
                f64::from(commits) / seconds,
                if origin == Origin::Untold { ", nothing sealed" } else { "" }
            );
        }
    }
    let (rows, seconds) = bare(&log).await?;
    println!(
        "bare database: {:>5.0} rows/s, {:>6.0} commits/s ({BARE_BATCH} rows each)",
        f64::from(rows) / seconds,
        f64::from(rows / BARE_BATCH) / seconds
    );
    let (sealing, hashing) = (sealing()?, hashing()?);
    println!("sealing: {sealing:.2} µs of one core an event, hashing: {hashing:.2} µs");
    Ok(())
}

/// Microseconds of sealing an event's personal texts, as the log does.
fn sealing() -> Outcome<f64> {
    let key = SealingKey::new(&[7; 32]);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        let context = System.uuid().to_string();
        for (name, text) in [("ip", "192.0.2.7"), ("user_agent", AGENT)] {
            black_box(key.seal_text(text.as_bytes(), &format!("{context}#{name}"), &System)?);
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS))
}

/// Microseconds of hashing an event into the tree, as the log does: its content, its leaf, the frontier.
fn hashing() -> Outcome<f64> {
    let mut frontier = Frontier::default();
    let (payload, metadata) = ("p".repeat(120), "m".repeat(420));
    let start = Instant::now();
    for position in 0..ROUNDS {
        let mut salt = [0; 16];
        System.fill(&mut salt);
        let leaf = Leaf {
            actor: "user:5f0c9c1e-6ad3-4a40-9d33-0d4ef2b05c2f".into(),
            content: hex::encode(content_digest(&salt, &payload, &metadata)),
            id: EventId(System.uuid()),
            position: Position(position.into()),
            sequence: 1,
            stream: format!("session:{}", System.uuid()),
            subject: Some("user:5f0c9c1e-6ad3-4a40-9d33-0d4ef2b05c2f".into()),
            time: 1,
            kind: "session.refreshed".into(),
            version: "1".into(),
        };
        black_box(frontier.push(&leaf.to_bytes()?));
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS))
}

async fn open(target: &str) -> Outcome<(Database, Database)> {
    let number = System.uuid().simple().to_string();
    if target.starts_with("postgres") {
        let options = PostgresOptions {
            url: target.to_owned(),
            schema: format!("append_rate_{}", &number[..8]),
            max_connections: 4,
            acquire_timeout: Duration::from_secs(10),
        };
        let log = Database::open_postgres(&options, Contents::Log).await?;
        return Ok((log, Database::open_postgres(&options, Contents::Keys).await?));
    }
    let folder = Path::new(target).join(format!("append_rate_{}", &number[..8]));
    std::fs::create_dir_all(&folder)?;
    let log = Database::open_sqlite(&folder.join("log.db"), Contents::Log).await?;
    Ok((log, Database::open_sqlite(&folder.join("keys.db"), Contents::Keys).await?))
}

/// How many events were acknowledged, in how many seconds, by how many commits.
async fn measure(store: &EventStore, callers: u32, origin: Origin) -> Outcome<(u32, f64, u32)> {
    let mut head = store.watch_head();
    head.mark_unchanged();
    let commits = tokio::spawn(async move {
        let mut commits = 0;
        while tokio::time::timeout(Duration::from_secs(1), head.changed())
            .await
            .is_ok_and(|moved| moved.is_ok())
        {
            commits += 1;
        }
        commits
    });
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..callers {
        let store = store.clone();
        running.spawn(async move { refresh_until(&store, start + MEASURED, origin).await });
    }
    let mut events = 0;
    while let Some(done) = running.join_next().await {
        events += done??;
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok((events, seconds, commits.await?))
}

async fn refresh_until(store: &EventStore, end: Instant, origin: Origin) -> Outcome<u32> {
    let (user, session) = (UserId(System.uuid()), SessionId(System.uuid()));
    let told = origin == Origin::Told;
    let now = System.now();
    let amr = vec![AuthenticationMethod { method: "password".to_owned(), at: now }];
    let mut event = SessionEvent::Started {
        user,
        amr,
        aal: AssuranceLevel::Aal1,
        not_after: None,
        started_at: now,
        client: None,
        scopes: None,
        slides: false,
        impersonator: None,
    };
    let mut done = 0;
    while Instant::now() < end {
        let now = System.now();
        let append = Append {
            streams: vec![StreamAppend {
                stream: StreamId::session(session),
                expected: u64::from(done),
                subject: Subject::User(user),
                events: vec![event.into()],
            }],
            guards: Vec::new(),
            messages: Vec::new(),
            provenance: Provenance {
                ip: told.then(|| Personal::Known([192, 0, 2, 7].into())),
                user_agent: told.then(|| AGENT.to_owned().into()),
                ..Provenance::internal(Actor::User { id: user }, Surface::Gotrue, System.uuid())
            },
            occurred_at: now,
        };
        store.append(append).await?;
        done += 1;
        event = SessionEvent::Refreshed { generation: u64::from(done), at: now };
    }
    Ok(done)
}

/// Writes copies of the log's own rows as plainly as can be.
async fn bare(database: &Database) -> Outcome<(u32, f64)> {
    const COLUMNS: &str = "aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
         metadata, position, event_id, occurred_at, actor, subject, salt, content_digest, leaf_hash";
    let newest = format!("select {COLUMNS} from events order by position desc limit 1");
    let newest = database.query(&newest, &[]).await?.pop().ok_or("nothing was written")?;
    let mut sql = format!("insert into events ({COLUMNS}) values ");
    for row in 0..usize::try_from(BARE_BATCH)? {
        let cells: Vec<_> = (0..newest.len())
            .map(|i| {
                let json = if i == 5 || i == 6 { "::json" } else { "" };
                let cast =
                    if database.dialect() == evident_eventstore::Dialect::Postgres { json } else { "" };
                format!("${}{cast}", row * newest.len() + i + 1)
            })
            .collect();
        write!(sql, "{}({})", if row == 0 { "" } else { ", " }, cells.join(", "))?;
    }
    let mut position = newest[7].as_int().ok_or("no position")?;
    let (start, mut rows) = (Instant::now(), 0);
    while start.elapsed() < MEASURED {
        let mut params = Vec::new();
        for _ in 0..BARE_BATCH {
            position += 1;
            let mut row = newest.clone();
            row[1] = System.uuid().to_string().into();
            row[7] = position.into();
            row[8] = System.uuid().to_string().into();
            params.extend(row);
        }
        let mut transaction = database.transaction().await?;
        transaction.execute(&sql, &params).await?;
        let head = "update log_head set position = $1 where only_row = 1";
        transaction.execute(head, &[Value::Int(position)]).await?;
        transaction.commit().await?;
        rows += BARE_BATCH;
    }
    Ok((rows, start.elapsed().as_secs_f64()))
}

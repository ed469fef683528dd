//! A place for a log: a folder, or a database of the run's cluster.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use evident_domain::Recorded;
use evident_eventstore::{
    Contents, Database, DatabaseError, EventStore, Inline, MasterKey, NoProjections, PostgresOptions, Row,
    Tables, Value, Vault,
};
use sqlx::{Connection, Executor};
use tokio::sync::{Notify, Semaphore};

use super::postgres::Cluster;
use super::{Chance, Fixed, say_aloud};

/// Every store of a run draws from a seed of its own.
static SEEDS: AtomicU64 = AtomicU64::new(1);

/// Where a test keeps its log and its keys.
#[derive(Debug)]
pub(crate) enum Place {
    /// Two files.
    Sqlite(tempfile::TempDir),
    /// Two schemas of a database.
    Postgres(PostgresOptions),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// A new, empty database; `None` where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Option<Self> {
        let Some(url) = new_database().await else {
            let missing = "PostgreSQL is not here, so its half of the tests did not run";
            #[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
            let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
            assert!(!ci, "{missing}, and with CI=true that is a failure");
            say_aloud(&format!("SKIPPED: {missing}"));
            return None;
        };
        Some(Self::at(url))
    }

    /// An existing database.
    pub(crate) fn at(url: String) -> Self {
        Self::Postgres(PostgresOptions {
            url,
            schema: "evident".to_owned(),
            max_connections: 4,
            acquire_timeout: Duration::from_secs(10),
        })
    }

    /// Whether this is the one that several nodes can share.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(options) => &options.url,
        }
    }

    /// A file of the log's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join(name),
            Self::Postgres(_) => Path::new("/nonexistent").join(name),
        }
    }

    pub(crate) async fn database(&self, contents: Contents) -> Database {
        let name = match contents {
            Contents::Log => "evident.db",
            Contents::Keys => "keys.db",
        };
        match self {
            Self::Sqlite(_) => Database::open_sqlite(&self.file(name), contents).await.unwrap(),
            Self::Postgres(options) => Database::open_postgres(options, contents).await.unwrap(),
        }
    }

    pub(crate) fn master() -> MasterKey {
        MasterKey::generate(&Chance::new(0))
    }

    pub(crate) async fn vault(&self) -> Vault {
        let keys = self.database(Contents::Keys).await;
        let chance = Chance::new(SEEDS.fetch_add(1, Ordering::Relaxed));
        Vault::open(keys, &Self::master(), Arc::new(Fixed::default()), Arc::new(chance)).await.unwrap()
    }

    /// A node on this place.
    pub(crate) async fn store(&self) -> EventStore {
        self.store_with(Arc::new(NoProjections)).await
    }

    pub(crate) async fn store_with(&self, inline: Arc<dyn Inline>) -> EventStore {
        let (log, vault) = (self.database(Contents::Log).await, self.vault().await);
        let chance = Chance::new(SEEDS.fetch_add(1, Ordering::Relaxed));
        EventStore::open(log, vault, inline, Arc::new(Fixed::default()), Arc::new(chance)).await.unwrap()
    }

    /// Runs a statement behind the store's back.
    pub(crate) async fn meddle(store: &EventStore, sql: &str, params: &[Value]) {
        let mut transaction = store.database().transaction().await.unwrap();
        transaction.execute(sql, params).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The rows of a query, past the store.
    pub(crate) async fn rows(store: &EventStore, sql: &str) -> Vec<Row> {
        store.database().query(sql, &[]).await.unwrap()
    }
}

/// A new, empty database of the run's cluster.
pub(crate) async fn new_database() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    #[expect(clippy::disallowed_methods, reason = "starting a cluster takes a while")]
    let cluster = tokio::task::spawn_blocking(Cluster::of_this_run).await.unwrap()?;
    let name = format!("evident_log_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut admin = sqlx::PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    admin.execute(format!("create database {name} template template0").as_str()).await.unwrap();
    admin.close().await.unwrap();
    Some(cluster.url(&name))
}

/// `psql`, `pg_dump` …, from the cluster's own version.
pub(crate) fn cluster_program(name: &str) -> Command {
    let folder = Cluster::of_this_run().and_then(|cluster| cluster.programs.clone());
    Command::new(folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
}

/// Projections that wait for a permit before every batch: they hold the writer in the middle of its
/// transaction.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) permits: Semaphore,
    waiting: Notify,
}

impl Slow {
    pub(crate) fn held() -> Arc<Self> {
        Arc::new(Self { permits: Semaphore::new(0), waiting: Notify::new() })
    }

    /// Comes back once a batch waits for a permit.
    pub(crate) async fn holds_one(&self) {
        self.waiting.notified().await;
    }

    /// Lets so many batches through.
    pub(crate) fn release(&self, batches: usize) {
        self.permits.add_permits(batches);
    }
}

#[async_trait]
impl Inline for Slow {
    async fn apply(&self, _: &mut dyn Tables, _: &[Recorded]) -> Result<(), DatabaseError> {
        self.waiting.notify_one();
        self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?.forget();
        Ok(())
    }
}

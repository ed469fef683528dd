//! Where a test's server keeps its log.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use evident_eventstore::{Contents, Database, PostgresOptions};
use sqlx::{Connection, Executor};
use tokio::sync::OnceCell;

use super::TestServer;
use super::postgres::Cluster;

/// A database that belongs to one test.
#[derive(Debug, Clone)]
pub(crate) enum TestDatabase {
    /// A file in the server's data folder.
    Sqlite,
    /// A database of the run's cluster.
    Postgres {
        /// What the server gets as `DATABASE_URL`.
        url: String,
    },
}

impl TestDatabase {
    /// The embedded default.
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite
    }

    /// A new database whose tables are there and empty, or not there on a server that was given. `None`, said aloud,
    /// where there is no PostgreSQL.
    ///
    /// # Panics
    /// With `CI=true`, where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Option<Self> {
        static MIGRATED: OnceCell<String> = OnceCell::const_new();
        let cluster = running_cluster().await?;
        if !cluster.is_private() {
            // What is copied would stay there behind this run.
            return Self::empty_postgres().await;
        }
        // A copy takes a tenth of the time that all migrations take.
        let migrated = MIGRATED.get_or_init(|| migrated(cluster)).await;
        Some(Self::created(cluster, migrated).await)
    }

    /// The same without tables: whoever opens it first makes them.
    ///
    /// # Panics
    /// With `CI=true`, where there is no PostgreSQL.
    pub(crate) async fn empty_postgres() -> Option<Self> {
        Some(Self::created(running_cluster().await?, "template0").await)
    }

    async fn created(cluster: &Cluster, template: &str) -> Self {
        Self::Postgres { url: cluster.url(&create(cluster, template).await) }
    }

    /// Makes room: a run has hundreds of databases. That of a test that failed stays for a look.
    pub(crate) async fn remove(&self) {
        let (Self::Postgres { url }, Some(cluster)) = (self, Cluster::of_this_run()) else { return };
        let name = url.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        let mut admin = sqlx::PgConnection::connect(&cluster.url("postgres")).await.unwrap();
        admin.execute(format!("DROP DATABASE {name} WITH (FORCE)").as_str()).await.unwrap();
        admin.close().await.unwrap();
    }

    /// Runs a statement behind the server's back.
    pub(crate) async fn execute(&self, server: &TestServer, statement: &str) {
        match self {
            Self::Sqlite => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(server.data().join("evident.db"))
                    .busy_timeout(Duration::from_secs(10));
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                connection.execute("SET search_path TO evident").await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// The URL, where it has one.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { url } => Some(url),
        }
    }
}

async fn running_cluster() -> Option<&'static Cluster> {
    let cluster = tokio::task::spawn_blocking(Cluster::of_this_run).await.unwrap();
    if cluster.is_none() {
        super::missing("PostgreSQL is not here, so its half of the tests did not run");
    }
    cluster
}

/// Makes a database like another; gives its name.
async fn create(cluster: &Cluster, template: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("evident_it_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut admin = sqlx::PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    admin.execute(format!("CREATE DATABASE {name} TEMPLATE {template}").as_str()).await.unwrap();
    admin.close().await.unwrap();
    name
}

/// A database with the tables of a server that has not started yet.
async fn migrated(cluster: &Cluster) -> String {
    let name = create(cluster, "template0").await;
    let options = PostgresOptions {
        url: cluster.url(&name),
        schema: "evident".to_owned(),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(30),
    };
    for contents in [Contents::Log, Contents::Keys] {
        Database::open_postgres(&options, contents).await.unwrap().close().await;
    }
    name
}

/// `psql`, `pg_dump` …, from the cluster's own version.
pub(crate) fn postgres_program(name: &str) -> Command {
    let folder = Cluster::of_this_run().and_then(|cluster| cluster.programs.clone());
    Command::new(folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
}

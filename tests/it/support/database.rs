//! Where a test's server keeps its log.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor};

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

    /// A new, empty database. `None`, said aloud, where there is no PostgreSQL.
    ///
    /// # Panics
    /// With `CI=true`, where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Some(cluster) = tokio::task::spawn_blocking(Cluster::of_this_run).await.unwrap() else {
            super::missing("PostgreSQL is not here, so its half of the tests did not run");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("evident_it_{}_{number}", std::process::id());
        let mut admin = sqlx::PgConnection::connect(&cluster.url("postgres")).await.unwrap();
        admin.execute(format!("CREATE DATABASE {name} TEMPLATE template0").as_str()).await.unwrap();
        admin.close().await.unwrap();
        Some(Self::Postgres { url: cluster.url(&name) })
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
                    .busy_timeout(std::time::Duration::from_secs(10));
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

/// `psql`, `pg_dump` …, from the cluster's own version.
pub(crate) fn postgres_program(name: &str) -> Command {
    let folder = Cluster::of_this_run().and_then(|cluster| cluster.programs.clone());
    Command::new(folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
}

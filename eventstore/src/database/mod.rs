//! The two databases behind one face: connections, queries, transactions.

mod postgres;
mod sqlite;
mod table;

pub use table::{Column, ColumnType, Dialect, Row, Table, Tables, Value};

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use postgres::Postgres;
use sqlite::Sqlite;

/// A statement failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The database, or the way to it, said no.
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    /// A value stands where another kind belongs.
    #[error("column {column} of {table} holds something unexpected")]
    Unexpected {
        /// The table.
        table: String,
        /// The column.
        column: &'static str,
    },
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No connection, or no such file.
    #[error("cannot open the database")]
    Connect(#[source] sqlx::Error),
    /// The URL does not read.
    #[error("the database URL is malformed")]
    Url(#[source] sqlx::Error),
    /// The schema's name could be mistaken for SQL.
    #[error("{0:?} is no schema name: take lower-case letters, digits and underscores")]
    Schema(String),
    /// The tables cannot be brought up to date.
    #[error("the migrations failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A file or folder cannot be made.
    #[error("cannot prepare the data folder")]
    Folder(#[from] std::io::Error),
}

/// How to reach PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`
    pub url: String,
    /// The schema of the log and the projections; the keys are in `<schema>_keys`.
    pub schema: String,
    /// Connections for reading; two more write.
    pub max_connections: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
}

/// A database that holds the log, or the keys. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Database {
    /// One file.
    Sqlite(Sqlite),
    /// One schema of a server.
    Postgres(Postgres),
}

/// Which set of tables a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// The log, the projections, the outbox.
    Log,
    /// The keys.
    Keys,
}

impl Database {
    /// Opens an SQLite file, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or migrated.
    pub async fn open_sqlite(path: &Path, contents: Contents) -> Result<Self, OpenError> {
        Ok(Self::Sqlite(Sqlite::open(path, contents).await?))
    }

    /// Opens an SQLite log: [`Database::open_sqlite`] for [`Contents::Log`].
    ///
    /// # Errors
    /// When the file cannot be opened or migrated.
    pub async fn open_sqlite_log(path: &Path) -> Result<Self, OpenError> {
        Self::open_sqlite(path, Contents::Log).await
    }

    /// Connects to PostgreSQL, makes the schema if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// When the server is out of reach or the migrations fail.
    pub async fn open_postgres(options: &PostgresOptions, contents: Contents) -> Result<Self, OpenError> {
        Ok(Self::Postgres(Postgres::open(options, contents).await?))
    }

    /// Which SQL is spoken.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a query on the latest committed state.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        match self {
            Self::Sqlite(db) => sqlite::query(db.readers(), sql, params).await,
            Self::Postgres(db) => postgres::query(db.readers(), sql, params).await,
        }
    }

    /// Begins a transaction for writing. It does not lock the log's head.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn transaction(&self) -> Result<Transaction, DatabaseError> {
        Ok(match self {
            Self::Sqlite(db) => Transaction::Sqlite(db.begin().await?),
            Self::Postgres(db) => Transaction::Postgres(db.begin().await?),
        })
    }

    /// Closes the connections; SQLite then folds its write-ahead log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(db) => db.close().await,
        }
    }
}

/// A transaction for writing; undone when it is dropped.
#[derive(Debug)]
pub enum Transaction {
    /// On SQLite.
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// On PostgreSQL.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Transaction {
    /// Makes it durable and visible.
    ///
    /// # Errors
    /// When the database cannot; whether it did is then unknown.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

#[async_trait]
impl Tables for Transaction {
    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn select(
        &mut self,
        table: &Table,
        column: &str,
        values: &[String],
    ) -> Result<Vec<Row>, DatabaseError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Sqlite(tx) => sqlite::select(tx, table, column, values).await,
            Self::Postgres(tx) => postgres::select(tx, table, column, values).await,
        }
    }

    async fn upsert(&mut self, table: &Table, rows: &[Row]) -> Result<(), DatabaseError> {
        self.write(table, rows, OnConflict::Replace).await
    }

    async fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<(), DatabaseError> {
        self.write(table, rows, OnConflict::Fail).await
    }

    async fn delete(&mut self, table: &Table, keys: &[String]) -> Result<(), DatabaseError> {
        if keys.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite(tx) => sqlite::delete(tx, table, keys).await,
            Self::Postgres(tx) => postgres::delete(tx, table, keys).await,
        }
    }

    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        match self {
            Self::Sqlite(tx) => sqlite::execute(tx, sql, params).await,
            Self::Postgres(tx) => postgres::execute(tx, sql, params).await,
        }
    }

    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        match self {
            Self::Sqlite(tx) => sqlite::query(&mut **tx, sql, params).await,
            Self::Postgres(tx) => postgres::query(&mut **tx, sql, params).await,
        }
    }
}

impl Transaction {
    async fn write(
        &mut self,
        table: &Table,
        rows: &[Row],
        conflict: OnConflict,
    ) -> Result<(), DatabaseError> {
        if rows.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite(tx) => sqlite::write(tx, table, rows, conflict).await,
            Self::Postgres(tx) => postgres::write(tx, table, rows, conflict).await,
        }
    }
}

/// What to do with a key that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnConflict {
    /// Put the new row in its place.
    Replace,
    /// Refuse.
    Fail,
}

impl OnConflict {
    /// The statement's end.
    fn clause(self, table: &Table) -> String {
        match self {
            Self::Fail => String::new(),
            Self::Replace => {
                let rest: Vec<_> =
                    table.columns.iter().skip(1).map(|c| format!("{0} = excluded.{0}", c.name)).collect();
                format!(" on conflict ({}) do update set {}", table.key(), rest.join(", "))
            }
        }
    }
}

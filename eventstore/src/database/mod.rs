//! The two databases behind one face: connections, queries, transactions.

mod copy;
mod fetched;
mod log_connection;
mod postgres;
mod sqlite;
mod table;
mod writes;

pub(crate) use fetched::{Cell, Fetched, cells_of};
pub(crate) use log_connection::LogConnection;
pub(crate) use postgres::Postgres;
pub use table::{Column, ColumnType, Dialect, Row, Table, Tables, Value};
pub(crate) use writes::{HeadMove, Write};

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlite::{Sqlite, Stay};

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
    /// What was read is no longer the newest: another node has written. The store tries again.
    #[error("the log went on meanwhile")]
    Overtaken,
}

impl DatabaseError {
    /// Whether the way to the database failed, and not the statement.
    pub(crate) fn is_connection_lost(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            // Class 57P: the server ends the connection; class 08: the connection failed.
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
            }
            _ => false,
        }
    }
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
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`
    pub url: String,
    /// The schema of the log and the projections; the keys are in `<schema>_keys`.
    pub schema: String,
    /// Connections for reading; three more write, and one reads the log for whoever walks through it.
    pub max_connections: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
}

/// The URL holds a password: it stays out of logs.
impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresOptions").field("schema", &self.schema).finish_non_exhaustive()
    }
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
        Ok(Self::Sqlite(Sqlite::open(path, contents, Stay::Kept).await?))
    }

    /// Opens an SQLite log: [`Database::open_sqlite`] for [`Contents::Log`].
    ///
    /// # Errors
    /// When the file cannot be opened or migrated.
    pub async fn open_sqlite_log(path: &Path) -> Result<Self, OpenError> {
        Self::open_sqlite(path, Contents::Log).await
    }

    /// The same for a file that its maker removes once it was of use. Nobody can rely on what is in it after a crash, and
    /// what is deleted is not overwritten in it: it lies in a folder that goes as a whole.
    ///
    /// # Errors
    /// When the file cannot be opened or migrated.
    pub async fn open_passing_log(path: &Path) -> Result<Self, OpenError> {
        Ok(Self::Sqlite(Sqlite::open(path, Contents::Log, Stay::Passing).await?))
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
            Self::Postgres(db) => match postgres::query(db.readers(), sql, params).await {
                // Reading again harms nobody, and a connection that broke while it lay idle (the server
                // was restarted) says nothing of the next.
                Err(error) if error.is_connection_lost() => {
                    let mut connection = db.living_reader().await?;
                    postgres::query(&mut *connection, sql, params).await
                }
                outcome => outcome,
            },
        }
    }

    /// Rows of a table on the latest committed state; `rest` is what follows the table's name in a query
    /// (`where … order by … limit …`). For many rows quicker than [`Database::query`].
    ///
    /// # Errors
    /// When the statement fails, or a column holds what its kind does not say.
    pub async fn read(&self, table: &Table, rest: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        self.fetch(table, rest, params).await?.rows(table)
    }

    /// The same, as they came from the database.
    pub(crate) async fn fetch(
        &self,
        table: &Table,
        rest: &str,
        params: &[Value],
    ) -> Result<Fetched, DatabaseError> {
        let db = match self {
            Self::Sqlite(db) => return sqlite::fetch(db.readers(), table, rest, params).await,
            Self::Postgres(db) => db,
        };
        let sql = format!("select {} from {} {rest}", table.column_list(), table.name);
        match postgres::fetch(db.readers(), &sql, params).await {
            Err(error) if error.is_connection_lost() => {
                let mut connection = db.living_reader().await?;
                postgres::fetch(&mut *connection, &sql, params).await
            }
            outcome => outcome,
        }
    }

    /// Begins a transaction for writing. It does not lock the log's head.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn transaction(&self) -> Result<Transaction, DatabaseError> {
        self.begin(Locking::Nothing).await
    }

    /// Begins a transaction; on PostgreSQL the head is locked in the same round trip.
    pub(crate) async fn begin(&self, locking: Locking) -> Result<Transaction, DatabaseError> {
        for _ in 0..STALE_CONNECTIONS {
            match self.begin_once(locking).await {
                // What lay idle may have been cut off. Nothing has begun, so another one will do.
                Err(error) if error.is_connection_lost() && !self.is_closed() => {}
                outcome => return outcome,
            }
        }
        self.begin_once(locking).await
    }

    async fn begin_once(&self, locking: Locking) -> Result<Transaction, DatabaseError> {
        let database = self.clone();
        // A task of its own: who asked may be cancelled between the database's answer and its receipt,
        // and an open transaction that nobody holds would block the connection for good.
        let begun = tokio::spawn(async move {
            Ok::<_, sqlx::Error>(match database {
                Self::Sqlite(db) => Transaction::Sqlite(db.begin().await?),
                Self::Postgres(db) => Transaction::Postgres(db.begin(locking).await?),
            })
        });
        Ok(begun.await.map_err(|_| sqlx::Error::WorkerCrashed)??)
    }

    /// SQLite keeps the pages as they were in its write-ahead log until that is folded into the file.
    /// Folds it, unless a reader still needs it: then the next one does.
    pub(crate) async fn forget_old_pages(&self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(db) => db.checkpoint().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Work on many rows begins: on SQLite the connection that writes keeps more of the file in memory until
    /// [`Database::end_bulk`], as the rows come in no order that the tables and their indexes have, and the
    /// write-ahead log is folded into the file less often, as the same pages are written again and again.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin_bulk(&self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(db) => db.begin_bulk().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Work on many rows is over. What it left in SQLite's write-ahead log is folded into the file.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn end_bulk(&self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(db) => db.end_bulk().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Whether [`Database::close`] was called: who holds a connection of their own lets go of it.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(db) => db.is_closed(),
        }
    }

    /// Closes the connections; SQLite then folds its write-ahead log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(db) => db.close().await,
        }
    }
}

/// As many connections for writing as a pool may hold that were cut off while they lay idle.
const STALE_CONNECTIONS: u32 = 2;

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

    async fn upsert(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), DatabaseError> {
        self.write(table, rows, OnConflict::Replace).await
    }

    async fn insert(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), DatabaseError> {
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

    async fn run(&mut self, statements: &[String]) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(tx) => sqlite::run(tx, &statements.join(";\n")).await,
            Self::Postgres(tx) => postgres::run(tx, &statements.join(";\n")).await,
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
        rows: Vec<Row>,
        conflict: OnConflict,
    ) -> Result<(), DatabaseError> {
        if rows.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite(tx) => sqlite::write(tx, table, rows, conflict).await,
            Self::Postgres(tx) => match conflict {
                OnConflict::Fail => copy::insert(tx, table, &rows).await,
                OnConflict::Replace => postgres::upsert(tx, table, &rows).await,
            },
        }
    }
}

/// What a transaction locks as it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locking {
    /// The log's head. (On SQLite every transaction for writing holds the only lock there is.)
    Head,
    /// Nothing.
    Nothing,
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
                let rest = table.columns.iter().skip(1).filter(|column| !column.fixed);
                let rest: Vec<_> = rest.map(|c| format!("{0} = excluded.{0}", c.name)).collect();
                format!(" on conflict ({}) do update set {}", table.key(), rest.join(", "))
            }
        }
    }
}

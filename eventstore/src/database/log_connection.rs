//! The connection of the log's writer. It knows whether something is still open on it: then it is not
//! used again but closed, which undoes what was not committed, whenever and wherever it is dropped.

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;

use super::writes::{HeadMove, Write, independent};
use super::{Database, DatabaseError, Dialect, Row, Table, Value, postgres, sqlite};

/// A connection for one who writes the log.
#[derive(Debug)]
pub(crate) struct LogConnection {
    link: Link,
    in_transaction: bool,
    /// Something was begun of which no end is known.
    open: bool,
}

#[derive(Debug)]
enum Link {
    /// The only connection that writes: whoever else wants to write waits until it is back.
    Sqlite(PoolConnection<sqlx::Sqlite>),
    /// One of its own, in no pool.
    Postgres(PgConnection),
}

impl LogConnection {
    pub(crate) async fn take(database: &Database) -> Result<Self, DatabaseError> {
        let link = match database {
            Database::Sqlite(db) => Link::Sqlite(db.writer().await?),
            Database::Postgres(db) => Link::Postgres(db.log_connection().await?),
        };
        Ok(Self { link, in_transaction: false, open: false })
    }

    /// The same for the next batch, if it may be kept: nothing is open, and nobody waits for it.
    pub(crate) fn kept(self) -> Option<Self> {
        (!self.open && matches!(self.link, Link::Postgres(_))).then_some(self)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.link {
            Link::Sqlite(_) => Dialect::Sqlite,
            Link::Postgres(_) => Dialect::Postgres,
        }
    }

    /// How many writes, from the first on, [`LogConnection::append`] can take at once.
    pub(crate) fn takes(&self, writes: &[Write]) -> usize {
        match self.link {
            Link::Sqlite(_) => writes.len(),
            Link::Postgres(_) => independent(writes),
        }
    }

    fn begin_something(&mut self) {
        self.open = true;
    }

    fn end_something<T>(&mut self, outcome: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if outcome.is_ok() {
            self.open = self.in_transaction;
        }
        outcome
    }

    /// Begins a transaction that holds the head's lock.
    pub(crate) async fn begin(&mut self) -> Result<(), DatabaseError> {
        self.begin_something();
        let begun = match &mut self.link {
            Link::Sqlite(link) => sqlite::execute(link, sqlite::BEGIN, &[]).await.map(drop),
            Link::Postgres(link) => postgres::run(link, postgres::BEGIN_AND_LOCK).await,
        };
        self.in_transaction = true;
        self.end_something(begun)
    }

    pub(crate) async fn commit(&mut self) -> Result<(), DatabaseError> {
        self.end("COMMIT").await
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, how: &str) -> Result<(), DatabaseError> {
        let ended = match &mut self.link {
            Link::Sqlite(link) => sqlite::execute(link, how, &[]).await.map(drop),
            Link::Postgres(link) => postgres::run(link, how).await,
        };
        self.in_transaction = ended.is_err();
        self.end_something(ended)
    }

    pub(crate) async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        self.begin_something();
        let rows = match &mut self.link {
            Link::Sqlite(link) => sqlite::query(&mut **link, sql, params).await,
            Link::Postgres(link) => postgres::query(link, sql, params).await,
        };
        self.end_something(rows)
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.begin_something();
        let touched = match &mut self.link {
            Link::Sqlite(link) => sqlite::execute(link, sql, params).await,
            Link::Postgres(link) => postgres::execute(link, sql, params).await,
        };
        self.end_something(touched)
    }

    pub(crate) async fn select(
        &mut self,
        table: &Table,
        column: &str,
        values: &[String],
    ) -> Result<Vec<Row>, DatabaseError> {
        self.begin_something();
        let rows = match &mut self.link {
            Link::Sqlite(link) => sqlite::select(link, table, column, values).await,
            Link::Postgres(link) => postgres::select(link, table, column, values).await,
        };
        self.end_something(rows)
    }

    /// Writes in one go, as many as it [`takes`](LogConnection::takes), in a transaction that was begun.
    pub(crate) async fn write(&mut self, writes: &[Write]) -> Result<(), DatabaseError> {
        self.begin_something();
        let written = match &mut self.link {
            Link::Sqlite(link) => sqlite::write_all(link, writes, None, false).await,
            Link::Postgres(link) => postgres::write_all(link, writes, None).await,
        };
        self.end_something(written.map(drop))
    }

    /// Writes in one go, moves the head, and where no transaction was begun commits as well. Says whether
    /// the head stood where the move begins; if not, nothing was written. Without a transaction it does
    /// not wait for who holds the head.
    pub(crate) async fn append(
        &mut self,
        writes: &[Write],
        head: &HeadMove<'_>,
    ) -> Result<bool, DatabaseError> {
        self.begin_something();
        let own = !self.in_transaction;
        let moved = match &mut self.link {
            Link::Sqlite(link) => sqlite::write_all(link, writes, Some(head), own).await,
            Link::Postgres(link) => postgres::write_all(link, writes, Some(head)).await,
        };
        self.end_something(moved)
    }
}

impl Drop for LogConnection {
    fn drop(&mut self) {
        // A connection of no pool is closed anyway.
        if self.open
            && let Link::Sqlite(link) = &mut self.link
        {
            link.close_on_drop();
        }
    }
}

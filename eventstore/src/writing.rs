//! A batch on its way into the database.
//!
//! What it writes is put off to the end, and goes there together with the head's move. So a batch whose
//! reads are answered from memory is a single statement, and one round trip: it finds the head where this
//! node left it, writes, moves the head and commits. If another node has moved the head meanwhile, nothing
//! is written, and the batch is made again under the head's lock, where nobody can be faster.
//!
//! Without the lock what is read is true all the same: positions only grow, and whoever changes a table
//! that is read here moves the head in the same transaction (or its epoch, see [`HeadLock`]). A head that
//! stands at the end where it stood in the beginning has not moved in between.
//!
//! [`HeadLock`]: crate::HeadLock

use std::collections::HashMap;

use async_trait::async_trait;
use evident_domain::StreamId;

use crate::StoreError;
use crate::codec::signed;
use crate::database::{
    Database, DatabaseError, Dialect, HeadMove, LogConnection, Row, Table, Tables, Value, Write,
};
use crate::head::{self, Standing};
use crate::merkle::Frontier;

/// Versions of streams.
pub(crate) type Versions = HashMap<StreamId, u64>;

/// A batch's way to the tables.
#[derive(Debug)]
pub(crate) struct Writing {
    connection: LogConnection,
    /// Where the head stands; as long as it is not locked, where it stood when this node last saw it.
    standing: Standing,
    locked: bool,
    /// It was seen that the head stands elsewhere.
    overtaken: bool,
    /// Not yet written.
    pending: Vec<Write>,
}

impl Writing {
    /// Locks the head, and reads it and the versions of streams; one without events has version 0.
    pub(crate) async fn locked(
        mut connection: LogConnection,
        streams: impl Iterator<Item = StreamId> + Send,
    ) -> Result<(Self, Versions), StoreError> {
        connection.begin().await?;
        let (standing, versions) = look(&mut connection, streams).await?;
        Ok((Self { connection, standing, locked: true, overtaken: false, pending: Vec::new() }, versions))
    }

    /// Trusts that the head still stands where it was last seen.
    pub(crate) fn trusting(connection: LogConnection, standing: Standing) -> Self {
        Self { connection, standing, locked: false, overtaken: false, pending: Vec::new() }
    }

    /// The versions of streams; see [`Writing::locked`].
    pub(crate) async fn versions(
        &mut self,
        streams: impl Iterator<Item = StreamId> + Send,
    ) -> Result<Versions, StoreError> {
        let (standing, versions) = look(&mut self.connection, streams).await?;
        self.compare(&standing)?;
        Ok(versions)
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    fn compare(&mut self, standing: &Standing) -> Result<(), DatabaseError> {
        if *standing == self.standing {
            return Ok(());
        }
        self.overtaken = true;
        Err(DatabaseError::Overtaken)
    }

    /// Makes sure that the head is locked, and stands where it was seen.
    async fn lock(&mut self) -> Result<(), StoreError> {
        if self.overtaken {
            return Err(DatabaseError::Overtaken.into());
        }
        if !self.locked {
            self.connection.begin().await?;
            self.locked = true;
            let (standing, _) = look(&mut self.connection, std::iter::empty()).await?;
            self.compare(&standing)?;
        }
        Ok(())
    }

    /// Writes what was put off: what comes next must see it.
    async fn flush(&mut self) -> Result<(), DatabaseError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.lock_for_tables().await?;
        let pending = std::mem::take(&mut self.pending);
        self.write(&pending).await
    }

    async fn write(&mut self, mut writes: &[Write]) -> Result<(), DatabaseError> {
        while !writes.is_empty() {
            let (portion, rest) = writes.split_at(self.connection.takes(writes));
            self.connection.write(portion).await?;
            writes = rest;
        }
        Ok(())
    }

    /// [`Writing::lock`] where only the database can fail.
    async fn lock_for_tables(&mut self) -> Result<(), DatabaseError> {
        self.lock().await.map_err(|error| match error {
            StoreError::Database(cause) => {
                std::sync::Arc::try_unwrap(cause).unwrap_or(DatabaseError::Overtaken)
            }
            _ => head::unexpected(),
        })
    }

    fn put_off(&mut self, write: Write) {
        if !write.is_empty() {
            self.pending.push(write);
        }
    }

    /// Makes everything durable, with the head at its new place; `None` where nothing is to be written.
    /// Gives the connection back, unless the head turns out to stand elsewhere: then nothing is written.
    pub(crate) async fn end(
        mut self,
        frontier: Option<&Frontier>,
    ) -> Result<Option<(LogConnection, Standing)>, StoreError> {
        if self.overtaken {
            return Ok(None);
        }
        let Some(frontier) = frontier else { return self.end_without_writing().await };
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while self.connection.takes(rest) < rest.len() {
            self.lock().await?;
            let (portion, others) = rest.split_at(self.connection.takes(rest));
            self.connection.write(portion).await?;
            rest = others;
        }
        let to_frontier = frontier.to_bytes();
        let step = HeadMove {
            from_position: signed(self.standing.head.position.0),
            from_epoch: self.standing.epoch,
            to_position: signed(frontier.size()),
            to_frontier: &to_frontier,
        };
        if !self.connection.append(rest, &step).await? {
            return if self.locked { Err(head::unexpected().into()) } else { Ok(None) };
        }
        if self.locked {
            self.connection.commit().await?;
        }
        let standing = Standing::at(frontier.clone(), self.standing.epoch);
        Ok(Some((self.connection, standing)))
    }

    /// Nothing is to be written; but what was decided must have been decided on the newest state.
    async fn end_without_writing(mut self) -> Result<Option<(LogConnection, Standing)>, StoreError> {
        if self.locked {
            self.connection.rollback().await?;
        } else {
            let (standing, _) = look(&mut self.connection, std::iter::empty()).await?;
            if standing != self.standing {
                return Ok(None);
            }
        }
        Ok(Some((self.connection, self.standing)))
    }
}

async fn look(
    connection: &mut LogConnection,
    streams: impl Iterator<Item = StreamId> + Send,
) -> Result<(Standing, Versions), StoreError> {
    let mut versions: Versions = streams.map(|stream| (stream, 0)).collect();
    let (sql, params) = head::select_with_versions(connection.dialect(), versions.keys());
    let rows = connection.query(sql, &params).await?;
    let standing = head::read_with_versions(&rows, &mut versions)?;
    Ok((standing, versions))
}

/// Whether an event or message is in the log, once the batch that brings it is over, one way or the other:
/// the head is locked, and its epoch goes on, so that a statement of that batch which is still on its way
/// finds the head elsewhere.
pub(crate) async fn is_there(database: &Database, sql: &str, witness: &[Value]) -> Result<bool, StoreError> {
    let (mut writing, _) = Writing::locked(LogConnection::take(database).await?, std::iter::empty()).await?;
    let there = !writing.connection.query(sql, witness).await?.is_empty();
    writing.connection.execute(head::NEXT_EPOCH, &[]).await?;
    writing.connection.commit().await?;
    Ok(there)
}

/// Writes are put off as long as nothing is read that could show them.
#[async_trait]
impl Tables for Writing {
    fn dialect(&self) -> Dialect {
        self.connection.dialect()
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
        if self.pending.iter().any(|write| write.table().name == table.name) {
            self.flush().await?;
        }
        self.connection.select(table, column, values).await
    }

    async fn upsert(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), DatabaseError> {
        self.put_off(Write::upsert(table, rows));
        Ok(())
    }

    async fn insert(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), DatabaseError> {
        self.put_off(Write::insert(table, rows));
        Ok(())
    }

    async fn delete(&mut self, table: &Table, keys: &[String]) -> Result<(), DatabaseError> {
        self.put_off(Write::delete(table, keys));
        Ok(())
    }

    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.lock_for_tables().await?;
        self.flush().await?;
        self.connection.execute(sql, params).await
    }

    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        self.flush().await?;
        self.connection.query(sql, params).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Contents;

    #[tokio::test]
    async fn a_statement_that_comes_after_it_was_asked_about_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_sqlite(&folder.path().join("log.db"), Contents::Log).await.unwrap();
        let connection = LogConnection::take(&database).await.unwrap();
        let (writing, _) = Writing::locked(connection, std::iter::empty()).await.unwrap();
        let standing = writing.standing().clone();
        drop(writing);
        assert!(!is_there(&database, "select 1 from events where 1 = $1", &[0.into()]).await.unwrap());

        let mut frontier = standing.head.frontier.clone();
        frontier.push(b"leaf");
        let row =
            |id: &str| vec![id.into(), "s".into(), "p".into(), 0.into(), 0.into(), 0.into(), Value::Null];
        for (standing, written) in [(standing.clone(), 0), (Standing { epoch: 1, ..standing }, 1)] {
            let connection = LogConnection::take(&database).await.unwrap();
            let mut late = Writing::trusting(connection, standing);
            late.insert(&crate::outbox::OUTBOX, vec![row("late")]).await.unwrap();
            assert_eq!(late.end(Some(&frontier)).await.unwrap().is_some(), written == 1);
            let rows = database.query("select id from outbox", &[]).await.unwrap();
            assert_eq!(rows.len(), written);
        }
    }
}

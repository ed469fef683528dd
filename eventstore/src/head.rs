//! The head of the log, and its lock.

use std::collections::HashMap;

use evident_domain::{Position, StreamId, StreamKind};
use serde_json::Value as Json;

use crate::StoreError;
use crate::database::{Database, DatabaseError, Dialect, Locking, Row, Tables, Transaction, Value};
use crate::merkle::Frontier;

/// How far the log goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The position of the last event; 0 for the empty log.
    pub position: Position,
    /// The Merkle tree over all events.
    pub frontier: Frontier,
}

/// The head as a writer leaves it. While it stands there, what follows from the log is as the writer knows
/// it: nobody has written an event, nor made tables anew.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    pub(crate) head: Head,
    /// Counts what changes tables without an event, and commits that nobody knew the outcome of.
    pub(crate) epoch: i64,
}

impl Standing {
    pub(crate) fn at(frontier: Frontier, epoch: i64) -> Self {
        Self { head: Head { position: Position(frontier.size()), frontier }, epoch }
    }
}

/// Makes every [`Standing`] a thing of the past. Under the head's lock.
pub(crate) const NEXT_EPOCH: &str = "update log_head set writer_epoch = writer_epoch + 1 where only_row = 1";

const SELECT: &str = "select position, frontier from log_head where only_row = 1";

pub(crate) async fn read(database: &Database) -> Result<Head, StoreError> {
    match database.query(SELECT, &[]).await?.first().map(Vec::as_slice) {
        Some([Value::Int(position), Value::Bytes(frontier)]) => parse(*position, frontier),
        _ => Err(unexpected().into()),
    }
}

fn parse(position: i64, frontier: &[u8]) -> Result<Head, StoreError> {
    let size = u64::try_from(position).map_err(|_| unexpected())?;
    Ok(Head { position: Position(size), frontier: Frontier::from_bytes(size, frontier)? })
}

pub(crate) fn unexpected() -> DatabaseError {
    DatabaseError::Unexpected { table: "log_head".to_owned(), column: "position" }
}

/// Reads the head and the versions of streams in one statement. If the head is locked, then before: a
/// statement of PostgreSQL sees what was committed before it began.
pub(crate) fn select_with_versions<'a>(
    dialect: Dialect,
    streams: impl Iterator<Item = &'a StreamId>,
) -> (&'static str, [Value; 1]) {
    let list: Json =
        streams.map(|s| Json::from(vec![s.kind.as_str().to_owned(), s.id.to_string()])).collect();
    let sql = match dialect {
        Dialect::Sqlite => {
            "select null, null, position, frontier, writer_epoch from log_head where only_row = 1 \
             union all \
             select s.value ->> 0, s.value ->> 1, (select max(sequence) from events e \
             where e.aggregate_type = s.value ->> 0 and e.aggregate_id = s.value ->> 1), null, null \
             from json_each($1) s"
        }
        Dialect::Postgres => {
            "select null, null, position, frontier, writer_epoch from log_head where only_row = 1 \
             union all \
             select s ->> 0, s ->> 1, (select max(sequence) from events e \
             where e.aggregate_type = s ->> 0 and e.aggregate_id = s ->> 1), null, null \
             from json_array_elements($1::json) s"
        }
    };
    (sql, [list.to_string().into()])
}

/// Reads the answer to [`select_with_versions`]. A stream without events keeps the version it has.
pub(crate) fn read_with_versions(
    rows: &[Row],
    versions: &mut HashMap<StreamId, u64>,
) -> Result<Standing, StoreError> {
    let mut standing = None;
    for row in rows {
        match row.as_slice() {
            [Value::Null, Value::Null, Value::Int(position), Value::Bytes(frontier), Value::Int(epoch)] => {
                standing = Some(Standing { head: parse(*position, frontier)?, epoch: *epoch });
            }
            [Value::Text(kind), Value::Text(id), Value::Int(version), Value::Null, Value::Null] => {
                let kind = StreamKind::from_name(kind).ok_or_else(unexpected)?;
                let id = id.parse().map_err(|_| unexpected())?;
                let version = u64::try_from(*version).map_err(|_| unexpected())?;
                versions.insert(StreamId { kind, id }, version);
            }
            [Value::Text(_), Value::Text(_), Value::Null, Value::Null, Value::Null] => {} // no event yet
            _ => return Err(unexpected().into()),
        }
    }
    Ok(standing.ok_or_else(unexpected)?)
}

/// The head under lock: no writer on any node commits until this is committed or dropped. For those who
/// work on tables and write no events.
#[derive(Debug)]
pub struct HeadLock {
    transaction: Transaction,
    head: Head,
}

impl HeadLock {
    pub(crate) async fn acquire(database: &Database) -> Result<Self, StoreError> {
        let mut transaction = database.begin(Locking::Head).await?;
        match transaction.query(SELECT, &[]).await?.first().map(Vec::as_slice) {
            Some([Value::Int(position), Value::Bytes(frontier)]) => {
                Ok(Self { transaction, head: parse(*position, frontier)? })
            }
            _ => Err(unexpected().into()),
        }
    }

    /// The position of the last event.
    pub fn position(&self) -> Position {
        self.head.position
    }

    /// The tables, as they are with everything up to the position.
    pub fn tables(&mut self) -> &mut dyn Tables {
        &mut self.transaction
    }

    /// Sets the head behind events that were written under this lock.
    pub(crate) async fn move_head(&mut self, frontier: &Frontier) -> Result<(), DatabaseError> {
        let sql = "update log_head set position = $1, frontier = $2 where only_row = 1";
        let params = [crate::codec::signed(frontier.size()).into(), frontier.to_bytes().into()];
        self.transaction.execute(sql, &params).await.map(drop)
    }

    /// Makes what was done durable and visible, and lets writers go on. Whatever they remember of the
    /// tables they forget.
    ///
    /// # Errors
    /// When the database cannot.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.transaction.execute(NEXT_EPOCH, &[]).await?;
        Ok(self.transaction.commit().await?)
    }
}

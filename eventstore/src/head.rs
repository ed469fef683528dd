//! The head of the log, and its lock.

use std::collections::HashMap;

use evident_domain::{Position, StreamId, StreamKind};
use serde_json::Value as Json;

use crate::StoreError;
use crate::codec::signed;
use crate::database::{Database, DatabaseError, Dialect, Locking, Tables, Transaction, Value, Writer};
use crate::merkle::Frontier;

/// How far the log goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The position of the last event; 0 for the empty log.
    pub position: Position,
    /// The Merkle tree over all events.
    pub frontier: Frontier,
}

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

fn unexpected() -> DatabaseError {
    DatabaseError::Unexpected { table: "log_head".to_owned(), column: "position" }
}

/// The head, and the versions of the streams in `$1`, in one round trip. It runs after the head is locked:
/// a statement of PostgreSQL sees what was committed before it began.
fn select_head_and_versions(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "select null, null, position, frontier from log_head where only_row = 1 \
             union all \
             select s.value ->> 0, s.value ->> 1, (select max(sequence) from events e \
             where e.aggregate_type = s.value ->> 0 and e.aggregate_id = s.value ->> 1), null \
             from json_each($1) s"
        }
        Dialect::Postgres => {
            "select null, null, position, frontier from log_head where only_row = 1 \
             union all \
             select s ->> 0, s ->> 1, (select max(sequence) from events e \
             where e.aggregate_type = s ->> 0 and e.aggregate_id = s ->> 1), null \
             from json_array_elements($1::json) s"
        }
    }
}

/// The head under lock: no writer on any node commits until this is committed or dropped.
#[derive(Debug)]
pub struct HeadLock {
    transaction: Transaction,
    head: Head,
}

impl HeadLock {
    pub(crate) async fn acquire(database: &Database) -> Result<Self, StoreError> {
        Ok(Self::acquire_as(Writer::Any, database, Vec::new()).await?.0)
    }

    /// The head under lock, and the versions of streams; a stream without events has version 0.
    pub(crate) async fn acquire_for_writer(
        database: &Database,
        streams: Vec<StreamId>,
    ) -> Result<(Self, HashMap<StreamId, u64>), StoreError> {
        Self::acquire_as(Writer::Log, database, streams).await
    }

    async fn acquire_as(
        who: Writer,
        database: &Database,
        streams: Vec<StreamId>,
    ) -> Result<(Self, HashMap<StreamId, u64>), StoreError> {
        let mut versions: HashMap<StreamId, u64> = streams.into_iter().map(|stream| (stream, 0)).collect();
        let list: Json =
            versions.keys().map(|s| Json::from(vec![s.kind.as_str().to_owned(), s.id.to_string()])).collect();
        let mut transaction = database.begin(who, Locking::Head).await?;
        let sql = select_head_and_versions(transaction.dialect());
        let mut head = None;
        for row in transaction.query(sql, &[list.to_string().into()]).await? {
            match row.as_slice() {
                [Value::Null, Value::Null, Value::Int(position), Value::Bytes(frontier)] => {
                    head = Some(parse(*position, frontier)?);
                }
                [Value::Text(kind), Value::Text(id), Value::Int(version), Value::Null] => {
                    let kind = StreamKind::from_name(kind).ok_or_else(unexpected)?;
                    let id = id.parse().map_err(|_| unexpected())?;
                    let version = u64::try_from(*version).map_err(|_| unexpected())?;
                    versions.insert(StreamId { kind, id }, version);
                }
                [Value::Text(_), Value::Text(_), Value::Null, Value::Null] => {} // no event yet: 0 stands
                _ => return Err(unexpected().into()),
            }
        }
        let head = head.ok_or_else(unexpected)?;
        Ok((Self { transaction, head }, versions))
    }

    /// The position of the last event.
    pub fn position(&self) -> Position {
        self.head.position
    }

    /// The tables, as they are with everything up to the position.
    pub fn tables(&mut self) -> &mut dyn Tables {
        &mut self.transaction
    }

    pub(crate) fn frontier(&self) -> Frontier {
        self.head.frontier.clone()
    }

    pub(crate) async fn advance(&mut self, frontier: &Frontier) -> Result<(), DatabaseError> {
        let sql = "update log_head set position = $1, frontier = $2 where only_row = 1";
        let params = [signed(frontier.size()).into(), frontier.to_bytes().into()];
        self.transaction.execute(sql, &params).await?;
        Ok(())
    }

    /// Makes what was done durable and visible, and lets writers go on.
    ///
    /// # Errors
    /// When the database cannot.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}

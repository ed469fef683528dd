//! The head of the log, and its lock.

use evident_domain::Position;

use crate::StoreError;
use crate::codec::signed;
use crate::database::{Database, DatabaseError, Dialect, Row, Tables, Transaction, Value};
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
    parse(&database.query(SELECT, &[]).await?)
}

fn parse(rows: &[Row]) -> Result<Head, StoreError> {
    let unexpected = DatabaseError::Unexpected { table: "log_head".to_owned(), column: "position" };
    let Some([Value::Int(position), Value::Bytes(frontier)]) = rows.first().map(Vec::as_slice) else {
        return Err(unexpected.into());
    };
    let size = u64::try_from(*position).map_err(|_| unexpected)?;
    Ok(Head { position: Position(size), frontier: Frontier::from_bytes(size, frontier)? })
}

/// The head under lock: no writer on any node commits until this is committed or dropped.
#[derive(Debug)]
pub struct HeadLock {
    transaction: Transaction,
    head: Head,
}

impl HeadLock {
    pub(crate) async fn acquire(database: &Database) -> Result<Self, StoreError> {
        let mut transaction = database.transaction().await?;
        let sql = match transaction.dialect() {
            // `begin immediate` holds the only write lock there is.
            Dialect::Sqlite => SELECT.to_owned(),
            Dialect::Postgres => format!("{SELECT} for update"),
        };
        let head = parse(&transaction.query(&sql, &[]).await?)?;
        Ok(Self { transaction, head })
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

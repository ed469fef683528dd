//! What the tables were built from.

use std::collections::HashMap;

use evident_domain::{Position, Time};
use evident_eventstore::{Column, ColumnType, DatabaseError, EventStore, Row, Table, Tables};

use crate::ProjectionError;
use crate::cells::{self, Cells};
use crate::digest::RowsDigest;
use crate::folding::Projection;
use crate::folds;

const PROJECTIONS: Table = Table::new(
    "projections",
    &[
        Column::new("name", ColumnType::Text),
        Column::new("version", ColumnType::Int),
        Column::new("position", ColumnType::Int),
        Column::new("built_at", ColumnType::Int),
        Column::new("rows", ColumnType::Int),
        Column::new("digest", ColumnType::Text),
    ],
);

/// What is known of a projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub name: &'static str,
    /// The version of this program's fold.
    pub version: u32,
    /// What its table was last built from; nothing is known of a table that an upgrade brought.
    pub built: Option<Built>,
}

/// What a table was built from. Since then every commit has kept it up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The version of the fold.
    pub version: u64,
    /// The last event at the time.
    pub position: Position,
    /// When.
    pub at: Time,
    /// The digest of the rows as they were then; not known of a table that an older program built.
    pub digest: Option<RowsDigest>,
}

impl Status {
    /// Whether the table holds what this program's fold would make.
    pub fn is_current(&self) -> bool {
        self.built.as_ref().is_some_and(|built| built.version == u64::from(self.version))
    }
}

/// What all tables were built from.
///
/// # Errors
/// When the database fails.
pub async fn status(store: &EventStore) -> Result<Vec<Status>, ProjectionError> {
    let sql = format!("select {} from projections", PROJECTIONS.column_list());
    let mut built = HashMap::new();
    for row in store.database().query(&sql, &[]).await? {
        let mut cells = Cells::new(&PROJECTIONS, row);
        let name = cells.text()?;
        let (version, position) = (cells.number()?, Position(cells.number()?));
        let (at, rows, hex) = (cells.time()?, cells.maybe_number()?, cells.maybe_text()?);
        let digest = rows.zip(hex).and_then(|(rows, hex)| RowsDigest::parse(rows, &hex));
        built.insert(name, Built { version, position, at, digest });
    }
    let status = |projection: &&'static dyn Projection| Status {
        name: projection.name(),
        version: projection.version(),
        built: built.remove(projection.name()),
    };
    Ok(folds::ALL.iter().map(status).collect())
}

/// Names the projections that must be rebuilt before this program may write: those whose tables another
/// version of the fold made. In an empty log there is nothing to rebuild. Call it at start.
///
/// # Errors
/// When the database fails.
pub async fn outdated(store: &EventStore) -> Result<Vec<&'static str>, ProjectionError> {
    let outdated: Vec<_> = status(store).await?.into_iter().filter(|s| !s.is_current()).collect();
    if outdated.is_empty() {
        return Ok(Vec::new());
    }
    let mut lock = store.lock_head().await?;
    if lock.position() > Position(0) {
        return Ok(outdated.into_iter().map(|status| status.name).collect());
    }
    let built = folds::ALL.map(|projection| (projection, RowsDigest::default()));
    record(lock.tables(), &built, Position(0), store.clock().now()).await?;
    lock.commit().await?;
    Ok(Vec::new())
}

/// Notes what tables were built from, and what came of it.
pub(crate) async fn record(
    tables: &mut dyn Tables,
    built: &[(&'static dyn Projection, RowsDigest)],
    position: Position,
    at: Time,
) -> Result<(), DatabaseError> {
    let row = |(projection, digest): &(&'static dyn Projection, RowsDigest)| -> Row {
        vec![
            projection.name().into(),
            i64::from(projection.version()).into(),
            cells::number(position.0),
            cells::time(at),
            cells::number(digest.rows()),
            digest.to_string().into(),
        ]
    };
    let rows: Vec<Row> = built.iter().map(row).collect();
    tables.upsert(&PROJECTIONS, rows).await
}

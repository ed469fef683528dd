//! What is known of the shadow tables of a rebuild: what they were made from and how far they go, so that an
//! interrupted rebuild goes on there.

use evident_domain::{Position, Time};
use evident_eventstore::{Column, ColumnType, Database, DatabaseError, Dialect, Row, Table, Tables, Value};
use sha2::{Digest as _, Sha256};

use crate::ProjectionError;
use crate::cells::{self, Cells};
use crate::digest::RowsDigest;
use crate::folding::Projection;

const SHADOWS: Table = Table::new(
    "projection_shadows",
    &[
        Column::new("name", ColumnType::Text),
        Column::new("version", ColumnType::Int),
        Column::new("definition", ColumnType::Text),
        Column::new("position", ColumnType::Int),
        Column::new("rows", ColumnType::Int),
        Column::new("digest", ColumnType::Text),
        Column::new("begun_at", ColumnType::Int),
    ],
);

/// How far the shadow of a projection goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) name: String,
    version: u64,
    definition: String,
    pub(crate) position: Position,
    pub(crate) digest: RowsDigest,
    pub(crate) begun_at: Time,
}

/// All marks.
pub(crate) async fn read(database: &Database) -> Result<Vec<Mark>, DatabaseError> {
    let sql = format!("select {} from projection_shadows", SHADOWS.column_list());
    let rows = database.query(&sql, &[]).await?;
    rows.into_iter().map(mark).collect()
}

fn mark(row: Row) -> Result<Mark, DatabaseError> {
    let mut cells = Cells::new(&SHADOWS, row);
    let (name, version, definition) = (cells.text()?, cells.number()?, cells.text()?);
    let (position, rows) = (Position(cells.number()?), cells.number()?);
    let digest = cells.parsed(|hex| RowsDigest::parse(rows, hex))?;
    Ok(Mark { name, version, definition, position, digest, begun_at: cells.time()? })
}

/// What a projection's shadow would be made from now.
pub(crate) async fn fresh(
    database: &Database,
    projection: &dyn Projection,
    now: Time,
) -> Result<Mark, ProjectionError> {
    let mut sha = Sha256::new();
    for table in projection.tables() {
        let rows = definition(database, &table.name).await?;
        if rows.is_empty() {
            return Err(ProjectionError::NoTable(table.name.to_string()));
        }
        for text in rows.iter().flatten().filter_map(Value::as_text) {
            sha.update(text.len().to_be_bytes());
            sha.update(text);
        }
        sha.update(table.column_list());
    }
    let definition = hex::encode(sha.finalize());
    let (name, version) = (projection.name().to_owned(), u64::from(projection.version()));
    let (position, digest) = (Position(0), RowsDigest::default());
    Ok(Mark { name, version, definition, position, digest, begun_at: now })
}

async fn definition(database: &Database, table: &str) -> Result<Vec<Row>, DatabaseError> {
    let sql = match database.dialect() {
        Dialect::Sqlite => {
            "select sql from sqlite_master where tbl_name = $1 and sql is not null order by type, name"
        }
        Dialect::Postgres => {
            "select attname::text || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull::text \
             from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped \
             union all select pg_get_indexdef(indexrelid) from pg_index where indrelid = to_regclass($1) \
             order by 1"
        }
    };
    database.query(sql, &[table.into()]).await
}

impl Mark {
    /// Whether a shadow with this mark can be filled further by who would make it as `fresh` says.
    pub(crate) fn goes_on_as(&self, fresh: &Self, head: Position) -> bool {
        self.name == fresh.name
            && self.version == fresh.version
            && self.definition == fresh.definition
            && self.position <= head
    }

    /// Notes a shadow that was made just now.
    pub(crate) async fn write(&self, tables: &mut dyn Tables) -> Result<(), DatabaseError> {
        let row = vec![
            self.name.as_str().into(),
            cells::number(self.version),
            self.definition.as_str().into(),
            cells::number(self.position.0),
            cells::number(self.digest.rows()),
            self.digest.to_string().into(),
            cells::time(self.begun_at),
        ];
        tables.upsert(&SHADOWS, vec![row]).await
    }
}

/// A shadow holds everything up to a position.
pub(crate) async fn advance(
    tables: &mut dyn Tables,
    name: &str,
    position: Position,
    digest: RowsDigest,
) -> Result<(), DatabaseError> {
    let sql = "update projection_shadows set position = $1, rows = $2, digest = $3 where name = $4";
    let (rows, hex) = (cells::number(digest.rows()), digest.to_string());
    tables.execute(sql, &[cells::number(position.0), rows, hex.into(), name.into()]).await?;
    Ok(())
}

/// The shadow of a projection goes, or takes the live table's place.
pub(crate) async fn forget(tables: &mut dyn Tables, name: &str) -> Result<(), DatabaseError> {
    tables.execute("delete from projection_shadows where name = $1", &[name.into()]).await?;
    Ok(())
}

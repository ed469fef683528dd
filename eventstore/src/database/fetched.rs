//! Many rows at once, as they came from the database: values are borrowed from them, and nothing is copied
//! until somebody wants to keep it.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::{Decode, Postgres, Row as _, ValueRef as _};

use super::{ColumnType, DatabaseError, Row, Table, Value, copy};

/// Rows of one table.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// From SQLite: one text. Each row begins with a word for each column and a space behind it: the number that
    /// stands there, or the length in bytes of the text, and nothing for null. The texts follow.
    Packed(String),
    /// From PostgreSQL.
    Postgres(Vec<PgRow>),
    /// From PostgreSQL, by its `COPY`: the rows behind each other, without what stands before and behind them.
    Copied(Vec<u8>),
}

/// A borrowed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    /// Bytes as hexadecimal digits: how SQLite's texts carry them.
    Hex(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Cell<'a> {
    pub(crate) fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Hex(_) | Self::Bytes(_) => None,
        }
    }

    pub(crate) fn as_int(self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Hex(_) | Self::Bytes(_) => None,
        }
    }

    /// The value, to keep; none where digits do not read.
    pub(super) fn to_value(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Int(number) => Value::Int(number),
            Self::Text(text) => text.into(),
            Self::Hex(digits) => Value::Bytes(hex::decode(digits).ok()?),
            Self::Bytes(bytes) => bytes.to_vec().into(),
        })
    }
}

/// The values of rows that somebody holds: as many of each as the table has columns.
pub(crate) fn cells_of<'a>(rows: &'a [Row], table: &Table) -> Vec<Cell<'a>> {
    rows.iter()
        .flat_map(|row| row.iter().take(table.columns.len()))
        .map(|value| match value {
            Value::Null => Cell::Null,
            Value::Bool(truth) => Cell::Bool(*truth),
            Value::Int(number) => Cell::Int(*number),
            Value::Text(text) => Cell::Text(text),
            Value::Bytes(bytes) => Cell::Bytes(bytes),
        })
        .collect()
}

impl Fetched {
    /// The values of all rows one after the other, as many a row as the table has columns.
    ///
    /// # Errors
    /// When a column holds what its kind does not say.
    pub(crate) fn cells(&self, table: &Table) -> Result<Vec<Cell<'_>>, DatabaseError> {
        match self {
            Self::Packed(text) => {
                let (mut rest, mut cells) = (text.as_str(), Vec::new());
                let mut words = Vec::with_capacity(table.columns.len());
                while !rest.is_empty() {
                    unpack(table, &mut rest, &mut words, &mut cells).ok_or_else(|| unexpected(table, 0))?;
                }
                Ok(cells)
            }
            Self::Postgres(rows) => {
                let mut cells = Vec::with_capacity(rows.len() * table.columns.len());
                for row in rows {
                    for at in 0..table.columns.len() {
                        cells.push(of_postgres(row, at)?);
                    }
                }
                Ok(cells)
            }
            Self::Copied(rows) => copy::cells(table, rows),
        }
    }

    /// The rows, to keep.
    ///
    /// # Errors
    /// As [`Fetched::cells`].
    pub(crate) fn rows(&self, table: &Table) -> Result<Vec<Row>, DatabaseError> {
        let cells = self.cells(table)?;
        let kept = |(at, cell): (usize, &Cell<'_>)| cell.to_value().ok_or_else(|| unexpected(table, at));
        let rows = cells.chunks_exact(table.columns.len().max(1));
        rows.map(|row| row.iter().enumerate().map(kept).collect()).collect()
    }
}

fn unexpected(table: &Table, at: usize) -> DatabaseError {
    let column = table.columns.get(at).map_or("", |column| column.name);
    DatabaseError::Unexpected { table: table.name.to_string(), column }
}

/// Takes the first row off a packed text.
fn unpack<'a>(
    table: &Table,
    packed: &mut &'a str,
    words: &mut Vec<&'a str>,
    cells: &mut Vec<Cell<'a>>,
) -> Option<()> {
    words.clear();
    for _ in table.columns {
        let (word, rest) = packed.split_once(' ')?;
        words.push(word);
        *packed = rest;
    }
    for (column, word) in table.columns.iter().zip(words.iter()) {
        if word.is_empty() {
            cells.push(Cell::Null);
            continue;
        }
        if matches!(column.kind, ColumnType::Bool | ColumnType::Int) {
            cells.push(Cell::Int(word.parse().ok()?));
            continue;
        }
        let (text, rest) = packed.split_at_checked(word.parse().ok()?)?;
        *packed = rest;
        cells.push(if column.kind == ColumnType::Bytes { Cell::Hex(text) } else { Cell::Text(text) });
    }
    Some(())
}

/// The numbers of PostgreSQL's own types (`pg_type.dat`).
mod oid {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT4: u32 = 23;
}

/// A value of a row from PostgreSQL.
pub(super) fn of_postgres(row: &PgRow, at: usize) -> Result<Cell<'_>, DatabaseError> {
    fn read<'r, T: Decode<'r, Postgres>>(raw: PgValueRef<'r>) -> Result<T, BoxDynError> {
        T::decode(raw)
    }
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let kind = raw.type_info().oid().map(|oid| oid.0);
    let cell = match kind {
        Some(oid::INT8) => read(raw).map(Cell::Int),
        Some(oid::INT4) => read::<i32>(raw).map(|number| Cell::Int(number.into())),
        Some(oid::BOOL) => read(raw).map(Cell::Bool),
        Some(oid::BYTEA) => read(raw).map(Cell::Bytes),
        // `json` travels as its own text.
        Some(_) | None => read(raw).map(Cell::Text),
    };
    Ok(cell.map_err(sqlx::Error::Decode)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Column;

    const TABLE: Table = Table::new(
        "t",
        &[
            Column::new("key", ColumnType::Text),
            Column::new("count", ColumnType::Int),
            Column::new("salt", ColumnType::Bytes),
        ],
    );

    #[test]
    fn a_packed_text_reads_back_whatever_its_values_are() {
        let packed = Fetched::Packed("5 7 4 ä 9\u{1}0aff0   ".to_owned());
        let rows = packed.rows(&TABLE).unwrap();
        assert_eq!(rows[0], vec!["ä 9\u{1}".into(), 7.into(), vec![0x0a, 0xff].into()]);
        assert_eq!(rows[1], vec!["".into(), Value::Null, Value::Null]);
        assert_eq!(cells_of(&rows, &TABLE)[0], Cell::Text("ä 9\u{1}"));
    }

    #[test]
    fn a_packed_text_that_was_cut_is_an_error() {
        for packed in ["1 1", "1 1 2 af", "1 x 2 aff", "1 1 2 afx", "2   a"] {
            let packed = Fetched::Packed(packed.to_owned());
            assert!(matches!(packed.rows(&TABLE), Err(DatabaseError::Unexpected { .. })));
        }
    }
}

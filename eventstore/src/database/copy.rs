//! Many rows at once into PostgreSQL and out of it, in the binary format of its `COPY`: it takes them in page by page
//! instead of one by one, and hands them out while nobody asks for each; nothing has to be read as text.

use futures::TryStreamExt as _;
use sqlx::postgres::PgConnection;
use tokio::sync::mpsc::Sender;

use super::{Cell, ColumnType, DatabaseError, Fetched, Row, Table, Value};

/// What the format begins with: its signature, no flags, and no more of a header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands at the end, where the number of a row's columns would.
const END: [u8; 2] = (-1_i16).to_be_bytes();
/// What stands for a null, where the length of a value would.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// Writes rows that are new; a key that is there is an error.
///
/// To be awaited to the end: a connection on which this was given up half-way fails whoever uses it next.
pub(super) async fn insert(
    connection: &mut PgConnection,
    table: &Table,
    rows: &[Row],
) -> Result<(), DatabaseError> {
    let encoded = encoded(table, rows)?;
    let sql = format!("copy {} ({}) from stdin (format binary)", table.name, table.column_list());
    let mut copy = connection.copy_in_raw(&sql).await?;
    copy.send(encoded).await?;
    copy.finish().await?;
    Ok(())
}

fn encoded(table: &Table, rows: &[Row]) -> Result<Vec<u8>, DatabaseError> {
    let unexpected = |column| DatabaseError::Unexpected { table: table.name.to_string(), column };
    let columns = i16::try_from(table.columns.len()).map_err(|_| unexpected(""))?.to_be_bytes();
    let mut out = HEADER.to_vec();
    for row in rows {
        out.extend(columns);
        for (at, column) in table.columns.iter().enumerate() {
            let value = row.get(at).unwrap_or(&Value::Null);
            match column.kind {
                ColumnType::Bool => put(&mut out, value.as_bool().map(|truth| [u8::from(truth)])),
                ColumnType::Int => put(&mut out, value.as_int().map(i64::to_be_bytes)),
                ColumnType::Text | ColumnType::Json => put(&mut out, value.as_text()),
                ColumnType::Bytes => put(&mut out, value.as_bytes()),
            }
            .ok_or_else(|| unexpected(column.name))?;
        }
    }
    out.extend(END);
    Ok(out)
}

/// Adds a value behind its length; none where it is longer than any can be.
fn put(out: &mut Vec<u8>, value: Option<impl AsRef<[u8]>>) -> Option<()> {
    match value {
        None => out.extend(NULL),
        Some(value) => {
            let bytes = value.as_ref();
            out.extend(i32::try_from(bytes.len()).ok()?.to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
    Some(())
}

/// Reads all rows of a query and hands them out in pages of so many; the last may be shorter. Counts the pages. Ends
/// early where nobody takes them any more.
///
/// Nobody else may have the connection afterwards unless this came to its end: what is left would be taken for the
/// answer to what is asked next.
pub(super) async fn read(
    connection: &mut PgConnection,
    query: &str,
    size: u32,
    pages: &Sender<Result<Fetched, DatabaseError>>,
    sent: &mut u64,
) -> Result<(), DatabaseError> {
    let sql = format!("copy ({query}) to stdout (format binary)");
    let mut messages = connection.copy_out_raw(&sql).await?;
    let (mut page, mut rows, mut begun) = (Vec::new(), 0, false);
    // Always one a row (the manual's chapter on the protocol); what the format begins with stands before the first.
    while let Some(message) = messages.try_next().await? {
        let mut row = message.as_ref();
        if !begun {
            row = row.strip_prefix(HEADER).ok_or_else(malformed)?;
            begun = true;
        }
        if row == END || row.is_empty() {
            continue;
        }
        page.extend_from_slice(row);
        rows += 1;
        if rows == size {
            let next = Vec::with_capacity(page.len());
            if pages.send(Ok(Fetched::Copied(std::mem::replace(&mut page, next)))).await.is_err() {
                return Ok(());
            }
            *sent += 1;
            rows = 0;
        }
    }
    if rows > 0 {
        // Nobody may wait for it any more.
        let _ = pages.send(Ok(Fetched::Copied(page))).await;
        *sent += 1;
    }
    Ok(())
}

fn malformed() -> DatabaseError {
    sqlx::Error::Protocol("rows are not in the format of COPY".to_owned()).into()
}

/// The values of rows that [`read`] handed out.
pub(super) fn cells<'a>(table: &Table, mut rows: &'a [u8]) -> Result<Vec<Cell<'a>>, DatabaseError> {
    let mut cells = Vec::new();
    while !rows.is_empty() {
        let columns = take(&mut rows).map(i16::from_be_bytes).ok_or_else(malformed)?;
        if usize::try_from(columns) != Ok(table.columns.len()) {
            return Err(malformed());
        }
        for column in table.columns {
            let length = take(&mut rows).map(i32::from_be_bytes).ok_or_else(malformed)?;
            let Ok(length) = usize::try_from(length) else {
                cells.push(Cell::Null);
                continue;
            };
            let (value, rest) = rows.split_at_checked(length).ok_or_else(malformed)?;
            rows = rest;
            let cell = cell(column.kind, value);
            let unexpected =
                || DatabaseError::Unexpected { table: table.name.to_string(), column: column.name };
            cells.push(cell.ok_or_else(unexpected)?);
        }
    }
    Ok(cells)
}

fn cell(kind: ColumnType, value: &[u8]) -> Option<Cell<'_>> {
    Some(match kind {
        ColumnType::Bool => Cell::Bool(value.first().is_some_and(|truth| *truth != 0)),
        ColumnType::Int => Cell::Int(i64::from_be_bytes(value.try_into().ok()?)),
        ColumnType::Text | ColumnType::Json => Cell::Text(std::str::from_utf8(value).ok()?),
        ColumnType::Bytes => Cell::Bytes(value),
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Column;

    const THINGS: Table = Table::new(
        "things",
        &[
            Column::new("id", ColumnType::Text),
            Column::new("size", ColumnType::Int),
            Column::new("on", ColumnType::Bool),
        ],
    );

    /// As the server's manual lays it out.
    #[test]
    fn a_row_is_its_number_of_columns_and_each_value_behind_its_length() {
        let rows = [vec!["ab".into(), 258.into(), true.into()], vec!["".into(), Value::Null, 0.into()]];
        let mut expected = HEADER.to_vec();
        expected.extend(b"\0\x03\0\0\0\x02ab\0\0\0\x08\0\0\0\0\0\0\x01\x02\0\0\0\x01\x01");
        expected.extend(b"\0\x03\0\0\0\0\xff\xff\xff\xff\0\0\0\x01\0");
        expected.extend(b"\xff\xff");
        assert_eq!(encoded(&THINGS, &rows).unwrap(), expected);
    }

    #[test]
    fn what_goes_in_comes_out() {
        let rows = [vec!["ä".into(), i64::MIN.into(), true.into()], vec!["".into(), Value::Null, 0.into()]];
        let encoded = encoded(&THINGS, &rows).unwrap();
        let encoded = encoded.strip_prefix(HEADER).unwrap().strip_suffix(&END).unwrap();
        let expected = [
            [Cell::Text("ä"), Cell::Int(i64::MIN), Cell::Bool(true)],
            [Cell::Text(""), Cell::Null, Cell::Bool(false)],
        ];
        assert_eq!(cells(&THINGS, encoded).unwrap(), expected.concat());
        // Cut anywhere but behind the first row; and what is no text.
        for length in (1..encoded.len()).filter(|length| *length != 25) {
            assert!(cells(&THINGS, &encoded[..length]).is_err(), "{length}");
        }
        assert!(cells(&THINGS, b"\0\x03\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    }
}

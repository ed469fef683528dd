//! Many new rows at once into PostgreSQL, in the binary format of its `COPY`: it takes them in page by page instead of
//! one by one, and with nothing to read as text.

use sqlx::postgres::PgConnection;

use super::{ColumnType, DatabaseError, Row, Table, Value};

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
}

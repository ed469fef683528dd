//! All rows of all tables that are about one person: what they may ask to see, and what must be gone once they
//! are forgotten.

use evident_domain::{Time, UserId};
use evident_eventstore::claims::CLAIMS;
use evident_eventstore::{ColumnType, Database, DatabaseError, Row, Table, Value};
use serde_json::{Map, Value as Json};

use crate::fold::Fold;
use crate::folds::{
    Consents, Identities, InvitationRow, MemberRow, Part, SessionRow, TeamMemberRow, UserRow,
};

/// The rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsOfPerson {
    /// The table.
    pub table: String,
    /// The rows, their columns by name; times as RFC 3339 has them.
    pub rows: Vec<Map<String, Json>>,
}

/// The tables in which people stand, and the columns by which they are found.
fn tables() -> Vec<(Table, &'static [&'static str])> {
    vec![
        (UserRow::TABLE, &["id"]),
        (Identities::TABLE, &["user_id"]),
        (SessionRow::TABLE, &["user_id", "impersonator"]),
        (MemberRow::TABLE, &["user_id"]),
        (TeamMemberRow::TABLE, &["user_id"]),
        (InvitationRow::TABLE, &["user_id"]),
        (Consents::TABLE, &["user_id"]),
        (CLAIMS, &["holder"]),
    ]
}

/// All rows about a person, table by table, also where there are none.
///
/// # Errors
/// When the database fails.
pub async fn rows_of_person(database: &Database, user: UserId) -> Result<Vec<RowsOfPerson>, DatabaseError> {
    let mut found = Vec::new();
    for (table, columns) in tables() {
        let conditions: Vec<_> = columns.iter().map(|column| format!("{column} = $1")).collect();
        let sql = format!(
            "select {} from {} where {} order by {}",
            table.column_list(),
            table.name,
            conditions.join(" or "),
            table.key()
        );
        let rows = database.query(&sql, &[user.to_string().into()]).await?;
        let rows = rows.into_iter().map(|row| object(&table, row)).collect();
        found.push(RowsOfPerson { table: table.name.to_string(), rows });
    }
    Ok(found)
}

fn object(table: &Table, row: Row) -> Map<String, Json> {
    table
        .columns
        .iter()
        .zip(row)
        .map(|(column, value)| (column.name.to_owned(), shown(column.name, column.kind, value)))
        .collect()
}

/// Columns of moments whose names do not say so.
const MOMENTS: [&str; 2] = ["banned_until", "not_after"];

fn shown(name: &str, kind: ColumnType, value: Value) -> Json {
    match (kind, value) {
        (ColumnType::Bool, Value::Int(number)) => Json::from(number != 0),
        (ColumnType::Int, Value::Int(micros)) if name.ends_with("_at") || MOMENTS.contains(&name) => {
            let time = Time::from_timestamp_micros(micros);
            time.map_or(Json::from(micros), |time| {
                Json::from(time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
            })
        }
        (_, Value::Int(number)) => Json::from(number),
        (_, Value::Bool(truth)) => Json::from(truth),
        (ColumnType::Json, Value::Text(text)) => serde_json::from_str(&text).unwrap_or(Json::from(text)),
        (_, Value::Text(text)) => Json::from(text),
        (_, Value::Null | Value::Bytes(_)) => Json::Null,
    }
}

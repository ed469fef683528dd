//! What a row says, field by field, in the words of the tables: for people who ask what is so, and why.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use evident_eventstore::{Column, ColumnType, Row, Table, Value};
use serde_json::Value as Json;

/// What stands in the place of a secret.
const HIDDEN: &str = "(secret)";

/// Columns that follow from others of the same row, or say nothing to people.
const DERIVED: [&str; 2] = ["search", "position"];

/// The fields of a row: columns, and inside of a JSON column its parts (`user_metadata.name`,
/// `factors[<id>].name`). Moments are RFC 3339.
pub(crate) fn facts(table: &Table, row: &Row) -> BTreeMap<String, Json> {
    let mut facts = BTreeMap::new();
    for (column, value) in table.columns.iter().zip(row).skip(1) {
        if DERIVED.contains(&column.name) {
            continue;
        }
        let is_secret = column.name.ends_with("secret") && *value != Value::Null;
        match (column.kind, value) {
            _ if is_secret => {
                facts.insert(column.name.to_owned(), HIDDEN.into());
            }
            (ColumnType::Json, Value::Text(text)) => match serde_json::from_str(text) {
                Ok(json) => spread(&mut facts, column.name.to_owned(), json),
                Err(_) => {
                    facts.insert(column.name.to_owned(), text.as_str().into());
                }
            },
            _ => {
                facts.insert(column.name.to_owned(), plain(*column, value));
            }
        }
    }
    facts
}

/// The row's key.
pub(crate) fn key(row: &Row) -> &str {
    row.first().and_then(Value::as_text).unwrap_or_default()
}

fn plain(column: Column, value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) if column.kind == ColumnType::Bool => (*number != 0).into(),
        Value::Int(number) if is_moment(column.name) => match DateTime::from_timestamp_micros(*number) {
            Some(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true).into(),
            None => (*number).into(),
        },
        Value::Int(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Bytes(bytes) => format!("({} bytes)", bytes.len()).into(),
    }
}

/// Tables keep moments as microseconds since 1970; their columns are named so.
fn is_moment(column: &str) -> bool {
    column.ends_with("_at") || column.ends_with("_until") || column == "not_after"
}

fn spread(facts: &mut BTreeMap<String, Json>, name: String, json: Json) {
    match json {
        Json::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                spread(facts, format!("{name}.{field}"), value);
            }
        }
        Json::Array(items) if !items.is_empty() && items.iter().all(|item| id(item).is_some()) => {
            for item in items {
                let at = format!("{name}[{}]", id(&item).unwrap_or_default());
                spread(facts, at, item);
            }
        }
        other => {
            facts.insert(name, other);
        }
    }
}

/// The id of an item in a list, where items have one.
fn id(item: &Json) -> Option<&str> {
    item.get("id")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: Table = Table::new(
        "things",
        &[
            Column::new("id", ColumnType::Text),
            Column::new("created_at", ColumnType::Int),
            Column::new("generation", ColumnType::Int),
            Column::new("slides", ColumnType::Bool),
            Column::new("client_secret", ColumnType::Text),
            Column::new("factors", ColumnType::Json),
            Column::new("metadata", ColumnType::Json),
            Column::new("search", ColumnType::Text),
        ],
    );

    #[test]
    fn a_row_reads_field_by_field_without_its_secrets() {
        let row: Row = vec![
            "t1".into(),
            1_000_000.into(),
            7.into(),
            1.into(),
            "enciphered".into(),
            r#"[{"id":"f1","name":"phone"},{"id":"f2","name":"app"}]"#.into(),
            r#"{"plan":"pro","deep":{"list":[1,2]},"none":{}}"#.into(),
            "everything".into(),
        ];
        let expected = [
            ("client_secret", json!("(secret)")),
            ("created_at", json!("1970-01-01T00:00:01.000000Z")),
            ("factors[f1].id", json!("f1")),
            ("factors[f1].name", json!("phone")),
            ("factors[f2].id", json!("f2")),
            ("factors[f2].name", json!("app")),
            ("generation", json!(7)),
            ("metadata.deep.list", json!([1, 2])),
            ("metadata.none", json!({})),
            ("metadata.plan", json!("pro")),
            ("slides", json!(true)),
        ];
        assert_eq!(facts(&TABLE, &row), expected.map(|(name, value)| (name.to_owned(), value)).into());
        assert_eq!(key(&row), "t1");
    }
}

//! Contents go, leaves stay: how an event is made to hold nothing but what the tree says of it.

use evident_domain::retention::RetentionClass;
use evident_domain::{Position, StreamId, TokenHash};
use serde_json::Value as Json;

use crate::EventStore;
use crate::codec::{DROPPED_PAYLOAD, count, signed};
use crate::database::{Dialect, Tables, Value};
use crate::store::StoreError;

/// An event whose content is still there, as retention sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it stands.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its type.
    pub kind: String,
    /// Whose data it holds.
    pub subject: Option<String>,
}

/// The types of events whose content may be dropped at all, as a list of SQL.
fn types() -> String {
    let names = RetentionClass::DROPPABLE.iter().flat_map(|class| class.types());
    names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// Stops writers on every node until the transaction ends, and lets them go on as if nothing had been: what
/// they know of the log's end stays true.
///
/// # Errors
/// When the database fails.
pub async fn hold_back_writers(tables: &mut dyn Tables) -> Result<(), StoreError> {
    // On SQLite a transaction holds the only lock there is.
    if tables.dialect() == Dialect::Postgres {
        tables.query("select position from log_head where only_row = 1 for update", &[]).await?;
    }
    Ok(())
}

/// Drops the contents of events; of types that must keep theirs nothing happens. Says how many it dropped.
/// Leaf, digest and hash stay, so that every proof holds.
///
/// # Errors
/// When the database fails.
pub async fn drop_contents(tables: &mut dyn Tables, positions: &[Position]) -> Result<u64, StoreError> {
    if positions.is_empty() {
        return Ok(0);
    }
    let list: Json = positions.iter().map(|position| Json::from(position.0)).collect();
    let types = types();
    let sql = match tables.dialect() {
        Dialect::Sqlite => format!(
            "update events set salt = x'', payload = '{DROPPED_PAYLOAD}', metadata = '{{}}' \
             where position in (select value from json_each($1)) and length(salt) > 0 and event_type in ({types})"
        ),
        Dialect::Postgres => format!(
            "update events set salt = ''::bytea, payload = '{DROPPED_PAYLOAD}'::json, metadata = '{{}}'::json \
             where position in (select json_array_elements_text($1::json)::bigint) and length(salt) > 0 \
             and event_type in ({types})"
        ),
    };
    Ok(tables.execute(&sql, &[list.to_string().into()]).await?)
}

/// The positions of failed sign-ins for an account, known or not, whose contents are still there, and whose
/// data each holds.
///
/// # Errors
/// When the database fails.
pub async fn failed_sign_ins(
    tables: &mut dyn Tables,
    account: &TokenHash,
) -> Result<Vec<(Position, Option<String>)>, StoreError> {
    let field = match tables.dialect() {
        Dialect::Sqlite => "payload ->> '$.account'",
        Dialect::Postgres => "payload ->> 'account'",
    };
    let sql = format!(
        "select position, subject from events where event_type = 'attempt.sign_in_failed' and {field} = $1"
    );
    let rows = tables.query(&sql, &[account.0.as_str().into()]).await?;
    let read = |row: &crate::Row| {
        Some((Position(count(row, 0)?), row.get(1).and_then(Value::as_text).map(str::to_owned)))
    };
    Ok(rows.iter().filter_map(read).collect())
}

impl EventStore {
    /// How many events of some types, up to a position, have their contents still.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contents_of(&self, types: &[&str], last: Position) -> Result<u64, StoreError> {
        let list: Vec<_> = types.iter().map(|name| format!("'{name}'")).collect();
        let sql = format!(
            "select count(*) from events where event_type in ({}) and position <= $1 and length(salt) > 0",
            list.join(", ")
        );
        let rows = self.database().query(&sql, &[signed(last.0).into()]).await?;
        Ok(rows.first().and_then(|row| count(row, 0)).unwrap_or_default())
    }

    /// The next events of a class after a position that are older than a moment, and up to which position the
    /// log was looked at; their contents may be gone already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn candidates(
        &self,
        types: &[&str],
        after: Position,
        before: evident_domain::Time,
        limit: u32,
    ) -> Result<Vec<Candidate>, StoreError> {
        let list: Vec<_> = types.iter().map(|name| format!("'{name}'")).collect();
        let sql = format!(
            "select position, aggregate_type, aggregate_id, event_type, subject from events \
             where event_type in ({}) and position > $1 and occurred_at < $2 and length(salt) > 0 \
             order by position limit $3",
            list.join(", ")
        );
        let params = [signed(after.0).into(), before.timestamp_micros().into(), i64::from(limit).into()];
        let rows = self.database().query(&sql, &params).await?;
        let read = |row: &crate::Row| {
            let text = |i: usize| row.get(i).and_then(Value::as_text);
            let kind = evident_domain::StreamKind::from_name(text(1)?)?;
            Some(Candidate {
                position: Position(count(row, 0)?),
                stream: StreamId { kind, id: text(2)?.parse().ok()? },
                kind: text(3)?.to_owned(),
                subject: text(4).map(str::to_owned),
            })
        };
        Ok(rows.iter().filter_map(read).collect())
    }
}

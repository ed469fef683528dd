//! From times to positions. Events stand in the order of their commits, which is nearly that of their
//! times: a time is found by halving, and a day on either side is read as well.

use chrono::TimeDelta;
use evident_domain::{Position, Time};
use evident_eventstore::{Database, DatabaseError, EventStore, StoreError, Value};

use super::query::{LogCursor, LogFilter};

/// So far a node's clock may be off.
const SLACK: TimeDelta = TimeDelta::days(1);

/// Between which positions, both exclusive, a page has to look.
pub(super) async fn bounds(
    store: &EventStore,
    filter: &LogFilter,
    cursor: &LogCursor,
) -> Result<(Position, Position), StoreError> {
    let head = store.head().await?.position;
    let (mut after, mut before) = (cursor.after, cursor.before.min(Position(head.0 + 1)));
    if let Some(from) = filter.from.and_then(|from| from.checked_sub_signed(SLACK)) {
        let first = first_since(store.database(), from, head).await?;
        after = after.max(Position(first.0.saturating_sub(1)));
    }
    if let Some(to) = filter.to.and_then(|to| to.checked_add_signed(SLACK)) {
        before = before.min(first_since(store.database(), to, head).await?);
    }
    Ok((after, before))
}

/// The first position whose event is not older, as far as times have the order of positions; the one behind
/// the head where all are.
async fn first_since(database: &Database, time: Time, head: Position) -> Result<Position, DatabaseError> {
    let micros = time.timestamp_micros();
    let (mut low, mut high) = (1, head.0 + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match time_at(database, middle).await? {
            // Where the oldest part is pruned, the first that is left stands for what was there.
            Some((position, at)) if at < micros => low = position.max(middle) + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(Position(low.min(head.0 + 1)))
}

/// The first event from a position on, and its time.
async fn time_at(database: &Database, position: u64) -> Result<Option<(u64, i64)>, DatabaseError> {
    let sql = "select position, occurred_at from events where position >= $1 order by position limit 1";
    let from = i64::try_from(position).unwrap_or(i64::MAX);
    let rows = database.query(sql, &[from.into()]).await?;
    Ok(rows.first().and_then(|row| match row.as_slice() {
        [Value::Int(position), Value::Int(at)] => Some((u64::try_from(*position).ok()?, *at)),
        _ => None,
    }))
}

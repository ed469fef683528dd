//! Events as people and programs read them: in words, and with what they changed.

use evident_eventstore::{EventStore, StoreError};
use serde_json::Value as Json;

use super::names::Named;
use super::{LogItem, history};
use crate::audit::words;

/// A field that became another.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `email`, `user_metadata.name`, `members.<user>.roles` …
    pub field: String,
    /// What stood there, `null` for nothing. `None` where it cannot be told any more.
    pub before: Option<Json>,
    /// What stands there from then on, likewise.
    pub after: Option<Json>,
}

/// An event of the log, told.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// The event.
    pub item: LogItem,
    /// It in a sentence.
    pub summary: String,
    /// What became another.
    pub changes: Vec<Change>,
}

/// Tells events.
///
/// # Errors
/// When the database fails.
pub async fn entries(store: &EventStore, items: Vec<LogItem>) -> Result<Vec<LogEntry>, StoreError> {
    let mut named = Named::default();
    let mut events = Vec::new();
    for item in &items {
        if let LogItem::Event(event) = item {
            named.add(event);
            events.push(&**event);
        }
    }
    let names = named.names(store.database()).await?;
    let mut changes = history::changes(store, &events).await?;
    let told = items.into_iter().map(|item| {
        let summary = match &item {
            LogItem::Event(event) => words::sentence(event, &names),
            LogItem::Leaf(_) => words::DROPPED.to_owned(),
        };
        let changes = changes.remove(&item.position()).unwrap_or_default();
        LogEntry { item, summary, changes }
    });
    Ok(told.collect())
}

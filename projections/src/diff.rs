//! What changed between two moments, entity by entity.
//!
//! The log is folded up to both moments into scratch files, and their tables are compared in the order of
//! keys: memory is bounded whatever the log's length, and every change is told once, whatever happened in
//! between.

use std::collections::BTreeMap;
use std::path::Path;

use evident_domain::Position;
use evident_eventstore::{Database, DatabaseError, EventStore, Row, Table, Value};
use serde_json::Value as Json;

use crate::ProjectionError;
use crate::facts::{facts, key};
use crate::groups::normal;
use crate::progress::Progress;
use crate::rebuild::chosen;
use crate::replay::{Until, resolve};
use crate::scratch::Scratch;
use crate::shadow;

/// Rows compared at a time.
const STRETCH: usize = 500;

/// The tables that are compared, and what their rows are called. What only counts or copies is not.
const ENTITIES: [(&str, &str); 13] = [
    ("users", "user"),
    ("identities", "identity"),
    ("sessions", "session"),
    ("organizations", "organization"),
    ("members", "member"),
    ("invitations", "invitation"),
    ("teams", "team"),
    ("team_members", "team_member"),
    ("organization_roles", "organization_role"),
    ("oauth_clients", "oauth_client"),
    ("oauth_consents", "oauth_consent"),
    ("providers", "provider"),
    ("sso_providers", "sso_provider"),
];

/// What became of an entity between two moments.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It came to be, with these fields.
    Created(BTreeMap<String, Json>),
    /// It went; these fields it had.
    Deleted(BTreeMap<String, Json>),
    /// These fields changed: before and after.
    Changed(BTreeMap<String, (Json, Json)>),
}

/// A change of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityChange {
    /// What it is: `user`, `session` …
    pub entity: &'static str,
    /// Its id.
    pub id: String,
    /// What became of it.
    pub change: Change,
}

/// Compares two moments. `show` is told each change as it is found, and ends the comparison by an error.
/// The scratch files stand in a folder of their own under `scratch`, readable by their owner only and
/// removed in the end. Says which positions were compared.
///
/// # Errors
/// When the log does not go that far, or something cannot be read, written or shown.
pub async fn diff(
    store: &EventStore,
    (from, to): (Until, Until),
    scratch: &Path,
    progress: &dyn Progress,
    show: &mut (dyn FnMut(EntityChange) -> std::io::Result<()> + Send),
) -> Result<(Position, Position), ProjectionError> {
    let (from, to) = (resolve(store, from).await?, resolve(store, to).await?);
    if from > to {
        return Err(ProjectionError::Backwards { from, to });
    }
    let folder = tempfile::Builder::new().prefix("evident-diff-").tempdir_in(scratch)?;
    let first = state_at(store, from, &folder.path().join("from.db"), progress).await?;
    let second = state_at(store, to, &folder.path().join("to.db"), progress).await?;
    let outcome = compare_all(&first, &second, progress, show).await;
    first.close().await;
    second.close().await;
    folder.close()?;
    outcome.map(|()| (from, to))
}

/// Folds the log up to a position into a scratch file.
async fn state_at(
    store: &EventStore,
    position: Position,
    file: &Path,
    progress: &dyn Progress,
) -> Result<Database, ProjectionError> {
    let database = Database::open_passing_log(file).await?;
    let names = ENTITIES.map(|(name, _)| name);
    progress.begin("fold", position.0);
    let mut scratch = Scratch::begin(store, &chosen(&names)?, &database, u64::MAX).await?;
    scratch.advance(position, progress).await?;
    Ok(database)
}

async fn compare_all(
    first: &Database,
    second: &Database,
    progress: &dyn Progress,
    show: &mut (dyn FnMut(EntityChange) -> std::io::Result<()> + Send),
) -> Result<(), ProjectionError> {
    progress.begin("compare", ENTITIES.len() as u64);
    for (done, (name, entity)) in (1..).zip(ENTITIES) {
        for projection in chosen(&[name])? {
            compare(&projection.table(), entity, first, second, show).await?;
        }
        progress.at(done);
    }
    Ok(())
}

/// Goes through both tables in the order of their keys.
async fn compare(
    table: &Table,
    entity: &'static str,
    first: &Database,
    second: &Database,
    show: &mut (dyn FnMut(EntityChange) -> std::io::Result<()> + Send),
) -> Result<(), ProjectionError> {
    let folded = shadow::of(table);
    let (mut before, mut after) = (Rows::of(first, &folded), Rows::of(second, &folded));
    let (mut old, mut new) = (before.next().await?, after.next().await?);
    loop {
        let order = match (&old, &new) {
            (None, None) => return Ok(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(old), Some(new)) => key(old).cmp(key(new)),
        };
        let (gone, come) = (order.is_le().then_some(&old), order.is_ge().then_some(&new));
        let (gone, come) = (gone.and_then(Option::as_ref), come.and_then(Option::as_ref));
        let change = match (gone, come) {
            (Some(old), Some(new)) => changed(table, old, new),
            (Some(old), None) => Some(Change::Deleted(filled(table, old))),
            (None, Some(new)) => Some(Change::Created(filled(table, new))),
            (None, None) => None,
        };
        let id = gone.or(come).map(|row| key(row).to_owned()).unwrap_or_default();
        if let Some(change) = change {
            show(EntityChange { entity, id, change })?;
        }
        if order.is_le() {
            old = before.next().await?;
        }
        if order.is_ge() {
            new = after.next().await?;
        }
    }
}

/// The fields that hold something.
fn filled(table: &Table, row: &Row) -> BTreeMap<String, Json> {
    let mut facts = facts(table, row);
    facts.retain(|_, value| !value.is_null());
    facts
}

fn changed(table: &Table, old: &Row, new: &Row) -> Option<Change> {
    if old.iter().map(normal).eq(new.iter().map(normal)) {
        return None;
    }
    let (mut old, new) = (facts(table, old), facts(table, new));
    let mut fields = BTreeMap::new();
    for (name, after) in new {
        let before = old.remove(&name).unwrap_or(Json::Null);
        if before != after {
            fields.insert(name, (before, after));
        }
    }
    fields.extend(
        old.into_iter()
            .filter(|(_, before)| !before.is_null())
            .map(|(name, before)| (name, (before, Json::Null))),
    );
    (!fields.is_empty()).then_some(Change::Changed(fields))
}

/// A table's rows in the order of their keys, read in stretches.
struct Rows<'a> {
    database: &'a Database,
    table: &'a Table,
    after: Option<Value>,
    read: std::vec::IntoIter<Row>,
    is_over: bool,
}

impl<'a> Rows<'a> {
    fn of(database: &'a Database, table: &'a Table) -> Self {
        Self { database, table, after: None, read: Vec::new().into_iter(), is_over: false }
    }

    async fn next(&mut self) -> Result<Option<Row>, DatabaseError> {
        if let Some(row) = self.read.next() {
            return Ok(Some(row));
        }
        if self.is_over {
            return Ok(None);
        }
        let (key, columns, name) = (self.table.key(), self.table.column_list(), &self.table.name);
        let condition = if self.after.is_some() { format!(" where {key} > $1") } else { String::new() };
        let sql = format!("select {columns} from {name}{condition} order by {key} limit {STRETCH}");
        let params: Vec<Value> = self.after.iter().cloned().collect();
        let rows = self.database.query(&sql, &params).await?;
        self.is_over = rows.len() < STRETCH;
        self.after = rows.last().and_then(|row| row.first()).cloned();
        self.read = rows.into_iter();
        Ok(self.read.next())
    }
}

//! Reading the log: streams, and pages in the order of positions, with filters.

use cqrs_es::persist::EventUpcaster;
use evident_domain::{Position, Recorded, StreamId, StreamKind, Subject, Time};
use futures::stream::{self, Stream};
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::codec::{READ, READ_COLUMNS, signed};
use crate::database::{Cell, Database, Value, cells_of};
use crate::stored::{Audience, decode_each};
use crate::vault::Vault;
use crate::{EventStore, StoreError};

/// Events a page of [`EventStore::read`].
const PAGE: u32 = 500;

/// Which events to read; what is not set does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of one of these types (`user.banned`); a `*` at the end stands for whatever follows (`user.*`). Any
    /// if empty.
    pub types: Vec<String>,
    /// With data of this subject.
    pub subject: Option<Subject>,
    /// Done by this actor ([`evident_domain::Actor::label`]).
    pub actor: Option<String>,
    /// Of this stream.
    pub stream: Option<StreamId>,
    /// Not before.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
    /// Up to this position, inclusive.
    pub last: Option<Position>,
}

impl Filter {
    /// The conditions and their parameters, which start at `$<first>`.
    pub(crate) fn sql(&self, first: usize) -> (String, Vec<Value>) {
        let (mut sql, mut params) = (String::new(), Vec::<Value>::new());
        let mut add = |condition: &str, value: Value| {
            params.push(value);
            sql.push_str(" and ");
            sql.push_str(&condition.replace('?', &format!("${}", first + params.len() - 1)));
        };
        if let Some(subject) = &self.subject {
            add("subject = ?", subject.to_string().into());
        }
        if let Some(actor) = &self.actor {
            add("actor = ?", actor.clone().into());
        }
        if let Some(stream) = &self.stream {
            add("aggregate_type = ?", stream.kind.as_str().into());
            add("aggregate_id = ?", stream.id.to_string().into());
        }
        if let Some(from) = self.from {
            add("occurred_at >= ?", from.timestamp_micros().into());
        }
        if let Some(to) = self.to {
            add("occurred_at < ?", to.timestamp_micros().into());
        }
        if let Some(last) = self.last {
            add("position <= ?", signed(last.0).into());
        }
        if !self.types.is_empty() {
            let mut list = Vec::new();
            for kind in &self.types {
                let mut add = |text: String| {
                    params.push(text.into());
                    format!("${}", first + params.len() - 1)
                };
                // A range and not `like`: the index serves it, and an underscore is only itself.
                list.push(match kind.strip_suffix('*') {
                    None => format!("event_type = {}", add(kind.clone())),
                    Some(prefix) => {
                        let (low, high) = (add(prefix.to_owned()), add(format!("{prefix}~")));
                        format!("event_type >= {low} and event_type < {high}")
                    }
                });
            }
            sql.extend([" and (", &list.join(" or "), ")"]);
        }
        (sql, params)
    }
}

/// Events behind a position.
pub(crate) async fn page(
    database: &Database,
    vault: &Vault,
    upcasters: &[Box<dyn EventUpcaster>],
    after: Position,
    limit: u32,
    filter: &Filter,
) -> Result<Vec<Item>, StoreError> {
    let (conditions, more) = filter.sql(3);
    let rest = format!("where position > $1{conditions} order by position limit $2");
    let mut params = vec![signed(after.0).into(), i64::from(limit).into()];
    params.extend(more);
    let fetched = database.fetch(&READ, &rest, &params).await?;
    // After the rows: who is forgotten by now is not shown, on whichever node that happened.
    vault.catch_up().await.map_err(StoreError::vault)?;
    open_each(vault, upcasters, &fetched.cells(&READ)?, Audience::Readers).await
}

pub(crate) async fn stream(
    database: &Database,
    vault: &Vault,
    upcasters: &[Box<dyn EventUpcaster>],
    stream: StreamId,
    after_sequence: u64,
) -> Result<Vec<Recorded>, StoreError> {
    let sql = format!(
        "select {READ_COLUMNS} from events where aggregate_type = $1 and aggregate_id = $2 \
         and sequence > $3 order by sequence"
    );
    let params = [stream.kind.as_str().into(), stream.id.to_string().into(), signed(after_sequence).into()];
    let rows = database.query(&sql, &params).await?;
    let items = open_each(vault, upcasters, &cells_of(&rows, &READ), Audience::Readers).await?;
    items.into_iter().map(|item| item.event).collect()
}

/// How many values stand in one statement.
pub(crate) const VALUES: usize = 500;

/// Events that fit a condition on one of many values, in the order of their positions. `condition` has a
/// list of placeholders where it says `?`; `fixed` are the parameters before them.
async fn picked(
    store: &EventStore,
    condition: &str,
    fixed: &[Value],
    values: &[Value],
) -> Result<Vec<Recorded>, StoreError> {
    let mut events = Vec::with_capacity(values.len());
    for some in values.chunks(VALUES) {
        let first = fixed.len() + 1;
        let list: Vec<_> = (first..first + some.len()).map(|n| format!("${n}")).collect();
        let condition = condition.replace('?', &list.join(", "));
        let sql = format!("select {READ_COLUMNS} from events where {condition}");
        let rows = store.database().query(&sql, &[fixed, some].concat()).await?;
        store.vault().catch_up().await.map_err(StoreError::vault)?;
        for item in store.open_rows(rows).await? {
            events.push(item.event?);
        }
    }
    events.sort_unstable_by_key(|event| event.position);
    Ok(events)
}

/// What a row of the log reads as, and where it stands.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) position: Position,
    pub(crate) event: Result<Recorded, StoreError>,
}

/// Opens rows, each for itself: what is wrong with one says nothing of the next.
pub(crate) async fn open_each(
    vault: &Vault,
    upcasters: &[Box<dyn EventUpcaster>],
    cells: &[Cell<'_>],
    audience: Audience,
) -> Result<Vec<Item>, StoreError> {
    let stored: Vec<_> = decode_each(cells).collect();
    let read = stored.iter().filter_map(|(_, stored)| stored.as_ref().ok());
    let subjects = read.flat_map(|stored| stored.subjects(audience));
    let keys = vault.find_keys(subjects).await.map_err(StoreError::vault)?;
    Ok(stored
        .into_iter()
        .map(|(position, stored)| {
            let event = stored.and_then(|stored| {
                let of = |subject: &Option<Subject>| keys.get(subject.as_ref()?).cloned();
                let (key, actor) = (of(&stored.subject), of(&stored.sealed_for));
                stored.open(key.as_deref(), actor.as_deref(), audience, upcasters)
            });
            Item { position, event: event.map_err(StoreError::from) }
        })
        .collect())
}

impl EventStore {
    /// Where the event of an id stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn position_of(&self, id: Uuid) -> Result<Option<Position>, StoreError> {
        let sql = "select position from events where event_id = $1";
        let rows = self.database().query(sql, &[id.to_string().into()]).await?;
        let position = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
        Ok(position.and_then(|position| u64::try_from(position).ok()).map(Position))
    }

    /// The events at some positions, in the order of the log.
    ///
    /// # Errors
    /// When the database fails or an event does not read.
    pub async fn at(&self, positions: &[Position]) -> Result<Vec<Recorded>, StoreError> {
        let values: Vec<Value> = positions.iter().map(|position| signed(position.0).into()).collect();
        picked(self, "position in (?)", &[], &values).await
    }

    /// The events at some positions, in the order of the log, each with its own outcome: what is wrong with
    /// one (its content was dropped, say) says nothing of the next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn each_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<(Position, Result<Recorded, StoreError>)>, StoreError> {
        let mut found = Vec::with_capacity(positions.len());
        for some in positions.chunks(VALUES) {
            let values: Vec<Value> = some.iter().map(|position| signed(position.0).into()).collect();
            let list: Vec<_> = (1..=values.len()).map(|n| format!("${n}")).collect();
            let sql = format!("select {READ_COLUMNS} from events where position in ({})", list.join(", "));
            let rows = self.database().query(&sql, &values).await?;
            found.extend(self.open_rows(rows).await?.into_iter().map(|item| (item.position, item.event)));
        }
        found.sort_unstable_by_key(|(position, _)| *position);
        Ok(found)
    }

    /// The last events of some types in a stream before a sequence, oldest first. Those that do not read
    /// are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn earlier(
        &self,
        stream: StreamId,
        before_sequence: u64,
        types: &[&str],
        limit: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut params: Vec<Value> = vec![
            stream.kind.as_str().into(),
            stream.id.to_string().into(),
            signed(before_sequence).into(),
            i64::from(limit).into(),
        ];
        params.extend(types.iter().map(|kind| Value::from(*kind)));
        let list: Vec<_> = (5..=params.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "select {READ_COLUMNS} from events where aggregate_type = $1 and aggregate_id = $2 \
             and sequence < $3 and event_type in ({}) order by sequence desc limit $4",
            list.join(", ")
        );
        let rows = self.database().query(&sql, &params).await?;
        let mut events: Vec<Recorded> =
            self.open_rows(rows).await?.into_iter().filter_map(|item| item.event.ok()).collect();
        events.reverse();
        Ok(events)
    }

    /// The events of some types in some streams of a kind, in the order of the log.
    ///
    /// # Errors
    /// As [`EventStore::at`].
    pub async fn of_streams(
        &self,
        kind: StreamKind,
        ids: &[Uuid],
        types: &[&str],
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut fixed: Vec<Value> = vec![kind.as_str().into()];
        fixed.extend(types.iter().map(|kind| Value::from(*kind)));
        let types: Vec<_> = (2..=fixed.len()).map(|n| format!("${n}")).collect();
        let condition =
            format!("aggregate_type = $1 and aggregate_id in (?) and event_type in ({})", types.join(", "));
        let values: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
        picked(self, &condition, &fixed, &values).await
    }

    /// All events after a position that pass a filter, page by page: bounded memory. An event that does
    /// not read is an error in its place, and the next ones follow; after a failure of the database
    /// nothing does.
    pub fn read(
        &self,
        after: Position,
        filter: Filter,
    ) -> impl Stream<Item = Result<Recorded, StoreError>> + Send + use<> {
        let store = self.clone();
        let pages = stream::try_unfold(Some(after), move |after| {
            let (store, filter) = (store.clone(), filter.clone());
            async move {
                let Some(after) = after else { return Ok::<_, StoreError>(None) };
                let page = store.items(after, PAGE, &filter).await?;
                let full = u32::try_from(page.len()) == Ok(PAGE);
                let next = page.last().filter(|_| full).map(|item| item.position);
                Ok(Some((page, next)))
            }
        });
        pages.map_ok(|page| stream::iter(page).map(|item| item.event)).try_flatten()
    }
}

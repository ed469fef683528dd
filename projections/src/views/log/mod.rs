//! Reading the log by filters, page by page, for auditors.
//!
//! Nothing is kept for it beside the log: a page walks along the log's own indexes, or along the log itself
//! where no index fits ([`plan`]), and what is sealed (addresses of callers) is opened and compared, so no
//! trace of it outlives an erasure. How far one page may look is bounded: a filter that few events pass
//! gives short pages, even empty ones, that say where to go on.

mod entry;
mod history;
mod names;
mod plan;
mod query;
mod standing;
mod text;
mod time;

pub use entry::{Change, LogEntry, entries};
pub use query::{LogCursor, LogFilter, Order, types_like};
pub use standing::{Standing, standings};

use evident_domain::{Event, Position, Recorded};
use evident_eventstore::merkle::Leaf;
use evident_eventstore::{EventStore, Filter, StoreError};

use plan::Plan;

/// So many events are opened at once where opening is what tells whether they fit.
const OPENED: usize = 500;

/// So many steps a page may take before it says where to go on.
const STEPS: usize = 20;

/// What stands at a position.
#[derive(Debug, Clone, PartialEq)]
pub enum LogItem {
    /// An event that reads.
    Event(Box<Recorded>),
    /// One whose content is gone, by retention or by damage: what its leaf says.
    Leaf(Box<Leaf<'static>>),
}

impl LogItem {
    /// Where it stands.
    pub fn position(&self) -> Position {
        match self {
            Self::Event(event) => event.position,
            Self::Leaf(leaf) => leaf.position,
        }
    }
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// What passes the filter, in the order that was asked for.
    pub items: Vec<LogItem>,
    /// Where the next page begins: after it, or, newest first, before it. None at the end.
    pub next: Option<Position>,
}

/// The next page of events that pass a filter.
///
/// # Errors
/// When the database fails.
pub async fn page(store: &EventStore, filter: &LogFilter, cursor: &LogCursor) -> Result<LogPage, StoreError> {
    let (mut after, mut before) = time::bounds(store, filter, cursor).await?;
    let plan = Plan::of(store, filter).await?;
    let mut items = Vec::new();
    for _ in 0..STEPS {
        if after.0 + 1 >= before.0 {
            return Ok(LogPage { items, next: None });
        }
        let (low, high) = plan.window(after, before, cursor.order);
        let left = cursor.limit - items.len();
        let wanted = if plan.opens() { OPENED } else { left };
        let positions = plan.positions(store.database(), low, high, cursor.order, wanted).await?;
        let edge = match (positions.len() < wanted, cursor.order) {
            (false, _) => positions.last().copied().unwrap_or(low),
            (true, Order::OldestFirst) => Position(high.0 - 1),
            (true, Order::NewestFirst) => Position(low.0 + 1),
        };
        let mut found = items_at(store, &positions).await?;
        if cursor.order == Order::NewestFirst {
            found.reverse();
        }
        for item in found {
            if plan.admits(&item) {
                let position = item.position();
                items.push(item);
                if items.len() == cursor.limit {
                    return Ok(LogPage { items, next: Some(position) });
                }
            }
        }
        match cursor.order {
            Order::OldestFirst => after = edge,
            Order::NewestFirst => before = edge,
        }
    }
    let next = match cursor.order {
        Order::OldestFirst => after,
        Order::NewestFirst => before,
    };
    Ok(LogPage { items, next: (after.0 + 1 < before.0).then_some(next) })
}

/// The next positions of events that pass a filter, as far as that can be told without opening them: words and
/// addresses of callers are not asked for. It looks until it has found as many as were asked for, or the end.
///
/// # Errors
/// When the database fails.
pub async fn positions(
    store: &EventStore,
    filter: &LogFilter,
    cursor: &LogCursor,
) -> Result<Vec<Position>, StoreError> {
    let (mut after, mut before) = time::bounds(store, filter, cursor).await?;
    let plan = Plan::of(store, filter).await?;
    let mut found = Vec::new();
    while after.0 + 1 < before.0 && found.len() < cursor.limit {
        let (low, high) = plan.window(after, before, cursor.order);
        let wanted = cursor.limit - found.len();
        found.extend(plan.positions(store.database(), low, high, cursor.order, wanted).await?);
        match cursor.order {
            Order::OldestFirst => after = Position(high.0 - 1),
            Order::NewestFirst => before = Position(low.0 + 1),
        }
    }
    Ok(found)
}

/// Whether one event passes a filter, for who has it at hand already.
pub fn admits(filter: &LogFilter, item: &LogItem) -> bool {
    query::admits(filter, item)
}

/// What stands at some positions, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn items_at(store: &EventStore, positions: &[Position]) -> Result<Vec<LogItem>, StoreError> {
    let mut items = Vec::with_capacity(positions.len());
    for (position, event) in store.each_at(positions).await? {
        match event {
            Ok(event) if !matches!(event.event, Event::Dropped(_)) => {
                items.push(LogItem::Event(Box::new(event)));
            }
            // What is stored says no more than its leaf; the rest of the log goes on.
            Ok(_) | Err(StoreError::Codec(_)) => {
                let only = Filter { last: Some(position), ..Filter::default() };
                let rows = store.sealed_page(Position(position.0 - 1), 1, &only).await?;
                items.extend(rows.into_iter().map(|row| LogItem::Leaf(Box::new(row.event.leaf))));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(items)
}

//! Reading the log for a fold of all of it.

use std::collections::VecDeque;

use evident_domain::{Position, Recorded};
use evident_eventstore::{EventStore, StoreError, Walk};
use tokio::task::JoinHandle;

use crate::ProjectionError;
use crate::folding::Begun;

/// Some events that follow on each other, without a gap.
pub(crate) struct Page {
    pub(crate) events: Vec<Recorded>,
    pub(crate) begun: Begun,
}

/// Pages of the log, several of them under way at once: they are opened beside each other.
pub(crate) struct Pages<'a> {
    store: &'a EventStore,
    walk: Walk,
    /// Events a page.
    size: u32,
    /// Pages that are opened ahead.
    ahead: usize,
    /// The last event of the last page that was handed out.
    position: Position,
    until: Position,
    opening: VecDeque<Opening>,
}

/// A page that is being opened; given up when it is dropped.
struct Opening(JoinHandle<Result<Vec<Recorded>, StoreError>>);

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<'a> Pages<'a> {
    /// All events behind a position and up to another.
    pub(crate) fn between(
        store: &'a EventStore,
        (after, until): (Position, Position),
        size: u32,
        ahead: usize,
    ) -> Self {
        let walk = store.walk(after, until, size);
        let opening = VecDeque::new();
        Self { store, walk, size, ahead, position: after, until, opening }
    }

    /// The next page; none at the end.
    ///
    /// # Errors
    /// Whatever the log reports, and [`ProjectionError::Gap`] where an event is missing.
    pub(crate) async fn next(&mut self) -> Result<Option<Page>, ProjectionError> {
        while self.opening.len() < self.ahead.max(1) {
            let Some(stretch) = self.walk.next().await? else { break };
            let store = self.store.clone();
            self.opening.push_back(Opening(tokio::spawn(async move { store.open_stretch(stretch).await })));
        }
        let Some(mut opening) = self.opening.pop_front() else {
            return if self.position < self.until {
                Err(ProjectionError::Gap(self.position))
            } else {
                Ok(None)
            };
        };
        let events = (&mut opening.0).await.map_err(|_| ProjectionError::Interrupted)??;
        let end = self.end_of_page(self.position);
        for (event, expected) in events.iter().zip(self.position.0 + 1..) {
            if event.position.0 != expected {
                return Err(ProjectionError::Gap(Position(expected - 1)));
            }
        }
        let last = events.last().map_or(self.position, |event| event.position);
        if last != end {
            return Err(ProjectionError::Gap(last));
        }
        self.position = last;
        Ok(Some(Page { begun: Begun::of(&events), events }))
    }

    /// Where a page ends that begins behind a position.
    fn end_of_page(&self, after: Position) -> Position {
        Position((after.0 + u64::from(self.size)).min(self.until.0))
    }
}

impl Page {
    /// The last event of it.
    pub(crate) fn end(&self) -> Position {
        self.events.last().map(|event| event.position).unwrap_or_default()
    }
}

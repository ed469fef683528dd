//! Projections inside the commit.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use evident_domain::Recorded;
use evident_eventstore::{DatabaseError, Inline, Row, Tables};

use crate::folding::{Begun, Retain};
use crate::folds;
use crate::memory::{Draft, Memory};

/// The projections that the store's writer folds in the transaction of the events. The table of
/// claims is not among them: the store writes it itself.
///
/// They remember rows that they wrote: one for each store, not one for several.
#[derive(Clone, Default)]
pub struct Projections(Arc<Mutex<Memory>>);

/// Rows hold personal data: they stay out of logs.
impl fmt::Debug for Projections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projections").finish_non_exhaustive()
    }
}

impl Projections {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of those groups that are remembered, and the groups that are not.
    fn recall<'g>(&self, table: usize, groups: &'g [String]) -> (Vec<Row>, Vec<&'g String>) {
        let memory = self.memory();
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for group in groups {
            match memory.rows(table, group) {
                Some(rows) => known.extend_from_slice(rows),
                None => unknown.push(group),
            }
        }
        (known, unknown)
    }
}

#[async_trait]
impl Inline for Projections {
    async fn apply(&self, tables: &mut dyn Tables, events: &[Recorded]) -> Result<(), DatabaseError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        self.memory().begin(first.position);
        let (mut groups, begun) = (Vec::new(), Begun::of(events));
        for (number, projection) in folds::INLINE.into_iter().enumerate() {
            let mut folding = projection.folding(Retain::NOTHING);
            let needs = folding.needs(events, &begun);
            if !needs.touched {
                continue;
            }
            let table = projection.table();
            let (mut rows, unknown) = self.recall(number, &needs.unknown);
            if !unknown.is_empty() {
                let unknown: Vec<_> = unknown.into_iter().cloned().collect();
                rows.extend(tables.select(&table, projection.group(), &unknown).await?);
            }
            folding.load(&needs.unknown, rows)?;
            folding.fold(events);
            let tally = projection.tally().map(|tally| tally.table);
            let changes = folding.drain_with(&mut |group, rows| groups.push((number, group, rows.to_vec())));
            changes.merged().write(tables, &table, tally.as_ref()).await?;
        }
        self.memory().draft(Draft { first: first.position, last: last.position, groups });
        Ok(())
    }

    fn committed(&self, events: &[Recorded]) {
        if let Some(first) = events.first() {
            self.memory().committed(first.position);
        }
    }

    fn interrupted(&self) {
        self.memory().forget();
    }
}

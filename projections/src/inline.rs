//! Projections inside the commit.

use async_trait::async_trait;
use evident_domain::Recorded;
use evident_eventstore::{DatabaseError, Inline, Tables};

use crate::folds;

/// The projections that the store's writer folds in the transaction of the events. The table of
/// claims is not among them: the store writes it itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Projections;

#[async_trait]
impl Inline for Projections {
    async fn apply(&self, tables: &mut dyn Tables, events: &[Recorded]) -> Result<(), DatabaseError> {
        for projection in folds::INLINE {
            let mut folding = projection.folding();
            let needs = folding.needs(events);
            if !needs.touched {
                continue;
            }
            let table = projection.table();
            if !needs.unknown.is_empty() {
                let rows = tables.select(&table, projection.group(), &needs.unknown).await?;
                folding.load(&needs.unknown, rows)?;
            }
            folding.fold(events);
            let tally = projection.tally().map(|tally| tally.table);
            folding.drain().write(tables, &table, tally.as_ref()).await?;
        }
        Ok(())
    }
}

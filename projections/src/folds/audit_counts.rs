//! `audit_counts`: how many entries of the audit log there are of each action in each stretch of positions, for
//! totals and far pages.

use evident_domain::Recorded;
use evident_eventstore::{DatabaseError, Row, Table};

use super::{int, text};
use crate::audit::{self, AuditAction};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// Entries are counted by stretches of 2^14 positions.
pub const STRETCH_BITS: u32 = 14;

/// A row of `audit_counts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCountRow {
    /// Of this action.
    pub action: AuditAction,
    /// Positions from `stretch << STRETCH_BITS` on.
    pub stretch: u64,
    /// So many.
    pub entries: u64,
}

fn stretch(event: &Recorded) -> u64 {
    event.position.0 >> STRETCH_BITS
}

impl Fold for AuditCountRow {
    const NAME: &'static str = "audit_counts";
    const VERSION: u32 = 1;
    const TABLE: Table =
        Table::new("audit_counts", &[text("bucket"), text("action"), int("stretch"), int("entries")]);
    const GROUP: &'static str = "bucket";

    fn keys(event: &Recorded) -> Vec<String> {
        let key = |action: AuditAction| [&*stretch(event).to_string(), ":", action.as_str()].concat();
        audit::action(event).map(key).into_iter().collect()
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Some(action) = audit::action(event) else { return group };
        let entries = group.map_or(0, |row| row.entries) + 1;
        Some(Self { action, stretch: stretch(event), entries })
    }

    fn rows(&self, key: &str) -> Vec<Row> {
        let (stretch, entries) = (cells::number(self.stretch), cells::number(self.entries));
        vec![vec![key.into(), self.action.as_str().into(), stretch, entries]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let mut cells = Cells::new(&Self::TABLE, row);
        cells.text()?;
        Ok(Some(Self {
            action: cells.parsed(AuditAction::from_name)?,
            stretch: cells.number()?,
            entries: cells.number()?,
        }))
    }
}

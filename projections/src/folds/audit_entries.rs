//! `audit_entries`: which events are entries of the audit log, for its filters and its page numbers. What
//! an entry tells is read from the event itself, so nothing personal stands here.

use evident_domain::{Position, Recorded};
use evident_eventstore::{DatabaseError, Row, Table, Value};

use super::{int, text};
use crate::audit::{self, AuditAction};
use crate::cells::{self, Cells};
use crate::fold::{Fold, Tally};

/// Entries are counted by stretches of 2^14 positions.
pub const STRETCH_BITS: u32 = 14;

/// A row of `audit_entries`.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntryRow {
    /// The event.
    pub position: Position,
    /// What it is called.
    pub action: AuditAction,
    /// Who did it: [`audit::AuditActor::label`]. None where it is the event's subject: such entries are
    /// found by that, and need no index of their own.
    pub actor: Option<String>,
}

/// A position as the key of an entry: such texts have the order of the numbers.
pub fn entry_key(position: Position) -> String {
    format!("{:016}", position.0)
}

const COUNTS: Table =
    Table::new("audit_counts", &[text("bucket"), text("action"), int("stretch"), int("entries")]);

impl Fold for AuditEntryRow {
    const NAME: &'static str = "audit_entries";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new("audit_entries", &[text("entry"), text("action"), text("actor")]);
    const GROUP: &'static str = "entry";
    const TALLY: Option<Tally> = Some(Tally { table: COUNTS, of: counters });
    const TOUCHED_ONCE: bool = true;

    fn keys(event: &Recorded) -> Vec<String> {
        audit::action(event).map(|_| entry_key(event.position)).into_iter().collect()
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Some(action) = audit::action(event) else { return group };
        let actor = audit::actor(event).label();
        let of_subject = event.subject.as_ref().is_some_and(|subject| subject.to_string() == actor);
        Some(Self { position: event.position, action, actor: (!of_subject).then_some(actor) })
    }

    fn rows(&self, key: &str) -> Vec<Row> {
        vec![vec![key.into(), self.action.as_str().into(), cells::maybe_text(self.actor.as_deref())]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Some(Self {
            position: Position(cells.parsed(|entry| entry.parse().ok())?),
            action: cells.parsed(AuditAction::from_name)?,
            actor: cells.maybe_text()?,
        }))
    }
}

/// The counter in which a row counts.
fn counters(row: &Row) -> Vec<Row> {
    let text = |column: usize| row.get(column).and_then(Value::as_text);
    let (Some(entry), Some(action)) = (text(0), text(1)) else { return Vec::new() };
    let Ok(position) = entry.parse::<i64>() else { return Vec::new() };
    let stretch = position >> STRETCH_BITS;
    vec![vec![format!("{stretch}:{action}").into(), action.into(), stretch.into()]]
}

//! `audit_entries`: which events are entries of the audit log, for its filters. What an entry tells is read from
//! the event itself, so nothing personal stands here; and of entries that the log's own columns tell, nothing does.

use evident_domain::{Position, Recorded};
use evident_eventstore::{DatabaseError, Row, Table};

use super::text;
use crate::audit::{self, AuditAction};
use crate::cells::{self, Cells};
use crate::fold::Fold;

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

impl Fold for AuditEntryRow {
    const NAME: &'static str = "audit_entries";
    const VERSION: u32 = 2;
    const TABLE: Table = Table::new("audit_entries", &[text("entry"), text("action"), text("actor")]);
    const GROUP: &'static str = "entry";
    const TOUCHED_ONCE: bool = true;

    fn keys(event: &Recorded) -> Vec<String> {
        let stands_here = audit::action(event).is_some() && !audit::is_told_by_log(event);
        stands_here.then(|| entry_key(event.position)).into_iter().collect()
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Some(action) = audit::action(event) else { return group };
        let actor = audit::other_author(event).map(|author| author.label());
        Some(Self { position: event.position, action, actor })
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

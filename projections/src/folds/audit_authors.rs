//! `audit_authors`: who did what is an entry of the audit log, where that is not the event's subject: an administrator,
//! an impersonator, the server. Entries of the subject's own are found by the log's index of subjects.

use evident_domain::Recorded;
use evident_eventstore::{DatabaseError, Row, Table};

use super::{padded, text};
use crate::audit;
use crate::cells::Cells;
use crate::fold::Fold;

/// A row of `audit_authors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditAuthorRow {
    /// Who did it: [`audit::AuditActor::label`].
    pub actor: String,
}

impl Fold for AuditAuthorRow {
    const NAME: &'static str = "audit_authors";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new("audit_authors", &[text("entry"), text("actor")]);
    const GROUP: &'static str = "entry";
    const TOUCHED_ONCE: bool = true;

    fn keys(event: &Recorded) -> Vec<String> {
        let stands_here = audit::action(event).is_some() && audit::other_author(event).is_some();
        stands_here.then(|| padded(event.position.0)).into_iter().collect()
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Some(author) = audit::other_author(event) else { return group };
        Some(Self { actor: author.label() })
    }

    fn rows(&self, key: &str) -> Vec<Row> {
        vec![vec![key.into(), self.actor.as_str().into()]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let mut cells = Cells::new(&Self::TABLE, row);
        cells.text()?;
        Ok(Some(Self { actor: cells.text()? }))
    }
}

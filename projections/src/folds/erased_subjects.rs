//! `erased_subjects`: who was forgotten. At every start their keys are destroyed again, so that
//! neither a crash nor a restored key file brings them back.

use evident_domain::organization::{InvitationEnd, OrganizationEvent};
use evident_domain::user::UserEvent;
use evident_domain::{Event, Recorded, Subject, Time, UserId};
use evident_eventstore::{DatabaseError, Row, Table};

use super::{int, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `erased_subjects`.
#[derive(Debug, Clone, PartialEq)]
pub struct ErasedSubject {
    /// Whose key must not exist.
    pub subject: Subject,
    /// When.
    pub erased_at: Time,
    /// The event.
    pub position: u64,
}

impl ErasedSubject {
    /// Reads a row of `erased_subjects`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            subject: cells.parsed(|subject| subject.parse().ok())?,
            erased_at: cells.time()?,
            position: cells.number()?,
        })
    }
}

impl Fold for ErasedSubject {
    const NAME: &'static str = "erased_subjects";
    const VERSION: u32 = 2;
    const TABLE: Table = Table::new("erased_subjects", &[text("subject"), int("erased_at"), int("position")]);
    const GROUP: &'static str = "subject";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::User(UserEvent::Erased {}) => {
                vec![Subject::User(UserId(event.stream.id)).to_string()]
            }
            Event::Organization(OrganizationEvent::InvitationCanceled {
                invitation,
                end: InvitationEnd::RecipientErased,
            }) => vec![Subject::Invitation(*invitation).to_string()],
            // Only these forget a person; any other event is no business of this table.
            _ => Vec::new(),
        }
    }

    fn apply(_: Option<Self>, event: &Recorded, key: &str) -> Option<Self> {
        let subject = key.parse().unwrap_or(Subject::User(UserId(event.stream.id)));
        Some(Self { subject, erased_at: event.occurred_at, position: event.position.0 })
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        vec![vec![self.subject.to_string().into(), cells::time(self.erased_at), cells::number(self.position)]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}

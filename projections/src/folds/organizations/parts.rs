//! What an organization has several of. All of one kind make one group, because the end of an organization
//! names the organization alone.

use std::collections::BTreeMap;
use std::fmt::Debug;

use evident_domain::organization::OrganizationEvent;
use evident_domain::{Event, OrganizationId, Recorded};
use evident_eventstore::{DatabaseError, Row, Table};
use uuid::Uuid;

use crate::fold::Fold;
use crate::folds::stream_key;

/// Something that an organization has several of: a row each, by id.
pub trait Part: Clone + Debug + PartialEq + Send + Sync + Sized + 'static {
    /// The projection's name, which is its table's.
    const NAME: &'static str;
    /// Where the rows stand; one of the columns is `organization_id`.
    const TABLE: Table;

    /// Whether an event concerns such parts. The organization's end does in any case.
    fn is_touched_by(event: &OrganizationEvent) -> bool;

    /// What an event makes of an organization's parts.
    fn follow(parts: &mut BTreeMap<Uuid, Self>, happened: &OrganizationEvent, event: &Recorded);

    /// Its id.
    fn id(&self) -> Uuid;

    /// The row as it stands in the table.
    fn to_row(&self) -> Row;

    /// Reads a row of the table.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    fn from_row(row: Row) -> Result<Self, DatabaseError>;
}

/// All parts of one kind that an organization has.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts<P>(pub BTreeMap<Uuid, P>);

/// The organization that an event happened to.
pub(super) fn organization(event: &Recorded) -> OrganizationId {
    OrganizationId(event.stream.id)
}

impl<P: Part> Fold for Parts<P> {
    const NAME: &'static str = P::NAME;
    const VERSION: u32 = 1;
    const TABLE: Table = P::TABLE;
    const GROUP: &'static str = "organization_id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::Organization(happened)
                if matches!(happened, OrganizationEvent::Deleted {}) || P::is_touched_by(happened) =>
            {
                stream_key(event)
            }
            _ => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Event::Organization(happened) = &event.event else { return group };
        if matches!(happened, OrganizationEvent::Deleted {}) {
            return None;
        }
        let mut parts = group.map(|group| group.0).unwrap_or_default();
        P::follow(&mut parts, happened, event);
        (!parts.is_empty()).then_some(Self(parts))
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        self.0.values().map(P::to_row).collect()
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let parts: Result<BTreeMap<_, _>, DatabaseError> =
            rows.into_iter().map(|row| P::from_row(row).map(|part| (part.id(), part))).collect();
        Ok(Some(Self(parts?)).filter(|parts| !parts.0.is_empty()))
    }
}

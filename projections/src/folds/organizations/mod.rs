//! `organizations`, and the tables of what an organization has: members, invitations, teams, roles.

mod invitations;
mod members;
mod parts;
mod roles;
mod teams;

pub use invitations::{InvitationRow, InvitationStatus};
pub use members::MemberRow;
pub use parts::{Part, Parts};
pub use roles::OrganizationRoleRow;
pub use teams::{TeamMemberRow, TeamRow};

use evident_domain::organization::OrganizationEvent;
use evident_domain::{Event, Metadata, OrganizationId, Recorded, Time};
use evident_eventstore::{DatabaseError, Row, Table};

use super::{int, json, stream_key, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `organizations`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganizationRow {
    /// Its id.
    pub id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// What addresses call it.
    pub slug: String,
    /// Its picture.
    pub logo: Option<String>,
    /// What the application keeps about it: the text of a JSON object.
    pub metadata: Option<String>,
    /// When it came to be.
    pub created_at: Time,
}

impl OrganizationRow {
    /// What the application keeps about it, as an object.
    pub fn metadata(&self) -> Option<Metadata> {
        self.metadata.as_deref().map(|text| serde_json::from_str(text).unwrap_or_default())
    }

    /// Reads a row of `organizations`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            name: cells.text()?,
            slug: cells.text()?,
            logo: cells.maybe_text()?,
            metadata: cells.maybe_text()?,
            created_at: cells.time()?,
        })
    }
}

fn json_text(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).unwrap_or_else(|_| "{}".to_owned())
}

impl Fold for OrganizationRow {
    const NAME: &'static str = "organizations";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new(
        "organizations",
        &[text("id"), text("name"), text("slug"), text("logo"), json("metadata"), int("created_at")],
    );
    const GROUP: &'static str = "id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::Organization(
                OrganizationEvent::Created { .. }
                | OrganizationEvent::Updated { .. }
                | OrganizationEvent::Deleted {},
            ) => stream_key(event),
            // What happens to its parts leaves the organization itself as it is.
            _ => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Event::Organization(happened) = &event.event else { return group };
        match happened {
            OrganizationEvent::Created { name, slug, logo, metadata, .. } => Some(Self {
                id: OrganizationId(event.stream.id),
                name: name.clone(),
                slug: slug.clone(),
                logo: logo.clone(),
                metadata: metadata.as_ref().map(json_text),
                created_at: event.occurred_at,
            }),
            OrganizationEvent::Updated { name, slug, logo, metadata } => {
                let mut row = group?;
                if let Some(name) = name {
                    row.name.clone_from(name);
                }
                if let Some(slug) = slug {
                    row.slug.clone_from(slug);
                }
                if let Some(logo) = logo {
                    row.logo = Some(logo.clone()).filter(|logo| !logo.is_empty());
                }
                if let Some(metadata) = metadata {
                    row.metadata = Some(metadata).filter(|metadata| !metadata.is_empty()).map(json_text);
                }
                Some(row)
            }
            OrganizationEvent::Deleted {} => None,
            _ => group,
        }
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        vec![vec![
            self.id.to_string().into(),
            cells::text(&self.name),
            cells::text(&self.slug),
            cells::maybe_text(self.logo.as_deref()),
            cells::maybe_text(self.metadata.as_deref()),
            cells::time(self.created_at),
        ]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}

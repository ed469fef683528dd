//! `members`: who belongs to which organization.

use std::collections::BTreeMap;

use evident_domain::organization::OrganizationEvent;
use evident_domain::organization::Roles;
use evident_domain::{MemberId, OrganizationId, Recorded, Time, UserId};
use evident_eventstore::{DatabaseError, Row, Table};
use uuid::Uuid;

use super::parts::{Part, organization};
use crate::cells::{self, Cells};
use crate::folds::{int, text};

/// A row of `members`.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberRow {
    /// Its id.
    pub id: MemberId,
    /// Where.
    pub organization_id: OrganizationId,
    /// Who.
    pub user_id: UserId,
    /// With which roles, with commas in between.
    pub role: String,
    /// Since when.
    pub created_at: Time,
}

impl MemberRow {
    /// The roles. There is always one.
    pub fn roles(&self) -> Roles {
        Roles::parse([self.role.as_str()]).unwrap_or_else(|_| Roles::one(&self.role))
    }
}

impl Part for MemberRow {
    const NAME: &'static str = "members";
    const TABLE: Table = Table::new(
        "members",
        &[text("id"), text("organization_id"), text("user_id"), text("role"), int("created_at")],
    );

    fn is_touched_by(event: &OrganizationEvent) -> bool {
        matches!(
            event,
            OrganizationEvent::Created { .. }
                | OrganizationEvent::MemberAdded { .. }
                | OrganizationEvent::MemberRoleChanged { .. }
                | OrganizationEvent::MemberRemoved { .. }
        )
    }

    fn follow(parts: &mut BTreeMap<Uuid, Self>, happened: &OrganizationEvent, event: &Recorded) {
        match happened {
            OrganizationEvent::Created { member, user, roles, .. }
            | OrganizationEvent::MemberAdded { member, user, roles, .. } => {
                let row = Self {
                    id: *member,
                    organization_id: organization(event),
                    user_id: *user,
                    role: roles.to_string(),
                    created_at: event.occurred_at,
                };
                parts.insert(member.0, row);
            }
            OrganizationEvent::MemberRoleChanged { member, roles, .. } => {
                if let Some(row) = parts.get_mut(&member.0) {
                    row.role = roles.to_string();
                }
            }
            OrganizationEvent::MemberRemoved { member, .. } => {
                parts.remove(&member.0);
            }
            _ => {}
        }
    }

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.to_string().into(),
            self.organization_id.to_string().into(),
            self.user_id.to_string().into(),
            cells::text(&self.role),
            cells::time(self.created_at),
        ]
    }

    fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            organization_id: cells.id()?,
            user_id: cells.id()?,
            role: cells.text()?,
            created_at: cells.time()?,
        })
    }
}

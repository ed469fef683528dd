//! `organization_roles`: roles of an organization's own.

use std::collections::BTreeMap;

use evident_domain::organization::{OrganizationEvent, Permissions};
use evident_domain::{OrganizationId, OrganizationRoleId, Recorded, Time};
use evident_eventstore::{DatabaseError, Row, Table};
use uuid::Uuid;

use super::parts::{Part, organization};
use crate::cells::{self, Cells};
use crate::folds::{int, json, text};

/// A row of `organization_roles`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganizationRoleRow {
    /// Its id.
    pub id: OrganizationRoleId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// What members are given.
    pub role: String,
    /// What it grants.
    pub permissions: Permissions,
    /// When it came to be.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Option<Time>,
}

impl Part for OrganizationRoleRow {
    const NAME: &'static str = "organization_roles";
    const TABLE: Table = Table::new(
        "organization_roles",
        &[
            text("id"),
            text("organization_id"),
            text("role"),
            json("permissions"),
            int("created_at"),
            int("updated_at"),
        ],
    );

    fn is_touched_by(event: &OrganizationEvent) -> bool {
        matches!(event, OrganizationEvent::RoleDefined { .. } | OrganizationEvent::RoleDeleted { .. })
    }

    fn follow(parts: &mut BTreeMap<Uuid, Self>, happened: &OrganizationEvent, event: &Recorded) {
        match happened {
            OrganizationEvent::RoleDefined { role, name, permissions } => {
                let known = parts.get(&role.0);
                let row = Self {
                    id: *role,
                    organization_id: organization(event),
                    role: name.clone(),
                    permissions: permissions.clone(),
                    created_at: known.map_or(event.occurred_at, |known| known.created_at),
                    updated_at: known.map(|_| event.occurred_at),
                };
                parts.insert(role.0, row);
            }
            OrganizationEvent::RoleDeleted { role, .. } => {
                parts.remove(&role.0);
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
            cells::text(&self.role),
            cells::json(&self.permissions),
            cells::time(self.created_at),
            cells::maybe_time(self.updated_at),
        ]
    }

    fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            organization_id: cells.id()?,
            role: cells.text()?,
            permissions: cells.json()?,
            created_at: cells.time()?,
            updated_at: cells.maybe_time()?,
        })
    }
}

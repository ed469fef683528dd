//! `teams` and `team_members`.

use std::collections::BTreeMap;

use evident_domain::organization::{OrganizationEvent, team_member_id};
use evident_domain::{OrganizationId, Recorded, TeamId, Time, UserId};
use evident_eventstore::{DatabaseError, Row, Table};
use uuid::Uuid;

use super::parts::{Part, organization};
use crate::cells::{self, Cells};
use crate::folds::{int, text};

/// A row of `teams`.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamRow {
    /// Its id.
    pub id: TeamId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// When it came to be.
    pub created_at: Time,
    /// When it last changed; never, where it came with its organization and was left alone.
    pub updated_at: Option<Time>,
}

impl Part for TeamRow {
    const NAME: &'static str = "teams";
    const TABLE: Table = Table::new(
        "teams",
        &[text("id"), text("organization_id"), text("name"), int("created_at"), int("updated_at")],
    );

    fn is_touched_by(event: &OrganizationEvent) -> bool {
        matches!(
            event,
            OrganizationEvent::TeamCreated { .. }
                | OrganizationEvent::TeamRenamed { .. }
                | OrganizationEvent::TeamRemoved { .. }
        )
    }

    fn follow(parts: &mut BTreeMap<Uuid, Self>, happened: &OrganizationEvent, event: &Recorded) {
        match happened {
            OrganizationEvent::TeamCreated { team, name } => {
                // Right behind its organization: nobody asked for it.
                let came_along = event.sequence == 2;
                let row = Self {
                    id: *team,
                    organization_id: organization(event),
                    name: name.clone(),
                    created_at: event.occurred_at,
                    updated_at: (!came_along).then_some(event.occurred_at),
                };
                parts.insert(team.0, row);
            }
            OrganizationEvent::TeamRenamed { team, name } => {
                if let Some(row) = parts.get_mut(&team.0) {
                    row.name.clone_from(name);
                    row.updated_at = Some(event.occurred_at);
                }
            }
            OrganizationEvent::TeamRemoved { team } => {
                parts.remove(&team.0);
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
            cells::text(&self.name),
            cells::time(self.created_at),
            cells::maybe_time(self.updated_at),
        ]
    }

    fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            organization_id: cells.id()?,
            name: cells.text()?,
            created_at: cells.time()?,
            updated_at: cells.maybe_time()?,
        })
    }
}

/// A row of `team_members`.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamMemberRow {
    /// Its id, which follows from team and user.
    pub id: Uuid,
    /// Whose team.
    pub organization_id: OrganizationId,
    /// Which.
    pub team_id: TeamId,
    /// Who.
    pub user_id: UserId,
    /// Since when.
    pub created_at: Time,
}

impl Part for TeamMemberRow {
    const NAME: &'static str = "team_members";
    const TABLE: Table = Table::new(
        "team_members",
        &[text("id"), text("organization_id"), text("team_id"), text("user_id"), int("created_at")],
    );

    fn is_touched_by(event: &OrganizationEvent) -> bool {
        matches!(
            event,
            OrganizationEvent::TeamMemberAdded { .. }
                | OrganizationEvent::TeamMemberRemoved { .. }
                | OrganizationEvent::TeamRemoved { .. }
                | OrganizationEvent::MemberRemoved { .. }
        )
    }

    fn follow(parts: &mut BTreeMap<Uuid, Self>, happened: &OrganizationEvent, event: &Recorded) {
        match happened {
            OrganizationEvent::TeamMemberAdded { team, user } => {
                let row = Self {
                    id: team_member_id(*team, *user),
                    organization_id: organization(event),
                    team_id: *team,
                    user_id: *user,
                    created_at: event.occurred_at,
                };
                parts.insert(row.id, row);
            }
            OrganizationEvent::TeamMemberRemoved { team, user } => {
                parts.remove(&team_member_id(*team, *user));
            }
            OrganizationEvent::TeamRemoved { team } => parts.retain(|_, row| row.team_id != *team),
            OrganizationEvent::MemberRemoved { user, .. } => parts.retain(|_, row| row.user_id != *user),
            _ => {}
        }
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.to_string().into(),
            self.organization_id.to_string().into(),
            self.team_id.to_string().into(),
            self.user_id.to_string().into(),
            cells::time(self.created_at),
        ]
    }

    fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            organization_id: cells.id()?,
            team_id: cells.id()?,
            user_id: cells.id()?,
            created_at: cells.time()?,
        })
    }
}

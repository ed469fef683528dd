//! `invitations`: who was invited where, open or not.

use std::collections::BTreeMap;

use evident_domain::organization::{InvitationEnd, OrganizationEvent};
use evident_domain::{InvitationId, OrganizationId, Recorded, Subject, TeamId, Time, UserId};
use evident_eventstore::{DatabaseError, Row, Table};
use uuid::Uuid;

use super::parts::{Part, organization};
use crate::cells::{self, Cells};
use crate::folds::{int, json, text};

/// Where an invitation stands. One that has expired is pending still: its end is a moment, not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationStatus {
    /// Nobody has answered.
    Pending,
    /// The invited person belongs to the organization.
    Accepted,
    /// The invited person said no.
    Rejected,
    /// It was taken back.
    Canceled,
}

impl InvitationStatus {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Accepted, Self::Rejected, Self::Canceled];

    /// The name in the table and in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Canceled => "canceled",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A row of `invitations`. When the invited person is forgotten, it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct InvitationRow {
    /// Its id.
    pub id: InvitationId,
    /// Where to.
    pub organization_id: OrganizationId,
    /// Who is meant: whoever has this address.
    pub email: String,
    /// The user who is meant, where it is known: who had the address then, or said yes.
    pub user_id: Option<UserId>,
    /// The roles that come with it, with commas in between.
    pub role: String,
    /// The teams that come with it.
    pub teams: Vec<TeamId>,
    /// Where it stands.
    pub status: InvitationStatus,
    /// Who invites.
    pub inviter_id: UserId,
    /// Since when.
    pub created_at: Time,
    /// From when on it counts for nothing.
    pub expires_at: Time,
}

impl InvitationRow {
    /// Whether it can be answered at a moment.
    pub fn is_open(&self, now: Time) -> bool {
        self.status == InvitationStatus::Pending && self.expires_at > now
    }
}

impl Part for InvitationRow {
    const NAME: &'static str = "invitations";
    const TABLE: Table = Table::new(
        "invitations",
        &[
            text("id"),
            text("organization_id"),
            text("email"),
            text("user_id"),
            text("role"),
            json("teams"),
            text("status"),
            text("inviter_id"),
            int("created_at"),
            int("expires_at"),
        ],
    );

    fn is_touched_by(event: &OrganizationEvent) -> bool {
        matches!(
            event,
            OrganizationEvent::MemberInvited { .. }
                | OrganizationEvent::InvitationExtended { .. }
                | OrganizationEvent::InvitationAccepted { .. }
                | OrganizationEvent::InvitationRejected { .. }
                | OrganizationEvent::InvitationCanceled { .. }
                | OrganizationEvent::TeamRemoved { .. }
        )
    }

    fn follow(parts: &mut BTreeMap<Uuid, Self>, happened: &OrganizationEvent, event: &Recorded) {
        let mut ended = |id: &InvitationId, status, user: Option<UserId>| {
            if let Some(row) = parts.get_mut(&id.0) {
                row.status = status;
                row.user_id = user.or(row.user_id);
            }
        };
        match happened {
            OrganizationEvent::MemberInvited { invitation, email, roles, teams, inviter, at, expires_at } => {
                // An invitation of somebody with an account is sealed under that person's key.
                let user_id = if let Some(Subject::User(user)) = event.subject { Some(user) } else { None };
                let row = Self {
                    id: *invitation,
                    organization_id: organization(event),
                    email: email.known().map(|email| email.as_str().to_owned()).unwrap_or_default(),
                    user_id,
                    role: roles.to_string(),
                    teams: teams.clone(),
                    status: InvitationStatus::Pending,
                    inviter_id: *inviter,
                    created_at: *at,
                    expires_at: *expires_at,
                };
                parts.insert(invitation.0, row);
            }
            OrganizationEvent::InvitationExtended { invitation, expires_at } => {
                if let Some(row) = parts.get_mut(&invitation.0) {
                    row.expires_at = *expires_at;
                }
            }
            OrganizationEvent::InvitationAccepted { invitation, user } => {
                ended(invitation, InvitationStatus::Accepted, Some(*user));
            }
            OrganizationEvent::InvitationRejected { invitation, user } => {
                ended(invitation, InvitationStatus::Rejected, Some(*user));
            }
            OrganizationEvent::InvitationCanceled { invitation, end: InvitationEnd::RecipientErased } => {
                parts.remove(&invitation.0);
            }
            OrganizationEvent::InvitationCanceled { invitation, .. } => {
                ended(invitation, InvitationStatus::Canceled, None);
            }
            OrganizationEvent::TeamRemoved { team } => {
                for row in parts.values_mut().filter(|row| row.status == InvitationStatus::Pending) {
                    row.teams.retain(|known| known != team);
                }
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
            cells::text(&self.email),
            cells::maybe_text(self.user_id.map(|user| user.to_string()).as_deref()),
            cells::text(&self.role),
            cells::json(&self.teams),
            self.status.as_str().into(),
            self.inviter_id.to_string().into(),
            cells::time(self.created_at),
            cells::time(self.expires_at),
        ]
    }

    fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            organization_id: cells.id()?,
            email: cells.text()?,
            user_id: cells.maybe_parsed(|id| id.parse().ok())?,
            role: cells.text()?,
            teams: cells.json()?,
            status: cells.parsed(InvitationStatus::from_name)?,
            inviter_id: cells.id()?,
            created_at: cells.time()?,
            expires_at: cells.time()?,
        })
    }
}

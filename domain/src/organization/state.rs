//! What the rules need to know of an organization, folded from its events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{OrganizationEvent, Permissions, Roles};
use crate::{Email, InvitationId, MemberId, OrganizationRoleId, TeamId, Time, UserId};

/// An organization's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Organization {
    /// No event yet.
    #[default]
    Absent,
    /// There.
    Active(Box<Active>),
    /// Gone; the id stays taken.
    Deleted,
}

/// An organization that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// What people call it.
    pub name: String,
    /// What addresses call it.
    pub slug: String,
    /// Who belongs to it.
    pub members: BTreeMap<MemberId, Member>,
    /// The invitations that nobody has answered and nobody has taken back; some may have expired.
    pub invitations: BTreeMap<InvitationId, Invitation>,
    /// Its teams, and who is in them.
    pub teams: BTreeMap<TeamId, Team>,
    /// Its own roles.
    pub roles: BTreeMap<OrganizationRoleId, (String, Permissions)>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// With which roles.
    pub roles: Roles,
}

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// Who is meant; none where the address was erased.
    pub email: Option<Email>,
    /// The roles that come with it.
    pub roles: Roles,
    /// The teams that come with it.
    pub teams: Vec<TeamId>,
    /// Who invites.
    pub inviter: UserId,
    /// From when on it counts for nothing.
    pub expires_at: Time,
}

/// A team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// What people call it.
    pub name: String,
    /// Who is in it.
    pub users: BTreeSet<UserId>,
}

/// The id of a user's place in a team: it follows from the two.
pub fn team_member_id(team: TeamId, user: UserId) -> Uuid {
    let digest = Sha256::new()
        .chain_update(b"team member")
        .chain_update(team.0.as_bytes())
        .chain_update(user.0.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 8: an id of the application's own making (RFC 9562, section 5.8).
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl Organization {
    /// The organization, where it is there.
    pub fn active(&self) -> Option<&Active> {
        match self {
            Self::Active(organization) => Some(organization),
            Self::Absent | Self::Deleted => None,
        }
    }

    pub(super) fn take_in(&mut self, event: &OrganizationEvent) {
        match (&mut *self, event) {
            (_, OrganizationEvent::Deleted {}) => *self = Self::Deleted,
            (_, OrganizationEvent::Created { name, slug, user, member, roles, .. }) => {
                *self = Self::Active(Box::new(Active {
                    name: name.clone(),
                    slug: slug.clone(),
                    members: BTreeMap::from([(*member, Member { user: *user, roles: roles.clone() })]),
                    invitations: BTreeMap::new(),
                    teams: BTreeMap::new(),
                    roles: BTreeMap::new(),
                }));
            }
            (Self::Active(organization), event) => organization.take_in(event),
            (Self::Absent | Self::Deleted, _) => {}
        }
    }
}

impl Active {
    /// The membership of a user.
    pub fn member_of(&self, user: UserId) -> Option<(MemberId, &Member)> {
        self.members.iter().find(|(_, member)| member.user == user).map(|(id, member)| (*id, member))
    }

    /// What the organization's own roles grant, by name.
    pub fn own_roles(&self) -> BTreeMap<String, Permissions> {
        self.roles.values().cloned().collect()
    }

    pub(super) fn take_in(&mut self, event: &OrganizationEvent) {
        match event {
            OrganizationEvent::Updated { name, slug, .. } => {
                if let Some(name) = name {
                    self.name.clone_from(name);
                }
                if let Some(slug) = slug {
                    self.slug.clone_from(slug);
                }
            }
            OrganizationEvent::MemberAdded { member, user, roles, .. } => {
                self.members.insert(*member, Member { user: *user, roles: roles.clone() });
            }
            OrganizationEvent::MemberRoleChanged { member, roles, .. } => {
                if let Some(member) = self.members.get_mut(member) {
                    member.roles = roles.clone();
                }
            }
            OrganizationEvent::MemberRemoved { member, user, .. } => {
                self.members.remove(member);
                for team in self.teams.values_mut() {
                    team.users.remove(user);
                }
            }
            OrganizationEvent::MemberInvited {
                invitation, email, roles, teams, inviter, expires_at, ..
            } => {
                self.invitations.insert(
                    *invitation,
                    Invitation {
                        email: email.known().cloned(),
                        roles: roles.clone(),
                        teams: teams.clone(),
                        inviter: *inviter,
                        expires_at: *expires_at,
                    },
                );
            }
            OrganizationEvent::InvitationExtended { invitation, expires_at } => {
                if let Some(invitation) = self.invitations.get_mut(invitation) {
                    invitation.expires_at = *expires_at;
                }
            }
            OrganizationEvent::InvitationAccepted { invitation, .. }
            | OrganizationEvent::InvitationRejected { invitation, .. }
            | OrganizationEvent::InvitationCanceled { invitation, .. } => {
                self.invitations.remove(invitation);
            }
            OrganizationEvent::TeamCreated { team, name } => {
                self.teams.insert(*team, Team { name: name.clone(), users: BTreeSet::new() });
            }
            OrganizationEvent::TeamRenamed { team, name } => {
                if let Some(team) = self.teams.get_mut(team) {
                    team.name.clone_from(name);
                }
            }
            OrganizationEvent::TeamRemoved { team } => {
                self.teams.remove(team);
            }
            OrganizationEvent::TeamMemberAdded { team, user } => {
                if let Some(team) = self.teams.get_mut(team) {
                    team.users.insert(*user);
                }
            }
            OrganizationEvent::TeamMemberRemoved { team, user } => {
                if let Some(team) = self.teams.get_mut(team) {
                    team.users.remove(user);
                }
            }
            OrganizationEvent::RoleDefined { role, name, permissions } => {
                self.roles.insert(*role, (name.clone(), permissions.clone()));
            }
            OrganizationEvent::RoleDeleted { role, .. } => {
                self.roles.remove(role);
            }
            OrganizationEvent::Created { .. } | OrganizationEvent::Deleted {} => {}
        }
    }
}

//! What may be asked of an organization.

use std::sync::Arc;

use super::{AccessControl, Permissions, Roles};
use crate::{Email, InvitationId, MemberId, Metadata, OrganizationRoleId, TeamId, Time, UserId};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A user: what they may do follows from their roles.
    User(UserId),
    /// The server or its owner, who may do everything that does not break the organization.
    Server,
}

/// What the owner of the server decided about organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What roles grant.
    pub access: AccessControl,
    /// Members at most.
    pub members: usize,
    /// Open invitations at most.
    pub invitations: usize,
    /// Teams at most.
    pub teams: usize,
    /// Members of a team at most.
    pub team_members: usize,
    /// Whether the last team may go.
    pub last_team_may_go: bool,
    /// Roles of an organization's own at most.
    pub roles: usize,
    /// Whether who accepts an invitation has to have verified the address.
    pub verified_address: bool,
    /// Whether a second invitation of an address takes back the first.
    pub supersede_invitations: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access: AccessControl::default(),
            members: 100,
            invitations: 100,
            teams: usize::MAX,
            team_members: usize::MAX,
            last_team_may_go: true,
            roles: usize::MAX,
            verified_address: true,
            supersede_invitations: false,
        }
    }
}

/// A new organization.
#[derive(Debug, Clone)]
pub struct Create {
    /// What people call it.
    pub name: String,
    /// What addresses call it.
    pub slug: String,
    /// Its picture.
    pub logo: Option<String>,
    /// What the application keeps about it.
    pub metadata: Option<Metadata>,
    /// Who makes it.
    pub user: UserId,
    /// That person's membership.
    pub member: MemberId,
    /// A first team, with that person in it.
    pub team: Option<FirstTeam>,
}

/// The team that comes with an organization.
#[derive(Debug, Clone)]
pub struct FirstTeam {
    /// Its id.
    pub team: TeamId,
    /// What people call it.
    pub name: String,
}

/// Changes of what is known of an organization; what is not set stays.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Another name.
    pub name: Option<String>,
    /// Another slug.
    pub slug: Option<String>,
    /// Another picture; an empty text for none.
    pub logo: Option<String>,
    /// Other data of the application; an empty object for none.
    pub metadata: Option<Metadata>,
}

/// Somebody to be invited.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The id of the invitation, if it is a new one.
    pub invitation: InvitationId,
    /// Who is meant.
    pub email: Email,
    /// Whose address it is, where that is known.
    pub owner: Option<UserId>,
    /// The roles that come with it.
    pub roles: Roles,
    /// The teams that come with it.
    pub teams: Vec<TeamId>,
    /// Send an open one once more instead of refusing.
    pub resend: bool,
    /// The time of the decision.
    pub now: Time,
    /// From when on it counts for nothing.
    pub expires_at: Time,
}

/// A user as invitations look at them.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Who.
    pub user: UserId,
    /// The address.
    pub email: Option<Email>,
    /// Whether the user has shown that it is theirs.
    pub verified: bool,
}

/// A command on an organization: what, by whom, under which policy.
#[derive(Debug, Clone)]
pub struct OrganizationCommand {
    /// Who asks.
    pub by: By,
    /// What the owner of the server decided.
    pub policy: Arc<Policy>,
    /// What is asked for.
    pub action: Action,
}

/// What may be asked for.
#[derive(Debug, Clone)]
pub enum Action {
    /// Make the organization.
    Create(Create),
    /// Change what is known of it.
    Update(Update),
    /// End it.
    Delete,
    /// Make somebody a member without an invitation.
    AddMember {
        /// The membership.
        member: MemberId,
        /// Who.
        user: UserId,
        /// With which roles.
        roles: Roles,
    },
    /// Give a member other roles.
    ChangeRoles {
        /// The membership.
        member: MemberId,
        /// The roles.
        roles: Roles,
    },
    /// Remove a member.
    RemoveMember {
        /// The membership.
        member: MemberId,
    },
    /// The caller goes.
    Leave,
    /// A user's account is closed: they belong nowhere any more.
    ForgetUser {
        /// Who.
        user: UserId,
    },
    /// Somebody who was invited is forgotten: the invitations too, whatever became of them.
    ForgetRecipient {
        /// The invitations.
        invitations: Vec<InvitationId>,
    },
    /// Invite somebody.
    Invite(Invite),
    /// Say yes to an invitation.
    Accept {
        /// The invitation.
        invitation: InvitationId,
        /// Who accepts.
        recipient: Recipient,
        /// The membership that comes of it.
        member: MemberId,
        /// The time of the decision.
        now: Time,
    },
    /// Say no to an invitation.
    Reject {
        /// The invitation.
        invitation: InvitationId,
        /// Who rejects.
        recipient: Recipient,
        /// The time of the decision.
        now: Time,
    },
    /// Take an invitation back.
    CancelInvitation {
        /// The invitation.
        invitation: InvitationId,
    },
    /// Make a team.
    CreateTeam {
        /// The team.
        team: TeamId,
        /// Its name.
        name: String,
    },
    /// Give a team another name.
    RenameTeam {
        /// The team.
        team: TeamId,
        /// The name.
        name: String,
    },
    /// Remove a team.
    RemoveTeam {
        /// The team.
        team: TeamId,
    },
    /// Put a member into a team.
    AddTeamMember {
        /// The team.
        team: TeamId,
        /// Who.
        user: UserId,
    },
    /// Take a member out of a team.
    RemoveTeamMember {
        /// The team.
        team: TeamId,
        /// Who.
        user: UserId,
    },
    /// Make a role of the organization's own.
    CreateRole {
        /// The role.
        role: OrganizationRoleId,
        /// Its name.
        name: String,
        /// What it grants.
        permissions: Permissions,
    },
    /// Change a role of the organization's own; what is not set stays.
    ChangeRole {
        /// The role.
        role: OrganizationRoleId,
        /// Another name.
        name: Option<String>,
        /// What it grants now.
        permissions: Option<Permissions>,
    },
    /// Remove a role of the organization's own.
    DeleteRole {
        /// The role.
        role: OrganizationRoleId,
    },
}

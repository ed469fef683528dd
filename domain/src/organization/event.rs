//! What can have happened to an organization.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{Departure, InvitationEnd, Permissions, Roles};
use crate::catalogue::described;
use crate::{
    Claim, ClaimChange, ClaimKind, Email, InvitationId, MemberId, Metadata, OrganizationRoleId, Personal,
    TeamId, Time, UserId,
};

described! {
    /// An event of an organization's stream.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum OrganizationEvent {
        /// An organization came to be, with one member.
        #[serde(rename = "organization.created")]
        Created {
            /// What people call it.
            name: String,
            /// What addresses call it; no other organization has it.
            slug: String,
            /// Its picture.
            logo: Option<String>,
            /// What the application keeps about it.
            metadata: Option<Metadata>,
            /// Who made it.
            user: UserId,
            /// That person's membership.
            member: MemberId,
            /// That person's roles.
            roles: Roles,
        },
        /// What is known of it changed. A field that is not there stays.
        #[serde(rename = "organization.updated")]
        Updated {
            /// The new name.
            name: Option<String>,
            /// The new slug; the one before is free.
            slug: Option<String>,
            /// The new picture; an empty text for none.
            logo: Option<String>,
            /// The new data of the application; an empty object for none.
            metadata: Option<Metadata>,
        },
        /// It is gone, with its members, invitations and teams.
        #[serde(rename = "organization.deleted")]
        Deleted {},
        /// Somebody belongs to it.
        #[serde(rename = "organization.member_added")]
        MemberAdded {
            /// The membership.
            member: MemberId,
            /// Who.
            user: UserId,
            /// With which roles.
            roles: Roles,
            /// By which invitation.
            invitation: Option<InvitationId>,
        },
        /// A member has other roles.
        #[serde(rename = "organization.member_role_changed")]
        MemberRoleChanged {
            /// The membership.
            member: MemberId,
            /// Whose it is.
            user: UserId,
            /// The new roles.
            roles: Roles,
        },
        /// Somebody belongs to it no longer, nor to its teams.
        #[serde(rename = "organization.member_removed")]
        MemberRemoved {
            /// The membership.
            member: MemberId,
            /// Whose it was.
            user: UserId,
            /// How it ended.
            departure: Departure,
        },
        /// Somebody was invited.
        #[serde(rename = "organization.member_invited")]
        MemberInvited {
            /// The invitation.
            invitation: InvitationId,
            /// Who is meant: whoever can show that this address is theirs.
            email: Personal<Email>,
            /// The roles that come with it.
            roles: Roles,
            /// The teams that come with it.
            teams: Vec<TeamId>,
            /// Who invites.
            inviter: UserId,
            /// When.
            at: Time,
            /// From when on it counts for nothing.
            expires_at: Time,
        },
        /// An invitation was sent once more and is good for longer.
        #[serde(rename = "organization.invitation_extended")]
        InvitationExtended {
            /// The invitation.
            invitation: InvitationId,
            /// From when on it counts for nothing now.
            expires_at: Time,
        },
        /// The invited person said yes.
        #[serde(rename = "organization.invitation_accepted")]
        InvitationAccepted {
            /// The invitation.
            invitation: InvitationId,
            /// Who.
            user: UserId,
        },
        /// The invited person said no.
        #[serde(rename = "organization.invitation_rejected")]
        InvitationRejected {
            /// The invitation.
            invitation: InvitationId,
            /// Who.
            user: UserId,
        },
        /// An invitation was taken back.
        #[serde(rename = "organization.invitation_canceled")]
        InvitationCanceled {
            /// The invitation.
            invitation: InvitationId,
            /// Why.
            end: InvitationEnd,
        },
        /// A team came to be.
        #[serde(rename = "organization.team_created")]
        TeamCreated {
            /// The team.
            team: TeamId,
            /// What people call it.
            name: String,
        },
        /// A team has another name.
        #[serde(rename = "organization.team_renamed")]
        TeamRenamed {
            /// The team.
            team: TeamId,
            /// The new name.
            name: String,
        },
        /// A team is gone; its people stay members.
        #[serde(rename = "organization.team_removed")]
        TeamRemoved {
            /// The team.
            team: TeamId,
        },
        /// A member belongs to a team.
        #[serde(rename = "organization.team_member_added")]
        TeamMemberAdded {
            /// The team.
            team: TeamId,
            /// Who.
            user: UserId,
        },
        /// A member belongs to a team no longer.
        #[serde(rename = "organization.team_member_removed")]
        TeamMemberRemoved {
            /// The team.
            team: TeamId,
            /// Who.
            user: UserId,
        },
        /// A role of the organization's own came to be, or grants something else now.
        #[serde(rename = "organization.role_defined")]
        RoleDefined {
            /// The role.
            role: OrganizationRoleId,
            /// What members are given.
            name: String,
            /// What it grants.
            permissions: Permissions,
        },
        /// A role of the organization's own is gone.
        #[serde(rename = "organization.role_deleted")]
        RoleDeleted {
            /// The role.
            role: OrganizationRoleId,
            /// What it was called.
            name: String,
        },
    }
}

impl OrganizationEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        let name = match self {
            Self::Created { .. } => "organization.created",
            Self::Updated { .. } => "organization.updated",
            Self::Deleted {} => "organization.deleted",
            Self::MemberAdded { .. } => "organization.member_added",
            Self::MemberRoleChanged { .. } => "organization.member_role_changed",
            Self::MemberRemoved { .. } => "organization.member_removed",
            Self::MemberInvited { .. } => "organization.member_invited",
            Self::InvitationExtended { .. } => "organization.invitation_extended",
            Self::InvitationAccepted { .. } => "organization.invitation_accepted",
            Self::InvitationRejected { .. } => "organization.invitation_rejected",
            Self::InvitationCanceled { .. } => "organization.invitation_canceled",
            Self::TeamCreated { .. } => "organization.team_created",
            Self::TeamRenamed { .. } => "organization.team_renamed",
            Self::TeamRemoved { .. } => "organization.team_removed",
            Self::TeamMemberAdded { .. } => "organization.team_member_added",
            Self::TeamMemberRemoved { .. } => "organization.team_member_removed",
            Self::RoleDefined { .. } => "organization.role_defined",
            Self::RoleDeleted { .. } => "organization.role_deleted",
        };
        (name, "1.0")
    }

    /// What it does to the organization's unique claims.
    pub fn claims(&self) -> Vec<ClaimChange> {
        let slug = |slug: &String| {
            ClaimChange::Take(Claim { kind: ClaimKind::OrganizationSlug, value: slug.clone() })
        };
        match self {
            Self::Created { slug: it, .. } => vec![slug(it)],
            Self::Updated { slug: it, .. } => it.iter().map(slug).collect(),
            Self::Deleted {} => vec![ClaimChange::ReleaseAll],
            _ => Vec::new(),
        }
    }
}

impl DomainEvent for OrganizationEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

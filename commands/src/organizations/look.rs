//! Looking at organizations: who belongs there sees them, and some see more.

use evident_domain::{InvitationId, MemberId, OrganizationId, TeamId, UserId};
use evident_eventstore::DatabaseError;
use evident_projections::views;

use super::{
    InvitationRow, InvitationStatus, MemberPage, MemberQuery, MemberView, OrganizationError,
    OrganizationFailure, OrganizationName, OrganizationRoleRow, OrganizationRow, Permissions, RoleName,
    Roles, TeamMemberRow, TeamRow, UserInvitation,
};
use crate::Commands;
use crate::execute::Failure;

/// A user who looks at invitations: with an address, maybe one that is confirmed.
#[derive(Debug, Clone)]
pub struct Looker {
    /// The address.
    pub email: Option<String>,
    /// Whether the user has shown that it is theirs.
    pub verified: bool,
}

fn store(error: DatabaseError) -> OrganizationFailure {
    Failure::from(error).into()
}

impl Commands {
    fn rows(&self) -> &evident_eventstore::Database {
        self.store().database()
    }

    /// An organization, whoever looks.
    pub(super) async fn organization(
        &self,
        name: &OrganizationName,
    ) -> Result<Option<OrganizationRow>, OrganizationFailure> {
        views::organization(self.rows(), name).await.map_err(store)
    }

    /// An organization and a user's membership there.
    pub(super) async fn organization_of(
        &self,
        user: UserId,
        id: OrganizationId,
    ) -> Result<(OrganizationRow, MemberView), OrganizationFailure> {
        let row = self.organization(&OrganizationName::Id(id)).await?.ok_or(OrganizationError::NotFound)?;
        Ok((row, self.membership(user, id).await?))
    }

    pub(super) async fn member_view(
        &self,
        organization: OrganizationId,
        member: MemberId,
    ) -> Result<Option<MemberView>, OrganizationFailure> {
        views::member_named(self.rows(), organization, member).await.map_err(store)
    }

    pub(super) async fn invitation_row(
        &self,
        id: InvitationId,
    ) -> Result<Option<InvitationRow>, OrganizationFailure> {
        views::invitation(self.rows(), id).await.map_err(store)
    }

    pub(super) async fn team(&self, id: TeamId) -> Result<Option<TeamRow>, OrganizationFailure> {
        views::team(self.rows(), id).await.map_err(store)
    }

    pub(super) async fn team_members(&self, id: TeamId) -> Result<Vec<TeamMemberRow>, OrganizationFailure> {
        views::team_members(self.rows(), id).await.map_err(store)
    }

    /// A role of an organization's own.
    pub(super) async fn own_role(
        &self,
        organization: OrganizationId,
        role: &RoleName,
    ) -> Result<OrganizationRoleRow, OrganizationFailure> {
        let rows = views::organization_roles(self.rows(), organization).await.map_err(store)?;
        Ok(rows.into_iter().find(|row| role.names(row)).ok_or(OrganizationError::RoleNotFound)?)
    }

    /// The organizations that a user belongs to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn own_organizations(&self, user: UserId) -> Result<Vec<OrganizationRow>, OrganizationFailure> {
        views::organizations_of(self.rows(), user).await.map_err(store)
    }

    /// An organization that a user belongs to.
    ///
    /// # Errors
    /// When there is none, or the user is no member.
    pub async fn own_organization(
        &self,
        user: UserId,
        name: &OrganizationName,
    ) -> Result<OrganizationRow, OrganizationFailure> {
        let row = self.organization(name).await?.ok_or(OrganizationError::NotFound)?;
        self.membership(user, row.id).await?;
        Ok(row)
    }

    /// A user's membership of an organization.
    ///
    /// # Errors
    /// When the user is no member.
    pub async fn membership(
        &self,
        user: UserId,
        organization: OrganizationId,
    ) -> Result<MemberView, OrganizationFailure> {
        let found = views::member(self.rows(), organization, user).await.map_err(store)?;
        Ok(found.ok_or(OrganizationError::NotAMember)?)
    }

    /// Whether a user's roles in an organization grant all that is wanted.
    ///
    /// # Errors
    /// When the user is no member.
    pub async fn member_may(
        &self,
        user: UserId,
        organization: OrganizationId,
        wanted: &Permissions,
    ) -> Result<bool, OrganizationFailure> {
        let member = self.membership(user, organization).await?;
        self.roles_allow(organization, &member.member.roles(), wanted).await
    }

    async fn roles_allow(
        &self,
        organization: OrganizationId,
        roles: &Roles,
        wanted: &Permissions,
    ) -> Result<bool, OrganizationFailure> {
        let settings = &self.settings().organizations;
        let own = if settings.own_roles.enabled {
            views::organization_roles(self.rows(), organization).await.map_err(store)?
        } else {
            Vec::new()
        };
        let own = own.into_iter().map(|row| (row.role, row.permissions)).collect();
        Ok(settings.access().allows(&own, roles, wanted))
    }

    /// # Errors
    /// When the user is no member, or may not.
    async fn require_permission(
        &self,
        user: UserId,
        organization: OrganizationId,
        resource: &str,
        action: &str,
    ) -> Result<(), OrganizationFailure> {
        let wanted = Permissions::of(&[(resource, &[action])]);
        if self.member_may(user, organization, &wanted).await? {
            Ok(())
        } else {
            Err(OrganizationError::Forbidden.into())
        }
    }

    /// The members of an organization that the caller belongs to, in the order in which they joined.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(
        &self,
        organization: OrganizationId,
        limit: u32,
    ) -> Result<Vec<MemberView>, OrganizationFailure> {
        views::members(self.rows(), organization, limit).await.map_err(store)
    }

    /// A page of the members of an organization.
    ///
    /// # Errors
    /// When the user is no member.
    pub async fn members_page(
        &self,
        user: UserId,
        organization: OrganizationId,
        query: &MemberQuery,
    ) -> Result<MemberPage, OrganizationFailure> {
        self.membership(user, organization).await?;
        views::members_page(self.rows(), organization, query).await.map_err(store)
    }

    /// All invitations of an organization, open or not.
    ///
    /// # Errors
    /// When the user is no member.
    pub async fn invitations(
        &self,
        user: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<InvitationRow>, OrganizationFailure> {
        self.membership(user, organization).await?;
        views::invitations(self.rows(), organization).await.map_err(store)
    }

    /// An open invitation, for the person who is meant, with the member who invites.
    ///
    /// # Errors
    /// When it is not open or another's, or who invited is gone.
    pub async fn own_invitation(
        &self,
        looker: &Looker,
        id: InvitationId,
    ) -> Result<(UserInvitation, MemberView), OrganizationFailure> {
        let found = views::invitation_with_organization(self.rows(), id).await.map_err(store)?;
        let now = self.clock().now();
        let found = found.filter(|found| found.invitation.is_open(now));
        let found = found.ok_or(OrganizationError::InvitationNotFound)?;
        if looker.email.as_deref() != Some(found.invitation.email.as_str()) {
            return Err(OrganizationError::NotTheRecipient.into());
        }
        let inviter = self.membership(found.invitation.inviter_id, found.organization.id).await;
        match inviter {
            Ok(inviter) => Ok((found, inviter)),
            Err(OrganizationFailure::Organization(OrganizationError::NotAMember)) => {
                Err(OrganizationError::InviterGone.into())
            }
            Err(error) => Err(error),
        }
    }

    /// The invitations that wait for an answer of the person who has an address.
    ///
    /// # Errors
    /// When the person has not shown that the address is theirs.
    pub async fn own_invitations(&self, looker: &Looker) -> Result<Vec<UserInvitation>, OrganizationFailure> {
        if !looker.verified {
            return Err(OrganizationError::AddressNotVerified.into());
        }
        let Some(email) = &looker.email else { return Ok(Vec::new()) };
        let found = views::pending_invitations_to(self.rows(), email).await.map_err(store)?;
        Ok(found.into_iter().filter(|it| it.invitation.status == InvitationStatus::Pending).collect())
    }

    /// The teams of an organization.
    ///
    /// # Errors
    /// When the user is no member.
    pub async fn teams(
        &self,
        user: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<TeamRow>, OrganizationFailure> {
        self.membership(user, organization).await?;
        views::teams(self.rows(), organization).await.map_err(store)
    }

    /// The teams that the user is in: of one organization, or of all.
    ///
    /// # Errors
    /// When the user is no member of that one.
    pub async fn own_teams(
        &self,
        user: UserId,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<TeamRow>, OrganizationFailure> {
        if let Some(organization) = organization {
            self.membership(user, organization).await?;
        }
        let teams = views::teams_of_user(self.rows(), user).await.map_err(store)?;
        Ok(teams
            .into_iter()
            .filter(|team| organization.is_none_or(|it| it == team.organization_id))
            .collect())
    }

    /// The teams of an organization that another member is in.
    ///
    /// # Errors
    /// When one of the two is no member, or the user may not look.
    pub async fn teams_of_member(
        &self,
        user: UserId,
        organization: OrganizationId,
        other: UserId,
    ) -> Result<Vec<TeamRow>, OrganizationFailure> {
        self.require_permission(user, organization, "member", "update").await?;
        match self.own_teams(other, Some(organization)).await {
            Err(OrganizationFailure::Organization(OrganizationError::NotAMember)) => {
                Err(OrganizationError::MemberNotFound.into())
            }
            teams => teams,
        }
    }

    /// A team of an organization that the user is in.
    ///
    /// # Errors
    /// When there is no such team, or the user is not in it.
    pub async fn own_team(
        &self,
        user: UserId,
        organization: OrganizationId,
        team: TeamId,
    ) -> Result<TeamRow, OrganizationFailure> {
        let row = self.team(team).await?.filter(|row| row.organization_id == organization);
        let row = row.ok_or(OrganizationError::TeamNotFound)?;
        let members = self.team_members(team).await?;
        if members.iter().any(|member| member.user_id == user) {
            Ok(row)
        } else {
            Err(OrganizationError::NotInTeam.into())
        }
    }

    /// Who is in a team that the user is in.
    ///
    /// # Errors
    /// When there is no such team, or the user is not in it.
    pub async fn members_of_team(
        &self,
        user: UserId,
        team: TeamId,
    ) -> Result<Vec<TeamMemberRow>, OrganizationFailure> {
        self.team(team).await?.ok_or(OrganizationError::TeamNotFound)?;
        let members = self.team_members(team).await?;
        if members.iter().any(|member| member.user_id == user) {
            Ok(members)
        } else {
            Err(OrganizationError::NotInTeam.into())
        }
    }

    /// The roles of an organization's own.
    ///
    /// # Errors
    /// When the user is no member, or may not look.
    pub async fn organization_roles(
        &self,
        user: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<OrganizationRoleRow>, OrganizationFailure> {
        self.require_permission(user, organization, "ac", "read").await?;
        views::organization_roles(self.rows(), organization).await.map_err(store)
    }

    /// A role of an organization's own.
    ///
    /// # Errors
    /// When there is none, or the user may not look.
    pub async fn organization_role(
        &self,
        user: UserId,
        organization: OrganizationId,
        role: &RoleName,
    ) -> Result<OrganizationRoleRow, OrganizationFailure> {
        self.require_permission(user, organization, "ac", "read").await?;
        self.own_role(organization, role).await
    }
}

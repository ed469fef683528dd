//! Members: other roles, and the end of a membership.

use evident_domain::organization::{Action, Active, By, Organization};
use evident_domain::{Email, MemberId, OrganizationId};

use super::{
    MemberRow, MemberView, OrganizationCaller, OrganizationError, OrganizationFailure, Roles, active,
};
use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// What names one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberName {
    /// The membership's id.
    Id(MemberId),
    /// The address of the account.
    Email(String),
}

/// A membership that ended.
pub type Removed = MemberView;

impl Commands {
    /// Removes a member from an organization.
    ///
    /// # Errors
    /// When there is no such member, the caller may not, or no owner would be left.
    pub async fn remove_member(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        member: MemberName,
    ) -> Result<Removed, OrganizationFailure> {
        self.execute(context, &RemoveMember { commands: self, caller, organization, member }).await
    }

    /// Lets the caller leave an organization.
    ///
    /// # Errors
    /// When the caller does not belong there, or no owner would be left.
    pub async fn leave_organization(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
    ) -> Result<Removed, OrganizationFailure> {
        self.execute(context, &LeaveOrganization { commands: self, caller, organization }).await
    }

    /// Gives a member other roles.
    ///
    /// # Errors
    /// When there is no such member or role, the caller may not, or no owner would be left.
    pub async fn change_member_roles(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        member: MemberId,
        roles: Roles,
    ) -> Result<MemberRow, OrganizationFailure> {
        let case = ChangeMemberRoles { commands: self, caller, organization, member, roles };
        self.execute(context, &case).await?;
        let view = self.member_view(organization, member).await?;
        Ok(view.ok_or(OrganizationError::MemberNotFound)?.member)
    }
}

/// Removes a member.
#[derive(Debug)]
pub struct RemoveMember<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    member: MemberName,
}

impl UseCase for RemoveMember<'_> {
    type Output = Removed;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Removed, OrganizationFailure> {
        let member = match &self.member {
            MemberName::Id(id) => *id,
            MemberName::Email(text) => self.member_at(unit, text).await?,
        };
        let by = By::User(self.caller.user);
        let remove = Action::RemoveMember { member };
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, remove).await?;
        let view = self.commands.member_view(self.organization, member).await?;
        let view = view.ok_or(OrganizationError::MemberNotFound)?;
        if view.member.user_id == self.caller.user {
            active::leave(unit, self.caller, self.organization).await?;
        }
        Ok(view)
    }
}

impl RemoveMember<'_> {
    /// The membership of whoever has an address; one that is none where nobody of it belongs here.
    async fn member_at(&self, unit: &mut Unit<'_>, text: &str) -> Result<MemberId, Failure> {
        let nobody = MemberId(uuid::Uuid::nil());
        let Ok(email) = Email::parse(text) else { return Ok(nobody) };
        let Some(user) = Contact::Email(email).owner(unit.store()).await? else { return Ok(nobody) };
        let organization = unit.read::<Organization>(self.organization.0).await?.active();
        let member = organization.and_then(|organization: &Active| organization.member_of(user));
        Ok(member.map_or(nobody, |(id, _)| id))
    }
}

/// The caller goes.
#[derive(Debug)]
pub struct LeaveOrganization<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
}

impl UseCase for LeaveOrganization<'_> {
    type Output = Removed;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Removed, OrganizationFailure> {
        let by = By::User(self.caller.user);
        self.commands
            .tell_organization::<OrganizationFailure>(unit, by, self.organization, Action::Leave)
            .await?;
        active::leave(unit, self.caller, self.organization).await?;
        Ok(self.commands.organization_of(self.caller.user, self.organization).await?.1)
    }
}

/// Gives a member other roles.
#[derive(Debug)]
pub struct ChangeMemberRoles<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    member: MemberId,
    roles: Roles,
}

impl UseCase for ChangeMemberRoles<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let by = By::User(self.caller.user);
        let change = Action::ChangeRoles { member: self.member, roles: self.roles.clone() };
        self.commands.tell_with_roles(unit, by, self.organization, change, &self.roles).await?;
        Ok(())
    }
}

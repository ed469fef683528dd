//! What becomes of an invitation: yes, no, or taken back.

use evident_domain::organization::{Action, By, OrganizationEvent, Recipient};
use evident_domain::{InvitationId, MemberId, OrganizationId};

use super::{InvitationRow, MemberRow, OrganizationCaller, OrganizationError, OrganizationFailure, active};
use crate::Commands;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

/// An invitation that was accepted.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The invitation.
    pub invitation: InvitationRow,
    /// The membership that came of it.
    pub member: MemberRow,
    /// Whether the caller acts in a team from now on.
    pub in_team: bool,
}

impl Commands {
    /// Says yes to an invitation. The caller acts in the organization from then on.
    ///
    /// # Errors
    /// When the invitation is not open, not the caller's, or the organization has no room.
    pub async fn accept_invitation(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        id: InvitationId,
    ) -> Result<Answered, OrganizationFailure> {
        let organization = self.organization_that_invites(id).await?;
        let case = AcceptInvitation { commands: self, caller, organization, id };
        let in_team = self.execute(context, &case).await?;
        let invitation = self.invitation_row(id).await?.ok_or(OrganizationError::InvitationNotFound)?;
        let (_, member) = self.organization_of(caller.user, organization).await?;
        Ok(Answered { invitation, member: member.member, in_team })
    }

    /// Says no to an invitation.
    ///
    /// # Errors
    /// When the invitation is not open, or not the caller's.
    pub async fn reject_invitation(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        id: InvitationId,
    ) -> Result<InvitationRow, OrganizationFailure> {
        let organization = self.organization_that_invites(id).await?;
        let case = RejectInvitation { commands: self, caller, organization, id };
        self.execute(context, &case).await?;
        Ok(self.invitation_row(id).await?.ok_or(OrganizationError::InvitationNotFound)?)
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// When the invitation is not open, or the caller may not.
    pub async fn cancel_invitation(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        id: InvitationId,
    ) -> Result<InvitationRow, OrganizationFailure> {
        let organization = self.organization_that_invites(id).await?;
        let case = CancelInvitation { commands: self, caller, organization, id };
        self.execute(context, &case).await?;
        Ok(self.invitation_row(id).await?.ok_or(OrganizationError::InvitationNotFound)?)
    }

    async fn organization_that_invites(
        &self,
        id: InvitationId,
    ) -> Result<OrganizationId, OrganizationFailure> {
        let row = self.invitation_row(id).await?;
        Ok(row.ok_or(OrganizationError::InvitationNotFound)?.organization_id)
    }
}

/// The caller, as invitations look at them. The account is part of the decision: an address that is changed,
/// or an account that is closed, in the same moment does not count.
async fn recipient(
    unit: &mut Unit<'_>,
    caller: OrganizationCaller,
) -> Result<Recipient, OrganizationFailure> {
    let account = unit.user(caller.user).await?.account().ok_or(OrganizationFailure::NoAccount)?;
    let email = account.email.as_ref();
    Ok(Recipient {
        user: caller.user,
        email: email.map(|email| email.value.clone()),
        verified: email.is_some_and(|email| email.confirmed),
    })
}

/// Says yes to an invitation.
#[derive(Debug)]
pub struct AcceptInvitation<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    id: InvitationId,
}

impl UseCase for AcceptInvitation<'_> {
    /// Whether the caller acts in a team from now on.
    type Output = bool;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<bool, OrganizationFailure> {
        let recipient = recipient(unit, self.caller).await?;
        let member = MemberId(unit.store().entropy().uuid());
        let accept = Action::Accept { invitation: self.id, recipient, member, now: unit.now() };
        let by = By::User(self.caller.user);
        let events = self
            .commands
            .tell_organization::<OrganizationFailure>(unit, by, self.organization, accept)
            .await?;
        let mut teams = events.iter().filter_map(|event| match event {
            OrganizationEvent::TeamMemberAdded { team, .. } => Some(*team),
            _ => None,
        });
        // Of several teams, none is more meant than another.
        let team = teams.next().filter(|_| teams.next().is_none());
        active::enter(unit, self.caller, Some(self.organization), team).await?;
        Ok(team.is_some())
    }
}

/// Says no to an invitation.
#[derive(Debug)]
pub struct RejectInvitation<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    id: InvitationId,
}

impl UseCase for RejectInvitation<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let recipient = recipient(unit, self.caller).await?;
        let reject = Action::Reject { invitation: self.id, recipient, now: unit.now() };
        let by = By::User(self.caller.user);
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, reject).await?;
        Ok(())
    }
}

/// Takes an invitation back.
#[derive(Debug)]
pub struct CancelInvitation<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    id: InvitationId,
}

impl UseCase for CancelInvitation<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let cancel = Action::CancelInvitation { invitation: self.id };
        let by = By::User(self.caller.user);
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, cancel).await?;
        Ok(())
    }
}

//! Rules about invitations.

use super::command::{Invite, Recipient};
use super::decide::{Case, Decision};
use super::{Invitation, InvitationEnd, OrganizationError, OrganizationEvent, Roles};
use crate::{InvitationId, MemberId, Time, UserId};

impl Case<'_> {
    pub(super) fn invite(&self, invite: Invite) -> Decision {
        self.require("invitation", "create")?;
        self.require_known(&invite.roles)?;
        if !self.may_give(self.caller_roles()?, &invite.roles) {
            return Err(OrganizationError::RoleForbidden);
        }
        if invite.owner.is_some_and(|user| self.organization.member_of(user).is_some()) {
            return Err(OrganizationError::AlreadyAMember);
        }
        for team in &invite.teams {
            let team = self.organization.teams.get(team).ok_or(OrganizationError::TeamNotFound)?;
            if team.users.len() >= self.policy.team_members {
                return Err(OrganizationError::TeamMemberLimit);
            }
        }
        let open: Vec<_> =
            self.organization.invitations.iter().filter(|(_, open)| open.expires_at > invite.now).collect();
        let mut events = Vec::new();
        if let Some((id, _)) = open.iter().find(|(_, open)| open.email.as_ref() == Some(&invite.email)) {
            if invite.resend {
                return Ok(vec![OrganizationEvent::InvitationExtended {
                    invitation: **id,
                    expires_at: invite.expires_at,
                }]);
            }
            if !self.policy.supersede_invitations {
                return Err(OrganizationError::AlreadyInvited);
            }
            events.push(OrganizationEvent::InvitationCanceled {
                invitation: **id,
                end: InvitationEnd::Superseded,
            });
        } else if open.len() >= self.policy.invitations {
            return Err(OrganizationError::InvitationLimit);
        }
        events.push(OrganizationEvent::MemberInvited {
            invitation: invite.invitation,
            email: invite.email.into(),
            roles: invite.roles,
            teams: invite.teams,
            inviter: self.caller()?.map_or(UserId(uuid::Uuid::nil()), |(_, member)| member.user),
            at: invite.now,
            expires_at: invite.expires_at,
        });
        Ok(events)
    }

    pub(super) fn accept(
        &self,
        id: InvitationId,
        recipient: &Recipient,
        member: MemberId,
        now: Time,
    ) -> Decision {
        let invitation = self.open_for(id, recipient, now)?;
        self.require_room_for(recipient.user)?;
        let (user, roles) = (recipient.user, invitation.roles.clone());
        let mut events = vec![
            OrganizationEvent::InvitationAccepted { invitation: id, user },
            OrganizationEvent::MemberAdded { member, user, roles, invitation: Some(id) },
        ];
        // A team may have gone or filled up meanwhile; membership does not depend on it.
        for team in &invitation.teams {
            let room = self.organization.teams.get(team);
            if room.is_some_and(|team| team.users.len() < self.policy.team_members) {
                events.push(OrganizationEvent::TeamMemberAdded { team: *team, user });
            }
        }
        Ok(events)
    }

    pub(super) fn reject(&self, id: InvitationId, recipient: &Recipient, now: Time) -> Decision {
        self.open_for(id, recipient, now)?;
        Ok(vec![OrganizationEvent::InvitationRejected { invitation: id, user: recipient.user }])
    }

    pub(super) fn cancel(&self, id: InvitationId) -> Decision {
        if !self.organization.invitations.contains_key(&id) {
            return Err(OrganizationError::InvitationNotFound);
        }
        self.require("invitation", "cancel")?;
        Ok(vec![OrganizationEvent::InvitationCanceled { invitation: id, end: InvitationEnd::Canceled }])
    }

    /// Closed ones hold the address as well; nothing else is known of them here.
    pub(super) fn forget_recipient(invitations: Vec<InvitationId>) -> Vec<OrganizationEvent> {
        let end = InvitationEnd::RecipientErased;
        invitations
            .into_iter()
            .map(|invitation| OrganizationEvent::InvitationCanceled { invitation, end })
            .collect()
    }

    /// The invitation, if it is open and the recipient's.
    fn open_for(
        &self,
        id: InvitationId,
        recipient: &Recipient,
        now: Time,
    ) -> Result<&Invitation, OrganizationError> {
        let invitation = self.organization.invitations.get(&id).filter(|open| open.expires_at > now);
        let invitation = invitation.ok_or(OrganizationError::InvitationNotFound)?;
        if invitation.email.is_none() || invitation.email != recipient.email {
            return Err(OrganizationError::NotTheRecipient);
        }
        if self.policy.verified_address && !recipient.verified {
            return Err(OrganizationError::AddressNotVerified);
        }
        Ok(invitation)
    }

    /// Open invitations of somebody who goes, or has other roles now, and so may not invite to them any more.
    pub(super) fn invitations_void_after(
        &self,
        inviter: UserId,
        roles: Option<&Roles>,
    ) -> Vec<OrganizationEvent> {
        let still = |invitation: &Invitation| {
            roles.is_some_and(|roles| {
                self.allows(roles, "invitation", "create") && self.may_give(Some(roles), &invitation.roles)
            })
        };
        let void = |(id, invitation): (&InvitationId, &Invitation)| {
            (invitation.inviter == inviter && !still(invitation)).then_some(
                OrganizationEvent::InvitationCanceled {
                    invitation: *id,
                    end: InvitationEnd::InviterLostAccess,
                },
            )
        };
        self.organization.invitations.iter().filter_map(void).collect()
    }

    fn caller_roles(&self) -> Result<Option<&Roles>, OrganizationError> {
        Ok(self.caller()?.map(|(_, member)| &member.roles))
    }

    /// Whether somebody with these roles (none: the server) may give those.
    fn may_give(&self, roles: Option<&Roles>, given: &Roles) -> bool {
        let owner = &self.policy.access.creator_role;
        !given.contains(owner) || roles.is_none_or(|roles| roles.contains(owner))
    }
}

//! Rules about members.

use super::decide::{Case, Decision};
use super::{Departure, Member, OrganizationError, OrganizationEvent, Roles};
use crate::{MemberId, UserId};

impl Case<'_> {
    pub(super) fn add_member(&self, member: MemberId, user: UserId, roles: Roles) -> Decision {
        self.require("member", "create")?;
        self.require_known(&roles)?;
        if roles.contains(&self.policy.access.creator_role) && !self.caller_is_owner()? {
            return Err(OrganizationError::RoleForbidden);
        }
        self.require_room_for(user)?;
        Ok(vec![OrganizationEvent::MemberAdded { member, user, roles, invitation: None }])
    }

    /// # Errors
    /// When the user belongs here already, or there are as many members as may be.
    pub(super) fn require_room_for(&self, user: UserId) -> Result<(), OrganizationError> {
        if self.organization.member_of(user).is_some() {
            return Err(OrganizationError::AlreadyAMember);
        }
        if self.organization.members.len() >= self.policy.members {
            return Err(OrganizationError::MemberLimit);
        }
        Ok(())
    }

    pub(super) fn change_roles(&self, member: MemberId, roles: &Roles) -> Decision {
        let target = self.target(member)?;
        self.require("member", "update")?;
        self.require_known(roles)?;
        let stays_owner = roles.contains(&self.policy.access.creator_role);
        if (self.is_owner(target) || stays_owner) && !self.caller_is_owner()? {
            return Err(OrganizationError::Forbidden);
        }
        if self.is_last_owner(member) && !stays_owner {
            return Err(OrganizationError::LastOwner);
        }
        if target.roles == *roles {
            return Ok(Vec::new());
        }
        let mut events =
            vec![OrganizationEvent::MemberRoleChanged { member, user: target.user, roles: roles.clone() }];
        events.extend(self.invitations_void_after(target.user, Some(roles)));
        Ok(events)
    }

    pub(super) fn remove_member(&self, member: MemberId) -> Decision {
        let target = self.target(member)?;
        if self.is_owner(target) && (!self.caller_is_owner()? || self.is_last_owner(member)) {
            return Err(OrganizationError::LastOwner);
        }
        self.require("member", "delete")?;
        Ok(self.departed(member, target, Departure::Removed))
    }

    pub(super) fn leave(&self) -> Decision {
        let (member, own) = self.caller()?.ok_or(OrganizationError::NotAMember)?;
        if self.is_last_owner(member) {
            return Err(OrganizationError::LastOwner);
        }
        Ok(self.departed(member, own, Departure::Left))
    }

    /// Who is alone takes the organization along; otherwise somebody else has to be an owner first.
    pub(super) fn forget_user(&self, user: UserId) -> Decision {
        let Some((member, own)) = self.organization.member_of(user) else { return Ok(Vec::new()) };
        if self.organization.members.len() == 1 {
            return Ok(vec![OrganizationEvent::Deleted {}]);
        }
        if self.is_last_owner(member) {
            return Err(OrganizationError::LastOwner);
        }
        Ok(self.departed(member, own, Departure::AccountClosed))
    }

    fn target(&self, member: MemberId) -> Result<&Member, OrganizationError> {
        self.caller()?;
        self.organization.members.get(&member).ok_or(OrganizationError::MemberNotFound)
    }

    fn departed(&self, member: MemberId, target: &Member, departure: Departure) -> Vec<OrganizationEvent> {
        let mut events = vec![OrganizationEvent::MemberRemoved { member, user: target.user, departure }];
        events.extend(self.invitations_void_after(target.user, None));
        events
    }
}

//! Every rule about an organization begins here: who asks, and what their roles allow.

use super::command::{Action, By, Create, FirstTeam, OrganizationCommand, Policy, Update};
use super::{Active, Member, Organization, OrganizationError, OrganizationEvent, Permissions, Roles};
use crate::MemberId;

pub(super) type Decision = Result<Vec<OrganizationEvent>, OrganizationError>;

impl Organization {
    /// What happens when a command is given; an empty list when there is nothing to do.
    ///
    /// # Errors
    /// The rule that says no.
    pub fn decided(&self, command: OrganizationCommand) -> Decision {
        let OrganizationCommand { by, policy, action } = command;
        match (self, action) {
            (Self::Absent, Action::Create(create)) => Ok(created(create, &policy)),
            (_, Action::Create(_)) => Err(OrganizationError::AlreadyExists),
            (Self::Active(organization), action) => Case { organization, by, policy: &policy }.decide(action),
            // The addresses that invitations were sent to outlive an organization.
            (Self::Deleted, Action::ForgetRecipient { invitations }) => {
                Ok(Case::forget_recipient(invitations))
            }
            (Self::Absent | Self::Deleted, _) => Err(OrganizationError::NotFound),
        }
    }
}

fn created(create: Create, policy: &Policy) -> Vec<OrganizationEvent> {
    let user = create.user;
    let mut events = vec![OrganizationEvent::Created {
        name: create.name,
        slug: create.slug,
        logo: create.logo,
        metadata: create.metadata,
        user,
        member: create.member,
        roles: Roles::one(&policy.access.creator_role),
    }];
    if let Some(FirstTeam { team, name }) = create.team {
        events.push(OrganizationEvent::TeamCreated { team, name });
        events.push(OrganizationEvent::TeamMemberAdded { team, user });
    }
    events
}

/// One command on an organization that is there.
pub(super) struct Case<'a> {
    pub organization: &'a Active,
    pub by: By,
    pub policy: &'a Policy,
}

impl Case<'_> {
    fn decide(&self, action: Action) -> Decision {
        match action {
            Action::Create(_) => Err(OrganizationError::AlreadyExists),
            Action::Update(update) => self.update(update),
            Action::Delete => {
                self.require("organization", "delete")?;
                Ok(vec![OrganizationEvent::Deleted {}])
            }
            Action::AddMember { member, user, roles } => self.add_member(member, user, roles),
            Action::ChangeRoles { member, roles } => self.change_roles(member, &roles),
            Action::RemoveMember { member } => self.remove_member(member),
            Action::Leave => self.leave(),
            Action::ForgetUser { user } => self.forget_user(user),
            Action::ForgetRecipient { invitations } => Ok(Self::forget_recipient(invitations)),
            Action::Invite(invite) => self.invite(invite),
            Action::Accept { invitation, recipient, member, now } => {
                self.accept(invitation, &recipient, member, now)
            }
            Action::Reject { invitation, recipient, now } => self.reject(invitation, &recipient, now),
            Action::CancelInvitation { invitation } => self.cancel(invitation),
            Action::CreateTeam { team, name } => self.create_team(team, name),
            Action::RenameTeam { team, name } => self.rename_team(team, name),
            Action::RemoveTeam { team } => self.remove_team(team),
            Action::AddTeamMember { team, user } => self.add_team_member(team, user),
            Action::RemoveTeamMember { team, user } => self.remove_team_member(team, user),
            Action::CreateRole { role, name, permissions } => self.create_role(role, name, permissions),
            Action::ChangeRole { role, name, permissions } => self.change_role(role, name, permissions),
            Action::DeleteRole { role } => self.delete_role(role),
        }
    }

    fn update(&self, update: Update) -> Decision {
        self.require("organization", "update")?;
        let Update { name, slug, logo, metadata } = update;
        let name = name.filter(|name| *name != self.organization.name);
        let slug = slug.filter(|slug| *slug != self.organization.slug);
        if name.is_none() && slug.is_none() && logo.is_none() && metadata.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![OrganizationEvent::Updated { name, slug, logo, metadata }])
    }

    /// The caller's membership; none for the server.
    ///
    /// # Errors
    /// When the caller does not belong here.
    pub(super) fn caller(&self) -> Result<Option<(MemberId, &Member)>, OrganizationError> {
        match self.by {
            By::Server => Ok(None),
            By::User(user) => {
                let member = self.organization.member_of(user);
                member.map(Some).ok_or(OrganizationError::NotAMember)
            }
        }
    }

    /// # Errors
    /// When the caller does not belong here, or their roles do not grant an action.
    pub(super) fn require(&self, resource: &str, action: &str) -> Result<(), OrganizationError> {
        match self.caller()? {
            None => Ok(()),
            Some((_, member)) if self.allows(&member.roles, resource, action) => Ok(()),
            Some(_) => Err(OrganizationError::Forbidden),
        }
    }

    pub(super) fn allows(&self, roles: &Roles, resource: &str, action: &str) -> bool {
        let wanted = Permissions::of(&[(resource, &[action])]);
        self.policy.access.allows(&self.organization.own_roles(), roles, &wanted)
    }

    /// # Errors
    /// When one of the roles is neither the server's nor the organization's.
    pub(super) fn require_known(&self, roles: &Roles) -> Result<(), OrganizationError> {
        let own = self.organization.own_roles();
        let known = |role: &str| self.policy.access.roles.contains_key(role) || own.contains_key(role);
        if roles.iter().all(known) { Ok(()) } else { Err(OrganizationError::RoleNotFound) }
    }

    pub(super) fn is_owner(&self, member: &Member) -> bool {
        member.roles.contains(&self.policy.access.creator_role)
    }

    /// Whether the caller may do what only owners may.
    pub(super) fn caller_is_owner(&self) -> Result<bool, OrganizationError> {
        Ok(self.caller()?.is_none_or(|(_, member)| self.is_owner(member)))
    }

    /// Whether nobody else is an owner.
    pub(super) fn is_last_owner(&self, member: MemberId) -> bool {
        let owners = self.organization.members.iter().filter(|(_, other)| self.is_owner(other));
        owners.map(|(id, _)| *id).eq([member])
    }
}

//! Rules about teams, and about roles of an organization's own.

use super::decide::{Case, Decision};
use super::{OrganizationError, OrganizationEvent, Permissions, Team};
use crate::{OrganizationRoleId, TeamId, UserId};

impl Case<'_> {
    pub(super) fn create_team(&self, team: TeamId, name: String) -> Decision {
        self.require("team", "create")?;
        if self.organization.teams.len() >= self.policy.teams {
            return Err(OrganizationError::TeamLimit);
        }
        Ok(vec![OrganizationEvent::TeamCreated { team, name }])
    }

    pub(super) fn rename_team(&self, team: TeamId, name: String) -> Decision {
        self.require("team", "update")?;
        if self.team(team)?.name == name {
            return Ok(Vec::new());
        }
        Ok(vec![OrganizationEvent::TeamRenamed { team, name }])
    }

    pub(super) fn remove_team(&self, team: TeamId) -> Decision {
        self.require("team", "delete")?;
        self.team(team)?;
        if self.organization.teams.len() == 1 && !self.policy.last_team_may_go {
            return Err(OrganizationError::LastTeam);
        }
        Ok(vec![OrganizationEvent::TeamRemoved { team }])
    }

    pub(super) fn add_team_member(&self, team: TeamId, user: UserId) -> Decision {
        self.require("member", "update")?;
        self.organization.member_of(user).ok_or(OrganizationError::MemberNotFound)?;
        let users = &self.team(team)?.users;
        if users.contains(&user) {
            return Ok(Vec::new());
        }
        if users.len() >= self.policy.team_members {
            return Err(OrganizationError::TeamMemberLimit);
        }
        Ok(vec![OrganizationEvent::TeamMemberAdded { team, user }])
    }

    pub(super) fn remove_team_member(&self, team: TeamId, user: UserId) -> Decision {
        self.require("member", "delete")?;
        if !self.team(team)?.users.contains(&user) {
            return Err(OrganizationError::NotInTeam);
        }
        Ok(vec![OrganizationEvent::TeamMemberRemoved { team, user }])
    }

    fn team(&self, team: TeamId) -> Result<&Team, OrganizationError> {
        self.organization.teams.get(&team).ok_or(OrganizationError::TeamNotFound)
    }

    pub(super) fn create_role(
        &self,
        role: OrganizationRoleId,
        name: String,
        permissions: Permissions,
    ) -> Decision {
        self.require("ac", "create")?;
        self.require_free(&name)?;
        self.require_held(&permissions)?;
        if self.organization.roles.len() >= self.policy.roles {
            return Err(OrganizationError::RoleLimit);
        }
        Ok(vec![OrganizationEvent::RoleDefined { role, name, permissions }])
    }

    pub(super) fn change_role(
        &self,
        role: OrganizationRoleId,
        name: Option<String>,
        permissions: Option<Permissions>,
    ) -> Decision {
        self.require("ac", "update")?;
        let (known, granted) = self.own_role(role)?;
        if let Some(name) = name.as_ref().filter(|name| *name != known) {
            self.require_free(name)?;
            self.require_unused(known)?;
        }
        if let Some(permissions) = &permissions {
            self.require_held(permissions)?;
        }
        let name = name.unwrap_or_else(|| known.clone());
        let permissions = permissions.unwrap_or_else(|| granted.clone());
        if name == *known && permissions == *granted {
            return Ok(Vec::new());
        }
        Ok(vec![OrganizationEvent::RoleDefined { role, name, permissions }])
    }

    pub(super) fn delete_role(&self, role: OrganizationRoleId) -> Decision {
        self.require("ac", "delete")?;
        let (name, _) = self.own_role(role)?;
        self.require_unused(name)?;
        Ok(vec![OrganizationEvent::RoleDeleted { role, name: name.clone() }])
    }

    fn own_role(&self, role: OrganizationRoleId) -> Result<&(String, Permissions), OrganizationError> {
        self.organization.roles.get(&role).ok_or(OrganizationError::RoleNotFound)
    }

    fn require_free(&self, name: &str) -> Result<(), OrganizationError> {
        if self.policy.access.roles.contains_key(name) {
            return Err(OrganizationError::RolePredefined);
        }
        let taken = self.organization.roles.values().any(|(known, _)| known == name);
        if taken { Err(OrganizationError::RoleNameTaken) } else { Ok(()) }
    }

    fn require_unused(&self, name: &str) -> Result<(), OrganizationError> {
        let members = self.organization.members.values().any(|member| member.roles.contains(name));
        let invited = self.organization.invitations.values().any(|open| open.roles.contains(name));
        if members || invited { Err(OrganizationError::RoleInUse) } else { Ok(()) }
    }

    /// Nobody grants what is not there to be granted, nor what they may not do themselves.
    fn require_held(&self, permissions: &Permissions) -> Result<(), OrganizationError> {
        if !self.policy.access.statements.grant(permissions) {
            return Err(OrganizationError::PermissionsInvalid);
        }
        let Some((_, member)) = self.caller()? else { return Ok(()) };
        let held = permissions.0.iter().all(|(resource, actions)| {
            actions.iter().all(|action| self.allows(&member.roles, resource, action))
        });
        if held { Ok(()) } else { Err(OrganizationError::Forbidden) }
    }
}

//! Organizations: who may make them, how large they become, what their roles grant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use evident_domain::organization::{AccessControl, OWNER, Permissions, Policy};

/// What the owner decides about organizations.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the owner's, none excludes another")]
pub struct OrganizationSettings {
    /// Users may make them.
    pub creation: bool,
    /// Only users with one of these roles do; none: all.
    pub creation_roles: Vec<String>,
    /// Nobody makes another one who belongs to so many; none: no limit.
    pub per_user: Option<usize>,
    /// Their owners may end them.
    pub deletion: bool,
    /// The role of who makes one.
    pub creator_role: String,
    /// What may be granted besides what is there from the start.
    pub statements: Permissions,
    /// What roles grant, besides the three that are there from the start or in their place.
    pub roles: BTreeMap<String, Permissions>,
    /// Members at most.
    pub members: usize,
    /// Open invitations at most.
    pub invitations: usize,
    /// How long an invitation is open.
    pub invitation_lifetime: Duration,
    /// A second invitation of an address takes back the first.
    pub supersede_invitations: bool,
    /// Who answers an invitation has to have confirmed the address.
    pub verified_address: bool,
    /// Where the mail leads, with `{id}` in place of the invitation's id; relative to the application.
    pub invitation_url: String,
    /// Teams.
    pub teams: TeamSettings,
    /// Roles of an organization's own.
    pub own_roles: OwnRoleSettings,
}

/// Teams of organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamSettings {
    /// There are any.
    pub enabled: bool,
    /// An organization comes with one.
    pub first: bool,
    /// Teams at most; none: no limit.
    pub limit: Option<usize>,
    /// Members of a team at most; none: no limit.
    pub members: Option<usize>,
    /// The last one may be removed.
    pub last_may_go: bool,
}

/// Roles of an organization's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnRoleSettings {
    /// There are any.
    pub enabled: bool,
    /// Roles at most; none: no limit.
    pub limit: Option<usize>,
}

impl Default for TeamSettings {
    fn default() -> Self {
        Self { enabled: false, first: true, limit: None, members: None, last_may_go: false }
    }
}

impl Default for OrganizationSettings {
    fn default() -> Self {
        Self {
            creation: true,
            creation_roles: Vec::new(),
            per_user: None,
            deletion: true,
            creator_role: OWNER.to_owned(),
            statements: Permissions::default(),
            roles: BTreeMap::new(),
            members: 100,
            invitations: 100,
            invitation_lifetime: Duration::from_secs(48 * 3600),
            supersede_invitations: false,
            verified_address: true,
            invitation_url: "/accept-invitation/{id}".to_owned(),
            teams: TeamSettings::default(),
            own_roles: OwnRoleSettings::default(),
        }
    }
}

impl OrganizationSettings {
    /// What roles grant.
    pub fn access(&self) -> AccessControl {
        let mut access = AccessControl::default();
        for (resource, actions) in &self.statements.0 {
            access.statements.0.entry(resource.clone()).or_default().extend(actions.iter().cloned());
        }
        // Who makes an organization may do everything there, unless it is said otherwise.
        access.creator_role.clone_from(&self.creator_role);
        access.roles.insert(self.creator_role.clone(), access.statements.clone());
        for (role, permissions) in &self.roles {
            access.roles.insert(role.clone(), permissions.clone());
        }
        access
    }

    /// As the rules of organizations need it.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::new(Policy {
            access: self.access(),
            members: self.members,
            invitations: self.invitations,
            teams: self.teams.limit.unwrap_or(usize::MAX),
            team_members: self.teams.members.unwrap_or(usize::MAX),
            last_team_may_go: self.teams.last_may_go,
            roles: self.own_roles.limit.unwrap_or(usize::MAX),
            verified_address: self.verified_address,
            supersede_invitations: self.supersede_invitations,
        })
    }
}

#[cfg(test)]
mod tests {
    use evident_domain::organization::Roles;

    use super::*;

    #[test]
    fn what_the_owner_adds_is_the_creators_and_of_the_roles_that_name_it() {
        let settings = OrganizationSettings {
            statements: Permissions::of(&[("project", &["create", "share"])]),
            roles: BTreeMap::from([("guide".to_owned(), Permissions::of(&[("project", &["share"])]))]),
            ..OrganizationSettings::default()
        };
        let access = settings.access();
        let may = |role: &str, resource: &str, action: &str| {
            let wanted = Permissions::of(&[(resource, &[action])]);
            access.allows(&BTreeMap::new(), &Roles::one(role), &wanted)
        };
        assert!(may("owner", "project", "create") && may("owner", "organization", "delete"));
        assert!(may("guide", "project", "share") && !may("guide", "project", "create"));
        assert!(!may("admin", "project", "share") && may("admin", "member", "delete"));
    }
}

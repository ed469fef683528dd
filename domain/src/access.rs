//! Who may do what: roles, and what each of them grants. Organizations have roles for their members, and a
//! server has roles for those who administer its users.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// The role of who made an organization, by default.
pub const OWNER: &str = "owner";
/// The role that does everything but end the organization, by default.
pub const ADMIN: &str = "admin";
/// The role that does nothing but belong, by default.
pub const MEMBER: &str = "member";

/// The roles of a member or of a user: one at least, each once, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(Vec<String>);

/// There has to be a role, and a name of a role has no comma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is needed")]
pub struct NoRole;

impl Roles {
    /// Reads names of roles; what stands between commas are several.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, NoRole> {
        let mut roles: Vec<String> = Vec::new();
        for name in names.into_iter().flat_map(|name| name.split(',')).map(str::trim) {
            if !name.is_empty() && !roles.iter().any(|known| known == name) {
                roles.push(name.to_owned());
            }
        }
        if roles.is_empty() { Err(NoRole) } else { Ok(Self(roles)) }
    }

    /// One role.
    pub fn one(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a role is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|role| role == name)
    }
}

/// `admin,member`: the form in rows and answers.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// What may be done: the actions of each resource (`invitation`: `create`, `cancel`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(pub BTreeMap<String, BTreeSet<String>>);

impl Permissions {
    /// Permissions from pairs of a resource and its actions.
    pub fn of(pairs: &[(&str, &[&str])]) -> Self {
        let actions = |actions: &[&str]| actions.iter().map(|action| (*action).to_owned()).collect();
        Self(pairs.iter().map(|(resource, these)| ((*resource).to_owned(), actions(these))).collect())
    }

    /// Whether everything in the other is in this one, too. Nothing is in everything.
    pub fn grant(&self, wanted: &Self) -> bool {
        wanted
            .0
            .iter()
            .all(|(resource, actions)| self.0.get(resource).is_some_and(|granted| actions.is_subset(granted)))
    }
}

/// Whether one of the roles grants everything that is wanted. Several that grant it only together do not.
pub fn any_grants<'a>(
    roles: &Roles,
    grants: impl Fn(&str) -> Option<&'a Permissions>,
    wanted: &Permissions,
) -> bool {
    roles.iter().filter_map(grants).any(|granted| granted.grant(wanted))
}

/// What the roles of an organization grant. Every organization of a server has these; an organization may
/// have roles of its own besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessControl {
    /// All that there is to be granted.
    pub statements: Permissions,
    /// What each role grants.
    pub roles: BTreeMap<String, Permissions>,
    /// The role of who made the organization: there is always somebody who has it.
    pub creator_role: String,
}

impl Default for AccessControl {
    fn default() -> Self {
        let all: &[(&str, &[&str])] = &[
            ("organization", &["update", "delete"]),
            ("member", &["create", "update", "delete"]),
            ("invitation", &["create", "cancel"]),
            ("team", &["create", "update", "delete"]),
            ("ac", &["create", "read", "update", "delete"]),
        ];
        let mut admin = Permissions::of(all);
        admin.0.insert("organization".to_owned(), BTreeSet::from(["update".to_owned()]));
        let roles = [
            (OWNER.to_owned(), Permissions::of(all)),
            (ADMIN.to_owned(), admin),
            (MEMBER.to_owned(), Permissions::of(&[("ac", &["read"])])),
        ];
        Self { statements: Permissions::of(all), roles: roles.into(), creator_role: OWNER.to_owned() }
    }
}

impl AccessControl {
    /// Whether one of the roles grants everything that is wanted. Roles of the organization's own come after
    /// those of the server and cannot replace them.
    pub fn allows(&self, own: &BTreeMap<String, Permissions>, roles: &Roles, wanted: &Permissions) -> bool {
        any_grants(roles, |role| self.roles.get(role).or_else(|| own.get(role)), wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(role: &str, resource: &str, action: &str) -> bool {
        let roles = Roles::parse([role]).unwrap();
        AccessControl::default().allows(&BTreeMap::new(), &roles, &Permissions::of(&[(resource, &[action])]))
    }

    #[test]
    fn roles_are_read_from_lists_and_from_texts_with_commas() {
        let roles = Roles::parse(["admin, member", "admin"]).unwrap();
        assert_eq!(roles.to_string(), "admin,member");
        for none in ["", " , ", ","] {
            assert_eq!(Roles::parse([none]), Err(NoRole));
        }
    }

    #[test]
    fn owners_do_everything_admins_all_but_the_end_and_members_nothing() {
        assert!(allows("owner", "organization", "delete"));
        assert!(allows("admin", "invitation", "create"));
        assert!(!allows("admin", "organization", "delete"));
        assert!(!allows("member", "member", "delete"));
        assert!(allows("member,admin", "member", "delete"), "one of several roles is enough");
        assert!(!allows("stranger", "member", "delete"));
        assert!(!allows("owner", "spaceship", "launch"));
    }

    #[test]
    fn one_role_has_to_grant_all_that_is_wanted() {
        let own = BTreeMap::from([
            ("a".to_owned(), Permissions::of(&[("x", &["read"])])),
            ("b".to_owned(), Permissions::of(&[("x", &["write"])])),
        ]);
        let wanted = Permissions::of(&[("x", &["read", "write"])]);
        assert!(!AccessControl::default().allows(&own, &Roles::parse(["a,b"]).unwrap(), &wanted));
    }

    #[test]
    fn a_role_of_an_organizations_own_does_not_replace_one_of_the_servers() {
        let own = BTreeMap::from([("member".to_owned(), AccessControl::default().statements)]);
        let wanted = Permissions::of(&[("organization", &["delete"])]);
        assert!(!AccessControl::default().allows(&own, &Roles::one("member"), &wanted));
    }
}

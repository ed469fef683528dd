//! Roles among those who administer users, and names to sign in by.

use evident_domain::access::Roles;
use evident_domain::user::username::{Username, UsernameRules};
use evident_domain::user::{UserCommand, UserEvent, username_claim};
use evident_domain::{ClaimChange, ClaimKind};

use crate::support::*;

fn named(name: Option<&str>, shown: Option<&str>) -> UserEvent {
    UserEvent::UsernameChanged {
        username: name.map(|name| username(name).into()),
        display_username: shown.map(|shown| shown.to_owned().into()),
    }
}

fn username(text: &str) -> Username {
    Username::parse(text, &UsernameRules::default()).unwrap()
}

#[test]
fn roles_are_given_once() {
    let roles = || Roles::parse(["user,admin"]).unwrap();
    let changed = UserEvent::AdminRolesChanged { roles: roles() };
    let command = || UserCommand::ChangeAdminRoles { roles: roles() };
    given_user(vec![signed_up()]).when(command()).then_expect_events(vec![changed.clone()]);
    given_user(vec![signed_up(), changed]).when(command()).then_expect_events(vec![]);
}

#[test]
fn roles_of_administrators_are_not_the_role_of_tokens() {
    let account = account_after(&[signed_up(), UserEvent::AdminRolesChanged { roles: Roles::one("admin") }]);
    assert_eq!(account.role, "authenticated");
    assert_eq!(account.admin_roles, Some(Roles::one("admin")));
}

#[test]
fn a_name_is_claimed_in_lower_case_and_given_back() {
    let change = UserCommand::ChangeUsername {
        username: Some(username("Ann_1")),
        display_username: Some("Ann_1".to_owned()),
    };
    let event = named(Some("ann_1"), Some("Ann_1"));
    given_user(vec![signed_up()]).when(change.clone()).then_expect_events(vec![event.clone()]);
    given_user(vec![signed_up(), event.clone()]).when(change).then_expect_events(vec![]);
    assert_eq!(event.claims(), [ClaimChange::Take(username_claim(&username("ann_1")))]);
    assert_eq!(named(None, Some("Ann")).claims(), [ClaimChange::ReleaseKind(ClaimKind::Username)]);
}

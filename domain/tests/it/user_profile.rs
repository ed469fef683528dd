//! Password, data and role.

use evident_domain::user::{UserCommand, UserEvent};
use serde_json::json;

use crate::support::*;

#[test]
fn a_password_is_changed() {
    let changed = UserEvent::PasswordChanged { password: password("second").into() };
    given_user(vec![signed_up()])
        .when(UserCommand::ChangePassword { password: password("second") })
        .then_expect_events(vec![changed.clone()]);
    assert_eq!(account_after(&[signed_up(), changed]).password, Some(password("second")));
}

#[test]
fn who_has_no_password_can_get_one() {
    given_user(vec![came_anonymously()])
        .when(UserCommand::ChangePassword { password: password("first") })
        .then_expect_events(vec![UserEvent::PasswordChanged { password: password("first").into() }]);
}

#[test]
fn a_password_moves_to_another_hash() {
    given_user(vec![signed_up()])
        .when(UserCommand::RehashPassword { password: password("first, better") })
        .then_expect_events(vec![UserEvent::PasswordRehashed { password: password("first, better").into() }]);
}

#[test]
fn where_no_password_is_there_is_nothing_to_rehash() {
    given_user(vec![came_anonymously()])
        .when(UserCommand::RehashPassword { password: password("first") })
        .then_expect_events(vec![]);
}

#[test]
fn data_are_patched_at_the_top_level() {
    let patch = json!({"name": "Ann", "old": null, "address": {"city": "Ulm"}});
    given_user(vec![signed_up()])
        .when(UserCommand::ChangeMetadata { patch: metadata(patch.clone()) })
        .then_expect_events(vec![metadata_changed(patch.clone())]);
    let before = json!({"old": 1, "address": {"city": "Rom", "zip": "00100"}, "kept": true});
    let account = account_after(&[signed_up(), metadata_changed(before), metadata_changed(patch)]);
    assert_eq!(
        json!(account.user_metadata),
        json!({"address": {"city": "Ulm"}, "kept": true, "name": "Ann"}),
        "nested objects are replaced whole"
    );
}

#[test]
fn the_application_s_data_are_apart_from_the_user_s() {
    let changed = UserEvent::AppMetadataChanged { patch: metadata(json!({"plan": "pro"})).into() };
    given_user(vec![signed_up()])
        .when(UserCommand::ChangeAppMetadata { patch: metadata(json!({"plan": "pro"})) })
        .then_expect_events(vec![changed.clone()]);
    let account = account_after(&[signed_up(), changed]);
    assert_eq!(account.app_metadata.text("plan"), Some("pro"));
    assert!(account.user_metadata.is_empty());
}

#[test]
fn an_empty_patch_is_nothing() {
    let empty = || metadata(json!({}));
    given_user(vec![signed_up()])
        .when(UserCommand::ChangeMetadata { patch: empty() })
        .then_expect_events(vec![]);
    given_user(vec![signed_up()])
        .when(UserCommand::ChangeAppMetadata { patch: empty() })
        .then_expect_events(vec![]);
}

#[test]
fn a_role_is_changed_to_another() {
    given_user(vec![signed_up()])
        .when(UserCommand::ChangeRole { role: "editor".to_owned() })
        .then_expect_events(vec![UserEvent::RoleChanged { role: "editor".to_owned() }]);
    given_user(vec![signed_up(), UserEvent::RoleChanged { role: "editor".to_owned() }])
        .when(UserCommand::ChangeRole { role: "editor".to_owned() })
        .then_expect_events(vec![]);
}

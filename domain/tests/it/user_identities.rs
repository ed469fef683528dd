//! Ways to sign in: adding and removing them.

use evident_domain::user::{IdentityData, UserCommand, UserError, UserEvent};
use evident_domain::{Claim, ClaimChange, ClaimKind};

use crate::support::*;

#[test]
fn an_identity_is_linked() {
    given_user(vec![signed_up(), linked(email_identity())])
        .when(UserCommand::LinkIdentity(google_identity()))
        .then_expect_events(vec![linked(google_identity())]);
}

#[test]
fn an_identity_is_linked_once() {
    let given = || given_user(vec![signed_up(), linked(google_identity())]);
    for again in [
        IdentityData { id: FRESH_IDENTITY, ..google_identity() },
        IdentityData { provider_id: "109".to_owned(), ..google_identity() },
    ] {
        given().when(UserCommand::LinkIdentity(again)).then_expect_error(UserError::IdentityAlreadyLinked);
    }
}

#[test]
fn several_identities_of_one_provider_are_fine() {
    let second = IdentityData { id: FRESH_IDENTITY, provider_id: "109".to_owned(), ..google_identity() };
    given_user(vec![signed_up(), linked(google_identity())])
        .when(UserCommand::LinkIdentity(second.clone()))
        .then_expect_events(vec![linked(second)]);
}

#[test]
fn an_identity_is_unlinked_by_its_id() {
    given_user(vec![signed_up(), linked(email_identity()), linked(google_identity())])
        .when(UserCommand::UnlinkIdentity { identity: GOOGLE_IDENTITY, taken: Vec::new() })
        .then_expect_events(vec![unlinked(google_identity()), providers("email", &["email"])]);
}

#[test]
fn an_identity_that_is_not_linked_cannot_be_unlinked() {
    given_user(vec![signed_up(), linked(email_identity()), linked(google_identity())])
        .when(UserCommand::UnlinkIdentity { identity: FRESH_IDENTITY, taken: Vec::new() })
        .then_expect_error(UserError::IdentityNotFound);
}

#[test]
fn the_last_identity_stays_and_that_is_said_first() {
    for asked in [EMAIL_IDENTITY, FRESH_IDENTITY] {
        given_user(vec![signed_up(), linked(email_identity())])
            .when(UserCommand::UnlinkIdentity { identity: asked, taken: Vec::new() })
            .then_expect_error(UserError::LastIdentity);
    }
    given_user(vec![came_anonymously()])
        .when(UserCommand::UnlinkIdentity { identity: FRESH_IDENTITY, taken: Vec::new() })
        .then_expect_error(UserError::LastIdentity);
}

#[test]
fn what_was_unlinked_can_be_linked_again() {
    given_user(vec![
        signed_up(),
        linked(email_identity()),
        linked(google_identity()),
        unlinked(google_identity()),
    ])
    .when(UserCommand::LinkIdentity(google_identity()))
    .then_expect_events(vec![linked(google_identity())]);
}

#[test]
fn the_provider_s_data_replace_what_was_there() {
    let updated = UserEvent::IdentityUpdated {
        identity: GOOGLE_IDENTITY,
        data: metadata(serde_json::json!({"name": "Ann"})).into(),
        signed_in: true,
    };
    let account = account_after(&[signed_up(), linked(google_identity()), updated]);
    assert_eq!(account.identity("google").unwrap().data.0.keys().collect::<Vec<_>>(), ["name"]);
    assert_eq!(account.identity("email"), None);
}

#[test]
fn an_identity_is_claimed_by_provider_and_id() {
    let claim = Claim { kind: ClaimKind::Identity, value: "google:108".to_owned() };
    assert_eq!(linked(google_identity()).claims(), [ClaimChange::Take(claim.clone())]);
    assert_eq!(unlinked(google_identity()).claims(), [ClaimChange::Release(claim)]);
}

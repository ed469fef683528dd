//! Ways to sign in: adding and removing them.

use evident_domain::user::{IdentityData, SignUpMethod, UserCommand, UserError, UserEvent, WaysInLeft};
use evident_domain::{Claim, ClaimChange, ClaimKind, IdentityId, Metadata, Personal, SealedTokens};

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
        .when(UserCommand::UnlinkIdentity {
            identity: GOOGLE_IDENTITY,
            leaving: WaysInLeft::AnIdentity,
            taken: Vec::new(),
        })
        .then_expect_events(vec![unlinked(google_identity()), providers("email", &["email"])]);
}

#[test]
fn an_identity_that_is_not_linked_cannot_be_unlinked() {
    given_user(vec![signed_up(), linked(email_identity()), linked(google_identity())])
        .when(UserCommand::UnlinkIdentity {
            identity: FRESH_IDENTITY,
            leaving: WaysInLeft::AnIdentity,
            taken: Vec::new(),
        })
        .then_expect_error(UserError::IdentityNotFound);
}

#[test]
fn the_last_identity_stays_and_that_is_said_first() {
    for asked in [EMAIL_IDENTITY, FRESH_IDENTITY] {
        given_user(vec![signed_up(), linked(email_identity())])
            .when(UserCommand::UnlinkIdentity {
                identity: asked,
                leaving: WaysInLeft::AnIdentity,
                taken: Vec::new(),
            })
            .then_expect_error(UserError::LastIdentity);
    }
    given_user(vec![came_anonymously()])
        .when(UserCommand::UnlinkIdentity {
            identity: FRESH_IDENTITY,
            leaving: WaysInLeft::AnIdentity,
            taken: Vec::new(),
        })
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

/// Somebody came who has no password.
fn came_by_a_provider() -> UserEvent {
    UserEvent::SignedUp {
        method: SignUpMethod::External,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: Some(email("ann@example.com").into()),
        phone: None,
        password: None,
        user_metadata: Metadata::default().into(),
        app_metadata: Metadata::default().into(),
        anonymous: false,
    }
}

fn unlink(identity: IdentityId, leaving: WaysInLeft) -> UserCommand {
    UserCommand::UnlinkIdentity { identity, leaving, taken: Vec::new() }
}

#[test]
fn a_password_is_a_way_in_where_one_has_to_stay() {
    let given = || {
        let password = UserEvent::PasswordChanged { password: password("second").into() };
        given_user(vec![came_by_a_provider(), linked(google_identity()), password])
    };
    given()
        .when(unlink(GOOGLE_IDENTITY, WaysInLeft::OneToSignInBy))
        .then_expect_events(vec![unlinked(google_identity()), providers("email", &["email"])]);
    given().when(unlink(GOOGLE_IDENTITY, WaysInLeft::AnIdentity)).then_expect_error(UserError::LastIdentity);
    given()
        .when(UserCommand::RemovePassword { leaving: WaysInLeft::OneToSignInBy })
        .then_expect_events(vec![UserEvent::PasswordRemoved {}]);
}

#[test]
fn an_address_is_no_way_in_beside_its_password() {
    let given = || given_user(vec![signed_up(), linked(email_identity())]);
    let remove = |leaving| UserCommand::RemovePassword { leaving };
    given().when(remove(WaysInLeft::OneToSignInBy)).then_expect_error(UserError::LastIdentity);
    given()
        .when(unlink(FRESH_IDENTITY, WaysInLeft::OneToSignInBy))
        .then_expect_error(UserError::LastIdentity);
    given().when(remove(WaysInLeft::Nothing)).then_expect_events(vec![UserEvent::PasswordRemoved {}]);
}

#[test]
fn where_nothing_has_to_stay_the_last_way_in_goes_and_the_address_stays() {
    given_user(vec![came_by_a_provider(), linked(google_identity())])
        .when(unlink(GOOGLE_IDENTITY, WaysInLeft::OneToSignInBy))
        .then_expect_error(UserError::LastIdentity);
    given_user(vec![came_by_a_provider(), linked(google_identity())])
        .when(unlink(GOOGLE_IDENTITY, WaysInLeft::Nothing))
        .then_expect_events(vec![unlinked(google_identity())]);
}

#[test]
fn the_tokens_of_a_provider_are_kept_with_its_identity() {
    let tokens = |text: &str| SealedTokens(text.to_owned());
    let keep = |identity, text| UserCommand::KeepProviderTokens { identity, tokens: tokens(text) };
    let kept = |text| UserEvent::ProviderTokensKept {
        identity: GOOGLE_IDENTITY,
        tokens: Personal::from(tokens(text)),
    };
    let given = |more: Vec<UserEvent>| {
        let events = [signed_up(), linked(google_identity())].into_iter().chain(more).collect();
        given_user(events)
    };
    given(vec![]).when(keep(GOOGLE_IDENTITY, "a")).then_expect_events(vec![kept("a")]);
    given(vec![kept("a")]).when(keep(GOOGLE_IDENTITY, "b")).then_expect_events(vec![kept("b")]);
    given(vec![kept("a")]).when(keep(GOOGLE_IDENTITY, "a")).then_expect_events(vec![]);
    given(vec![]).when(keep(FRESH_IDENTITY, "a")).then_expect_error(UserError::IdentityNotFound);
    assert!(!format!("{:?}", kept("secret")).contains("secret"));
}

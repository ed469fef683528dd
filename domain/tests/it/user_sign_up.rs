//! How an account comes to be.

use evident_domain::user::{
    Confirmed, IdentityData, SignUp, SignUpMethod, UserCommand, UserError, UserEvent,
};
use evident_domain::{Email, Metadata, Phone};
use serde_json::json;

use crate::support::*;

fn with(email: Option<(Email, Confirmed)>, phone: Option<(Phone, Confirmed)>) -> SignUp {
    SignUp {
        method: SignUpMethod::Password,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email,
        phone,
        password: Some(password("first")),
        user_metadata: Metadata::default(),
        app_metadata: Metadata::default(),
        identities: Vec::new(),
    }
}

fn ann(confirmed: Confirmed) -> SignUp {
    with(Some((email("ann@example.com"), confirmed)), None)
}

fn sign_up(sign_up: SignUp) -> UserCommand {
    UserCommand::SignUp(Box::new(sign_up))
}

#[test]
fn an_account_comes_with_its_identities() {
    given_user(vec![])
        .when(sign_up(SignUp { identities: vec![email_identity()], ..ann(Confirmed::No) }))
        .then_expect_events(vec![signed_up(), linked(email_identity())]);
}

#[test]
fn all_that_is_known_at_sign_up_stands_in_the_event() {
    given_user(vec![])
        .when(sign_up(SignUp {
            method: SignUpMethod::Admin,
            user_metadata: metadata(json!({"name": "Ann"})),
            app_metadata: metadata(json!({"plan": "pro"})),
            password: None,
            ..with(
                Some((email("ann@example.com"), Confirmed::No)),
                Some((phone("+1 555 000 1111"), Confirmed::No)),
            )
        }))
        .then_expect_events(vec![UserEvent::SignedUp {
            method: SignUpMethod::Admin,
            aud: "authenticated".to_owned(),
            role: "authenticated".to_owned(),
            email: Some(email("ann@example.com").into()),
            phone: Some(phone("15550001111").into()),
            password: None,
            user_metadata: metadata(json!({"name": "Ann"})).into(),
            app_metadata: metadata(json!({"plan": "pro"})).into(),
            anonymous: false,
        }]);
}

#[test]
fn an_address_that_counts_as_confirmed_is_confirmed_everywhere() {
    given_user(vec![])
        .when(sign_up(SignUp { identities: vec![email_identity()], ..ann(Confirmed::Yes) }))
        .then_expect_events(vec![
            signed_up(),
            linked(email_identity()),
            UserEvent::EmailConfirmed {},
            UserEvent::IdentityUpdated {
                identity: EMAIL_IDENTITY,
                data: email_data("ann@example.com", true).into(),
                signed_in: false,
            },
            metadata_changed(json!({"email_verified": true})),
        ]);
}

#[test]
fn a_number_that_counts_as_confirmed_is_confirmed() {
    given_user(vec![])
        .when(sign_up(with(None, Some((phone("15550001111"), Confirmed::Yes)))))
        .then_expect_events(vec![came_with(None, Some("15550001111")), UserEvent::PhoneConfirmed {}]);
}

#[test]
fn an_account_needs_an_address_or_a_number() {
    given_user(vec![]).when(sign_up(with(None, None))).then_expect_error(UserError::NoContact);
}

#[test]
fn an_anonymous_account_needs_neither() {
    given_user(vec![])
        .when(sign_up(SignUp { method: SignUpMethod::Anonymous, password: None, ..with(None, None) }))
        .then_expect_events(vec![came_anonymously()]);
}

#[test]
fn the_same_identity_comes_once() {
    let again = IdentityData { id: FRESH_IDENTITY, ..email_identity() };
    given_user(vec![])
        .when(sign_up(SignUp { identities: vec![email_identity(), again], ..ann(Confirmed::No) }))
        .then_expect_error(UserError::IdentityAlreadyLinked);
}

#[test]
fn an_id_is_taken_for_ever() {
    let deleted =
        UserEvent::Deleted { email_digest: String::new(), phone_digest: String::new(), identities: vec![] };
    for end in [None, Some(deleted), Some(UserEvent::Erased {})] {
        given_user([signed_up()].into_iter().chain(end).collect())
            .when(sign_up(ann(Confirmed::No)))
            .then_expect_error(UserError::AlreadyExists);
    }
}

//! Addresses and numbers: confirming and changing them.

use evident_domain::user::{Confirmed, IdentityData, UnprovenPassword, UserCommand, UserError, UserEvent};
use serde_json::json;

use crate::support::*;

fn change_email(text: &str, confirmed: Confirmed) -> UserCommand {
    UserCommand::ChangeEmail { user: ANN, email: email(text), confirmed, new_identity: FRESH_IDENTITY }
}

fn change_phone(text: &str, confirmed: Confirmed) -> UserCommand {
    UserCommand::ChangePhone { user: ANN, phone: phone(text), confirmed, new_identity: FRESH_IDENTITY }
}

fn email_changed(text: &str) -> UserEvent {
    UserEvent::EmailChanged { email: email(text).into() }
}

fn email_identity_updated(address: &str, verified: bool) -> UserEvent {
    UserEvent::IdentityUpdated {
        identity: EMAIL_IDENTITY,
        data: email_data(address, verified).into(),
        signed_in: false,
    }
}

fn fresh_identity(provider: &str, data: serde_json::Value) -> UserEvent {
    UserEvent::IdentityLinked {
        identity: FRESH_IDENTITY,
        provider: provider.to_owned(),
        provider_id: ANN.to_string().into(),
        data: metadata(data).into(),
    }
}

#[test]
fn an_address_is_confirmed_on_the_user_the_identity_and_the_data() {
    given_user(vec![signed_up(), linked(email_identity())])
        .when(UserCommand::ConfirmEmail)
        .then_expect_events(vec![
            UserEvent::EmailConfirmed {},
            email_identity_updated("ann@example.com", true),
            metadata_changed(json!({"email_verified": true})),
        ]);
}

#[test]
fn confirming_again_tells_the_time_again_and_nothing_else() {
    given_user(vec![
        signed_up(),
        linked(email_identity()),
        UserEvent::EmailConfirmed {},
        email_identity_updated("ann@example.com", true),
        metadata_changed(json!({"email_verified": true})),
    ])
    .when(UserCommand::ConfirmEmail)
    .then_expect_events(vec![UserEvent::EmailConfirmed {}]);
}

#[test]
fn only_the_identity_of_the_address_is_marked() {
    given_user(vec![signed_up(), linked(google_identity())])
        .when(UserCommand::ConfirmEmail)
        .then_expect_events(vec![
            UserEvent::EmailConfirmed {},
            metadata_changed(json!({"email_verified": true})),
        ]);
}

#[test]
fn a_number_is_confirmed() {
    given_user(vec![came_with(None, Some("15550001111"))])
        .when(UserCommand::ConfirmPhone)
        .then_expect_events(vec![UserEvent::PhoneConfirmed {}]);
}

#[test]
fn what_is_not_there_cannot_be_confirmed() {
    given_user(vec![came_with(None, Some("15550001111"))])
        .when(UserCommand::ConfirmEmail)
        .then_expect_error(UserError::NothingToConfirm);
    given_user(vec![signed_up()])
        .when(UserCommand::ConfirmPhone)
        .then_expect_error(UserError::NothingToConfirm);
}

#[test]
fn asking_for_an_address_changes_nothing_yet() {
    let asked = UserEvent::EmailChangeRequested { new_email: email("new@example.com").into() };
    given_user(vec![signed_up()])
        .when(UserCommand::RequestEmailChange { new_email: email("new@example.com") })
        .then_expect_events(vec![asked.clone()]);
    let account = account_after(&[signed_up(), asked]);
    assert_eq!(account.email.unwrap().value, email("ann@example.com"));
    assert_eq!(account.new_email, Some(email("new@example.com")));
}

#[test]
fn asking_for_a_number_changes_nothing_yet() {
    let asked = UserEvent::PhoneChangeRequested { new_phone: phone("15550002222").into() };
    given_user(vec![signed_up()])
        .when(UserCommand::RequestPhoneChange { new_phone: phone("15550002222") })
        .then_expect_events(vec![asked.clone()]);
    let account = account_after(&[signed_up(), asked]);
    assert_eq!(
        (account.phone, account.new_phone.map(|asked| asked.value)),
        (None, Some(phone("15550002222")))
    );
}

#[test]
fn asking_for_what_one_has_leaves_a_pending_change_alone() {
    let both = came_with(Some("ann@example.com"), Some("15550001111"));
    let asked = UserEvent::EmailChangeRequested { new_email: email("new@example.com").into() };
    given_user(vec![both.clone(), asked])
        .when(UserCommand::RequestEmailChange { new_email: email("ANN@example.com") })
        .then_expect_events(vec![]);
    given_user(vec![both])
        .when(UserCommand::RequestPhoneChange { new_phone: phone("+15550001111") })
        .then_expect_events(vec![]);
}

#[test]
fn a_changed_address_takes_its_identity_along() {
    given_user(vec![signed_up(), linked(email_identity())])
        .when(change_email("new@example.com", Confirmed::No))
        .then_expect_events(vec![
            email_changed("new@example.com"),
            email_identity_updated("new@example.com", false),
        ]);
}

#[test]
fn a_changed_address_can_be_confirmed_at_once() {
    given_user(vec![signed_up(), linked(email_identity())])
        .when(change_email("new@example.com", Confirmed::Yes))
        .then_expect_events(vec![
            email_changed("new@example.com"),
            email_identity_updated("new@example.com", true),
            UserEvent::EmailConfirmed {},
            metadata_changed(json!({"email_verified": true})),
        ]);
}

#[test]
fn a_first_address_brings_an_identity() {
    given_user(vec![came_anonymously()])
        .when(change_email("ann@example.com", Confirmed::No))
        .then_expect_events(vec![
            email_changed("ann@example.com"),
            fresh_identity(
                "email",
                json!({"sub": ANN.to_string(), "email": "ann@example.com", "email_verified": false,
                    "phone_verified": false}),
            ),
            providers("email", &["email"]),
        ]);
}

#[test]
fn a_first_number_brings_an_identity() {
    given_user(vec![signed_up()]).when(change_phone("15550001111", Confirmed::Yes)).then_expect_events(vec![
        UserEvent::PhoneChanged { phone: phone("15550001111").into() },
        fresh_identity(
            "phone",
            json!({"sub": ANN.to_string(), "phone": "15550001111", "email_verified": false,
                    "phone_verified": true}),
        ),
        providers("phone", &["phone"]),
        UserEvent::PhoneConfirmed {},
    ]);
}

#[test]
fn a_new_identity_needs_an_id_of_its_own() {
    let taken = IdentityData { id: FRESH_IDENTITY, ..google_identity() };
    for command in
        [change_email("new@example.com", Confirmed::No), change_phone("15550001111", Confirmed::No)]
    {
        given_user(vec![signed_up(), linked(taken.clone())])
            .when(command)
            .then_expect_error(UserError::IdentityAlreadyLinked);
    }
}

#[test]
fn a_changed_number_takes_its_identity_along() {
    let data = |number: &str| json!({"sub": ANN.to_string(), "phone": number, "phone_verified": false});
    given_user(vec![came_with(None, Some("15550001111")), fresh_identity("phone", data("15550001111"))])
        .when(change_phone("15550002222", Confirmed::No))
        .then_expect_events(vec![
            UserEvent::PhoneChanged { phone: phone("15550002222").into() },
            UserEvent::IdentityUpdated {
                identity: FRESH_IDENTITY,
                data: metadata(data("15550002222")).into(),
                signed_in: false,
            },
        ]);
}

#[test]
fn changing_to_the_same_does_nothing_but_confirm() {
    let both = || vec![came_with(Some("ann@example.com"), Some("15550001111"))];
    given_user(both()).when(change_email("ann@example.com", Confirmed::No)).then_expect_events(vec![]);
    given_user(both()).when(change_phone("15550001111", Confirmed::No)).then_expect_events(vec![]);
    given_user(both()).when(change_email("ann@example.com", Confirmed::Yes)).then_expect_events(vec![
        UserEvent::EmailConfirmed {},
        metadata_changed(json!({"email_verified": true})),
    ]);
    given_user(both())
        .when(change_phone("15550001111", Confirmed::Yes))
        .then_expect_events(vec![UserEvent::PhoneConfirmed {}]);
}

#[test]
fn another_address_is_as_confirmed_as_the_one_before_and_ends_the_pending_change() {
    let asked = UserEvent::EmailChangeRequested { new_email: email("new@example.com").into() };
    for confirmed in [None, Some(UserEvent::EmailConfirmed {})] {
        let expected = confirmed.is_some();
        let events: Vec<_> = [signed_up()]
            .into_iter()
            .chain(confirmed)
            .chain([asked.clone(), email_changed("new@example.com")])
            .collect();
        let account = account_after(&events);
        assert_eq!(account.email.unwrap().confirmed, expected);
        assert_eq!(account.new_email, None);
    }
}

#[test]
fn another_number_is_as_confirmed_as_the_one_before_and_ends_the_pending_change() {
    let account = account_after(&[
        came_with(None, Some("15550001111")),
        UserEvent::PhoneConfirmed {},
        UserEvent::PhoneChangeRequested { new_phone: phone("15550002222").into() },
        UserEvent::PhoneChanged { phone: phone("15550002222").into() },
    ]);
    assert!(account.phone.unwrap().confirmed);
    assert_eq!(account.new_phone, None);
}

#[test]
fn a_visitor_stops_being_anonymous_when_an_address_is_confirmed_and_not_before() {
    let changed = email_changed("ann@example.com");
    assert!(account_after(&[came_anonymously(), changed.clone()]).anonymous);
    assert!(!account_after(&[came_anonymously(), changed, UserEvent::EmailConfirmed {}]).anonymous);
    let changed = UserEvent::PhoneChanged { phone: phone("15550001111").into() };
    assert!(!account_after(&[came_anonymously(), changed, UserEvent::PhoneConfirmed {}]).anonymous);
}

#[test]
fn an_address_changes_once_both_sides_have_agreed() {
    use evident_domain::user::{Agreement, TokenPurpose};
    let complete = |agreement| UserCommand::CompleteEmailChange {
        user: ANN,
        new_identity: FRESH_IDENTITY,
        agreement,
        password: UnprovenPassword::Goes,
    };
    let issued = |purpose| UserEvent::OneTimeTokenIssued {
        purpose,
        link: None,
        code: evident_domain::TokenHash("00".to_owned()),
        flow: None,
        sent_at: at(0),
        expires_at: at(60),
    };
    let redeemed = |purpose| UserEvent::OneTimeTokenRedeemed { purpose };
    let mut user = evident_domain::user::User::default();
    for event in [signed_up(), linked(email_identity())] {
        user.fold(&event);
    }
    user.fold(&UserEvent::EmailConfirmed {});
    user.fold(&UserEvent::EmailChangeRequested { new_email: email("new@example.com").into() });
    user.fold(&issued(TokenPurpose::EmailChangeNew));
    user.fold(&issued(TokenPurpose::EmailChangeCurrent));
    assert_eq!(user.decide(complete(Agreement::OfOne)), Ok(vec![]), "nobody has agreed");
    user.fold(&redeemed(TokenPurpose::EmailChangeCurrent));
    assert_eq!(user.decide(complete(Agreement::OfAll)), Ok(vec![]), "the new address has not agreed");
    assert!(!user.decide(complete(Agreement::OfOne)).unwrap().is_empty());
    user.fold(&redeemed(TokenPurpose::EmailChangeNew));
    let events = user.decide(complete(Agreement::OfAll)).unwrap();
    assert_eq!(events[0], UserEvent::EmailChanged { email: email("new@example.com").into() });
    assert!(!events.contains(&UserEvent::EmailConfirmed {}), "it was confirmed before: the time stays");
    for event in &events {
        user.fold(event);
    }
    assert_eq!(user.decide(complete(Agreement::OfAll)), Ok(vec![]), "once is enough");
    user.fold(&UserEvent::EmailChangeRequested { new_email: email("other@example.com").into() });
    assert_eq!(
        user.decide(complete(Agreement::OfOne)),
        Ok(vec![]),
        "an earlier agreement is for the earlier address"
    );
}

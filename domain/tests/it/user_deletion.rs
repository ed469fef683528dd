//! The end of an account: closed, or forgotten.

use evident_domain::user::{Confirmed, TokenPurpose, User, UserCommand, UserError, UserEvent, WaysInLeft};
use evident_domain::{ClaimChange, Metadata};

use crate::support::*;

fn delete() -> UserCommand {
    UserCommand::Delete {
        email_digest: "e".to_owned(),
        phone_digest: "p".to_owned(),
        identities: vec![(EMAIL_IDENTITY, "i".to_owned())],
    }
}

fn deleted() -> UserEvent {
    UserEvent::Deleted {
        email_digest: "e".to_owned(),
        phone_digest: "p".to_owned(),
        identities: vec![(EMAIL_IDENTITY, "i".to_owned())],
    }
}

/// Every command but those that make an account or end it.
fn everything_else() -> Vec<UserCommand> {
    let new_identity = FRESH_IDENTITY;
    vec![
        UserCommand::ConfirmEmail,
        UserCommand::ConfirmPhone,
        UserCommand::RequestEmailChange { new_email: email("new@example.com") },
        UserCommand::ChangeEmail {
            user: ANN,
            email: email("new@example.com"),
            confirmed: Confirmed::Yes,
            new_identity,
        },
        UserCommand::RequestPhoneChange { new_phone: phone("15550002222") },
        UserCommand::ChangePhone {
            user: ANN,
            phone: phone("15550002222"),
            confirmed: Confirmed::Yes,
            new_identity,
        },
        UserCommand::IssueOneTimeToken {
            purpose: TokenPurpose::Recovery,
            link: None,
            code: hash("code"),
            flow: None,
            now: at(0),
            expires_at: at(60),
            min_interval_seconds: 0,
        },
        redeem(TokenPurpose::Recovery, code("code"), at(0)),
        UserCommand::ChangePassword { password: password("second") },
        UserCommand::RehashPassword { password: password("second") },
        UserCommand::ChangeMetadata { patch: Metadata::default().with("a", 1) },
        UserCommand::ChangeAppMetadata { patch: Metadata::default().with("a", 1) },
        UserCommand::ChangeRole { role: "editor".to_owned() },
        UserCommand::Ban { until: None, reason: None },
        UserCommand::Unban,
        UserCommand::LinkIdentity(google_identity()),
        UserCommand::UnlinkIdentity {
            identity: EMAIL_IDENTITY,
            leaving: WaysInLeft::AnIdentity,
            taken: Vec::new(),
        },
    ]
}

#[test]
fn nobody_does_anything_with_a_user_who_is_not_there_yet() {
    for command in everything_else().into_iter().chain([delete(), UserCommand::Erase]) {
        given_user(vec![]).when(command).then_expect_error(UserError::NotFound);
    }
}

#[test]
fn nobody_does_anything_with_an_erased_user() {
    for command in everything_else().into_iter().chain([delete(), UserCommand::Erase]) {
        given_user(vec![signed_up(), issued(TokenPurpose::Recovery), UserEvent::Erased {}])
            .when(command)
            .then_expect_error(UserError::NotFound);
    }
}

#[test]
fn a_closed_account_can_only_be_erased() {
    for command in everything_else() {
        given_user(vec![signed_up(), issued(TokenPurpose::Recovery), deleted()])
            .when(command)
            .then_expect_error(UserError::NotFound);
    }
}

#[test]
fn an_account_is_closed_once() {
    given_user(vec![signed_up(), linked(email_identity())])
        .when(delete())
        .then_expect_events(vec![deleted()]);
    given_user(vec![signed_up(), deleted()]).when(delete()).then_expect_events(vec![]);
}

#[test]
fn a_ban_does_not_keep_an_account_from_being_closed_or_erased() {
    let banned = UserEvent::Banned { until: None, reason: None };
    given_user(vec![signed_up(), banned.clone()]).when(delete()).then_expect_events(vec![deleted()]);
    given_user(vec![signed_up(), banned])
        .when(UserCommand::Erase)
        .then_expect_events(vec![UserEvent::Erased {}]);
}

#[test]
fn erasure_unlinks_every_identity_first() {
    given_user(vec![signed_up(), linked(email_identity()), linked(google_identity())])
        .when(UserCommand::Erase)
        .then_expect_events(vec![
            unlinked(email_identity()),
            unlinked(google_identity()),
            UserEvent::Erased {},
        ]);
}

#[test]
fn a_closed_account_can_be_erased() {
    given_user(vec![signed_up(), linked(email_identity()), deleted()])
        .when(UserCommand::Erase)
        .then_expect_events(vec![UserEvent::Erased {}]);
}

#[test]
fn nothing_of_a_closed_account_is_left_to_decide_with() {
    let mut user = User::default();
    for event in [signed_up(), linked(email_identity()), deleted(), issued(TokenPurpose::Recovery)] {
        user.fold(&event);
    }
    assert_eq!(user, User::Deleted);
    assert!(user.account().is_none());
}

#[test]
fn closing_and_erasing_give_back_every_claim() {
    assert_eq!(deleted().claims(), [ClaimChange::ReleaseAll]);
    assert_eq!(UserEvent::Erased {}.claims(), [ClaimChange::ReleaseAll]);
}

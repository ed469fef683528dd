//! A password that was set before the address was confirmed may be a stranger's.

use evident_domain::IdentityId;
use evident_domain::user::{Agreement, TokenPurpose, UnprovenPassword, UserCommand, UserEvent};
use uuid::Uuid;

use crate::support::*;

fn redeemed(purpose: TokenPurpose) -> UserEvent {
    UserEvent::OneTimeTokenRedeemed { purpose }
}

#[test]
fn whoever_comes_by_a_recovery_or_an_invitation_is_not_left_with_a_password_from_before() {
    for purpose in [TokenPurpose::Recovery, TokenPurpose::Invitation] {
        let events = given_user(vec![signed_up(), issued(purpose)])
            .when(redeem(purpose, link("link"), at(60)))
            .inspect_result()
            .unwrap();
        assert_eq!(events[..2], [redeemed(purpose), UserEvent::PasswordRemoved {}]);
        assert!(events.contains(&UserEvent::EmailConfirmed {}));
    }
}

#[test]
fn whoever_confirms_a_sign_up_keeps_its_password() {
    let purpose = TokenPurpose::EmailConfirmation;
    let events = given_user(vec![signed_up(), issued(purpose)])
        .when(redeem(purpose, link("link"), at(60)))
        .inspect_result();
    assert!(!events.unwrap().contains(&UserEvent::PasswordRemoved {}));
}

#[test]
fn a_password_that_is_proven_stays() {
    for proof in [UserEvent::EmailConfirmed {}, UserEvent::PasswordChanged { password: password("x").into() }]
    {
        given_user(vec![signed_up(), proof])
            .when(UserCommand::RemoveUnprovenPassword)
            .then_expect_events(vec![]);
    }
    given_user(vec![signed_up()])
        .when(UserCommand::RemoveUnprovenPassword)
        .then_expect_events(vec![UserEvent::PasswordRemoved {}]);
    given_user(vec![signed_up(), UserEvent::PasswordRemoved {}])
        .when(UserCommand::RemoveUnprovenPassword)
        .then_expect_events(vec![]);
}

/// A sign-up's own link is opened.
fn confirm(password: UnprovenPassword) -> UserCommand {
    let (purposes, proof) = (vec![TokenPurpose::EmailConfirmation], link("link"));
    UserCommand::Redeem { purposes, proof, password, now: at(60) }
}

#[test]
fn what_becomes_of_a_password_is_decided_with_the_confirmation() {
    for (becomes, expected) in [
        (UnprovenPassword::Stays, None),
        (UnprovenPassword::Waits, Some(UserEvent::PasswordWithheld {})),
        (UnprovenPassword::Goes, Some(UserEvent::PasswordRemoved {})),
    ] {
        let sent = vec![signed_up(), issued(TokenPurpose::EmailConfirmation)];
        let events = given_user(sent).when(confirm(becomes)).inspect_result().unwrap();
        let found = events
            .iter()
            .find(|event| matches!(event, UserEvent::PasswordWithheld {} | UserEvent::PasswordRemoved {}));
        assert_eq!(found, expected.as_ref());
    }
}

#[test]
fn a_withheld_password_opens_nothing_until_it_is_proven() {
    let withheld = [signed_up(), UserEvent::PasswordWithheld {}, UserEvent::EmailConfirmed {}];
    let account = account_after(&withheld);
    assert_eq!((account.password, account.withheld_password), (None, Some(password("first"))));
    given_user(withheld.to_vec())
        .when(UserCommand::ProvePassword)
        .then_expect_events(vec![UserEvent::PasswordProven {}]);
    let proven = account_after(&[&withheld[..], &[UserEvent::PasswordProven {}]].concat());
    assert_eq!((proven.password, proven.withheld_password), (Some(password("first")), None));
    given_user(withheld.to_vec())
        .when(UserCommand::RemoveUnprovenPassword)
        .then_expect_events(vec![UserEvent::PasswordRemoved {}]);
}

#[test]
fn nothing_proves_a_password_that_another_took_the_place_of() {
    let another = UserEvent::PasswordChanged { password: password("another").into() };
    for after in [another, UserEvent::PasswordRemoved {}, UserEvent::Reclaimed {}] {
        given_user(vec![signed_up(), UserEvent::PasswordWithheld {}, UserEvent::EmailConfirmed {}, after])
            .when(UserCommand::ProvePassword)
            .then_expect_events(vec![]);
    }
}

#[test]
fn a_visitor_s_password_is_unproven_until_the_address_is_theirs() {
    let visitor = [
        came_anonymously(),
        UserEvent::PasswordChanged { password: password("first").into() },
        UserEvent::EmailChangeRequested { new_email: email("ann@example.com").into() },
        issued(TokenPurpose::EmailChangeNew),
        UserEvent::OneTimeTokenRedeemed { purpose: TokenPurpose::EmailChangeNew },
    ];
    let events = given_user(visitor.to_vec())
        .when(UserCommand::CompleteEmailChange {
            user: ANN,
            new_identity: IdentityId(Uuid::from_u128(77)),
            agreement: Agreement::OfAll,
            password: UnprovenPassword::Goes,
        })
        .inspect_result()
        .unwrap();
    assert_eq!(events[0], UserEvent::PasswordRemoved {});
    assert!(events.contains(&UserEvent::EmailConfirmed {}));
}

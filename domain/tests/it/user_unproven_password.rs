//! A password that was set before the address was confirmed may be a stranger's.

use evident_domain::user::{TokenPurpose, UserCommand, UserEvent};

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

//! Bans: with and without an end, lifted and over.

use evident_domain::Time;
use evident_domain::user::{UserCommand, UserEvent};

use crate::support::*;

fn banned(until: Option<Time>) -> UserEvent {
    UserEvent::Banned { until, reason: None }
}

fn ban(until: Option<Time>) -> UserCommand {
    UserCommand::Ban { until, reason: None }
}

#[test]
fn a_ban_tells_its_end_and_its_reason() {
    given_user(vec![signed_up()])
        .when(UserCommand::Ban { until: Some(at(60)), reason: Some("spam".to_owned()) })
        .then_expect_events(vec![UserEvent::Banned {
            until: Some(at(60)),
            reason: Some("spam".to_owned().into()),
        }]);
}

#[test]
fn a_ban_can_be_for_ever() {
    given_user(vec![signed_up()]).when(ban(None)).then_expect_events(vec![banned(None)]);
}

#[test]
fn the_same_ban_again_is_nothing_new_unless_it_has_a_reason() {
    let given = || given_user(vec![signed_up(), banned(Some(at(60)))]);
    given().when(ban(Some(at(60)))).then_expect_events(vec![]);
    given().when(ban(Some(at(90)))).then_expect_events(vec![banned(Some(at(90)))]);
    given().when(ban(None)).then_expect_events(vec![banned(None)]);
    given()
        .when(UserCommand::Ban { until: Some(at(60)), reason: Some("spam".to_owned()) })
        .then_expect_events(vec![UserEvent::Banned {
            until: Some(at(60)),
            reason: Some("spam".to_owned().into()),
        }]);
}

#[test]
fn a_ban_is_lifted_once() {
    given_user(vec![signed_up(), banned(None)])
        .when(UserCommand::Unban)
        .then_expect_events(vec![UserEvent::Unbanned {}]);
    given_user(vec![signed_up(), banned(None), UserEvent::Unbanned {}])
        .when(UserCommand::Unban)
        .then_expect_events(vec![]);
    given_user(vec![signed_up()]).when(UserCommand::Unban).then_expect_events(vec![]);
}

#[test]
fn a_lifted_ban_can_come_back() {
    given_user(vec![signed_up(), banned(Some(at(60))), UserEvent::Unbanned {}])
        .when(ban(Some(at(60))))
        .then_expect_events(vec![banned(Some(at(60)))]);
}

#[test]
fn a_ban_with_an_end_keeps_out_until_then() {
    let account = account_after(&[signed_up(), banned(Some(at(60)))]);
    assert!(account.is_banned(at(0)));
    assert!(account.is_banned(at_millis(59_999)));
    assert!(!account.is_banned(at(60)));
    assert!(!account.is_banned(at(61)));
    assert_eq!(account.ban.unwrap().until, Some(at(60)), "the end stays to be seen when it has passed");
}

#[test]
fn a_ban_without_an_end_keeps_out_for_ever() {
    let account = account_after(&[signed_up(), banned(None)]);
    assert!(account.is_banned(at(0)));
    assert!(account.is_banned(Time::MAX_UTC));
}

#[test]
fn who_is_not_banned_or_no_longer_may_come_in() {
    assert!(!account_after(&[signed_up()]).is_banned(at(0)));
    assert!(!account_after(&[signed_up(), banned(None), UserEvent::Unbanned {}]).is_banned(at(0)));
    assert!(!account_after(&[signed_up(), banned(Some(at(-60)))]).is_banned(at(0)));
}

#[test]
fn the_last_ban_counts() {
    assert!(!account_after(&[signed_up(), banned(None), banned(Some(at(60)))]).is_banned(at(90)));
    assert!(account_after(&[signed_up(), banned(Some(at(60))), banned(None)]).is_banned(at(90)));
}

//! Refresh tokens: rotation, the lost answer, reuse.

use evident_domain::Time;
use evident_domain::session::{ReusePolicy, RevocationReason, SessionError, SessionEvent};

use crate::support::*;

/// The token of generation 0 was used after 100 s, that of generation 1 after 105 s, that of
/// generation 2 after 200 s: generation 3 is good now.
fn three_times_refreshed() -> Vec<SessionEvent> {
    vec![session_started(), refreshed(1, at(100)), refreshed(2, at(105)), refreshed(3, at(200))]
}

fn expect(presented: u64, now: Time, policy: ReusePolicy, events: Vec<SessionEvent>) {
    given_session(three_times_refreshed()).when(present(presented, now, policy)).then_expect_events(events);
}

fn repeated(presented: u64, now: Time) -> Vec<SessionEvent> {
    vec![SessionEvent::RefreshRepeated { presented, generation: 3, at: now }]
}

fn revoked_for_reuse() -> Vec<SessionEvent> {
    vec![SessionEvent::Revoked { reason: RevocationReason::RefreshTokenReused }]
}

#[test]
fn the_good_token_brings_the_next() {
    given_session(vec![session_started()])
        .when(present(0, at(100), LENIENT))
        .then_expect_events(vec![refreshed(1, at(100))]);
    expect(3, at(300), STRICT, vec![refreshed(4, at(300))]);
}

#[test]
fn a_token_that_is_yet_to_come_was_not_issued_here() {
    for presented in [4, u64::MAX] {
        given_session(three_times_refreshed())
            .when(present(presented, at(300), LENIENT))
            .then_expect_error(SessionError::NotIssued);
    }
}

#[test]
fn the_parent_of_the_good_token_is_answered_without_limit_of_time() {
    expect(2, at(1_000_000), LENIENT, repeated(2, at(1_000_000)));
}

#[test]
fn where_that_is_off_the_parent_is_answered_within_the_interval_only() {
    expect(2, at_millis(209_999), STRICT, repeated(2, at_millis(209_999)));
    expect(2, at(210), STRICT, revoked_for_reuse());
}

#[test]
fn any_used_token_is_answered_within_the_interval() {
    let given = vec![session_started(), refreshed(1, at(100)), refreshed(2, at(102)), refreshed(3, at(104))];
    for policy in [LENIENT, STRICT] {
        given_session(given.clone())
            .when(present(0, at(109), policy))
            .then_expect_events(repeated(0, at(109)));
    }
}

#[test]
fn the_interval_runs_from_the_token_s_own_first_use() {
    // At 112 s the last refresh is 7 s ago, but the token of generation 0 was used 12 s ago.
    let given = || vec![session_started(), refreshed(1, at(100)), refreshed(2, at(105))];
    given_session(given()).when(present(0, at(112), LENIENT)).then_expect_events(revoked_for_reuse());
    given_session(given())
        .when(present(1, at(112), STRICT))
        .then_expect_events(vec![SessionEvent::RefreshRepeated { presented: 1, generation: 2, at: at(112) }]);
}

#[test]
fn an_answer_within_the_interval_does_not_move_it() {
    let repeat = SessionEvent::RefreshRepeated { presented: 0, generation: 1, at: at(109) };
    given_session(vec![session_started(), refreshed(1, at(100)), repeat])
        .when(present(0, at(111), STRICT))
        .then_expect_events(revoked_for_reuse());
}

#[test]
fn an_answer_within_the_interval_leaves_the_good_token_good() {
    let repeat = SessionEvent::RefreshRepeated { presented: 2, generation: 3, at: at(201) };
    given_session([three_times_refreshed(), vec![repeat]].concat())
        .when(present(3, at(300), STRICT))
        .then_expect_events(vec![refreshed(4, at(300))]);
}

#[test]
fn without_an_interval_only_the_parent_is_answered() {
    let none = |policy: ReusePolicy| ReusePolicy { interval_seconds: 0, ..policy };
    expect(2, at(200), none(STRICT), revoked_for_reuse());
    expect(2, at(200), none(LENIENT), repeated(2, at(200)));
    expect(1, at(200), none(LENIENT), revoked_for_reuse());
}

#[test]
fn reuse_ends_the_session() {
    expect(0, at(200), LENIENT, revoked_for_reuse());
    expect(1, at(200), LENIENT, revoked_for_reuse());
}

#[test]
fn where_reuse_does_not_end_the_session_it_is_refused_all_the_same() {
    let forgiving = |policy: ReusePolicy| ReusePolicy { revoke_on_reuse: false, ..policy };
    for (presented, policy) in [(0, LENIENT), (1, LENIENT), (2, STRICT)] {
        given_session(three_times_refreshed())
            .when(present(presented, at(300), forgiving(policy)))
            .then_expect_error(SessionError::AlreadyUsed);
    }
    expect(2, at(300), forgiving(LENIENT), repeated(2, at(300)));
    expect(2, at(205), forgiving(STRICT), repeated(2, at(205)));
}

#[test]
fn a_token_that_is_too_old_to_be_remembered_counts_as_reused() {
    let many = (1..=40).map(|generation| refreshed(generation, at(100)));
    given_session([session_started()].into_iter().chain(many).collect())
        .when(present(2, at(100), LENIENT))
        .then_expect_events(revoked_for_reuse());
}

#[test]
fn a_refresh_tells_when_the_session_was_last_used() {
    let mut session = evident_domain::session::Session::default();
    let mut last = |event: SessionEvent| {
        session.fold(&event);
        session.live().unwrap().refreshed_at
    };
    assert_eq!(last(session_started()), None);
    assert_eq!(last(refreshed(1, at(100))), Some(at(100)));
    let repeat = SessionEvent::RefreshRepeated { presented: 0, generation: 1, at: at(105) };
    assert_eq!(last(repeat), Some(at(105)));
}

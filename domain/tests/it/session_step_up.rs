//! Another proof within a session, and what it does to the refresh tokens from before.

use evident_domain::FactorId;
use evident_domain::session::{
    AssuranceLevel, ReusePolicy, Session, SessionCommand, SessionError, SessionEvent,
};

use crate::support::*;

fn step_up(aal: AssuranceLevel) -> SessionCommand {
    SessionCommand::StepUp { method: "totp".to_owned(), aal, factor: Some(APP), now: at(50) }
}

#[test]
fn a_second_proof_makes_it_surer() {
    given_session(vec![session_started()])
        .when(step_up(AssuranceLevel::Aal2))
        .then_expect_events(vec![stepped_up(at(50))]);
}

#[test]
fn a_lesser_proof_does_not_make_it_less_sure() {
    given_session(vec![session_started(), stepped_up(at(10))])
        .when(step_up(AssuranceLevel::Aal1))
        .then_expect_events(vec![stepped_up(at(50))]);
}

#[test]
fn the_newest_proof_stands_first_and_each_method_once() {
    let mut session = Session::default();
    for event in [session_started(), stepped_up(at(10)), refreshed(2, at(20)), stepped_up(at(30))] {
        session.fold(&event);
    }
    let live = session.live().unwrap();
    let proofs: Vec<_> = live.amr.iter().map(|proof| (proof.method.as_str(), proof.at)).collect();
    assert_eq!(proofs, [("totp", at(30)), ("password", at(0))]);
    assert_eq!(live.aal, AssuranceLevel::Aal2);
}

#[test]
fn a_step_up_makes_the_next_refresh_token_the_good_one() {
    given_session(vec![session_started(), stepped_up(at(10))])
        .when(present(1, at(20), LENIENT))
        .then_expect_events(vec![refreshed(2, at(20))]);
}

#[test]
fn a_token_from_before_is_refused_by_any_policy_and_the_session_stays() {
    let given = vec![session_started(), refreshed(1, at(5)), stepped_up(at(10))];
    for policy in [
        LENIENT,
        STRICT,
        ReusePolicy { revoke_on_reuse: false, ..LENIENT },
        ReusePolicy { interval_seconds: u32::MAX, ..LENIENT },
    ] {
        for presented in [0, 1] {
            given_session(given.clone())
                .when(present(presented, at(11), policy))
                .then_expect_error(SessionError::AlreadyUsed);
        }
    }
}

#[test]
fn a_token_from_before_stays_refused_after_further_refreshes() {
    given_session(vec![session_started(), stepped_up(at(10)), refreshed(2, at(20))])
        .when(present(0, at(21), LENIENT))
        .then_expect_error(SessionError::AlreadyUsed);
}

#[test]
fn tokens_from_after_the_step_up_follow_the_usual_rules() {
    let given = || vec![session_started(), stepped_up(at(10)), refreshed(2, at(20)), refreshed(3, at(21))];
    given_session(given()).when(present(1, at(25), STRICT)).then_expect_events(vec![
        evident_domain::session::SessionEvent::RefreshRepeated { presented: 1, generation: 3, at: at(25) },
    ]);
    given_session(given()).when(present(1, at(60), LENIENT)).then_expect_events(vec![
        evident_domain::session::SessionEvent::Revoked {
            reason: evident_domain::session::RevocationReason::RefreshTokenReused,
        },
    ]);
}

fn step_down(factor: FactorId) -> SessionCommand {
    SessionCommand::StepDown { factor, now: at(60) }
}

fn stepped_down(factor: FactorId, method: &str, aal: AssuranceLevel) -> SessionEvent {
    SessionEvent::SteppedDown { factor, method: method.to_owned(), at: at(60), aal }
}

#[test]
fn when_the_only_factor_goes_the_session_is_less_sure() {
    given_session(vec![session_started(), stepped_up(at(10))])
        .when(step_down(APP))
        .then_expect_events(vec![stepped_down(APP, "totp", AssuranceLevel::Aal1)]);
    let mut session = Session::default();
    for event in [session_started(), stepped_up(at(10)), stepped_down(APP, "totp", AssuranceLevel::Aal1)] {
        session.fold(&event);
    }
    let live = session.live().unwrap();
    assert_eq!(live.aal, AssuranceLevel::Aal1);
    assert_eq!(live.amr.iter().map(|entry| entry.method.as_str()).collect::<Vec<_>>(), ["password"]);
}

#[test]
fn when_one_of_two_factors_goes_the_other_one_still_counts() {
    let phone = proven(OTHER_FACTOR, "mfa/phone", at(20));
    given_session(vec![session_started(), stepped_up(at(10)), phone.clone()])
        .when(step_down(APP))
        .then_expect_events(vec![stepped_down(APP, "totp", AssuranceLevel::Aal2)]);
    let down = stepped_down(APP, "totp", AssuranceLevel::Aal2);
    given_session(vec![session_started(), stepped_up(at(10)), phone, down])
        .when(step_down(OTHER_FACTOR))
        .then_expect_events(vec![stepped_down(OTHER_FACTOR, "mfa/phone", AssuranceLevel::Aal1)]);
}

#[test]
fn a_factor_that_proved_nothing_here_goes_without_a_trace() {
    given_session(vec![session_started(), stepped_up(at(10))])
        .when(step_down(OTHER_FACTOR))
        .then_expect_events(vec![]);
}

#[test]
fn of_two_apps_the_one_that_was_asked_last_counts() {
    let later = proven(OTHER_FACTOR, "totp", at(20));
    given_session(vec![session_started(), stepped_up(at(10)), later])
        .when(step_down(APP))
        .then_expect_events(vec![]);
}

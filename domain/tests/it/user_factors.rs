//! Second factors: enrolment, challenges, answers, removal.

use std::net::IpAddr;
use std::time::Duration;

use evident_domain::session::AssuranceLevel;
use evident_domain::user::factor::{
    Authenticator, FREE_MISSES, FactorAnswer, FactorCommand, FactorError, FactorKind, FactorLimits,
    FactorRemoval, MAX_CHALLENGES, NewFactor,
};
use evident_domain::user::{User, UserCommand, UserError, UserEvent};
use evident_domain::{ChallengeId, FactorId, Metadata, SessionId, Time, TotpSecret};
use uuid::Uuid;

use crate::support::*;

const CHALLENGE: ChallengeId = ChallengeId(Uuid::from_u128(40));
const HERE: [u8; 4] = [192, 0, 2, 1];
const LIMITS: FactorLimits =
    FactorLimits { enrolled: 3, verified: 2, unverified_for: Duration::from_secs(300) };

fn new_app() -> NewFactor {
    NewFactor::Totp(TotpSecret("SECRET".to_owned()))
}

fn enroll(new: NewFactor, name: &str, aal: AssuranceLevel, now: Time) -> UserCommand {
    let factor = FactorId(Uuid::from_u128(99));
    UserCommand::Factor(FactorCommand::Enroll {
        factor,
        new,
        name: name.to_owned(),
        aal,
        limits: LIMITS,
        now,
    })
}

fn enrolled(factor: FactorId, kind: FactorKind, name: &str) -> UserEvent {
    UserEvent::FactorEnrolled {
        factor,
        kind,
        name: name.to_owned().into(),
        secret: (kind == FactorKind::Totp).then(|| TotpSecret("SECRET".to_owned()).into()),
        phone: (kind == FactorKind::Phone).then(|| phone("15550003333").into()),
        at: at(0),
    }
}

fn app() -> UserEvent {
    enrolled(APP, FactorKind::Totp, "app")
}

fn challenge(factor: FactorId, now: Time, interval: u64) -> UserCommand {
    UserCommand::Factor(FactorCommand::Challenge {
        factor,
        challenge: CHALLENGE,
        session: SESSION,
        ip: Some(IpAddr::from(HERE)),
        code: None,
        now,
        expires_at: now + Duration::from_secs(300),
        min_interval_seconds: interval,
    })
}

fn asked(factor: FactorId, id: ChallengeId) -> UserEvent {
    UserEvent::FactorChallenged {
        factor,
        challenge: id,
        session: SESSION,
        ip: Some(IpAddr::from(HERE).into()),
        code: Some(hash("code")),
        at: at(10),
        expires_at: at(310),
    }
}

fn answer(factor: FactorId, answer: FactorAnswer, now: Time) -> FactorCommand {
    let ip = Some(IpAddr::from(HERE));
    FactorCommand::Answer { factor, challenge: CHALLENGE, session: SESSION, ip, answer, now }
}

fn code_of(step: u64) -> FactorAnswer {
    FactorAnswer::Totp(Some(step))
}

fn shown(factor: FactorId, id: ChallengeId, step: Option<u64>, now: Time) -> UserEvent {
    UserEvent::FactorVerified { factor, challenge: id, session: SESSION, step, authenticator: None, at: now }
}

fn missed(now: Time) -> UserEvent {
    UserEvent::FactorChallengeMissed { factor: APP, challenge: CHALLENGE, at: now }
}

fn removed(factor: FactorId, kind: FactorKind, reason: FactorRemoval) -> UserEvent {
    UserEvent::FactorRemoved { factor, kind, reason }
}

fn remove(aal: Option<AssuranceLevel>) -> UserCommand {
    UserCommand::Factor(FactorCommand::Remove { factor: APP, aal, reason: FactorRemoval::Unenrolled })
}

#[track_caller]
fn refused(given: Vec<UserEvent>, command: impl Into<Box<UserCommand>>, error: FactorError) {
    given_user(given).when(*command.into()).then_expect_error(UserError::Factor(error));
}

#[test]
fn a_factor_is_enrolled_unverified() {
    given_user(vec![signed_up()])
        .when(enroll(new_app(), "app", AssuranceLevel::Aal1, at(0)))
        .then_expect_events(vec![enrolled(FactorId(Uuid::from_u128(99)), FactorKind::Totp, "app")]);
    assert!(!account_after(&[signed_up(), app()]).factors.any_verified());
}

#[test]
fn a_name_is_given_once_and_no_name_often() {
    refused(
        vec![signed_up(), app()],
        enroll(new_app(), "app", AssuranceLevel::Aal1, at(1)),
        FactorError::NameTaken,
    );
    let unnamed = enrolled(APP, FactorKind::Totp, "");
    let fresh = FactorId(Uuid::from_u128(99));
    given_user(vec![signed_up(), unnamed])
        .when(enroll(new_app(), "", AssuranceLevel::Aal1, at(0)))
        .then_expect_events(vec![enrolled(fresh, FactorKind::Totp, "")]);
}

#[test]
fn there_are_never_more_than_allowed() {
    let mut full = vec![signed_up()];
    full.extend((0..3).map(|n| enrolled(FactorId(Uuid::from_u128(50 + n)), FactorKind::Totp, "")));
    refused(full, enroll(new_app(), "x", AssuranceLevel::Aal1, at(1)), FactorError::TooMany);
    let mut verified = vec![signed_up()];
    for n in 0..2 {
        let factor = FactorId(Uuid::from_u128(50 + n));
        verified.extend([
            enrolled(factor, FactorKind::Totp, ""),
            asked(factor, CHALLENGE),
            shown(factor, CHALLENGE, Some(7), at(11)),
        ]);
    }
    refused(verified, enroll(new_app(), "x", AssuranceLevel::Aal2, at(1)), FactorError::TooMany);
}

#[test]
fn who_has_a_factor_shows_it_before_a_further_one_is_enrolled() {
    let given = vec![signed_up(), app(), asked(APP, CHALLENGE), shown(APP, CHALLENGE, Some(7), at(11))];
    let command = enroll(new_app(), "second", AssuranceLevel::Aal1, at(20));
    refused(given, command, FactorError::InsufficientAal);
}

#[test]
fn one_that_was_never_asked_goes_after_its_time() {
    let fresh = FactorId(Uuid::from_u128(99));
    let mut anew = enrolled(fresh, FactorKind::Totp, "app");
    if let UserEvent::FactorEnrolled { at: when, .. } = &mut anew {
        *when = at(300);
    }
    let command = || enroll(new_app(), "app", AssuranceLevel::Aal1, at(300));
    given_user(vec![signed_up(), app()])
        .when(command())
        .then_expect_events(vec![removed(APP, FactorKind::Totp, FactorRemoval::Expired), anew]);
    refused(vec![signed_up(), app(), asked(APP, CHALLENGE)], command(), FactorError::NameTaken);
}

#[test]
fn a_number_is_one_factor() {
    let text = enrolled(OTHER_FACTOR, FactorKind::Phone, "text");
    let fresh = FactorId(Uuid::from_u128(99));
    let again = || enroll(NewFactor::Phone(phone("15550003333")), "text", AssuranceLevel::Aal2, at(0));
    given_user(vec![signed_up(), text.clone()]).when(again()).then_expect_events(vec![
        removed(OTHER_FACTOR, FactorKind::Phone, FactorRemoval::EnrolledAnew),
        enrolled(fresh, FactorKind::Phone, "text"),
    ]);
    let verified = shown(OTHER_FACTOR, CHALLENGE, None, at(11));
    let given = vec![signed_up(), text, asked(OTHER_FACTOR, CHALLENGE), verified];
    refused(given, again(), FactorError::PhoneVerified);
}

#[test]
fn codes_are_not_sent_faster_than_allowed() {
    let given = vec![signed_up(), app(), asked(APP, CHALLENGE)];
    refused(given.clone(), challenge(APP, at(20), 60), FactorError::TooSoon { seconds: 50 });
    let account = account_after(&given);
    let command = challenge(APP, at(70), 60);
    assert_eq!(User::Active(Box::new(account)).decide(command).unwrap().len(), 1);
    refused(given, challenge(OTHER_FACTOR, at(70), 60), FactorError::NotFound);
}

#[test]
fn a_good_code_closes_the_challenge_and_sweeps_the_unverified_of_its_kind() {
    let other = enrolled(OTHER_FACTOR, FactorKind::Totp, "other");
    let text = enrolled(FactorId(Uuid::from_u128(60)), FactorKind::Phone, "text");
    given_user(vec![signed_up(), app(), other, text, asked(APP, CHALLENGE)])
        .when(UserCommand::Factor(answer(APP, code_of(7), at(20))))
        .then_expect_events(vec![
            shown(APP, CHALLENGE, Some(7), at(20)),
            removed(OTHER_FACTOR, FactorKind::Totp, FactorRemoval::AnotherVerified),
        ]);
}

#[test]
fn a_challenge_is_answered_rightly_once() {
    let given = vec![signed_up(), app(), asked(APP, CHALLENGE), shown(APP, CHALLENGE, Some(7), at(20))];
    let again = UserCommand::Factor(answer(APP, code_of(8), at(30)));
    refused(given, again, FactorError::ChallengeMismatch);
}

#[test]
fn a_code_is_taken_once_also_for_another_challenge_and_so_are_older_ones() {
    let earlier = ChallengeId(Uuid::from_u128(41));
    let verified = shown(APP, earlier, Some(7), at(20));
    for step in [5, 6, 7] {
        given_user(vec![signed_up(), app(), asked(APP, earlier), verified.clone(), asked(APP, CHALLENGE)])
            .when(UserCommand::Factor(answer(APP, code_of(step), at(30))))
            .then_expect_events(vec![missed(at(30))]);
    }
    given_user(vec![signed_up(), app(), asked(APP, earlier), verified, asked(APP, CHALLENGE)])
        .when(UserCommand::Factor(answer(APP, code_of(8), at(30))))
        .then_expect_events(vec![shown(APP, CHALLENGE, Some(8), at(30))]);
}

#[test]
fn an_answer_comes_from_where_it_was_asked_and_in_time() {
    let given = vec![signed_up(), app(), asked(APP, CHALLENGE)];
    let good = || answer(APP, code_of(7), at(20));
    let mut elsewhere = good();
    if let FactorCommand::Answer { ip, .. } = &mut elsewhere {
        *ip = Some(IpAddr::from([198, 51, 100, 1]));
    }
    refused(given.clone(), UserCommand::Factor(elsewhere), FactorError::ChallengeMismatch);
    let mut other_session = good();
    if let FactorCommand::Answer { session, .. } = &mut other_session {
        *session = SessionId(Uuid::from_u128(31));
    }
    refused(given.clone(), UserCommand::Factor(other_session), FactorError::ChallengeMismatch);
    let late = UserCommand::Factor(answer(APP, code_of(7), at(310)));
    refused(given.clone(), late, FactorError::ChallengeExpired);
    let other_factor = enrolled(OTHER_FACTOR, FactorKind::Totp, "other");
    let crossed = UserCommand::Factor(answer(OTHER_FACTOR, code_of(7), at(20)));
    refused([given, vec![other_factor]].concat(), crossed, FactorError::ChallengeNotFound);
}

#[test]
fn wrong_answers_are_counted_for_the_account_and_then_have_to_wait() {
    let mut given = vec![signed_up(), app(), asked(APP, CHALLENGE)];
    for n in 0..FREE_MISSES {
        let wrong = UserCommand::Factor(answer(APP, FactorAnswer::Totp(None), at(20 + i64::from(n))));
        given_user(given.clone()).when(wrong).then_expect_events(vec![missed(at(20 + i64::from(n)))]);
        given.push(missed(at(20 + i64::from(n))));
    }
    let right = |seconds| UserCommand::Factor(answer(APP, code_of(7), at(seconds)));
    refused(given.clone(), right(30), FactorError::Locked { seconds: 54 });
    refused(given.clone(), challenge(APP, at(30), 0), FactorError::Locked { seconds: 54 });
    given_user(given.clone()).when(right(84)).then_expect_events(vec![shown(
        APP,
        CHALLENGE,
        Some(7),
        at(84),
    )]);
    given.push(missed(at(84)));
    refused(given.clone(), right(90), FactorError::Locked { seconds: 114 });
    given.extend((0..30).map(|_| missed(at(100))));
    refused(given.clone(), right(100), FactorError::Locked { seconds: 900 });
    given.push(shown(APP, CHALLENGE, Some(7), at(200)));
    assert_eq!(account_after(&given).factors.wait_seconds(at(200)), None);
}

#[test]
fn a_code_by_text_is_compared_with_the_one_that_was_sent() {
    let text = enrolled(OTHER_FACTOR, FactorKind::Phone, "text");
    let given = vec![signed_up(), text, asked(OTHER_FACTOR, CHALLENGE)];
    let tries =
        |code: &str| UserCommand::Factor(answer(OTHER_FACTOR, FactorAnswer::Code(hash(code)), at(20)));
    let miss = UserEvent::FactorChallengeMissed { factor: OTHER_FACTOR, challenge: CHALLENGE, at: at(20) };
    given_user(given.clone()).when(tries("wrong")).then_expect_events(vec![miss]);
    let verified = shown(OTHER_FACTOR, CHALLENGE, None, at(20));
    given_user(given.clone()).when(tries("code")).then_expect_events(vec![verified]);
    let of_an_app = UserCommand::Factor(answer(OTHER_FACTOR, code_of(7), at(20)));
    refused(given, of_an_app, FactorError::WrongKind);
}

#[test]
fn another_number_voids_what_is_on_its_way_to_the_old_one() {
    let text = enrolled(OTHER_FACTOR, FactorKind::Phone, "text");
    let changed = UserEvent::FactorPhoneChanged { factor: OTHER_FACTOR, phone: phone("15550004444").into() };
    let given = vec![signed_up(), text, asked(OTHER_FACTOR, CHALLENGE)];
    let factor = OTHER_FACTOR;
    given_user(given.clone())
        .when(UserCommand::Factor(FactorCommand::ChangePhone { factor, phone: phone("15550004444") }))
        .then_expect_events(vec![changed.clone()]);
    let tries = UserCommand::Factor(answer(OTHER_FACTOR, FactorAnswer::Code(hash("code")), at(20)));
    refused([given, vec![changed]].concat(), tries, FactorError::ChallengeNotFound);
}

#[test]
fn an_authenticator_gets_its_key_with_the_first_answer_and_another_counter_with_each() {
    let key = |count: u64| Authenticator {
        credential_id: "key".to_owned(),
        aaguid: Uuid::nil(),
        key: Metadata::default().with("counter", count),
    };
    let with_key = |count| UserEvent::FactorVerified {
        factor: APP,
        challenge: CHALLENGE,
        session: SESSION,
        step: None,
        authenticator: Some(key(count).into()),
        at: at(20),
    };
    let given = vec![signed_up(), enrolled(APP, FactorKind::Webauthn, "key"), asked(APP, CHALLENGE)];
    given_user(given.clone())
        .when(UserCommand::Factor(answer(APP, FactorAnswer::Webauthn(Some(key(1))), at(20))))
        .then_expect_events(vec![with_key(1)]);
    given_user(given.clone())
        .when(UserCommand::Factor(answer(APP, FactorAnswer::Webauthn(None), at(20))))
        .then_expect_events(vec![missed(at(20))]);
    let account = account_after(&[given, vec![with_key(1), with_key(2)]].concat());
    assert_eq!(account.factors.get(APP).unwrap().authenticator, Some(key(2)));
}

#[test]
fn a_verified_factor_is_removed_by_a_session_that_has_shown_one_or_by_an_administrator() {
    let given = vec![signed_up(), app(), asked(APP, CHALLENGE), shown(APP, CHALLENGE, Some(7), at(11))];
    refused(given.clone(), remove(Some(AssuranceLevel::Aal1)), FactorError::InsufficientAal);
    for aal in [Some(AssuranceLevel::Aal2), None] {
        given_user(given.clone()).when(remove(aal)).then_expect_events(vec![removed(
            APP,
            FactorKind::Totp,
            FactorRemoval::Unenrolled,
        )]);
    }
    given_user(vec![signed_up(), app()])
        .when(remove(Some(AssuranceLevel::Aal1)))
        .then_expect_events(vec![removed(APP, FactorKind::Totp, FactorRemoval::Unenrolled)]);
    let gone = removed(APP, FactorKind::Totp, FactorRemoval::Unenrolled);
    refused([given, vec![gone]].concat(), remove(None), FactorError::NotFound);
}

#[test]
fn a_name_may_change_to_one_that_is_free() {
    let other = enrolled(OTHER_FACTOR, FactorKind::Totp, "other");
    let rename =
        |name: &str| UserCommand::Factor(FactorCommand::Rename { factor: APP, name: name.to_owned() });
    let given = vec![signed_up(), app(), other];
    refused(given.clone(), rename("other"), FactorError::NameTaken);
    given_user(given.clone()).when(rename("app")).then_expect_events(vec![]);
    let renamed = UserEvent::FactorRenamed { factor: APP, name: "old phone".to_owned().into() };
    given_user(given).when(rename("old phone")).then_expect_events(vec![renamed]);
}

#[test]
fn challenges_are_remembered_up_to_a_bound() {
    let mut events = vec![signed_up(), app()];
    for n in 0..100 {
        events.push(asked(APP, ChallengeId(Uuid::from_u128(100 + n))));
    }
    let challenges = account_after(&events).factors.challenges;
    assert_eq!(challenges.len(), MAX_CHALLENGES);
    assert_eq!(challenges.last().unwrap().id, ChallengeId(Uuid::from_u128(199)));
}

//! Second steps of sign-ins: codes of apps, mailed codes, backup codes, trusted devices.

use chrono::TimeDelta;
use evident_domain::user::factor::{FactorError, FactorKind, FactorRemoval};
use evident_domain::user::two_factor::{
    MAX_DEVICES, SecondAnswer, SecondStepMethod, StepKey, StepPolicy, TwoFactorCommand,
};
use evident_domain::user::{UserCommand, UserError, UserEvent};
use evident_domain::{ChallengeId, FactorId, Time, TokenHash, TotpSecret};
use uuid::Uuid;

use crate::support::*;

const STEP: ChallengeId = ChallengeId(Uuid::from_u128(70));
const POLICY: StepPolicy = StepPolicy { attempts: 5, lock_after: 10, lock_for: TimeDelta::seconds(900) };

fn enrolled(factor: FactorId) -> UserEvent {
    UserEvent::FactorEnrolled {
        factor,
        kind: FactorKind::Totp,
        name: String::new().into(),
        secret: Some(TotpSecret("SECRET".to_owned()).into()),
        phone: None,
        at: at(0),
    }
}

fn shown(factor: FactorId, challenge: ChallengeId, step: u64, now: Time) -> UserEvent {
    UserEvent::FactorVerified {
        factor,
        challenge,
        session: SESSION,
        step: Some(step),
        authenticator: None,
        at: now,
    }
}

fn codes() -> UserEvent {
    UserEvent::BackupCodesIssued { codes: vec![hash("one"), hash("two")] }
}

fn begun(step: ChallengeId, seconds: i64) -> UserEvent {
    UserEvent::SecondStepBegun { step, at: at(seconds), expires_at: at(seconds + 600) }
}

fn sent(seconds: i64) -> UserEvent {
    UserEvent::SecondStepCodeSent {
        step: STEP,
        of_sign_in: true,
        code: hash("mailed"),
        at: at(seconds),
        expires_at: at(seconds + 180),
    }
}

fn missed(method: SecondStepMethod) -> UserEvent {
    UserEvent::SecondStepMissed { step: STEP, method, at: at(20) }
}

fn taken(step: ChallengeId, method: SecondStepMethod, backup_code: Option<TokenHash>) -> UserEvent {
    UserEvent::SecondStepTaken { step, session: SESSION, method, backup_code, at: at(20) }
}

fn exhausted(method: SecondStepMethod) -> UserEvent {
    UserEvent::SecondStepExhausted { step: STEP, method, at: at(20) }
}

/// Ann has an app that showed a code, backup codes, and a sign-in that waits.
fn waiting() -> Vec<UserEvent> {
    vec![signed_up(), enrolled(APP), codes(), shown(APP, ChallengeId(SESSION.0), 5, at(1)), begun(STEP, 10)]
}

fn take(answer: SecondAnswer) -> UserCommand {
    take_at(StepKey::SignIn(STEP), answer, 20)
}

fn take_at(key: StepKey, answer: SecondAnswer, seconds: i64) -> UserCommand {
    let now = at(seconds);
    let take = TwoFactorCommand::Take { key, answer, session: SESSION, policy: POLICY, now };
    UserCommand::TwoFactor(take)
}

fn app_code(step: u64) -> SecondAnswer {
    SecondAnswer::Totp(vec![(APP, step)])
}

fn refused(error: FactorError) -> UserError {
    UserError::Factor(error)
}

#[test]
fn a_new_app_comes_with_backup_codes_and_replaces_one_that_never_showed_a_code() {
    let enroll = |factor| {
        UserCommand::TwoFactor(TwoFactorCommand::EnrollApp {
            factor,
            secret: TotpSecret("SECRET".to_owned()),
            backup_codes: vec![hash("one"), hash("two")],
            now: at(0),
        })
    };
    given_user(vec![signed_up()]).when(enroll(APP)).then_expect_events(vec![enrolled(APP), codes()]);
    let before =
        UserEvent::FactorRemoved { factor: APP, kind: FactorKind::Totp, reason: FactorRemoval::EnrolledAnew };
    given_user(vec![signed_up(), enrolled(APP), codes()])
        .when(enroll(OTHER_FACTOR))
        .then_expect_events(vec![before, enrolled(OTHER_FACTOR), codes()]);
    given_user(waiting()).when(enroll(OTHER_FACTOR)).then_expect_error(refused(FactorError::AlreadyEnabled));
}

#[test]
fn an_app_counts_once_somebody_who_is_signed_in_showed_its_code() {
    let events = vec![signed_up(), enrolled(APP), codes()];
    assert!(!account_after(&events).asks_for_second_step());
    let key = StepKey::Session(SESSION);
    let all = vec![taken(key.id(), SecondStepMethod::Totp, None), shown(APP, key.id(), 9, at(20))];
    given_user(events.clone()).when(take_at(key, app_code(9), 20)).then_expect_events(all.clone());
    assert!(account_after(&[events, all].concat()).asks_for_second_step());
}

#[test]
fn the_same_code_of_an_app_opens_one_session() {
    let first = vec![taken(STEP, SecondStepMethod::Totp, None), shown(APP, STEP, 9, at(20))];
    given_user(waiting()).when(take(app_code(9))).then_expect_events(first.clone());
    let other = ChallengeId(Uuid::from_u128(71));
    let again = [waiting(), vec![begun(other, 10)], first].concat();
    given_user(again.clone()).when(take(app_code(10))).then_expect_error(refused(FactorError::StepNotFound));
    given_user(again).when(take_at(StepKey::SignIn(other), app_code(9), 20)).then_expect_events(vec![
        UserEvent::SecondStepMissed { step: other, method: SecondStepMethod::Totp, at: at(20) },
    ]);
}

#[test]
fn a_sign_in_waits_for_its_time_only() {
    given_user(waiting())
        .when(take_at(StepKey::SignIn(STEP), app_code(9), 610))
        .then_expect_error(refused(FactorError::StepNotFound));
}

#[test]
fn a_sign_in_is_over_after_five_wrong_answers() {
    let method = SecondStepMethod::Totp;
    given_user(waiting()).when(take(SecondAnswer::Totp(vec![]))).then_expect_events(vec![missed(method)]);
    let guessed = [waiting(), vec![missed(method); 5]].concat();
    given_user(guessed.clone()).when(take(app_code(9))).then_expect_events(vec![exhausted(method)]);
    given_user([guessed, vec![exhausted(method)]].concat())
        .when(take(app_code(9)))
        .then_expect_error(refused(FactorError::StepNotFound));
}

#[test]
fn a_mailed_code_is_good_once_and_void_after_five_wrong_ones() {
    let method = SecondStepMethod::MailedCode;
    let right = || SecondAnswer::Mailed(hash("mailed"));
    given_user(waiting()).when(take(right())).then_expect_error(refused(FactorError::CodeNotSent));
    let mailed = [waiting(), vec![sent(11)]].concat();
    given_user(mailed.clone()).when(take(right())).then_expect_events(vec![taken(STEP, method, None)]);
    given_user(mailed.clone())
        .when(take_at(StepKey::SignIn(STEP), right(), 191))
        .then_expect_error(refused(FactorError::CodeNotSent));
    let guessed = [mailed, vec![missed(method); 5]].concat();
    given_user(guessed.clone()).when(take(right())).then_expect_events(vec![exhausted(method)]);
    given_user([guessed, vec![exhausted(method)]].concat())
        .when(take(right()))
        .then_expect_error(refused(FactorError::CodeNotSent));
}

#[test]
fn so_many_codes_are_mailed_within_an_hour() {
    let mail = |seconds| {
        UserCommand::TwoFactor(TwoFactorCommand::MailCode {
            key: StepKey::SignIn(STEP),
            code: hash("mailed"),
            now: at(seconds),
            expires_at: at(seconds + 180),
            most_per_hour: 2,
        })
    };
    given_user(waiting()).when(mail(11)).then_expect_events(vec![sent(11)]);
    given_user([waiting(), vec![sent(11), sent(12)]].concat())
        .when(mail(13))
        .then_expect_error(refused(FactorError::TooSoon { seconds: 3_598 }));
}

#[test]
fn a_backup_code_is_good_once() {
    let method = SecondStepMethod::BackupCode;
    let used = taken(STEP, method, Some(hash("one")));
    let answer = || SecondAnswer::Backup(hash("one"));
    given_user(waiting()).when(take(answer())).then_expect_events(vec![used.clone()]);
    given_user([waiting(), vec![used, begun(STEP, 15)]].concat())
        .when(take(answer()))
        .then_expect_events(vec![missed(method)]);
}

#[test]
fn ten_wrong_answers_in_a_row_lock_the_account_over_all_sign_ins() {
    let mut events = waiting();
    for n in 0..10 {
        if n % 5 == 0 {
            events.push(begun(STEP, 10));
        }
        events.push(missed(SecondStepMethod::Totp));
    }
    events.push(begun(STEP, 20));
    given_user(events.clone())
        .when(take_at(StepKey::SignIn(STEP), app_code(9), 21))
        .then_expect_error(refused(FactorError::Locked { seconds: 899 }));
    events.push(begun(STEP, 900));
    let unlocked = take_at(StepKey::SignIn(STEP), app_code(9), 921);
    given_user(events).when(unlocked).inspect_result().unwrap();
}

#[test]
fn a_new_password_ends_trust_and_sign_ins_that_wait() {
    let trusted = UserEvent::DeviceTrusted {
        device: hash("device"),
        instead_of: None,
        at: at(12),
        expires_at: at(5_000),
    };
    let events = [waiting(), vec![trusted]].concat();
    assert!(account_after(&events).two_factor.trusts(&hash("device"), at(100)));
    assert!(!account_after(&events).two_factor.trusts(&hash("device"), at(5_000)));
    let changed = UserEvent::PasswordChanged { password: password("other").into() };
    let after = account_after(&[events.clone(), vec![changed]].concat());
    assert!(!after.two_factor.trusts(&hash("device"), at(100)));
    assert!(after.two_factor.waiting(STEP, at(100)).is_none());
    let disabled = account_after(&[events, vec![UserEvent::TwoFactorDisabled {}]].concat());
    assert!(disabled.two_factor.devices.is_empty() && disabled.two_factor.backup_codes.is_empty());
}

#[test]
fn what_a_device_showed_before_is_void_and_only_so_many_are_trusted() {
    let mut events = waiting();
    for n in 0..20 {
        events.push(UserEvent::DeviceTrusted {
            device: hash(&format!("device {n}")),
            instead_of: (n == 19).then(|| hash("device 18")),
            at: at(12),
            expires_at: at(5_000),
        });
    }
    let account = account_after(&events);
    assert!(!account.two_factor.trusts(&hash("device 18"), at(13)));
    assert!(account.two_factor.trusts(&hash("device 19"), at(13)));
    assert!(account.two_factor.devices.len() <= MAX_DEVICES);
}

#[test]
fn disabling_takes_every_factor() {
    let gone =
        UserEvent::FactorRemoved { factor: APP, kind: FactorKind::Totp, reason: FactorRemoval::Unenrolled };
    given_user(waiting())
        .when(UserCommand::TwoFactor(TwoFactorCommand::Disable))
        .then_expect_events(vec![gone, UserEvent::TwoFactorDisabled {}]);
}

#[test]
fn codes_by_mail_are_a_factor_once_one_was_shown() {
    let key = StepKey::Session(SESSION);
    let sent = UserEvent::SecondStepCodeSent {
        step: key.id(),
        of_sign_in: false,
        code: hash("mailed"),
        at: at(10),
        expires_at: at(190),
    };
    given_user(vec![signed_up(), sent])
        .when(take_at(key, SecondAnswer::Mailed(hash("mailed")), 20))
        .then_expect_events(vec![
            taken(key.id(), SecondStepMethod::MailedCode, None),
            UserEvent::MailFactorEnabled {},
        ]);
}

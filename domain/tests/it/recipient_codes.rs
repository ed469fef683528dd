//! Codes that went to an address, whoever has it.

use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use evident_domain::recipient::{
    AskedTooSoon, CodeAnswer, CodePurpose, MAX_CODE_MISSES_A_DAY, Recipient, RecipientCommand, RecipientEvent,
};
use evident_domain::root::Root;

use crate::support::*;

const PURPOSE: CodePurpose = CodePurpose::SignIn;

fn given(events: Vec<RecipientEvent>) -> AggregateTestExecutor<Recipient> {
    TestFramework::with(()).given(events)
}

fn issued(seconds: i64) -> RecipientEvent {
    RecipientEvent::CodeIssued {
        purpose: PURPOSE,
        code: hash("code"),
        at: at(seconds),
        expires_at: at(seconds + 300),
    }
}

fn attempt(code: &str, consume: bool, seconds: i64) -> RecipientCommand {
    RecipientCommand::TryCode { purpose: PURPOSE, code: hash(code), attempts: 3, consume, now: at(seconds) }
}

const MISSED: RecipientEvent = RecipientEvent::CodeMissed { purpose: PURPOSE };
const REDEEMED: RecipientEvent = RecipientEvent::CodeRedeemed { purpose: PURPOSE };
const EXHAUSTED: RecipientEvent = RecipientEvent::CodeExhausted { purpose: PURPOSE };

fn answer(events: &[RecipientEvent], code: &str, seconds: i64) -> CodeAnswer {
    let mut recipient = Recipient::default();
    for event in events {
        recipient.fold(event);
    }
    recipient.answer(PURPOSE, &hash(code), 3, at(seconds))
}

#[test]
fn a_code_is_good_once_and_may_be_looked_at_before() {
    given(vec![issued(0)]).when(attempt("code", false, 10)).then_expect_events(vec![]);
    assert_eq!(answer(&[issued(0)], "code", 10), CodeAnswer::Right);
    given(vec![issued(0)]).when(attempt("code", true, 10)).then_expect_events(vec![REDEEMED]);
    given(vec![issued(0), REDEEMED]).when(attempt("code", true, 11)).then_expect_events(vec![]);
    assert_eq!(answer(&[issued(0), REDEEMED], "code", 11), CodeAnswer::Absent);
}

#[test]
fn a_code_is_good_for_its_time_and_its_purpose() {
    assert_eq!(answer(&[issued(0)], "code", 300), CodeAnswer::Expired);
    let mut recipient = Recipient::default();
    recipient.fold(&issued(0));
    let reset = recipient.answer(CodePurpose::PasswordReset, &hash("code"), 3, at(1));
    assert_eq!(reset, CodeAnswer::Absent);
}

#[test]
fn after_three_wrong_codes_the_right_one_is_refused_and_gone() {
    given(vec![issued(0)]).when(attempt("wrong", true, 1)).then_expect_events(vec![MISSED]);
    let guessed = vec![issued(0), MISSED, MISSED, MISSED];
    given(guessed.clone()).when(attempt("code", true, 2)).then_expect_events(vec![EXHAUSTED]);
    let over = [guessed, vec![EXHAUSTED]].concat();
    assert_eq!(answer(&over, "code", 3), CodeAnswer::Absent);
}

#[test]
fn so_many_codes_are_made_within_an_hour() {
    let issue = |seconds| RecipientCommand::IssueCode {
        purpose: PURPOSE,
        code: hash("code"),
        now: at(seconds),
        expires_at: at(seconds + 300),
        most_per_hour: 2,
    };
    given(vec![issued(0)]).when(issue(10)).then_expect_events(vec![issued(10)]);
    let two = vec![issued(0), issued(10)];
    given(two.clone()).when(issue(20)).then_expect_error(AskedTooSoon { seconds: 3_580 });
    given(two).when(issue(3_600)).then_expect_events(vec![issued(3_600)]);
}

#[test]
fn fresh_codes_give_only_so_many_guesses_a_day() {
    let mut events = Vec::new();
    for round in 0..i64::from(MAX_CODE_MISSES_A_DAY) {
        events.extend([issued(round * 60), MISSED]);
    }
    events.push(issued(4_000));
    assert_eq!(answer(&events, "code", 4_001), CodeAnswer::Absent);
    events.push(issued(86_400));
    assert_eq!(answer(&events, "code", 86_401), CodeAnswer::Right);
}

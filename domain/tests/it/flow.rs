//! Flows: a code is redeemed once, in time, by whoever can show the verifier.

use cqrs_es::test::TestFramework;
use evident_domain::flow::{
    ChallengeError, CodeChallenge, Flow, FlowCommand, FlowError, FlowEvent, FlowPurpose, ProviderTokens,
    Start,
};
use evident_domain::{Root, UserId};

use crate::support::*;

/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn started(challenge: Option<CodeChallenge>) -> FlowEvent {
    FlowEvent::Started {
        purpose: FlowPurpose::MagicLink,
        provider: None,
        challenge,
        redirect_to: "https://app.example.com".to_owned().into(),
        linking: None,
        session: None,
        kept: None,
        started_at: at(0),
        expires_at: at(300),
    }
}

fn pkce() -> CodeChallenge {
    CodeChallenge::parse(CHALLENGE, "S256").unwrap()
}

fn authenticated(user: UserId) -> FlowEvent {
    FlowEvent::Authenticated {
        user,
        credentials: 0,
        method: "magiclink".to_owned(),
        tokens: None,
        at: at(200),
        code_expires_at: at(500),
    }
}

fn authenticate(now: i64) -> FlowCommand {
    FlowCommand::Authenticate {
        user: ANN,
        credentials: 0,
        method: "magiclink".to_owned(),
        tokens: None,
        now: at(now),
        code_expires_at: at(now + 300),
    }
}

fn redeem(verifier: &str, now: i64) -> FlowCommand {
    FlowCommand::Redeem { verifier: verifier.to_owned(), now: at(now) }
}

fn given(events: Vec<FlowEvent>) -> cqrs_es::test::AggregateTestExecutor<Flow> {
    TestFramework::with(()).given(events)
}

#[test]
fn a_flow_starts_once() {
    let start = || {
        FlowCommand::Start(Start {
            purpose: FlowPurpose::MagicLink,
            provider: None,
            challenge: Some(pkce()),
            redirect_to: "https://app.example.com".to_owned(),
            linking: None,
            session: None,
            kept: None,
            now: at(0),
            expires_at: at(300),
        })
    };
    given(vec![]).when(start()).then_expect_events(vec![started(Some(pkce()))]);
    given(vec![started(Some(pkce()))]).when(start()).then_expect_error(FlowError::AlreadyStarted);
}

#[test]
fn whoever_comes_back_in_time_is_authenticated() {
    given(vec![started(Some(pkce()))]).when(authenticate(200)).then_expect_events(vec![authenticated(ANN)]);
    given(vec![started(Some(pkce()))]).when(authenticate(300)).then_expect_error(FlowError::Expired);
    given(vec![]).when(authenticate(200)).then_expect_error(FlowError::NotFound);
}

#[test]
fn a_flow_is_authenticated_once() {
    let events = vec![started(Some(pkce())), authenticated(ANN)];
    given(events).when(authenticate(210)).then_expect_error(FlowError::NotFound);
}

#[test]
fn the_code_is_redeemed_with_the_verifier_and_counts_from_its_own_making() {
    let events = || vec![started(Some(pkce())), authenticated(ANN)];
    let redeemed = |now| vec![FlowEvent::Redeemed { user: ANN, at: at(now) }];
    given(events()).when(redeem(VERIFIER, 499)).then_expect_events(redeemed(499));
    given(events()).when(redeem(VERIFIER, 500)).then_expect_error(FlowError::Expired);
}

#[test]
fn another_verifier_is_refused_and_spoils_nothing() {
    let events = vec![started(Some(pkce())), authenticated(ANN)];
    given(events).when(redeem(CHALLENGE, 210)).then_expect_error(FlowError::WrongVerifier);
}

#[test]
fn a_code_is_redeemed_once_and_not_before_its_time() {
    let over =
        vec![started(Some(pkce())), authenticated(ANN), FlowEvent::Redeemed { user: ANN, at: at(210) }];
    given(over).when(redeem(VERIFIER, 211)).then_expect_error(FlowError::NotFound);
    given(vec![started(Some(pkce()))]).when(redeem(VERIFIER, 10)).then_expect_error(FlowError::NotFound);
}

#[test]
fn without_a_challenge_there_is_no_code() {
    let events = vec![started(None), authenticated(ANN)];
    given(events).when(redeem(VERIFIER, 210)).then_expect_error(FlowError::NotFound);
}

#[test]
fn a_plain_challenge_is_its_verifier() {
    let plain = CodeChallenge::parse(VERIFIER, "plain").unwrap();
    assert!(plain.is_met_by(VERIFIER));
    assert!(!plain.is_met_by(CHALLENGE));
}

#[test]
fn what_is_no_challenge_does_not_read() {
    let parse = |value: &str, method| CodeChallenge::parse(value, method).unwrap_err();
    assert_eq!(parse(&"a".repeat(42), "s256"), ChallengeError::Length);
    assert_eq!(parse(&"a".repeat(129), "s256"), ChallengeError::Length);
    assert_eq!(parse(&"+".repeat(43), "s256"), ChallengeError::Characters);
    assert_eq!(parse(CHALLENGE, "s512"), ChallengeError::Method);
}

#[test]
fn tokens_of_a_provider_are_not_shown() {
    let tokens = ProviderTokens { access_token: "secret".to_owned(), refresh_token: None };
    assert!(!format!("{tokens:?}").contains("secret"));
}

#[test]
fn a_passkey_answers_a_question_once_well_or_not() {
    let answer = |accepted| FlowCommand::Answer { user: Some(ANN), accepted, now: at(0) };
    for accepted in [true, false] {
        let answered = FlowEvent::Answered { user: Some(ANN), accepted, at: at(0) };
        assert_eq!(Flow::default().decide(answer(accepted)).unwrap(), std::slice::from_ref(&answered));
        let mut flow = Flow::default();
        flow.fold(&answered);
        assert_eq!(flow.decide(answer(true)), Err(FlowError::NotFound));
    }
}

#[test]
fn whoever_comes_back_from_a_provider_does_so_once_and_in_time() {
    let returned = |now| FlowEvent::Returned { at: at(now) };
    let back = |now| FlowCommand::Return { now: at(now) };
    given(vec![started(None)]).when(back(10)).then_expect_events(vec![returned(10)]);
    given(vec![started(None), returned(10)]).when(back(11)).then_expect_error(FlowError::AlreadyUsed);
    given(vec![started(None)]).when(back(300)).then_expect_error(FlowError::Expired);
    given(vec![]).when(back(10)).then_expect_error(FlowError::NotFound);
    let over = vec![started(Some(pkce())), returned(10), authenticated(ANN)];
    given(over).when(back(20)).then_expect_error(FlowError::AlreadyUsed);
}

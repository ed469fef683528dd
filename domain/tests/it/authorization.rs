//! OAuth authorizations: one user decides, once; a code is redeemed once, by the client that asked.

use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use evident_domain::authorization::{
    Authorization, AuthorizationCommand, AuthorizationError, AuthorizationEvent, Request,
};
use evident_domain::client::RedirectUri;
use evident_domain::flow::CodeChallenge;
use evident_domain::{ClientId, Root as _, Scopes, SessionId, Subject, UserId};
use uuid::Uuid;

use crate::support::*;

/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://photos.example.com/cb";
const BOOK: ClientId = ClientId(Uuid::from_u128(30));
const OTHER_CLIENT: ClientId = ClientId(Uuid::from_u128(31));
const BOB: UserId = UserId(Uuid::from_u128(2));
const SESSION: SessionId = SessionId(Uuid::from_u128(40));

fn given(events: Vec<AuthorizationEvent>) -> AggregateTestExecutor<Authorization> {
    TestFramework::with(()).given(events)
}

fn requested() -> AuthorizationEvent {
    AuthorizationEvent::Requested {
        client: BOOK,
        redirect_uri: RedirectUri::parse(CALLBACK).unwrap(),
        scopes: Scopes::parse("openid email").unwrap(),
        state: Some("st-1".to_owned().into()),
        nonce: None,
        resource: None,
        challenge: CodeChallenge::parse(CHALLENGE, "S256").unwrap(),
        requested_at: at(0),
        expires_at: at(600),
    }
}

fn seen() -> AuthorizationEvent {
    AuthorizationEvent::Seen { user: ANN, at: at(10) }
}

fn approved() -> AuthorizationEvent {
    AuthorizationEvent::Approved {
        user: ANN,
        authenticated_at: at(-60),
        at: at(20),
        code_expires_at: at(320),
    }
}

fn denied() -> AuthorizationEvent {
    AuthorizationEvent::Denied { user: ANN, at: at(20) }
}

fn redeemed(now: i64) -> AuthorizationEvent {
    AuthorizationEvent::CodeRedeemed { user: ANN, session: SESSION, at: at(now) }
}

fn see(user: UserId, now: i64) -> AuthorizationCommand {
    AuthorizationCommand::See { user, now: at(now) }
}

fn approve(user: UserId, now: i64) -> AuthorizationCommand {
    AuthorizationCommand::Approve {
        user,
        authenticated_at: at(-60),
        now: at(now),
        code_expires_at: at(now + 300),
    }
}

fn deny(user: UserId, now: i64) -> AuthorizationCommand {
    AuthorizationCommand::Deny { user, now: at(now) }
}

fn redeem(client: ClientId, redirect_uri: Option<&str>, verifier: &str, now: i64) -> AuthorizationCommand {
    AuthorizationCommand::Redeem {
        client,
        redirect_uri: redirect_uri.map(str::to_owned),
        verifier: verifier.to_owned(),
        session: SESSION,
        now: at(now),
    }
}

#[test]
fn a_request_is_made_once() {
    let request = || {
        AuthorizationCommand::Request(Box::new(Request {
            client: BOOK,
            redirect_uri: RedirectUri::parse(CALLBACK).unwrap(),
            scopes: Scopes::parse("openid email").unwrap(),
            state: Some("st-1".to_owned()),
            nonce: None,
            resource: None,
            challenge: CodeChallenge::parse(CHALLENGE, "S256").unwrap(),
            now: at(0),
            expires_at: at(600),
        }))
    };
    given(vec![]).when(request()).then_expect_events(vec![requested()]);
    given(vec![requested()]).when(request()).then_expect_error(AuthorizationError::AlreadyRequested);
}

#[test]
fn whoever_looks_first_decides() {
    given(vec![requested()]).when(see(ANN, 10)).then_expect_events(vec![seen()]);
    given(vec![requested(), seen()]).when(see(ANN, 11)).then_expect_events(vec![]);
    for command in [see(BOB, 11), approve(BOB, 11), deny(BOB, 11)] {
        given(vec![requested(), seen()]).when(command).then_expect_error(AuthorizationError::NotFound);
    }
}

#[test]
fn nobody_decides_without_having_looked() {
    for command in [approve(ANN, 20), deny(ANN, 20)] {
        given(vec![requested()]).when(command.clone()).then_expect_error(AuthorizationError::NotFound);
        given(vec![]).when(command).then_expect_error(AuthorizationError::NotFound);
    }
}

#[test]
fn a_request_that_took_too_long_is_gone() {
    given(vec![requested()]).when(see(ANN, 600)).then_expect_error(AuthorizationError::NotFound);
    for command in [see(ANN, 600), approve(ANN, 600), deny(ANN, 600)] {
        given(vec![requested(), seen()]).when(command).then_expect_error(AuthorizationError::NotFound);
    }
}

#[test]
fn a_decision_is_made_once() {
    given(vec![requested(), seen()]).when(approve(ANN, 20)).then_expect_events(vec![approved()]);
    given(vec![requested(), seen()]).when(deny(ANN, 20)).then_expect_events(vec![denied()]);
    for decided in [vec![approved()], vec![denied()], vec![approved(), redeemed(30)]] {
        let events = || [vec![requested(), seen()], decided.clone()].concat();
        for command in [see(ANN, 40), approve(ANN, 40), deny(ANN, 40)] {
            given(events()).when(command).then_expect_error(AuthorizationError::Decided);
        }
        given(events()).when(approve(BOB, 40)).then_expect_error(AuthorizationError::NotFound);
    }
}

#[test]
fn the_client_redeems_the_code_with_the_verifier_in_time() {
    let events = || vec![requested(), seen(), approved()];
    given(events()).when(redeem(BOOK, Some(CALLBACK), VERIFIER, 319)).then_expect_events(vec![redeemed(319)]);
    given(events()).when(redeem(BOOK, None, VERIFIER, 30)).then_expect_events(vec![redeemed(30)]);
    for (client, uri, verifier, now, error) in [
        (BOOK, None, VERIFIER, 320, AuthorizationError::NotFound),
        (OTHER_CLIENT, None, VERIFIER, 30, AuthorizationError::NotFound),
        (BOOK, Some("https://photos.example.com/cb/"), VERIFIER, 30, AuthorizationError::WrongRedirectUri),
        (BOOK, None, CHALLENGE, 30, AuthorizationError::WrongVerifier),
        (BOOK, None, "", 30, AuthorizationError::WrongVerifier),
    ] {
        given(events()).when(redeem(client, uri, verifier, now)).then_expect_error(error);
    }
}

#[test]
fn there_is_no_code_before_a_yes_after_a_no_or_a_second_time() {
    for events in [
        vec![],
        vec![requested()],
        vec![requested(), seen()],
        vec![requested(), seen(), denied()],
        vec![requested(), seen(), approved(), redeemed(30)],
    ] {
        given(events).when(redeem(BOOK, None, VERIFIER, 31)).then_expect_error(AuthorizationError::NotFound);
    }
}

fn after(events: &[AuthorizationEvent]) -> Authorization {
    let mut state = Authorization::default();
    for event in events {
        state.fold(event);
    }
    state
}

#[test]
fn a_code_that_comes_back_names_the_session_it_opened_to_its_own_client_alone() {
    let redeemed = after(&[requested(), seen(), approved(), redeemed(30)]);
    assert_eq!(redeemed.session_of_reused_code(BOOK, VERIFIER), Some(SESSION));
    assert_eq!(redeemed.session_of_reused_code(OTHER_CLIENT, VERIFIER), None);
    assert_eq!(redeemed.session_of_reused_code(BOOK, CHALLENGE), None);
    let fresh = after(&[requested(), seen(), approved()]);
    assert_eq!(fresh.session_of_reused_code(BOOK, VERIFIER), None);
}

#[test]
fn what_is_written_once_the_user_is_known_is_the_user_s() {
    let id = Uuid::from_u128(50);
    assert_eq!(after(&[requested()]).subject(id, at(0)), Subject::period_of(at(0)));
    for events in [vec![requested(), seen()], vec![requested(), seen(), denied()]] {
        assert_eq!(after(&events).subject(id, at(0)), Subject::User(ANN));
    }
}

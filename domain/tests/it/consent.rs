//! What users grant to clients.

use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use evident_domain::consent::{Consent, ConsentCommand, ConsentError, ConsentEvent};
use evident_domain::{ClientId, ConsentId, Scopes, UserId};
use uuid::Uuid;

use crate::support::*;

const BOOK: ClientId = ClientId(Uuid::from_u128(30));

fn given(events: Vec<ConsentEvent>) -> AggregateTestExecutor<Consent> {
    TestFramework::with(()).given(events)
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

fn granted(text: &str, now: i64) -> ConsentEvent {
    ConsentEvent::Given { user: ANN, client: BOOK, scopes: scopes(text), given_at: at(now) }
}

fn give(text: &str) -> ConsentCommand {
    ConsentCommand::Give { user: ANN, client: BOOK, scopes: scopes(text), now: at(1) }
}

fn revoked() -> ConsentEvent {
    ConsentEvent::Revoked { user: ANN, client: BOOK }
}

#[test]
fn what_is_granted_adds_up() {
    given(vec![]).when(give("email")).then_expect_events(vec![granted("email", 1)]);
    given(vec![granted("email", 0)]).when(give("email")).then_expect_events(vec![]);
    given(vec![granted("email", 0)])
        .when(give("openid"))
        .then_expect_events(vec![granted("email openid", 1)]);
}

#[test]
fn what_is_taken_back_is_gone_until_it_is_granted_again() {
    given(vec![granted("email", 0)]).when(ConsentCommand::Revoke).then_expect_events(vec![revoked()]);
    given(vec![granted("email", 0), revoked()])
        .when(ConsentCommand::Revoke)
        .then_expect_error(ConsentError::NotGiven);
    given(vec![]).when(ConsentCommand::Revoke).then_expect_error(ConsentError::NotGiven);
    given(vec![granted("openid email", 0), revoked()])
        .when(give("email"))
        .then_expect_events(vec![granted("email", 1)]);
}

#[test]
fn each_user_and_client_have_one_consent() {
    let other = UserId(Uuid::from_u128(2));
    assert_eq!(ConsentId::of(ANN, BOOK), ConsentId::of(ANN, BOOK));
    assert_ne!(ConsentId::of(ANN, BOOK), ConsentId::of(other, BOOK));
    assert_ne!(ConsentId::of(ANN, ClientId(other.0)), ConsentId::of(other, ClientId(ANN.0)));
}

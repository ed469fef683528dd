//! Short ways to say what happened.

use evident_domain::session::{AssuranceLevel, AuthenticationMethod, SessionEvent};
use evident_domain::user::{SignUpMethod, UserEvent};
use evident_domain::{
    Actor, Email, Event, IdentityId, Metadata, Personal, Provenance, SessionId, StreamId, Subject, Surface,
    UserId,
};
use evident_eventstore::{Append, OutboxMessage, StreamAppend};
use serde_json::json;
use uuid::Uuid;

use super::noon;

/// The address from which every change comes.
pub(crate) const ADDRESS: &str = "192.0.2.77";
/// The program with which every change is asked for.
pub(crate) const AGENT: &str = "Netscape/4.79 (Curious; Test)";

pub(crate) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

/// A change by a visitor, with everything personal that provenance can hold.
pub(crate) fn change(streams: Vec<StreamAppend>) -> Append {
    Append {
        streams,
        guards: Vec::new(),
        messages: Vec::new(),
        provenance: Provenance {
            ip: Some(Personal::Known(ADDRESS.parse().unwrap())),
            user_agent: Some(AGENT.to_owned().into()),
            client: Some("supabase-js/2.0".to_owned()),
            ..Provenance::internal(Actor::Visitor, Surface::Gotrue, Uuid::from_u128(4))
        },
        occurred_at: noon(),
    }
}

/// A user's stream with new events.
pub(crate) fn stream(user: UserId, expected: u64, events: Vec<UserEvent>) -> StreamAppend {
    StreamAppend {
        stream: StreamId::user(user),
        expected,
        subject: Subject::User(user),
        events: events.into_iter().map(Event::from).collect(),
    }
}

/// An account with an address.
pub(crate) fn signed_up(address: &str) -> UserEvent {
    UserEvent::SignedUp {
        method: SignUpMethod::Password,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: Some(email(address).into()),
        phone: None,
        password: None,
        user_metadata: serde_json::from_value::<Metadata>(json!({"name": "Ann Onymous"})).unwrap().into(),
        app_metadata: Metadata::default().into(),
        anonymous: false,
    }
}

/// A ban without end.
pub(crate) fn banned(reason: &str) -> UserEvent {
    UserEvent::Banned { until: None, reason: Some(reason.to_owned().into()) }
}

/// An identity of a provider.
pub(crate) fn linked(identity: u128, provider: &str, provider_id: &str) -> UserEvent {
    UserEvent::IdentityLinked {
        identity: IdentityId(Uuid::from_u128(identity)),
        provider: provider.to_owned(),
        provider_id: provider_id.to_owned().into(),
        data: Metadata::default().into(),
    }
}

/// A new session of a user.
pub(crate) fn started(session: SessionId, user: UserId) -> StreamAppend {
    let amr = vec![AuthenticationMethod { method: "password".to_owned(), at: noon() }];
    let event = SessionEvent::Started {
        user,
        amr,
        aal: AssuranceLevel::Aal1,
        not_after: None,
        started_at: noon(),
        client: None,
        scopes: None,
        slides: false,
        impersonator: None,
    };
    StreamAppend {
        stream: StreamId::session(session),
        expected: 0,
        subject: Subject::User(user),
        events: vec![event.into()],
    }
}

/// The next refresh of a session that has `expected` events.
pub(crate) fn refreshed(session: SessionId, user: UserId, expected: u64) -> StreamAppend {
    StreamAppend {
        stream: StreamId::session(session),
        expected,
        subject: Subject::User(user),
        events: vec![SessionEvent::Refreshed { generation: expected, at: noon() }.into()],
    }
}

/// A message to a user.
pub(crate) fn message(id: u128, user: UserId, text: &str) -> OutboxMessage {
    let (id, subject) = (Uuid::from_u128(id), Subject::User(user));
    OutboxMessage { id, subject, also: None, payload: json!({ "text": text }) }
}

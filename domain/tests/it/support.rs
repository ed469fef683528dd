//! What the tests share: one person, one day, and short ways to say what happened.

use chrono::TimeDelta;
use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use evident_domain::session::{
    AssuranceLevel, AuthenticationMethod, ReusePolicy, Session, SessionCommand, SessionEvent,
};
use evident_domain::user::{
    Account, IdentityData, Proof, SignUpMethod, TokenPurpose, UnprovenPassword, User, UserCommand, UserEvent,
};
use evident_domain::{
    Email, FactorId, IdentityId, Metadata, PasswordHash, Phone, SessionId, Time, TokenHash, UserId,
};
use serde_json::json;
use uuid::Uuid;

pub(crate) const ANN: UserId = UserId(Uuid::from_u128(1));
pub(crate) const APP: FactorId = FactorId(Uuid::from_u128(20));
pub(crate) const OTHER_FACTOR: FactorId = FactorId(Uuid::from_u128(21));
pub(crate) const SESSION: SessionId = SessionId(Uuid::from_u128(30));
pub(crate) const EMAIL_IDENTITY: IdentityId = IdentityId(Uuid::from_u128(10));
pub(crate) const GOOGLE_IDENTITY: IdentityId = IdentityId(Uuid::from_u128(11));
pub(crate) const FRESH_IDENTITY: IdentityId = IdentityId(Uuid::from_u128(12));

/// So many seconds after noon.
pub(crate) fn at(seconds: i64) -> Time {
    Time::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
}

/// So many milliseconds after noon.
pub(crate) fn at_millis(milliseconds: i64) -> Time {
    at(0) + TimeDelta::milliseconds(milliseconds)
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub(crate) fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

pub(crate) fn hash(text: &str) -> TokenHash {
    TokenHash(text.to_owned())
}

pub(crate) fn password(text: &str) -> PasswordHash {
    PasswordHash(text.to_owned())
}

pub(crate) fn metadata(value: serde_json::Value) -> Metadata {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn given_user(events: Vec<UserEvent>) -> AggregateTestExecutor<User> {
    TestFramework::with(()).given(events)
}

pub(crate) fn given_session(events: Vec<SessionEvent>) -> AggregateTestExecutor<Session> {
    TestFramework::with(()).given(events)
}

/// The account that some events leave.
pub(crate) fn account_after(events: &[UserEvent]) -> Account {
    let mut user = User::default();
    for event in events {
        user.fold(event);
    }
    user.account().cloned().unwrap()
}

/// Ann came with an address and a password; neither address nor number is confirmed.
pub(crate) fn signed_up() -> UserEvent {
    came_with(Some("ann@example.com"), None)
}

pub(crate) fn came_with(address: Option<&str>, number: Option<&str>) -> UserEvent {
    UserEvent::SignedUp {
        method: SignUpMethod::Password,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: address.map(|address| email(address).into()),
        phone: number.map(|number| phone(number).into()),
        password: Some(password("first").into()),
        user_metadata: Metadata::default().into(),
        app_metadata: Metadata::default().into(),
        anonymous: false,
    }
}

/// Somebody came whom nobody knows.
pub(crate) fn came_anonymously() -> UserEvent {
    UserEvent::SignedUp {
        method: SignUpMethod::Anonymous,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: None,
        phone: None,
        password: None,
        user_metadata: Metadata::default().into(),
        app_metadata: Metadata::default().into(),
        anonymous: true,
    }
}

/// The data of Ann's `email` identity.
pub(crate) fn email_data(address: &str, verified: bool) -> Metadata {
    metadata(json!({
        "sub": ANN.to_string(), "email": address, "email_verified": verified, "phone_verified": false
    }))
}

pub(crate) fn email_identity() -> IdentityData {
    IdentityData {
        id: EMAIL_IDENTITY,
        provider: "email".to_owned(),
        provider_id: ANN.to_string(),
        data: email_data("ann@example.com", false),
    }
}

pub(crate) fn google_identity() -> IdentityData {
    IdentityData {
        id: GOOGLE_IDENTITY,
        provider: "google".to_owned(),
        provider_id: "108".to_owned(),
        data: metadata(json!({"sub": "108"})),
    }
}

pub(crate) fn linked(identity: IdentityData) -> UserEvent {
    UserEvent::IdentityLinked {
        identity: identity.id,
        provider: identity.provider,
        provider_id: identity.provider_id.into(),
        data: identity.data.into(),
    }
}

pub(crate) fn unlinked(identity: IdentityData) -> UserEvent {
    UserEvent::IdentityUnlinked {
        identity: identity.id,
        provider: identity.provider,
        provider_id: identity.provider_id.into(),
    }
}

/// `app_metadata` tells other providers.
pub(crate) fn providers(first: &str, all: &[&str]) -> UserEvent {
    let patch = metadata(json!({"provider": first, "providers": all}));
    UserEvent::AppMetadataChanged { patch: patch.into() }
}

pub(crate) fn metadata_changed(patch: serde_json::Value) -> UserEvent {
    UserEvent::MetadataChanged { patch: metadata(patch).into() }
}

/// A code `code` and a link `link` for a purpose, sent at noon and good for an hour.
pub(crate) fn issued(purpose: TokenPurpose) -> UserEvent {
    UserEvent::OneTimeTokenIssued {
        purpose,
        link: Some(hash("link")),
        code: hash("code"),
        flow: None,
        sent_at: at(0),
        expires_at: at(3600),
    }
}

pub(crate) fn redeem(purpose: TokenPurpose, proof: Proof, now: Time) -> UserCommand {
    UserCommand::Redeem { purposes: vec![purpose], proof, password: UnprovenPassword::Stays, now }
}

pub(crate) fn code(text: &str) -> Proof {
    Proof::Code(hash(text))
}

pub(crate) fn link(text: &str) -> Proof {
    Proof::Link(hash(text))
}

/// Ann signed in at noon.
pub(crate) fn session_started() -> SessionEvent {
    SessionEvent::Started {
        user: ANN,
        amr: vec![AuthenticationMethod { method: "password".to_owned(), at: at(0) }],
        aal: AssuranceLevel::Aal1,
        not_after: None,
        started_at: at(0),
        client: None,
        scopes: None,
        slides: false,
        impersonator: None,
    }
}

pub(crate) fn refreshed(generation: u64, now: Time) -> SessionEvent {
    SessionEvent::Refreshed { generation, at: now }
}

pub(crate) fn stepped_up(now: Time) -> SessionEvent {
    proven(APP, "totp", now)
}

/// Ann showed a second factor.
pub(crate) fn proven(factor: FactorId, method: &str, now: Time) -> SessionEvent {
    let aal = AssuranceLevel::Aal2;
    SessionEvent::SteppedUp { method: method.to_owned(), at: now, aal, factor: Some(factor) }
}

/// Ten seconds, the parent always, reuse revokes: what clients of Supabase Auth expect.
pub(crate) const LENIENT: ReusePolicy =
    ReusePolicy { interval_seconds: 10, parent_always: true, revoke_on_reuse: true };

/// Ten seconds and not a moment more.
pub(crate) const STRICT: ReusePolicy =
    ReusePolicy { interval_seconds: 10, parent_always: false, revoke_on_reuse: true };

pub(crate) fn present(generation: u64, now: Time, policy: ReusePolicy) -> SessionCommand {
    SessionCommand::Refresh { generation, now, policy }
}

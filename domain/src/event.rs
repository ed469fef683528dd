//! Events of all aggregates together, and the envelope in which the log hands them out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::attempt::AttemptEvent;
use crate::authorization::AuthorizationEvent;
use crate::client::ClientEvent;
use crate::consent::ConsentEvent;
use crate::flow::FlowEvent;
use crate::hold::HoldEvent;
use crate::organization::OrganizationEvent;
use crate::provider::ProviderEvent;
use crate::publication::LogEvent;
use crate::reading::AuditEvent;
use crate::recipient::RecipientEvent;
use crate::retention::Dropped;
use crate::session::SessionEvent;
use crate::sso_provider::SsoProviderEvent;
use crate::user::UserEvent;
use crate::{ClaimChange, EventId, InvitationId, OrganizationId, Provenance, Time, UserId};

/// An event's place in the log: 1, 2, 3 … without gaps, in the order of commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which aggregate a stream belongs to. The names are stored; never change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// [`crate::user::User`]
    User,
    /// [`crate::session::Session`]
    Session,
    /// [`crate::organization::Organization`]
    Organization,
    /// [`crate::sso_provider::SsoProvider`]
    SsoProvider,
    /// [`crate::flow::Flow`]
    Flow,
    /// [`crate::recipient::Recipient`]
    Recipient,
    /// [`crate::provider::Provider`]
    Provider,
    /// [`crate::client::Client`]
    Client,
    /// [`crate::authorization::Authorization`]
    Authorization,
    /// [`crate::consent::Consent`]
    Consent,
    /// [`crate::hold::Holds`]
    Hold,
    /// [`crate::reading::Reading`]
    Audit,
    /// [`crate::publication::Publication`]
    Log,
    /// [`crate::attempt::Attempt`]
    Attempt,
}

impl StreamKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::User,
        Self::Session,
        Self::Organization,
        Self::SsoProvider,
        Self::Flow,
        Self::Recipient,
        Self::Provider,
        Self::Client,
        Self::Authorization,
        Self::Consent,
        Self::Hold,
        Self::Audit,
        Self::Log,
        Self::Attempt,
    ];

    /// The name in the log (`aggregate_type`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Organization => "organization",
            Self::SsoProvider => "sso_provider",
            Self::Flow => "flow",
            Self::Recipient => "recipient",
            Self::Provider => "provider",
            Self::Client => "client",
            Self::Authorization => "authorization",
            Self::Consent => "consent",
            Self::Hold => "hold",
            Self::Audit => "audit",
            Self::Log => "log",
            Self::Attempt => "attempt",
        }
    }

    /// Reads a name from the log.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A stream: the history of one aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The aggregate's kind.
    pub kind: StreamKind,
    /// The aggregate's id.
    pub id: Uuid,
}

impl StreamId {
    /// A user's stream.
    pub fn user(id: UserId) -> Self {
        Self { kind: StreamKind::User, id: id.0 }
    }

    /// A session's stream.
    pub fn session(id: crate::SessionId) -> Self {
        Self { kind: StreamKind::Session, id: id.0 }
    }

    /// An organization's stream.
    pub fn organization(id: OrganizationId) -> Self {
        Self { kind: StreamKind::Organization, id: id.0 }
    }

    /// A flow's stream.
    pub fn flow(id: crate::FlowId) -> Self {
        Self { kind: StreamKind::Flow, id: id.0 }
    }

    /// A client's stream.
    pub fn client(id: crate::ClientId) -> Self {
        Self { kind: StreamKind::Client, id: id.0 }
    }

    /// The stream of what a user granted to a client.
    pub fn consent(id: crate::ConsentId) -> Self {
        Self { kind: StreamKind::Consent, id: id.0 }
    }

    /// The stream of the register of legal holds: there is one.
    pub fn holds() -> Self {
        Self { kind: StreamKind::Hold, id: crate::hold::REGISTER }
    }

    /// The stream of what the log shows of itself: there is one.
    pub fn log() -> Self {
        Self { kind: StreamKind::Log, id: crate::publication::PUBLICATION }
    }

    /// The stream of one attempt.
    pub fn attempt(id: Uuid) -> Self {
        Self { kind: StreamKind::Attempt, id }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// Whose personal data an event holds: the key under which its personal fields are sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A person with an account.
    User(UserId),
    /// An organization.
    Organization(OrganizationId),
    /// Somebody who was invited and has no account yet: a key for each invitation, which goes when the person
    /// is forgotten.
    Invitation(InvitationId),
    /// The server itself: its own records.
    Server,
    /// Nobody known: the key of a period (`2026-11`), which retention destroys.
    Period(String),
}

impl Subject {
    /// The period that a moment belongs to.
    pub fn period_of(now: Time) -> Self {
        Self::Period(now.format("%Y-%m").to_string())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Organization(id) => write!(f, "organization:{id}"),
            Self::Invitation(id) => write!(f, "invitation:{id}"),
            Self::Server => f.write_str("server"),
            Self::Period(period) => write!(f, "period:{period}"),
        }
    }
}

/// A stored subject does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no subject")]
pub struct UnknownSubject(pub String);

impl FromStr for Subject {
    type Err = UnknownSubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownSubject(text.to_owned());
        if text == "server" {
            return Ok(Self::Server);
        }
        match text.split_once(':').ok_or_else(unknown)? {
            ("user", id) => id.parse().map(Self::User).map_err(|_| unknown()),
            ("organization", id) => id.parse().map(Self::Organization).map_err(|_| unknown()),
            ("invitation", id) => id.parse().map(Self::Invitation).map_err(|_| unknown()),
            ("period", period) => Ok(Self::Period(period.to_owned())),
            _ => Err(unknown()),
        }
    }
}

/// An event of any aggregate.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Of a user.
    User(UserEvent),
    /// Of a session.
    Session(SessionEvent),
    /// Of an organization.
    Organization(OrganizationEvent),
    /// Of an identity provider.
    SsoProvider(SsoProviderEvent),
    /// Of a sign-in under way.
    Flow(FlowEvent),
    /// Of an address or number that messages are asked for.
    Recipient(RecipientEvent),
    /// Of a registered provider.
    Provider(ProviderEvent),
    /// Of an OAuth client.
    Client(ClientEvent),
    /// Of an OAuth authorization under way.
    Authorization(AuthorizationEvent),
    /// Of what a user granted to a client.
    Consent(ConsentEvent),
    /// Of the register of legal holds.
    Hold(HoldEvent),
    /// Of somebody who read the log.
    Audit(AuditEvent),
    /// Of what the log shows of itself.
    Log(LogEvent),
    /// Of a refused attempt.
    Attempt(AttemptEvent),
    /// Of which nothing but the leaf is left: retention has dropped the content.
    Dropped(Dropped),
}

impl Event {
    /// Which kind of stream it belongs to.
    pub const fn stream_kind(&self) -> StreamKind {
        match self {
            Self::User(_) => StreamKind::User,
            Self::Session(_) => StreamKind::Session,
            Self::Organization(_) => StreamKind::Organization,
            Self::SsoProvider(_) => StreamKind::SsoProvider,
            Self::Flow(_) => StreamKind::Flow,
            Self::Recipient(_) => StreamKind::Recipient,
            Self::Provider(_) => StreamKind::Provider,
            Self::Client(_) => StreamKind::Client,
            Self::Authorization(_) => StreamKind::Authorization,
            Self::Consent(_) => StreamKind::Consent,
            Self::Hold(_) => StreamKind::Hold,
            Self::Audit(_) => StreamKind::Audit,
            Self::Log(_) => StreamKind::Log,
            Self::Attempt(_) => StreamKind::Attempt,
            Self::Dropped(dropped) => dropped.stream_kind(),
        }
    }

    /// Name and version in the log.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::User(event) => event.kind(),
            Self::Session(event) => event.kind(),
            Self::Organization(event) => event.kind(),
            Self::SsoProvider(event) => event.kind(),
            Self::Flow(event) => event.kind(),
            Self::Recipient(event) => event.kind(),
            Self::Provider(event) => event.kind(),
            Self::Client(event) => event.kind(),
            Self::Authorization(event) => event.kind(),
            Self::Consent(event) => event.kind(),
            Self::Hold(event) => event.kind(),
            Self::Audit(event) => event.kind(),
            Self::Log(event) => event.kind(),
            Self::Attempt(event) => event.kind(),
            Self::Dropped(dropped) => dropped.kind(),
        }
    }

    /// What it does to the unique claims of its stream's holder.
    pub fn claims(&self) -> Vec<ClaimChange> {
        match self {
            Self::User(event) => event.claims(),
            Self::Organization(event) => event.claims(),
            Self::SsoProvider(event) => event.claims(),
            Self::Provider(event) => event.claims(),
            Self::Session(_)
            | Self::Flow(_)
            | Self::Recipient(_)
            | Self::Client(_)
            | Self::Authorization(_)
            | Self::Consent(_)
            | Self::Hold(_)
            | Self::Audit(_)
            | Self::Log(_)
            | Self::Attempt(_)
            | Self::Dropped(_) => Vec::new(),
        }
    }

    /// The stored form, personal fields readable.
    ///
    /// # Errors
    /// Only if an event holds what JSON cannot.
    pub fn to_json(&self) -> serde_json::Result<serde_json::Value> {
        match self {
            Self::User(event) => serde_json::to_value(event),
            Self::Session(event) => serde_json::to_value(event),
            Self::Organization(event) => serde_json::to_value(event),
            Self::SsoProvider(event) => serde_json::to_value(event),
            Self::Flow(event) => serde_json::to_value(event),
            Self::Recipient(event) => serde_json::to_value(event),
            Self::Provider(event) => serde_json::to_value(event),
            Self::Client(event) => serde_json::to_value(event),
            Self::Authorization(event) => serde_json::to_value(event),
            Self::Consent(event) => serde_json::to_value(event),
            Self::Hold(event) => serde_json::to_value(event),
            Self::Audit(event) => serde_json::to_value(event),
            Self::Log(event) => serde_json::to_value(event),
            Self::Attempt(event) => serde_json::to_value(event),
            Self::Dropped(_) => Ok(serde_json::Value::Null),
        }
    }

    /// Reads the stored form of the current version where nothing but the JSON says what it is.
    ///
    /// # Errors
    /// When the JSON is no event of that kind of stream.
    pub fn from_json<'de, D: Deserializer<'de>>(kind: StreamKind, json: D) -> Result<Self, D::Error> {
        Ok(match kind {
            StreamKind::User => Self::User(Deserialize::deserialize(json)?),
            StreamKind::Session => Self::Session(Deserialize::deserialize(json)?),
            StreamKind::Organization => Self::Organization(Deserialize::deserialize(json)?),
            StreamKind::SsoProvider => Self::SsoProvider(Deserialize::deserialize(json)?),
            StreamKind::Flow => Self::Flow(Deserialize::deserialize(json)?),
            StreamKind::Recipient => Self::Recipient(Deserialize::deserialize(json)?),
            StreamKind::Provider => Self::Provider(Deserialize::deserialize(json)?),
            StreamKind::Client => Self::Client(Deserialize::deserialize(json)?),
            StreamKind::Authorization => Self::Authorization(Deserialize::deserialize(json)?),
            StreamKind::Consent => Self::Consent(Deserialize::deserialize(json)?),
            StreamKind::Hold => Self::Hold(Deserialize::deserialize(json)?),
            StreamKind::Audit => Self::Audit(Deserialize::deserialize(json)?),
            StreamKind::Log => Self::Log(Deserialize::deserialize(json)?),
            StreamKind::Attempt => Self::Attempt(Deserialize::deserialize(json)?),
        })
    }

    /// Reads the stored form of the current version by what its columns say it is: a JSON value, or a text by way of
    /// its deserializer.
    ///
    /// # Errors
    /// When the JSON is no event of that type.
    pub fn of_type<'de, D: Deserializer<'de>>(
        kind: StreamKind,
        name: &str,
        json: D,
    ) -> Result<Self, D::Error> {
        Ok(match kind {
            StreamKind::User => Self::User(UserEvent::of_type(name, json)?),
            StreamKind::Session => Self::Session(SessionEvent::of_type(name, json)?),
            StreamKind::Organization => Self::Organization(OrganizationEvent::of_type(name, json)?),
            StreamKind::SsoProvider => Self::SsoProvider(SsoProviderEvent::of_type(name, json)?),
            StreamKind::Flow => Self::Flow(FlowEvent::of_type(name, json)?),
            StreamKind::Recipient => Self::Recipient(RecipientEvent::of_type(name, json)?),
            StreamKind::Provider => Self::Provider(ProviderEvent::of_type(name, json)?),
            StreamKind::Client => Self::Client(ClientEvent::of_type(name, json)?),
            StreamKind::Authorization => Self::Authorization(AuthorizationEvent::of_type(name, json)?),
            StreamKind::Consent => Self::Consent(ConsentEvent::of_type(name, json)?),
            StreamKind::Hold => Self::Hold(HoldEvent::of_type(name, json)?),
            StreamKind::Audit => Self::Audit(AuditEvent::of_type(name, json)?),
            StreamKind::Log => Self::Log(LogEvent::of_type(name, json)?),
            StreamKind::Attempt => Self::Attempt(AttemptEvent::of_type(name, json)?),
        })
    }
}

impl From<UserEvent> for Event {
    fn from(event: UserEvent) -> Self {
        Self::User(event)
    }
}

impl From<SessionEvent> for Event {
    fn from(event: SessionEvent) -> Self {
        Self::Session(event)
    }
}

impl From<OrganizationEvent> for Event {
    fn from(event: OrganizationEvent) -> Self {
        Self::Organization(event)
    }
}

impl From<SsoProviderEvent> for Event {
    fn from(event: SsoProviderEvent) -> Self {
        Self::SsoProvider(event)
    }
}

impl From<FlowEvent> for Event {
    fn from(event: FlowEvent) -> Self {
        Self::Flow(event)
    }
}

impl From<RecipientEvent> for Event {
    fn from(event: RecipientEvent) -> Self {
        Self::Recipient(event)
    }
}

impl From<ProviderEvent> for Event {
    fn from(event: ProviderEvent) -> Self {
        Self::Provider(event)
    }
}

impl From<ClientEvent> for Event {
    fn from(event: ClientEvent) -> Self {
        Self::Client(event)
    }
}

impl From<AuthorizationEvent> for Event {
    fn from(event: AuthorizationEvent) -> Self {
        Self::Authorization(event)
    }
}

impl From<ConsentEvent> for Event {
    fn from(event: ConsentEvent) -> Self {
        Self::Consent(event)
    }
}

impl From<AuditEvent> for Event {
    fn from(event: AuditEvent) -> Self {
        Self::Audit(event)
    }
}

impl From<LogEvent> for Event {
    fn from(event: LogEvent) -> Self {
        Self::Log(event)
    }
}

impl From<HoldEvent> for Event {
    fn from(event: HoldEvent) -> Self {
        Self::Hold(event)
    }
}

impl From<AttemptEvent> for Event {
    fn from(event: AttemptEvent) -> Self {
        Self::Attempt(event)
    }
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place in the log.
    pub position: Position,
    /// Its own id.
    pub id: EventId,
    /// The stream.
    pub stream: StreamId,
    /// Its place in the stream: 1, 2, 3 …
    pub sequence: u64,
    /// When it was decided, to the microsecond.
    pub occurred_at: Time,
    /// Whose data it holds.
    pub subject: Option<Subject>,
    /// Who, from where, by which way.
    pub provenance: Provenance,
    /// What happened.
    pub event: Event,
}

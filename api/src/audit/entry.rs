//! An event as auditors see it: personal data open as far as keys permit, secrets and hashes never.

use evident_domain::{Actor, Event, EventId, Personal, Position, Provenance, Recorded, UserId};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// The document of an event.
#[derive(Debug, Serialize)]
pub(super) struct EntryDocument {
    position: Position,
    id: EventId,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    stream: String,
    sequence: u64,
    occurred_at: String,
    actor: ActorDocument,
    subject: Option<String>,
    cause: Cause,
    provenance: ProvenanceDocument,
    data: Map<String, Json>,
    /// Whether retention has dropped what it held: then there is neither data nor where it came from.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dropped: bool,
    /// Names of what was there and is erased.
    erased: Vec<&'static str>,
}

/// Who did it.
#[derive(Debug, Serialize)]
struct ActorDocument {
    /// As filters take it: `user:<id>`, `admin:<role>`, `visitor` …
    label: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    /// The administrator who acts in the user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonator: Option<UserId>,
}

/// What led to it.
#[derive(Debug, Serialize)]
struct Cause {
    request_id: Uuid,
    event: Option<EventId>,
}

/// From where, by which way.
#[derive(Debug, Serialize)]
struct ProvenanceDocument {
    surface: &'static str,
    client: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

impl EntryDocument {
    /// Of an event.
    pub(super) fn of(event: &Recorded) -> Self {
        let (kind, version) = event.event.kind();
        let Provenance { ip, user_agent, .. } = &event.provenance;
        let mut shown = event.event.disclosed();
        for (name, erased) in [("ip", is_erased(ip.as_ref())), ("user_agent", is_erased(user_agent.as_ref()))]
        {
            if erased {
                shown.erased.push(name);
            }
        }
        Self {
            position: event.position,
            id: event.id,
            kind,
            version,
            stream: event.stream.to_string(),
            sequence: event.sequence,
            occurred_at: event.occurred_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            actor: ActorDocument::of(&event.provenance.actor),
            subject: event.subject.as_ref().map(ToString::to_string),
            cause: Cause { request_id: event.provenance.request_id, event: event.provenance.causation },
            provenance: ProvenanceDocument {
                surface: event.provenance.surface.as_str(),
                client: event.provenance.client.clone(),
                ip: ip.as_ref().and_then(Personal::known).map(ToString::to_string),
                user_agent: user_agent.as_ref().and_then(Personal::known).cloned(),
            },
            data: shown.fields,
            dropped: matches!(event.event, Event::Dropped(_)),
            erased: shown.erased,
        }
    }
}

impl ActorDocument {
    fn of(actor: &Actor) -> Self {
        let (kind, role, user) = match actor {
            Actor::User { id } => ("user", None, Some(*id)),
            Actor::Impersonator { user, .. } => ("impersonator", None, Some(*user)),
            Actor::Admin { role, id } => ("admin", Some(role.clone()), *id),
            Actor::Operator => ("operator", None, None),
            Actor::Visitor => ("visitor", None, None),
            Actor::System => ("system", None, None),
        };
        let impersonator = match actor {
            Actor::Impersonator { admin, .. } => Some(*admin),
            _ => None,
        };
        Self { label: actor.label(), kind, role, user, impersonator }
    }
}

fn is_erased<T>(value: Option<&Personal<T>>) -> bool {
    value.is_some_and(|value| value.known().is_none())
}

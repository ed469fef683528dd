//! An event as auditors see it: in words and as data, personal data open as far as keys permit, secrets and
//! hashes never.

use evident_domain::{Actor, EventId, Personal, Position, Provenance, Recorded, Time, UserId};
use evident_eventstore::merkle::Leaf;
use evident_projections::views::log::{Change, LogEntry, LogItem};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// The document of an event.
#[derive(Debug, Serialize)]
pub(super) struct EntryDocument {
    position: Position,
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    version: String,
    stream: String,
    sequence: u64,
    occurred_at: String,
    summary: String,
    actor: ActorDocument,
    subject: Option<String>,
    /// Nothing where the content is gone, and so for the next two.
    cause: Option<Cause>,
    provenance: Option<ProvenanceDocument>,
    change: Vec<ChangeDocument>,
    data: Option<Map<String, Json>>,
    /// Whether what it held is gone, by retention or by damage: then there is neither data nor where it came
    /// from.
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

/// A field that became another. What cannot be told any more is left out; `null` is nothing.
#[derive(Debug, Serialize)]
struct ChangeDocument {
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Json>,
}

impl EntryDocument {
    /// Of an event that is told.
    pub(super) fn of(entry: LogEntry) -> Self {
        let LogEntry { item, summary, changes } = entry;
        let mut document = match item {
            LogItem::Event(event) => Self::of_event(&event),
            LogItem::Leaf(leaf) => Self::of_leaf(&leaf),
        };
        document.summary = summary;
        document.change = changes.into_iter().map(ChangeDocument::of).collect();
        document
    }

    /// The event's place in the log.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    fn of_event(event: &Recorded) -> Self {
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
            kind: kind.to_owned(),
            version: version.to_owned(),
            stream: event.stream.to_string(),
            sequence: event.sequence,
            occurred_at: moment(event.occurred_at),
            summary: String::new(),
            actor: ActorDocument::of(&event.provenance.actor),
            subject: event.subject.as_ref().map(ToString::to_string),
            cause: Some(Cause { request_id: event.provenance.request_id, event: event.provenance.causation }),
            provenance: Some(ProvenanceDocument {
                surface: event.provenance.surface.as_str(),
                client: event.provenance.client.clone(),
                ip: ip.as_ref().and_then(Personal::known).map(ToString::to_string),
                user_agent: user_agent.as_ref().and_then(Personal::known).cloned(),
            }),
            change: Vec::new(),
            data: Some(shown.fields),
            dropped: false,
            erased: shown.erased,
        }
    }

    fn of_leaf(leaf: &Leaf<'_>) -> Self {
        Self {
            position: leaf.position,
            id: leaf.id,
            kind: leaf.kind.to_string(),
            version: leaf.version.to_string(),
            stream: leaf.stream.clone(),
            sequence: leaf.sequence,
            occurred_at: moment(Time::from_timestamp_micros(leaf.time).unwrap_or_default()),
            summary: String::new(),
            actor: Actor::from_label(&leaf.actor).map_or_else(
                || ActorDocument {
                    label: leaf.actor.to_string(),
                    kind: "unknown",
                    role: None,
                    user: None,
                    impersonator: None,
                },
                |actor| ActorDocument::of(&actor),
            ),
            subject: leaf.subject.as_deref().map(str::to_owned),
            cause: None,
            provenance: None,
            change: Vec::new(),
            data: None,
            dropped: true,
            erased: Vec::new(),
        }
    }
}

impl ChangeDocument {
    fn of(change: Change) -> Self {
        Self { field: change.field, before: change.before, after: change.after }
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

/// RFC 3339 in microseconds.
fn moment(time: Time) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

fn is_erased<T>(value: Option<&Personal<T>>) -> bool {
    value.is_some_and(|value| value.known().is_none())
}

//! An event as plain JSON: personal fields as values where they read, secrets hidden.

use chrono::{DateTime, SecondsFormat};
use evident_domain::{Event, Personal, Recorded, Time};
use serde_json::{Value as Json, json};

/// An event as one JSON object.
pub fn as_json(event: &Recorded) -> Json {
    let (kind, version) = event.event.kind();
    let provenance = &event.provenance;
    json!({
        "position": event.position,
        "id": event.id,
        "type": kind,
        "version": version,
        "stream": event.stream.to_string(),
        "sequence": event.sequence,
        "occurred_at": moment(event.occurred_at),
        "actor": provenance.actor.label(),
        "subject": event.subject.as_ref().map(ToString::to_string),
        "request_id": provenance.request_id,
        "causation": provenance.causation,
        "ip": ip(event),
        "user_agent": agent(event),
        "surface": provenance.surface.as_str(),
        "client": provenance.client,
        // Nothing but the leaf is left: there is neither data nor where it came from.
        "dropped": matches!(event.event, Event::Dropped(_)),
        "data": data(&event.event),
    })
}

/// The address that an event came from, where it reads.
pub(super) fn ip(event: &Recorded) -> Option<String> {
    event.provenance.ip.as_ref().and_then(Personal::known).map(ToString::to_string)
}

/// The `User-Agent` that an event came with, where it reads.
pub(super) fn agent(event: &Recorded) -> Option<&str> {
    event.provenance.user_agent.as_ref().and_then(Personal::known).map(String::as_str)
}

/// What happened, without the type; personal fields as plain values, `null` where they are sealed or
/// erased; no secrets.
pub fn data(event: &Event) -> Json {
    Json::Object(event.disclosed().fields)
}

/// A moment in RFC 3339, to the microsecond.
pub fn moment(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A moment as a leaf has it.
pub(super) fn moment_of(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map(moment).unwrap_or_default()
}

//! Printing: plain words for people, one JSON object a line for machines.

use std::io::{self, Write};

use evident_domain::{Event, Personal, Recorded};
use serde_json::{Value as Json, json};

/// An event as one JSON object.
pub(super) fn event_json(event: &Recorded) -> Json {
    let (kind, version) = event.event.kind();
    let provenance = &event.provenance;
    json!({
        "position": event.position,
        "id": event.id,
        "type": kind,
        "version": version,
        "stream": event.stream.to_string(),
        "sequence": event.sequence,
        "occurred_at": time(event.occurred_at),
        "actor": provenance.actor.label(),
        "subject": event.subject.as_ref().map(ToString::to_string),
        "request_id": provenance.request_id,
        "causation": provenance.causation,
        "ip": personal(provenance.ip.as_ref().map(|ip| match ip {
            Personal::Known(ip) => Personal::Known(ip.to_string()),
            Personal::Sealed(sealed) => Personal::Sealed(sealed.clone()),
            Personal::Erased => Personal::Erased,
        })),
        "user_agent": personal(provenance.user_agent.clone()),
        "surface": provenance.surface.as_str(),
        "client": provenance.client,
        // Nothing but the leaf is left: there is neither data nor where it came from.
        "dropped": matches!(event.event, Event::Dropped(_)),
        "data": event.event.disclosed().fields,
    })
}

fn personal(value: Option<Personal<String>>) -> Option<String> {
    value.and_then(Personal::into_known)
}

/// RFC 3339 in microseconds.
pub(super) fn time(time: evident_domain::Time) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// An event as one line for people.
pub(super) fn event_line(event: &Recorded) -> String {
    let ip = match &event.provenance.ip {
        Some(Personal::Known(ip)) => ip.to_string(),
        Some(Personal::Erased) => "(erased)".to_owned(),
        Some(Personal::Sealed(_)) | None => "-".to_owned(),
    };
    format!(
        "{:>8}  {}  {:<30}  {}  by {}  for {}  request {}  from {ip}",
        event.position.0,
        time(event.occurred_at),
        event.event.kind().0,
        event.stream,
        event.provenance.actor.label(),
        event.subject.as_ref().map_or("-".to_owned(), ToString::to_string),
        event.provenance.request_id,
    )
}

/// Prints a line; a reader that has gone away is no error (`evident events list | head`).
pub(super) fn line(out: &mut impl Write, text: &str) -> io::Result<bool> {
    match writeln!(out, "{text}") {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

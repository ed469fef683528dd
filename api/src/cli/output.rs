//! Printing: plain words for people, one JSON object a line for machines.

use std::io::{self, Write};

use evident_domain::{Personal, Recorded};

/// RFC 3339 in microseconds.
pub(super) fn time(time: evident_domain::Time) -> String {
    evident_eventstore::export::moment(time)
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

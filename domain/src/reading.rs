//! That somebody read the log: a fact like any other. A reader who goes on reading is noted once a minute, so
//! that a program which follows the log does not feed it for ever.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::{Event, Root, StreamKind, Subject, Time};

described! {
    /// An event of the stream of one reader and minute. Who read stands in the provenance.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum AuditEvent {
        /// Somebody read the log. What else they read within the minute is not noted.
        #[serde(rename = "audit.read")]
        Read {
            /// `GET /audit/events`
            operation: String,
        },
    }
}

impl AuditEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Read { .. } => ("audit.read", "1.0"),
        }
    }
}

impl DomainEvent for AuditEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

/// Somebody reads the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// `GET /audit/events`
    pub operation: String,
}

/// What one reader does within one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Whether it is noted.
    pub noted: bool,
}

/// Nothing is refused to a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NeverRefused {}

impl Aggregate for Reading {
    const TYPE: &'static str = "audit";
    type Command = Read;
    type Event = AuditEvent;
    type Error = NeverRefused;
    type Services = ();

    async fn handle(&mut self, command: Read, (): &(), sink: &EventSink<Self>) -> Result<(), NeverRefused> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: AuditEvent) {
        self.fold(&event);
    }
}

impl Root for Reading {
    const KIND: StreamKind = StreamKind::Audit;

    fn decide(&self, Read { operation }: Read) -> Result<Vec<AuditEvent>, NeverRefused> {
        Ok(if self.noted { Vec::new() } else { vec![AuditEvent::Read { operation }] })
    }

    fn fold(&mut self, _: &AuditEvent) {
        self.noted = true;
    }

    fn own(event: &Event) -> Option<&AuditEvent> {
        match event {
            Event::Audit(event) => Some(event),
            _ => None,
        }
    }

    fn subject(&self, _: Uuid, _: Time) -> Subject {
        Subject::Server
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn read(operation: &str) -> Read {
        Read { operation: operation.to_owned() }
    }

    #[test]
    fn the_first_reading_of_a_minute_is_noted_and_no_other() {
        let noted = AuditEvent::Read { operation: "GET /audit/events".to_owned() };
        let framework = TestFramework::<Reading>::with(());
        framework
            .given_no_previous_events()
            .when(read("GET /audit/events"))
            .then_expect_events(vec![noted.clone()]);
        let framework = TestFramework::<Reading>::with(());
        framework.given(vec![noted]).when(read("GET /audit/stream")).then_expect_events(vec![]);
    }
}

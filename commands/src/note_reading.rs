//! Noting that somebody read the log.

use evident_domain::reading::{NeverRefused, Read, Reading};
use evident_domain::{Actor, Subject};
use uuid::Uuid;

use crate::Commands;
use crate::deny::NoteError;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

impl Commands {
    /// Notes that somebody reads the log (`GET /audit/events`): once a reader and minute, on whichever nodes
    /// they read. A reader is an actor at an address.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_reading(&self, context: &Context, operation: String) -> Result<(), NoteError> {
        let minute = self.clock().now().timestamp_micros().div_euclid(MINUTE);
        let label = context.provenance.actor.label();
        let ip = context.ip().map(|ip| ip.to_string()).unwrap_or_default();
        // Keyed: the id of a stream is public, and an address is not.
        let reader = format!("reader of the log\n{minute}\n{ip}\n{label}");
        let stream = Uuid::from_bytes(self.codes().recipient_hash(&reader));
        let subject = match context.provenance.actor {
            Actor::User { id }
            | Actor::Impersonator { admin: id, .. }
            | Actor::Admin { id: Some(id), .. } => Subject::User(id),
            Actor::Admin { id: None, .. } | Actor::Operator | Actor::Visitor | Actor::System => {
                Subject::Server
            }
        };
        self.execute(context, &Note { stream, subject, operation }).await
    }
}

struct Note {
    stream: Uuid,
    subject: Subject,
    operation: String,
}

impl UseCase for Note {
    type Output = ();
    type Error = NoteError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), NoteError> {
        let read = Read { operation: self.operation.clone() };
        unit.tell::<Reading, NoteError>(self.stream, read).await?;
        unit.seal_for::<Reading>(self.stream, self.subject.clone());
        Ok(())
    }
}

impl From<NeverRefused> for NoteError {
    fn from(never: NeverRefused) -> Self {
        match never {}
    }
}

//! What a use case hands to the store, and what comes back.

use async_trait::async_trait;
use evident_domain::{ClaimKind, Event, Position, Provenance, Recorded, StreamId, Subject, Time};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::StoreError;
use crate::database::{DatabaseError, Tables};
use crate::guard::Guard;

/// One command's change: all of it is committed, or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// The new events by stream, and every stream that was read to decide, also without new events.
    pub streams: Vec<StreamAppend>,
    /// What must not have happened since it was looked for.
    pub guards: Vec<Guard>,
    /// Messages that go out because of the change.
    pub messages: Vec<OutboxMessage>,
    /// Who, from where, by which way.
    pub provenance: Provenance,
    /// When it was decided.
    pub occurred_at: Time,
}

/// The part of a change that concerns one stream.
#[derive(Debug, Clone)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamId,
    /// The version (number of events) that was read to decide; 0 for a new stream.
    pub expected: u64,
    /// Whose personal data the events hold: the key that seals it. (Address and program of the client are
    /// sealed under the key of whoever acted.)
    pub subject: Subject,
    /// The new events; none when the stream was only read.
    pub events: Vec<Event>,
}

/// A message for the outbox, committed with the change that asks for it.
#[derive(Debug, Clone)]
pub struct OutboxMessage {
    /// Its id: retries carry the same one.
    pub id: Uuid,
    /// Whose data it holds: it is sealed under this key until it is sent.
    pub subject: Subject,
    /// Who else is named in it: it is sealed under their key as well.
    pub also: Option<Subject>,
    /// What to send; the store does not look inside.
    pub payload: Json,
}

/// A change that is durable and visible.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The position of the log's last event at the commit; reads from here on show the change.
    pub head: Position,
    /// The change's events as they stand in the log.
    pub events: Vec<Recorded>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A stream has moved on since it was read: decide again from fresh state.
    #[error("a stream changed since it was read")]
    Conflict,
    /// Somebody else holds a value that the change claims.
    #[error("the {} is taken", .0.as_str())]
    ClaimTaken(ClaimKind),
    /// The writer's channel is full: try again in a moment.
    #[error("the log's writer is overloaded")]
    Overloaded,
    /// The store failed; nothing was written, except perhaps with [`StoreError::OutcomeUnknown`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is folded in the same transaction as the events: the projections.
#[async_trait]
pub trait Inline: Send + Sync {
    /// Folds freshly appended events, in the order of their positions, into the tables. What is written
    /// may wait until it is read or committed. It may be called again for the same events, after a call
    /// that came to nothing.
    ///
    /// # Errors
    /// When a table cannot be read or written: the whole batch is then undone.
    async fn apply(&self, tables: &mut dyn Tables, events: &[Recorded]) -> Result<(), DatabaseError>;

    /// Hears of events of this node that are durable, before their callers do. For caches: it must be
    /// quick, and what it misses must be harmless, for other nodes' events never come by here.
    fn committed(&self, _events: &[Recorded]) {}

    /// What this node folded last is not all that the tables hold, or not in them at all: another node has
    /// written, or a commit failed. Whoever remembers rows forgets them.
    fn interrupted(&self) {}
}

/// No projections: for tools that only need the log.
#[derive(Debug, Clone, Copy)]
pub struct NoProjections;

#[async_trait]
impl Inline for NoProjections {
    async fn apply(&self, _: &mut dyn Tables, _: &[Recorded]) -> Result<(), DatabaseError> {
        Ok(())
    }
}

//! The store as cqrs-es knows one, so that its framework and its test tools work on our log.

use std::collections::HashMap;
use std::marker::PhantomData;

use cqrs_es::{Aggregate, AggregateContext, AggregateError, EventEnvelope, EventStore as CqrsEventStore};
use evident_domain::session::{Session, SessionEvent};
use evident_domain::{Actor, Event, Provenance, StreamId, StreamKind, Subject, Surface, UserId};
use uuid::Uuid;

use crate::append::{Append, AppendError, StreamAppend};
use crate::{EventStore, StoreError};

/// An aggregate whose events are in our log.
pub trait Logged: Aggregate {
    /// Its kind of stream.
    const KIND: StreamKind;

    /// The common event as this aggregate's own.
    fn own(event: Event) -> Option<Self::Event>;

    /// This aggregate's event as a common one.
    fn common(event: Self::Event) -> Event;

    /// Whose personal data new events of a stream hold.
    fn subject(&self, stream: StreamId, events: &[Self::Event]) -> Subject;
}

impl Logged for evident_domain::user::User {
    const KIND: StreamKind = StreamKind::User;

    fn own(event: Event) -> Option<Self::Event> {
        if let Event::User(event) = event { Some(event) } else { None }
    }

    fn common(event: Self::Event) -> Event {
        Event::User(event)
    }

    fn subject(&self, stream: StreamId, _: &[Self::Event]) -> Subject {
        Subject::User(UserId(stream.id))
    }
}

impl Logged for Session {
    const KIND: StreamKind = StreamKind::Session;

    fn own(event: Event) -> Option<Self::Event> {
        if let Event::Session(event) = event { Some(event) } else { None }
    }

    fn common(event: Self::Event) -> Event {
        Event::Session(event)
    }

    fn subject(&self, stream: StreamId, events: &[Self::Event]) -> Subject {
        let starting = events.iter().find_map(|event| match event {
            SessionEvent::Started { user, .. } => Some(*user),
            _ => None,
        });
        let user = match self {
            Self::Absent => starting,
            Self::Live(session) => Some(session.user),
            Self::Revoked { user, .. } => Some(*user),
        };
        Subject::User(user.unwrap_or(UserId(stream.id)))
    }
}

/// An aggregate as it was loaded, and the version it had then.
#[derive(Debug)]
pub struct Loaded<A> {
    stream: StreamId,
    aggregate: A,
    version: u64,
}

impl<A: Aggregate> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

/// [`EventStore`] for one aggregate, behind cqrs-es's trait.
#[derive(Debug, Clone)]
pub struct CqrsStore<A> {
    store: EventStore,
    aggregate: PhantomData<fn() -> A>,
}

impl<A> CqrsStore<A> {
    /// The face of a store for one aggregate.
    pub fn new(store: EventStore) -> Self {
        Self { store, aggregate: PhantomData }
    }
}

impl<A: Logged> CqrsEventStore<A> for CqrsStore<A> {
    type AC = Loaded<A>;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let stream = stream_id::<A>(id)?;
        let recorded = self.store.load(stream).await.map_err(store_error)?;
        Ok(recorded
            .into_iter()
            .filter_map(|recorded| {
                Some(EventEnvelope {
                    aggregate_id: id.to_owned(),
                    sequence: usize::try_from(recorded.sequence).ok()?,
                    metadata: metadata(&recorded.provenance),
                    payload: A::own(recorded.event)?,
                })
            })
            .collect())
    }

    async fn load_aggregate(&self, id: &str) -> Result<Self::AC, AggregateError<A::Error>> {
        let stream = stream_id::<A>(id)?;
        let mut loaded = Loaded { stream, aggregate: A::default(), version: 0 };
        for recorded in self.store.load(stream).await.map_err(store_error)? {
            loaded.version = recorded.sequence;
            if let Some(event) = A::own(recorded.event) {
                loaded.aggregate.apply(event);
            }
        }
        Ok(loaded)
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let request = metadata.get("request_id").and_then(|id| id.parse().ok());
        let request = request.unwrap_or_else(|| self.store.entropy().uuid());
        let actor = metadata.get("actor").and_then(|label| Actor::from_label(label));
        let append = Append {
            streams: vec![StreamAppend {
                stream: context.stream,
                expected: context.version,
                subject: context.aggregate.subject(context.stream, &events),
                events: events.into_iter().map(A::common).collect(),
            }],
            guards: Vec::new(),
            messages: Vec::new(),
            provenance: Provenance::internal(actor.unwrap_or(Actor::System), Surface::Internal, request),
            occurred_at: self.store.clock().now(),
        };
        let committed = self.store.append(append).await.map_err(|error| match error {
            AppendError::Conflict | AppendError::ClaimTaken(_) => AggregateError::AggregateConflict,
            AppendError::Overloaded => AggregateError::UnexpectedError(Box::new(AppendError::Overloaded)),
            AppendError::Store(error) => store_error(error),
        })?;
        Ok(committed
            .events
            .into_iter()
            .filter_map(|recorded| {
                Some(EventEnvelope {
                    aggregate_id: recorded.stream.id.to_string(),
                    sequence: usize::try_from(recorded.sequence).ok()?,
                    metadata: self::metadata(&recorded.provenance),
                    payload: A::own(recorded.event)?,
                })
            })
            .collect())
    }
}

fn stream_id<A: Logged>(id: &str) -> Result<StreamId, AggregateError<A::Error>> {
    let id: Uuid = id.parse().map_err(|error| AggregateError::UnexpectedError(Box::new(error)))?;
    Ok(StreamId { kind: A::KIND, id })
}

fn store_error<E: std::error::Error>(error: StoreError) -> AggregateError<E> {
    AggregateError::DatabaseConnectionError(Box::new(error))
}

fn metadata(provenance: &Provenance) -> HashMap<String, String> {
    HashMap::from([
        ("actor".to_owned(), provenance.actor.label()),
        ("request_id".to_owned(), provenance.request_id.to_string()),
        ("surface".to_owned(), provenance.surface.as_str().to_owned()),
    ])
}

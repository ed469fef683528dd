//! The unit of work: what one command read, what it decided, and what is sent because of it.

use std::collections::BTreeMap;

use evident_domain::attempt::AttemptEvent;
use evident_domain::session::{Session, SessionCommand, SessionError, SessionEvent};
use evident_domain::user::{User, UserCommand, UserError, UserEvent};
use evident_domain::{Event, Provenance, Recorded, SessionId, StreamId, Subject, Time, UserId};
use evident_eventstore::{Append, EventStore, Guard, OutboxMessage, StreamAppend};
use evident_projections::views;

use crate::aggregates::{AggregateCache, Cached};
use crate::execute::Failure;
use crate::messages::Message;

/// What a request brings along: who acts, from where, by which way.
#[derive(Debug, Clone)]
pub struct Context {
    /// Stands in every event of the request.
    pub provenance: Provenance,
}

/// One attempt at a command. It reads aggregates, takes their decisions, and ends as one append.
#[derive(Debug)]
pub struct Unit<'a> {
    store: &'a EventStore,
    cache: &'a AggregateCache,
    now: Time,
    users: BTreeMap<UserId, Touched<User>>,
    sessions: BTreeMap<SessionId, Touched<Session>>,
    attempts: Vec<(Subject, AttemptEvent)>,
    messages: Vec<(Subject, Message)>,
    guards: Vec<Guard>,
    /// Whether something came from the cache, and so may be older than the log.
    pub(crate) from_cache: bool,
}

#[derive(Debug)]
struct Touched<A> {
    /// The version that was read.
    version: u64,
    state: A,
    /// Whose data the stream holds.
    subject: UserId,
    events: Vec<Event>,
}

/// A state and its version, ready for the cache once it is committed.
pub(crate) type Folded = Vec<(StreamId, Cached)>;

impl<'a> Unit<'a> {
    pub(crate) fn new(store: &'a EventStore, cache: &'a AggregateCache, now: Time) -> Self {
        Self {
            store,
            cache,
            now,
            users: BTreeMap::new(),
            sessions: BTreeMap::new(),
            attempts: Vec::new(),
            messages: Vec::new(),
            guards: Vec::new(),
            from_cache: false,
        }
    }

    /// The time of the decision: one for the whole command.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The store, for look-ups that are no part of a decision.
    pub fn store(&self) -> &EventStore {
        self.store
    }

    /// A user's state. It becomes part of the decision: if it changes before the commit, the command
    /// is decided again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn user(&mut self, id: UserId) -> Result<&User, Failure> {
        if !self.users.contains_key(&id) {
            let stream = StreamId::user(id);
            let (version, state) = match self.cache.user(stream) {
                Some(cached) => {
                    self.from_cache = true;
                    cached
                }
                None => {
                    let recorded = self.store.load(stream).await?;
                    let loaded = fold(&recorded, User::default(), |user, event| {
                        if let Event::User(event) = event {
                            user.fold(event);
                        }
                    });
                    self.cache.put(stream, Cached::User(loaded.0, loaded.1.clone()));
                    loaded
                }
            };
            self.users.insert(id, Touched { version, state, subject: id, events: Vec::new() });
        }
        Ok(&self.users[&id].state)
    }

    /// A session's state; as [`Unit::user`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(&mut self, id: SessionId) -> Result<&Session, Failure> {
        if !self.sessions.contains_key(&id) {
            let stream = StreamId::session(id);
            let (version, state) = match self.cache.session(stream) {
                Some(cached) => {
                    self.from_cache = true;
                    cached
                }
                None => {
                    let recorded = self.store.load(stream).await?;
                    let loaded = fold(&recorded, Session::default(), |session, event| {
                        if let Event::Session(event) = event {
                            session.fold(event);
                        }
                    });
                    self.cache.put(stream, Cached::Session(loaded.0, loaded.1.clone()));
                    loaded
                }
            };
            let subject = state.live().map_or(UserId(id.0), |live| live.user);
            self.sessions.insert(id, Touched { version, state, subject, events: Vec::new() });
        }
        Ok(&self.sessions[&id].state)
    }

    /// A stream that nobody has written to: nothing is read for it.
    pub fn expect_new_user(&mut self, id: UserId) {
        let new = Touched { version: 0, state: User::default(), subject: id, events: Vec::new() };
        self.users.insert(id, new);
    }

    /// Gives a user a command; the events are part of the unit.
    ///
    /// # Errors
    /// The rule that says no, or the store's failure.
    pub async fn tell_user<E>(&mut self, id: UserId, command: UserCommand) -> Result<Vec<UserEvent>, E>
    where
        E: From<UserError> + From<Failure>,
    {
        let events = self.user(id).await?.decide(command)?;
        if let Some(touched) = self.users.get_mut(&id) {
            for event in &events {
                touched.state.fold(event);
                touched.events.push(Event::User(event.clone()));
            }
        }
        Ok(events)
    }

    /// Starts a session; its stream is new.
    ///
    /// # Errors
    /// The rule that says no.
    pub fn start_session<E>(
        &mut self,
        id: SessionId,
        start: evident_domain::session::Start,
    ) -> Result<Session, E>
    where
        E: From<SessionError>,
    {
        let subject = start.user;
        let mut state = Session::default();
        let events = state.decide(SessionCommand::Start(start))?;
        for event in &events {
            state.fold(event);
        }
        let events = events.into_iter().map(Event::Session).collect();
        self.sessions.insert(id, Touched { version: 0, state: state.clone(), subject, events });
        Ok(state)
    }

    /// Gives a session a command; the events are part of the unit.
    ///
    /// # Errors
    /// The rule that says no, or the store's failure.
    pub async fn tell_session<E>(
        &mut self,
        id: SessionId,
        command: SessionCommand,
    ) -> Result<Vec<SessionEvent>, E>
    where
        E: From<SessionError> + From<Failure>,
    {
        let events = self.session(id).await?.decide(command)?;
        if let Some(touched) = self.sessions.get_mut(&id) {
            for event in &events {
                touched.state.fold(event);
                touched.events.push(Event::Session(event.clone()));
            }
        }
        Ok(events)
    }

    /// Notes what was tried and refused.
    pub fn note(&mut self, subject: Subject, attempt: AttemptEvent) {
        self.attempts.push((subject, attempt));
    }

    /// The live sessions of a user. If one is started before the commit, the command is decided again:
    /// whoever ends them all must not miss one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn live_sessions(&mut self, user: UserId) -> Result<Vec<SessionId>, Failure> {
        // The position first: what is started in between breaks the guard.
        let after = self.store.head().await?.position;
        let sessions = views::live_sessions(self.store.database(), user).await?;
        self.guards.push(Guard { event_type: "session.started", subject: Subject::User(user), after });
        Ok(sessions)
    }

    /// Sends a message once the change is committed.
    pub fn send(&mut self, subject: Subject, message: Message) {
        self.messages.push((subject, message));
    }

    /// Lets go of everything that was read: the next attempt reads the log.
    pub(crate) fn forget_reads(&self) {
        for id in self.users.keys() {
            self.cache.remove(&StreamId::user(*id));
        }
        for id in self.sessions.keys() {
            self.cache.remove(&StreamId::session(*id));
        }
    }

    /// Whether there is anything to commit, or a read from the cache to be confirmed.
    pub(crate) fn needs_commit(&self) -> bool {
        self.from_cache
            || !self.attempts.is_empty()
            || !self.messages.is_empty()
            || self.users.values().any(|touched| !touched.events.is_empty())
            || self.sessions.values().any(|touched| !touched.events.is_empty())
    }

    /// The append, and the states as they are once it is committed.
    pub(crate) fn finish(self, context: &Context) -> Result<(Append, Folded), serde_json::Error> {
        let (mut streams, mut folded) = (Vec::new(), Vec::new());
        for (id, touched) in self.users {
            let stream = StreamId::user(id);
            folded.push((stream, Cached::User(touched.after(), touched.state.clone())));
            streams.push(touched.into_append(stream));
        }
        for (id, touched) in self.sessions {
            let stream = StreamId::session(id);
            folded.push((stream, Cached::Session(touched.after(), touched.state.clone())));
            streams.push(touched.into_append(stream));
        }
        for (subject, attempt) in self.attempts {
            streams.push(StreamAppend {
                stream: StreamId::attempt(self.store.entropy().uuid()),
                expected: 0,
                subject,
                events: vec![Event::Attempt(attempt)],
            });
        }
        let messages = self
            .messages
            .into_iter()
            .map(|(subject, message)| {
                let payload = serde_json::to_value(&message)?;
                Ok(OutboxMessage { id: self.store.entropy().uuid(), subject, payload })
            })
            .collect::<Result<_, serde_json::Error>>()?;
        let append = Append {
            streams,
            guards: self.guards,
            messages,
            provenance: context.provenance.clone(),
            occurred_at: self.now,
        };
        Ok((append, folded))
    }
}

impl<A> Touched<A> {
    fn after(&self) -> u64 {
        self.version + u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    fn into_append(self, stream: StreamId) -> StreamAppend {
        StreamAppend {
            stream,
            expected: self.version,
            subject: Subject::User(self.subject),
            events: self.events,
        }
    }
}

fn fold<A>(recorded: &[Recorded], mut state: A, apply: impl Fn(&mut A, &Event)) -> (u64, A) {
    let mut version = 0;
    for recorded in recorded {
        version = recorded.sequence;
        apply(&mut state, &recorded.event);
    }
    (version, state)
}

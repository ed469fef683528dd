//! The unit of work: what one command read, what it decided, and what is sent because of it.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use evident_domain::attempt::AttemptEvent;
use evident_domain::organization::OrganizationEvent;
use evident_domain::session::{LiveSession, Session, SessionCommand, SessionError, SessionEvent};
use evident_domain::user::{User, UserCommand, UserError, UserEvent};
use evident_domain::{
    Email, Event, InvitationId, OrganizationId, Position, Provenance, Root, SessionId, StreamId, Subject,
    Time, UserId,
};
use evident_eventstore::{Append, Concern, EventStore, Guard, OutboxMessage, StreamAppend};
use evident_projections::views;
use uuid::Uuid;

use crate::aggregates::{AggregateCache, Cached, State};
use crate::execute::Failure;
use crate::messages::{MailPair, Message, Queued};

/// What a request brings along: who acts, from where, by which way.
#[derive(Debug, Clone)]
pub struct Context {
    /// Stands in every event of the request.
    pub provenance: Provenance,
    /// The server's address by which the request came, where it is one that the owner lists beside the
    /// usual one: links in mails lead there.
    pub reached_at: Option<String>,
}

impl Context {
    /// A request that came by the usual address.
    pub fn new(provenance: Provenance) -> Self {
        Self { provenance, reached_at: None }
    }
}

impl Context {
    /// From where the request comes, where that is known.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.provenance.ip.as_ref().and_then(|ip| ip.known()).copied()
    }
}

/// One attempt at a command. It reads aggregates, takes their decisions, and ends as one append.
#[derive(Debug)]
pub struct Unit<'a> {
    store: &'a EventStore,
    cache: &'a AggregateCache,
    now: Time,
    touched: BTreeMap<StreamId, Touched>,
    attempts: Vec<(Subject, AttemptEvent)>,
    messages: Vec<(Subject, Option<Subject>, Message)>,
    guards: Vec<Guard>,
    reached_at: Option<String>,
    /// Whether something came from the cache, and so may be older than the log.
    pub(crate) from_cache: bool,
}

#[derive(Debug)]
struct Touched {
    /// The version that was read.
    version: u64,
    state: Arc<dyn State>,
    /// Whose data the stream's new events hold.
    subject: Subject,
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
            touched: BTreeMap::new(),
            attempts: Vec::new(),
            messages: Vec::new(),
            guards: Vec::new(),
            reached_at: None,
            from_cache: false,
        }
    }

    /// As part of a request.
    pub(crate) fn of(mut self, context: &Context) -> Self {
        self.reached_at.clone_from(&context.reached_at);
        self
    }

    /// The server's address by which the request came, where it is not the usual one.
    pub(crate) fn reached_at(&self) -> Option<&str> {
        self.reached_at.as_deref()
    }

    /// The time of the decision: one for the whole command.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The id of a session that is about to begin.
    pub fn new_session(&self) -> SessionId {
        SessionId(self.store.entropy().timed_uuid(self.now))
    }

    /// The store, for look-ups that are no part of a decision.
    pub fn store(&self) -> &EventStore {
        self.store
    }

    /// The state of an aggregate. It becomes part of the decision: if it changes before the commit, the
    /// command is decided again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read<A: Root>(&mut self, id: Uuid) -> Result<&A, Failure> {
        let stream = StreamId { kind: A::KIND, id };
        if !self.touched.contains_key(&stream) {
            let cached = match self.cache.get(&stream) {
                Some(cached) => {
                    self.from_cache = true;
                    cached
                }
                None => {
                    let mut state = A::default();
                    let mut version = 0;
                    for recorded in self.store.load(stream).await? {
                        version = recorded.sequence;
                        if let Some(event) = A::own(&recorded.event) {
                            state.fold(event);
                        }
                    }
                    let loaded = Cached { version, state: Arc::new(state) };
                    self.cache.put(stream, loaded.clone());
                    loaded
                }
            };
            self.touch(stream, cached);
        }
        self.state(&stream)
    }

    /// A stream that nobody has written to: nothing is read for it.
    pub fn expect_new<A: Root>(&mut self, id: Uuid) {
        self.touch(StreamId { kind: A::KIND, id }, Cached { version: 0, state: Arc::new(A::default()) });
    }

    fn touch(&mut self, stream: StreamId, Cached { version, state }: Cached) {
        let subject = Subject::period_of(self.now);
        self.touched.insert(stream, Touched { version, state, subject, events: Vec::new() });
    }

    fn state<A: Root>(&self, stream: &StreamId) -> Result<&A, Failure> {
        let state = self.touched.get(stream).and_then(|touched| {
            let state: &dyn Any = &*touched.state;
            state.downcast_ref()
        });
        state.ok_or(Failure::Internal("an aggregate is of another kind than its stream"))
    }

    /// Gives an aggregate a command; the events are part of the unit.
    ///
    /// # Errors
    /// The rule that says no, or the store's failure.
    pub async fn tell<A, E>(&mut self, id: Uuid, command: A::Command) -> Result<Vec<A::Event>, E>
    where
        A: Root,
        E: From<A::Error> + From<Failure>,
    {
        let stream = StreamId { kind: A::KIND, id };
        let events = self.read::<A>(id).await?.decide(command)?;
        if events.is_empty() {
            return Ok(events);
        }
        let mut state = self.state::<A>(&stream)?.clone();
        for event in &events {
            state.fold(event);
        }
        if let Some(touched) = self.touched.get_mut(&stream) {
            touched.subject = state.subject(id, self.now);
            touched.state = Arc::new(state);
            touched.events.extend(events.iter().cloned().map(Into::into));
        }
        Ok(events)
    }

    /// A user's state; see [`Unit::read`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn user(&mut self, id: UserId) -> Result<&User, Failure> {
        self.read::<User>(id.0).await
    }

    /// A session's state; see [`Unit::read`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(&mut self, id: SessionId) -> Result<&Session, Failure> {
        self.read::<Session>(id.0).await
    }

    /// The session in which a user asks for something, where their token names one. It may have ended since
    /// the token was looked at: by a new password, say, that another session set.
    ///
    /// # Errors
    /// [`SessionError::NotFound`] when it has ended, or is somebody else's.
    pub async fn asking_session<E>(
        &mut self,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<Option<&LiveSession>, E>
    where
        E: From<SessionError> + From<Failure>,
    {
        let Some(session) = session else { return Ok(None) };
        let live = self.session(session).await?.live().filter(|live| live.user == user);
        Ok(Some(live.ok_or(SessionError::NotFound)?))
    }

    /// Gives a user a command; the events are part of the unit.
    ///
    /// # Errors
    /// The rule that says no, or the store's failure.
    pub async fn tell_user<E>(&mut self, id: UserId, command: UserCommand) -> Result<Vec<UserEvent>, E>
    where
        E: From<UserError> + From<Failure>,
    {
        self.tell::<User, E>(id.0, command).await
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
        self.tell::<Session, E>(id.0, command).await
    }

    /// Starts a session; its stream is new.
    ///
    /// # Errors
    /// The rule that says no.
    pub async fn start_session<E>(
        &mut self,
        id: SessionId,
        start: evident_domain::session::Start,
    ) -> Result<Session, E>
    where
        E: From<SessionError> + From<Failure>,
    {
        self.expect_new::<Session>(id.0);
        self.tell::<Session, E>(id.0, SessionCommand::Start(start)).await?;
        Ok(self.session(id).await?.clone())
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
        let concerns = Concern::Subject(Subject::User(user));
        self.guards.push(Guard { event_type: "session.started", concerns, after });
        Ok(sessions)
    }

    /// The organizations that a user belongs to. If the user joins another before the commit, the command
    /// is decided again: whoever counts them, or leaves them all, must not miss one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn memberships(&mut self, user: UserId) -> Result<Vec<OrganizationId>, Failure> {
        let after = self.store.head().await?.position;
        let organizations = views::memberships(self.store.database(), user).await?;
        for event_type in ["organization.created", "organization.member_added"] {
            self.guards.push(Guard { event_type, concerns: Concern::User(user), after });
        }
        Ok(organizations)
    }

    /// The invitations by which a user is known somewhere, open or not, also where the organization is gone.
    /// If they are invited once more before the commit, the command is decided again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn invitations_of(
        &mut self,
        user: UserId,
        emails: &BTreeSet<Email>,
    ) -> Result<BTreeSet<(OrganizationId, InvitationId)>, Failure> {
        let after = self.store.head().await?.position;
        let database = self.store.database();
        let mut invitations: BTreeSet<_> =
            views::invitations_of_person(database, user, None).await?.into_iter().collect();
        for email in emails {
            invitations.extend(views::invitations_of_person(database, user, Some(email.as_str())).await?);
        }
        if !emails.is_empty() {
            invitations.extend(self.orphaned_invitations(emails).await?);
        }
        let concerns = Concern::Subject(Subject::User(user));
        self.guards.push(Guard { event_type: "organization.member_invited", concerns, after });
        Ok(invitations)
    }

    /// Invitations to some addresses by organizations that are gone: no table knows them.
    async fn orphaned_invitations(
        &self,
        emails: &BTreeSet<Email>,
    ) -> Result<Vec<(OrganizationId, InvitationId)>, Failure> {
        let (mut found, mut after) = (Vec::new(), Position(0));
        loop {
            let positions = views::orphaned_invitations(self.store.database(), after).await?;
            let Some(last) = positions.last() else { return Ok(found) };
            after = *last;
            for recorded in self.store.at(&positions).await? {
                if let Event::Organization(OrganizationEvent::MemberInvited { invitation, email, .. }) =
                    &recorded.event
                    && email.known().is_some_and(|email| emails.contains(email))
                {
                    found.push((OrganizationId(recorded.stream.id), *invitation));
                }
            }
        }
    }

    /// The sessions in which somebody acts in others' names. None begins before the commit: whoever acts is
    /// part of that decision, and of this one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn impersonations_by(&mut self, user: UserId) -> Result<Vec<SessionId>, Failure> {
        Ok(views::impersonations_by(self.store.database(), user).await?)
    }

    /// Seals what an aggregate decided with another one's key: the events hold that one's data.
    pub fn seal_for<A: Root>(&mut self, id: Uuid, subject: Subject) {
        if let Some(touched) = self.touched.get_mut(&StreamId { kind: A::KIND, id }) {
            touched.subject = subject;
        }
    }

    /// Sends a message once the change is committed.
    pub fn send(&mut self, subject: Subject, message: Message) {
        self.messages.push((subject, None, message));
    }

    /// As [`Unit::send`], with a message that names somebody else as well: it goes when either is forgotten.
    pub fn send_naming(&mut self, subject: Subject, other: UserId, message: Message) {
        let other = Some(Subject::User(other)).filter(|other| *other != subject);
        self.messages.push((subject, other, message));
    }

    /// Makes one message of the last two, if they are mails: they belong together, and the first goes to
    /// the new address.
    pub(crate) fn pair_mails(&mut self) {
        let last = self.messages.len().saturating_sub(2);
        if let [(_, _, Message::Mail(new)), (subject, also, Message::Mail(current))] = &self.messages[last..]
        {
            let pair = MailPair { new: new.clone(), current: current.clone() };
            let paired = (subject.clone(), also.clone(), Message::MailPair(pair));
            self.messages.truncate(last);
            self.messages.push(paired);
        }
    }

    /// The streams of one kind that get new events, and those events.
    pub(crate) fn decided<A: Root>(&self) -> impl Iterator<Item = (&StreamId, &[Event])> {
        let of_kind = self.touched.iter().filter(|(stream, _)| stream.kind == A::KIND);
        of_kind
            .filter(|(_, touched)| !touched.events.is_empty())
            .map(|(stream, touched)| (stream, touched.events.as_slice()))
    }

    /// The state of an aggregate that the decision has read, as it is with the new events.
    pub(crate) fn peek<A: Root>(&self, id: Uuid) -> Option<&A> {
        self.state(&StreamId { kind: A::KIND, id }).ok()
    }

    /// Lets go of everything that was read: the next attempt reads the log.
    pub(crate) fn forget_reads(&self) {
        for stream in self.touched.keys() {
            self.cache.remove(stream);
        }
    }

    /// Whether there is anything to commit, or a read from the cache to be confirmed.
    pub(crate) fn needs_commit(&self) -> bool {
        self.from_cache
            || !self.attempts.is_empty()
            || !self.messages.is_empty()
            || self.touched.values().any(|touched| !touched.events.is_empty())
    }

    /// The append, and the states as they are once it is committed.
    pub(crate) fn finish(self, context: &Context) -> Result<(Append, Folded), serde_json::Error> {
        let (mut streams, mut folded) = (Vec::new(), Vec::new());
        for (stream, touched) in self.touched {
            let version = touched.version + u64::try_from(touched.events.len()).unwrap_or(u64::MAX);
            folded.push((stream, Cached { version, state: touched.state }));
            streams.push(StreamAppend {
                stream,
                expected: touched.version,
                subject: touched.subject,
                events: touched.events,
            });
        }
        for (subject, attempt) in self.attempts {
            streams.push(StreamAppend {
                stream: StreamId::attempt(self.store.entropy().timed_uuid(self.now)),
                expected: 0,
                subject,
                events: vec![Event::Attempt(attempt)],
            });
        }
        let messages = self
            .messages
            .into_iter()
            .map(|(subject, also, message)| {
                let payload = serde_json::to_value(&Queued { message, ip: context.ip() })?;
                let id = self.store.entropy().timed_uuid(self.now);
                Ok(OutboxMessage { id, subject, also, payload })
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

//! What this node keeps at hand: accounts and sessions as the tables have them, never stale.
//!
//! An answer from memory is given only when it is shown that nothing newer exists, as Raft's
//! `ReadIndex` does: one read of the head's position serves all requests that arrived before it was
//! sent, and the events since then drop what they touch. So revocation is effective at once on every
//! node, and a look-up costs no query of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use evident_domain::{Event, Position, Recorded, SessionId, StreamId, StreamKind, Subject, UserId};
use evident_eventstore::{Database, DatabaseError, Inline, StoreError, Tables, Value, Vault};
use evident_projections::{Projections, views};
use quick_cache::sync::Cache;
use tokio::sync::{mpsc, oneshot};

use crate::access::Caller;
use crate::aggregates::AggregateCache;

/// Users that are kept at most.
const CAPACITY: usize = 8_192;
/// Requests that may wait for one read of the head.
const QUEUE: usize = 8_192;
/// With more news than this it is cheaper to forget everything.
const MAX_NEWS: u64 = 10_000;

/// What is kept of one user: an answer for each session that asked, and one without session.
#[derive(Debug, Default)]
struct Known(RwLock<HashMap<Option<SessionId>, Arc<Caller>>>);

type Ask = oneshot::Sender<Result<Position, StoreError>>;

/// The memory of a node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Nearby(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    vault: Vault,
    users: Cache<UserId, Arc<Known>>,
    /// Whose a session is, which never changes.
    holders: Cache<SessionId, UserId>,
    aggregates: AggregateCache,
    /// Everything up to here has dropped what it touches.
    seen: Mutex<Position>,
    asks: mpsc::Sender<Ask>,
}

impl Nearby {
    /// An empty memory over a database, before its log is opened.
    pub fn new(database: Database, vault: Vault) -> Self {
        let (asks, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(answer_asks(database.clone(), receiver));
        Self(Arc::new(Inner {
            database,
            vault,
            users: Cache::new(CAPACITY),
            holders: Cache::new(CAPACITY),
            aggregates: AggregateCache::default(),
            seen: Mutex::new(Position(0)),
            asks,
        }))
    }

    /// The log is open and goes up to here: what is empty knows all of it.
    pub fn start_at(&self, head: Position) {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = head.max(*seen);
    }

    /// The aggregates at hand.
    pub(crate) fn aggregates(&self) -> &AggregateCache {
        &self.0.aggregates
    }

    /// The user with, where asked for, the session, as of now on every node. A session that is not the
    /// user's or not alive is not there.
    pub(crate) async fn caller(
        &self,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let now = self.head().await?;
        self.caller_at(user, session, now).await
    }

    /// Whose a session is; whether it still lives is another question.
    pub(crate) async fn holder(&self, session: SessionId) -> Result<Option<UserId>, StoreError> {
        if let Some(user) = self.0.holders.get(&session) {
            return Ok(Some(user));
        }
        let Some(row) = views::session(&self.0.database, session).await? else { return Ok(None) };
        self.0.holders.insert(session, row.user_id);
        Ok(Some(row.user_id))
    }

    /// As [`Nearby::caller`], with everything up to a position that the caller knows of.
    pub(crate) async fn caller_at(
        &self,
        user: UserId,
        session: Option<SessionId>,
        at_least: Position,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let seen = self.catch_up(at_least).await?;
        if let Some(known) = self.0.users.get(&user) {
            let answers = known.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(caller) = answers.get(&session) {
                return Ok(Some(caller.clone()));
            }
        }
        let Some(caller) = self.read(user, session).await? else { return Ok(None) };
        self.keep(user, session, &caller, seen);
        Ok(Some(caller))
    }

    async fn read(
        &self,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let database = &self.0.database;
        if let Some(id) = session
            && let Some(found) = views::session_with_user(database, id).await?
            && found.session.user_id == user
        {
            return Ok(Some(Arc::new(Caller { view: found.user, session: Some(found.session) })));
        }
        let view = views::user(database, user).await?;
        Ok(view.map(|view| Arc::new(Caller { view, session: None })))
    }

    /// Keeps an answer, unless news came while it was read: it might be older than they are.
    fn keep(&self, user: UserId, session: Option<SessionId>, caller: &Arc<Caller>, read_after: Position) {
        if session.is_some() != caller.session.is_some() {
            return; // the session is over: nobody asks twice
        }
        let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen != read_after {
            return;
        }
        let known = match self.0.users.get(&user) {
            Some(known) => known,
            None => {
                let known = Arc::new(Known::default());
                self.0.users.insert(user, known.clone());
                known
            }
        };
        known.0.write().unwrap_or_else(PoisonError::into_inner).insert(session, caller.clone());
    }

    /// Lets everything that is committed by now, on any node, drop what it touches; gives the head's position.
    pub(crate) async fn catch_up_with_head(&self) -> Result<Position, StoreError> {
        let now = self.head().await?;
        self.catch_up(now).await?;
        Ok(now)
    }

    /// The position of the head, read after this was called.
    async fn head(&self) -> Result<Position, StoreError> {
        let (ask, answer) = oneshot::channel();
        self.0.asks.send(ask).await.map_err(|_| StoreError::Stopped)?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Lets the events up to a position drop what they touch; gives how far it went.
    async fn catch_up(&self, to: Position) -> Result<Position, StoreError> {
        let from = *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if from >= to {
            return Ok(from);
        }
        let news = if to.0 - from.0 > MAX_NEWS { None } else { Some(self.news(from, to).await?) };
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match news {
            Some(news) => news.iter().for_each(|piece| self.drop_touched(piece)),
            None => {
                self.0.users.clear();
                self.0.aggregates.clear();
                self.0.vault.evict_all();
            }
        }
        *seen = to.max(*seen);
        Ok(*seen)
    }

    async fn news(&self, after: Position, to: Position) -> Result<Vec<News>, StoreError> {
        let sql = "select aggregate_type, aggregate_id, event_type, subject from events \
                   where position > $1 and position <= $2 order by position";
        let number = |position: Position| Value::Int(i64::try_from(position.0).unwrap_or(i64::MAX));
        let rows = self.0.database.query(sql, &[number(after), number(to)]).await?;
        Ok(rows.iter().filter_map(|row| News::read(row)).collect())
    }

    fn drop_touched(&self, news: &News) {
        match news.stream.kind {
            StreamKind::User => {
                self.0.users.remove(&UserId(news.stream.id));
                self.0.aggregates.remove(&news.stream);
                if news.erased {
                    self.0.vault.evict(&Subject::User(UserId(news.stream.id)));
                }
            }
            StreamKind::Session => {
                self.0.aggregates.remove(&news.stream);
                let Some(user) = news.user else { return };
                if news.touches_user {
                    self.0.users.remove(&user);
                } else if let Some(known) = self.0.users.get(&user) {
                    let session = Some(SessionId(news.stream.id));
                    known.0.write().unwrap_or_else(PoisonError::into_inner).remove(&session);
                }
            }
            StreamKind::Client | StreamKind::Authorization | StreamKind::Consent => {
                self.0.aggregates.remove(&news.stream);
            }
            StreamKind::Organization
            | StreamKind::SsoProvider
            | StreamKind::Flow
            | StreamKind::Recipient
            | StreamKind::Provider
            | StreamKind::Hold
            | StreamKind::Audit
            | StreamKind::Log
            | StreamKind::Attempt => {}
        }
    }

    /// Takes in events of this node; with a gap before them the next look-up asks the log.
    fn observe(&self, events: &[Recorded]) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if first.position.0 != seen.0 + 1 {
            return;
        }
        for event in events {
            self.drop_touched(&News::of(event));
        }
        *seen = last.position;
    }
}

/// Reads the head once for all who ask meanwhile.
async fn answer_asks(database: Database, mut asks: mpsc::Receiver<Ask>) {
    let mut waiting = Vec::new();
    while asks.recv_many(&mut waiting, QUEUE).await > 0 {
        let position = head_position(&database).await;
        for ask in waiting.drain(..) {
            // Whoever asked may have gone.
            let _ = ask.send(position.clone());
        }
    }
}

async fn head_position(database: &Database) -> Result<Position, StoreError> {
    let rows = database.query("select position from log_head where only_row = 1", &[]).await?;
    let position = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
    let damaged = || DatabaseError::Unexpected { table: "log_head".to_owned(), column: "position" };
    Ok(Position(position.and_then(|p| u64::try_from(p).ok()).ok_or_else(damaged)?))
}

/// What an event means to a memory.
struct News {
    stream: StreamId,
    user: Option<UserId>,
    /// Whether the user's row changed too, not only a session's.
    touches_user: bool,
    erased: bool,
}

impl News {
    fn read(row: &[Value]) -> Option<Self> {
        let text = |i: usize| row.get(i).and_then(Value::as_text);
        let stream = StreamId { kind: StreamKind::from_name(text(0)?)?, id: text(1)?.parse().ok()? };
        let user = match text(3).and_then(|subject| subject.parse().ok()) {
            Some(Subject::User(user)) => Some(user),
            _ => None,
        };
        Some(Self::new(stream, user, text(2)?))
    }

    fn of(event: &Recorded) -> Self {
        let user = match &event.subject {
            Some(Subject::User(user)) => Some(*user),
            _ => None,
        };
        Self::new(event.stream, user, Event::kind(&event.event).0)
    }

    fn new(stream: StreamId, user: Option<UserId>, kind: &str) -> Self {
        let only_session = matches!(
            kind,
            "flow.started"
                | "flow.redeemed"
                | "session.refreshed"
                | "session.refresh_repeated"
                | "session.stepped_up"
                | "session.stepped_down"
                | "session.revoked"
        );
        Self { stream, user, touches_user: !only_session, erased: kind == "user.erased" }
    }
}

/// The projections, and a memory that hears of every commit.
#[derive(Debug, Clone)]
pub struct ProjectionsNearby {
    /// The folds.
    pub projections: Projections,
    /// The memory.
    pub nearby: Nearby,
}

#[async_trait]
impl Inline for ProjectionsNearby {
    async fn apply(&self, tables: &mut dyn Tables, events: &[Recorded]) -> Result<(), DatabaseError> {
        self.projections.apply(tables, events).await
    }

    fn committed(&self, events: &[Recorded]) {
        self.projections.committed(events);
        self.nearby.observe(events);
    }

    fn interrupted(&self) {
        self.projections.interrupted();
    }
}

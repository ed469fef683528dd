//! The store: what use cases, projections and tools hold in their hands.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use cqrs_es::persist::EventUpcaster;
use evident_domain::claim::Holder;
use evident_domain::ports::{Clock, Entropy};
use evident_domain::{Actor, Claim, Position, Recorded, StreamId, Subject, upcast};
use tokio::sync::{mpsc, oneshot, watch};

use crate::append::{Append, AppendError, Committed, Inline};
use crate::claims::claim_key;
use crate::codec::{CodecError, Owner, READ, prepare};
use crate::database::{Database, DatabaseError, Row, Value, cells_of};
use crate::head::{self, Head, HeadLock};
use crate::merkle::FrontierDamaged;
use crate::reader::{self, Filter};
use crate::seal::SealBroken;
use crate::stored::Audience;
use crate::vault::{Keys, Vault, VaultError};
use crate::writer::{self, Job};

/// The store failed. Cheap to clone: one failure may answer a whole batch.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error(transparent)]
    Database(Arc<DatabaseError>),
    /// An event cannot be written or read.
    #[error(transparent)]
    Codec(#[from] Arc<CodecError>),
    /// The vault failed.
    #[error(transparent)]
    Vault(Arc<VaultError>),
    /// A message cannot be sealed or opened.
    #[error("a message of the outbox does not open")]
    Seal(#[source] SealBroken),
    /// The head is damaged.
    #[error(transparent)]
    Frontier(#[from] FrontierDamaged),
    /// The database did not answer in time; nothing was written.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The connection broke during the commit, and the database cannot be asked: the change may stand.
    #[error("the connection broke during the commit: the change may or may not stand")]
    OutcomeUnknown,
    /// A projection panicked over the change; nothing was written.
    #[error("a projection panicked")]
    Panicked,
    /// The writer has ended; the process is going down.
    #[error("the log's writer has stopped")]
    Stopped,
}

impl StoreError {
    pub(crate) fn vault(error: VaultError) -> Self {
        Self::Vault(Arc::new(error))
    }
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        Self::vault(error)
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<CodecError> for StoreError {
    fn from(error: CodecError) -> Self {
        Self::Codec(Arc::new(error))
    }
}

/// The event store. Cheap to clone.
#[derive(Clone)]
pub struct EventStore(Arc<Inner>);

struct Inner {
    database: Database,
    vault: Vault,
    writer: mpsc::Sender<Job>,
    head: watch::Receiver<Position>,
    upcasters: Vec<Box<dyn EventUpcaster>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for EventStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStore").field("database", &self.0.database.dialect()).finish_non_exhaustive()
    }
}

impl EventStore {
    /// Opens the log over a database, and starts this node's writer.
    ///
    /// # Errors
    /// When the head cannot be read.
    pub async fn open(
        database: Database,
        vault: Vault,
        inline: Arc<dyn Inline>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let position = head::read(&database).await?.position;
        let (moved, head) = watch::channel(position);
        let writer = writer::start(database.clone(), inline, moved);
        let upcasters = upcast::upcasters();
        Ok(Self(Arc::new(Inner { database, vault, writer, head, upcasters, clock, entropy })))
    }

    /// The database of the log and the projections.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The keys.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The clock that the store was opened with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The randomness that the store was opened with.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.0.entropy
    }

    /// The head of the log, on whichever node it moved.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self) -> Result<Head, StoreError> {
        head::read(&self.0.database).await
    }

    /// Positions that this node's writer has reached, as they come.
    pub fn watch_head(&self) -> watch::Receiver<Position> {
        self.0.head.clone()
    }

    /// Locks the head: no writer on any node commits meanwhile. For work that needs the log and the
    /// tables to stand still, and that is short.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_head(&self) -> Result<HeadLock, StoreError> {
        HeadLock::acquire(&self.0.database).await
    }

    /// Commits a change: events, claims, projections and messages together, or nothing. When this
    /// returns, the change is durable and visible on every node.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] when a stream moved on: decide again from fresh state.
    pub async fn append(&self, append: Append) -> Result<Committed, AppendError> {
        let mut keys = Keys::default();
        for subject in sealed_for(&append) {
            if let Entry::Vacant(vacant) = keys.entry(subject) {
                let key = self.0.vault.subject_key(vacant.key()).await.map_err(StoreError::vault)?;
                vacant.insert(key);
            }
        }
        let (job, answer) = self.job(append, &keys).await?;
        self.0.writer.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppendError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => AppendError::Store(StoreError::Stopped),
        })?;
        answer.await.unwrap_or(Err(AppendError::Store(StoreError::Stopped)))
    }

    /// Commits many changes, in this order, each for itself: for whoever brings a history. It waits for
    /// the writer instead of being told that it is overloaded.
    ///
    /// # Errors
    /// When the keys cannot be had; what became of each change is said for itself.
    pub async fn append_all(
        &self,
        appends: Vec<Append>,
    ) -> Result<Vec<Result<Committed, AppendError>>, StoreError> {
        let subjects: BTreeSet<Subject> = appends.iter().flat_map(sealed_for).collect();
        let subjects: Vec<_> = subjects.into_iter().collect();
        let keys = self.0.vault.subject_keys(&subjects).await.map_err(StoreError::vault)?;
        let mut answers = Vec::with_capacity(appends.len());
        for append in appends {
            let (job, answer) = match self.job(append, &keys).await {
                Ok(job) => job,
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            self.0.writer.send(job).await.map_err(|_| StoreError::Stopped)?;
            answers.push(Ok(answer));
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(match answer {
                Ok(answer) => answer.await.unwrap_or(Err(AppendError::Store(StoreError::Stopped))),
                Err(error) => Err(error),
            });
        }
        Ok(outcomes)
    }

    /// A change, sealed for the writer, and where its answer will be.
    async fn job(
        &self,
        append: Append,
        keys: &Keys,
    ) -> Result<(Job, oneshot::Receiver<writer::Outcome>), AppendError> {
        let person = acting(&append);
        let owner = |subject: &'_ Subject| keys.get(subject).map(|key| &**key);
        let actor = person.as_ref().and_then(|subject| Some(Owner { subject, key: owner(subject)? }));
        let mut prepared = Vec::with_capacity(append.streams.len());
        for stream in &append.streams {
            let Some(key) = keys.get(&stream.subject).filter(|_| !stream.events.is_empty()) else {
                prepared.push(Vec::new());
                continue;
            };
            let subject = Owner { subject: &stream.subject, key };
            let events: Result<Vec<_>, _> = stream
                .events
                .iter()
                .map(|event| {
                    let (who, when) = (&append.provenance, append.occurred_at);
                    prepare(event.clone(), who, when, subject, actor.unwrap_or(subject), self.entropy())
                })
                .collect();
            prepared.push(events.map_err(StoreError::from)?);
        }
        let mut messages = Vec::with_capacity(append.messages.len());
        for message in &append.messages {
            messages.push(self.message_row(message, append.occurred_at).await?);
        }
        let (answer, outcome) = oneshot::channel();
        Ok((Job { append, prepared, messages, answer }, outcome))
    }

    /// A stream's events, oldest first.
    ///
    /// # Errors
    /// When the database fails or an event does not read.
    pub async fn load(&self, stream: StreamId) -> Result<Vec<Recorded>, StoreError> {
        self.load_after(stream, 0).await
    }

    /// A stream's events after a sequence, oldest first.
    ///
    /// # Errors
    /// As [`EventStore::load`].
    pub async fn load_after(&self, stream: StreamId, sequence: u64) -> Result<Vec<Recorded>, StoreError> {
        reader::stream(&self.0.database, &self.0.vault, &self.0.upcasters, stream, sequence).await
    }

    /// The next events after a position that pass a filter.
    ///
    /// # Errors
    /// As [`EventStore::load`].
    pub async fn page(
        &self,
        after: Position,
        limit: u32,
        filter: &Filter,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.items(after, limit, filter).await?.into_iter().map(|item| item.event).collect()
    }

    /// [`EventStore::page`], each event with its own outcome.
    pub(crate) async fn items(
        &self,
        after: Position,
        limit: u32,
        filter: &Filter,
    ) -> Result<Vec<reader::Item>, StoreError> {
        let inner = &self.0;
        reader::page(&inner.database, &inner.vault, &inner.upcasters, after, limit, filter).await
    }

    /// What makes old versions of events new.
    pub(crate) fn upcasters(&self) -> &[Box<dyn EventUpcaster>] {
        &self.0.upcasters
    }

    /// Opens rows with the columns of [`crate::codec::READ_COLUMNS`].
    pub(crate) async fn open_rows(&self, rows: Vec<Row>) -> Result<Vec<reader::Item>, StoreError> {
        let cells = cells_of(&rows, &READ);
        reader::open_each(&self.0.vault, &self.0.upcasters, &cells, Audience::Readers).await
    }

    /// Who holds a claim.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holder(&self, claim: &Claim) -> Result<Option<Holder>, StoreError> {
        let sql = "select holder from claims where claim = $1";
        let rows = self.0.database.query(sql, &[claim_key(claim).into()]).await?;
        let damaged = DatabaseError::Unexpected { table: "claims".to_owned(), column: "holder" };
        match rows.first().and_then(|row| row.first()).and_then(Value::as_text) {
            None => Ok(None),
            Some(holder) => Ok(Some(holder.parse().map_err(|_| damaged)?)),
        }
    }

    /// Destroys a subject's key, and drops messages that hold their data. Call it after the erasing event is
    /// committed, and again at start.
    ///
    /// # Errors
    /// When the vault or the database fails: the key may then still be there.
    pub async fn forget(&self, subject: &Subject) -> Result<(), StoreError> {
        self.0.vault.destroy(subject).await.map_err(StoreError::vault)?;
        self.drop_messages_of(subject).await?;
        Ok(self.0.database.forget_old_pages().await?)
    }
}

/// Under whose keys a change is sealed.
fn sealed_for(append: &Append) -> Vec<Subject> {
    let told = append.streams.iter().filter(|stream| !stream.events.is_empty());
    told.map(|stream| stream.subject.clone()).chain(acting(append)).collect()
}

/// Whose address and program stand in a change: whoever acts; of a visitor, the person whose account it
/// concerns. None where each event's own subject is as good as any.
fn acting(append: &Append) -> Option<Subject> {
    if let Some(user) = append.provenance.person() {
        return Some(Subject::User(user));
    }
    if append.provenance.actor != Actor::Visitor {
        return None;
    }
    let concerned = append.streams.iter().filter(|stream| !stream.events.is_empty());
    concerned.map(|stream| &stream.subject).find(|subject| matches!(subject, Subject::User(_))).cloned()
}

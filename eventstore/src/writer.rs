//! The writer: one task a node that commits what is waiting as one batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use evident_domain::Position;
use futures::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::StoreError;
use crate::append::{Append, AppendError, Committed, Inline};
use crate::batch::{self, Draft, End, Pending};
use crate::chain::Chain;
use crate::codec::Prepared;
use crate::database::{Database, DatabaseError, LogConnection, Row};
use crate::writing::{Versions, Writing};

/// Most changes in one transaction.
const MAX_BATCH: usize = 256;
/// Changes that may wait for the writer; beyond that the store answers that it is overloaded.
const QUEUE: usize = 1024;
/// How long a batch may take, waiting for another node's included, before the writer gives it up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the writer waits for more to come along: half a commit's time, within these bounds. The
/// runtime's timer is no finer than the lower one; on quicker disks only those come along who are there.
const SHORTEST_GATHERING: Duration = Duration::from_millis(1);
const LONGEST_GATHERING: Duration = Duration::from_millis(4);
/// How long, and at what distance, the writer asks whether a commit that was not answered took place.
const INQUIRY: Duration = Duration::from_secs(10);
const INQUIRY_PAUSE: Duration = Duration::from_millis(250);
/// How long a connection may lie idle and be used again: what is between here and the database may have
/// forgotten it, and not say so.
const IDLE: Duration = Duration::from_secs(300);

/// A change that is ready to be written.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) append: Append,
    /// The prepared events, stream by stream as in the append.
    pub(crate) prepared: Vec<Vec<Prepared>>,
    /// The outbox rows.
    pub(crate) messages: Vec<Row>,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

pub(crate) type Outcome = Result<Committed, AppendError>;

/// Starts the writer; it ends when every sender is gone.
pub(crate) fn start(
    database: Database,
    inline: Arc<dyn Inline>,
    head: watch::Sender<Position>,
) -> mpsc::Sender<Job> {
    let (sender, mut receiver) = mpsc::channel::<Job>(QUEUE);
    let mut writer = Writer { database, inline, head, connection: None, chain: None, company: false };
    tokio::spawn(async move {
        let (mut batch, mut expected, mut patience) = (Vec::new(), 1, Duration::ZERO);
        while receiver.recv_many(&mut batch, MAX_BATCH).await > 0 {
            gather(&mut receiver, &mut batch, expected, patience).await;
            let (answered, begun) = (batch.len(), Instant::now());
            writer.write(std::mem::take(&mut batch)).await;
            // Whoever was just answered is likely to ask again, and is worth a part of a commit's time.
            expected = (answered + receiver.len()).min(MAX_BATCH);
            patience = (begun.elapsed() / 2).min(LONGEST_GATHERING);
        }
    });
    sender
}

/// Lets those come along who are about to ask. Without it two groups of callers would take turns, each
/// waiting for the other's commit, and a slow disk would see twice the commits for the same changes.
async fn gather(
    receiver: &mut mpsc::Receiver<Job>,
    batch: &mut Vec<Job>,
    expected: usize,
    patience: Duration,
) {
    if batch.len() >= expected {
        return;
    }
    yield_now().await;
    let end = Instant::now() + patience;
    while batch.len() < expected {
        let room = MAX_BATCH - batch.len();
        let more = if patience < SHORTEST_GATHERING {
            receiver.recv_many(batch, room).now_or_never()
        } else {
            timeout_at(end, receiver.recv_many(batch, room)).await.ok()
        };
        if more.unwrap_or(0) == 0 {
            return;
        }
    }
}

struct Writer {
    database: Database,
    inline: Arc<dyn Inline>,
    head: watch::Sender<Position>,
    /// The connection of the last batch, and when that was over.
    connection: Option<(LogConnection, Instant)>,
    /// What is known of the log since the last batch.
    chain: Option<Chain>,
    /// Another node was writing when the head was last locked: likely it still is, and is faster.
    company: bool,
}

/// How sure a batch must be of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Footing {
    /// It may trust that the head stands where the last batch left it.
    Trust,
    /// It locks the head first.
    Lock,
}

/// Why a batch is not in the log.
enum Failure {
    /// It was not even tried to the end: another try may well succeed.
    Interrupted(StoreError),
    /// Something in it, or in the tables, is wrong.
    Refused(StoreError),
    /// The commit was not answered, and the database cannot be asked.
    Unknown(StoreError),
    /// Another node has written first.
    Overtaken,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::TimedOut => Self::Interrupted(error),
            StoreError::Database(cause) if matches!(**cause, DatabaseError::Overtaken) => Self::Overtaken,
            StoreError::Database(cause) if cause.is_connection_lost() => Self::Interrupted(error),
            _ => Self::Refused(error),
        }
    }
}

impl Writer {
    /// Commits a batch. If it is refused, its halves are tried apart: what is wrong with one change must
    /// not be the others' misfortune, nor make each of them wait for a commit of its own.
    async fn write(&mut self, batch: Vec<Job>) {
        let mut waiting = vec![batch];
        while let Some(mut batch) = waiting.pop() {
            let trusting = self.chain.is_some() && !self.company;
            let mut outcome =
                self.commit(&batch, if trusting { Footing::Trust } else { Footing::Lock }).await;
            if trusting && let Err(Failure::Refused(_) | Failure::Overtaken) = &outcome {
                // What is wrong may have been believed only, or somebody was faster.
                self.company = matches!(outcome, Err(Failure::Overtaken));
                outcome = self.commit(&batch, Footing::Lock).await;
            }
            if let Err(Failure::Interrupted(error)) = &outcome {
                warn("a batch was interrupted and is tried again", error);
                outcome = self.commit(&batch, Footing::Lock).await;
            }
            match outcome {
                Ok(outcomes) => self.answer(batch, outcomes),
                Err(Failure::Refused(error)) if batch.len() > 1 => {
                    warn("a batch was refused; its halves are tried apart", &error);
                    let second = batch.split_off(batch.len() / 2);
                    waiting.extend([second, batch]);
                }
                Err(failure) => {
                    let error = failure.into_error();
                    warn("a batch failed", &error);
                    for job in batch {
                        // Whoever asked may have gone.
                        let _ = job.answer.send(Err(AppendError::Store(error.clone())));
                    }
                }
            }
        }
    }

    fn answer(&self, batch: Vec<Job>, outcomes: Vec<Outcome>) {
        if let Some(committed) = outcomes.iter().flatten().next() {
            self.head.send_if_modified(|position| {
                let newer = committed.head > *position;
                *position = committed.head.max(*position);
                newer
            });
        }
        for (job, outcome) in batch.into_iter().zip(outcomes) {
            // Whoever asked may have gone; the change stands all the same.
            let _ = job.answer.send(outcome);
        }
    }

    async fn commit(&mut self, batch: &[Job], footing: Footing) -> Result<Vec<Outcome>, Failure> {
        // Both come back only if all goes well.
        let chain = self.chain.take();
        let connection = self.connection.take().filter(|(_, since)| since.elapsed() < IDLE);
        let connection = connection.map(|(connection, _)| connection);
        // A bug in a projection must not end the writer: the transaction is undone, as after an error.
        let prepared = AssertUnwindSafe(self.prepare(batch, footing, chain, connection)).catch_unwind();
        let (pending, mut chain) = match timeout(PATIENCE, prepared).await {
            Ok(Ok(prepared)) => prepared?,
            Ok(Err(_panic)) => return Err(Failure::Refused(StoreError::Panicked)),
            Err(_elapsed) => return Err(Failure::Interrupted(StoreError::TimedOut)),
        };
        let (draft, committing) = pending.commit();
        let committed = match timeout(PATIENCE, committing).await {
            Ok(committed) => committed,
            Err(_elapsed) => Err(StoreError::TimedOut),
        };
        match committed {
            Ok(None) => return Err(Failure::Overtaken),
            Ok(Some(End { connection, standing, versions })) => {
                chain.advance(standing, versions);
                self.chain = Some(chain);
                self.connection = connection.kept().map(|connection| (connection, Instant::now()));
            }
            Err(error) => self.inquire(&draft, error).await?,
        }
        if catch_unwind(AssertUnwindSafe(|| self.inline.committed(&draft.recorded))).is_err() {
            tracing::error!("a listener to commits panicked");
        }
        Ok(draft.outcomes())
    }

    /// Takes a batch to where only the commit is left.
    async fn prepare(
        &mut self,
        batch: &[Job],
        footing: Footing,
        chain: Option<Chain>,
        connection: Option<LogConnection>,
    ) -> Result<(Pending, Chain), StoreError> {
        let connection = match connection.filter(|_| !self.database.is_closed()) {
            Some(connection) => connection,
            None => LogConnection::take(&self.database).await?,
        };
        let (writing, versions, chain) = match chain {
            Some(chain) if footing == Footing::Trust => {
                let mut writing = Writing::trusting(connection, chain.standing.clone());
                let mut versions = Versions::new();
                let unknown = batch::unknown_streams(batch, &chain, &mut versions);
                if !unknown.is_empty() {
                    versions.extend(writing.versions(unknown.into_iter()).await?);
                }
                (writing, versions, chain)
            }
            known => {
                let streams = batch.iter().flat_map(|job| &job.append.streams).map(|stream| stream.stream);
                let (writing, versions) = Writing::locked(connection, streams).await?;
                if let Some(chain) = &known {
                    self.company = chain.standing != *writing.standing();
                }
                let unmoved = known.filter(|chain| chain.standing == *writing.standing());
                let chain = unmoved.unwrap_or_else(|| {
                    self.inline.interrupted();
                    Chain::new(writing.standing().clone())
                });
                (writing, versions, chain)
            }
        };
        Ok((batch::write(writing, versions, &*self.inline, batch).await?, chain))
    }

    /// After a commit that failed: finds out whether it took place all the same.
    async fn inquire(&self, draft: &Draft, error: StoreError) -> Result<(), Failure> {
        warn("a commit was not answered; the log will tell", &error);
        let inquiry = async {
            loop {
                match batch::is_committed(&self.database, draft).await {
                    Ok(committed) => break committed,
                    Err(_) => sleep(INQUIRY_PAUSE).await,
                }
            }
        };
        match timeout(INQUIRY, inquiry).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(error.into()),
            Err(_elapsed) => Err(Failure::Unknown(StoreError::OutcomeUnknown)),
        }
    }
}

impl Failure {
    fn into_error(self) -> StoreError {
        match self {
            Self::Refused(error) | Self::Interrupted(error) | Self::Unknown(error) => error,
            // Under the lock nobody overtakes; but if it were so, nothing is written.
            Self::Overtaken => DatabaseError::Overtaken.into(),
        }
    }
}

fn warn(what: &str, error: &StoreError) {
    tracing::warn!(error = error as &dyn std::error::Error, "{what}");
}

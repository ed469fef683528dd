//! What a batch does inside its transaction: check every change, give the events their places, write.

use std::collections::BTreeSet;
use std::sync::Arc;

use evident_domain::claim::Holder;
use evident_domain::{ClaimChange, Position, Recorded, StreamId};

use crate::StoreError;
use crate::append::{AppendError, Committed, Inline, StreamAppend};
use crate::chain::Chain;
use crate::claims::Claims;
use crate::codec::EVENTS;
use crate::database::{Database, LogConnection, Row, Tables};
use crate::guard;
use crate::merkle::Frontier;
use crate::outbox::OUTBOX;
use crate::writer::{Job, Outcome};
use crate::writing::{self, Versions, Writing};

/// A batch that is ready to be committed.
#[derive(Debug)]
pub(crate) struct Pending {
    writing: Writing,
    draft: Draft,
    /// Where the log will end.
    frontier: Frontier,
    /// The versions that the streams will have, as far as they are certain.
    versions: Versions,
}

/// The log's continuation as a batch makes it.
#[derive(Debug)]
pub(crate) struct Draft {
    head: Position,
    /// The events' rows, until they are on their way.
    rows: Vec<Row>,
    messages: Vec<Row>,
    /// The events, change by change.
    pub(crate) recorded: Vec<Recorded>,
    /// How many events each change has, or why it is refused.
    outcomes: Vec<Result<usize, AppendError>>,
}

/// Checks every change, and prepares what is to be written of those that are not refused.
pub(crate) async fn write(
    mut writing: Writing,
    mut versions: Versions,
    inline: &dyn Inline,
    batch: &[Job],
) -> Result<Pending, StoreError> {
    let changes: Vec<_> = batch.iter().map(claim_changes).collect();
    let touched = changes.iter().flatten().map(|(holder, change)| (*holder, change));
    let mut claims = Claims::load(&mut writing, touched).await?;

    let broken = guard::broken(&mut writing, batch).await?;
    let mut frontier = writing.standing().head.frontier.clone();
    let mut draft = draft(batch, &broken, &changes, &mut versions, &mut claims, &mut frontier)?;
    if draft.is_something() {
        writing.insert(&EVENTS, std::mem::take(&mut draft.rows)).await?;
        claims.store(&mut writing).await?;
        inline.apply(&mut writing, &draft.recorded).await?;
        writing.insert(&OUTBOX, draft.messages.clone()).await?;
    }
    Ok(Pending { writing, draft, frontier, versions })
}

impl Pending {
    /// What it will have been, and what makes it durable: that gives what is known of the log then, and
    /// the connection, or nothing if somebody else was faster. Where all changes are refused there is
    /// nothing to commit.
    pub(crate) fn commit(self) -> (Draft, impl Future<Output = Result<Option<End>, StoreError>> + Send) {
        let Self { writing, draft, frontier, versions } = self;
        let frontier = draft.is_something().then_some(frontier);
        (draft, async move {
            let ended = writing.end(frontier.as_ref()).await?;
            Ok(ended.map(|(connection, standing)| End { connection, standing, versions }))
        })
    }
}

/// How a batch leaves things.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) connection: LogConnection,
    pub(crate) standing: crate::head::Standing,
    pub(crate) versions: Versions,
}

/// The streams of a batch whose versions must be looked up: neither known, nor such that they begin here.
/// One that begins twice is refused by the table of events itself.
pub(crate) fn unknown_streams(batch: &[Job], chain: &Chain, known: &mut Versions) -> Vec<StreamId> {
    let mut unknown = Vec::new();
    for stream in batch.iter().flat_map(|job| &job.append.streams) {
        match chain.version(&stream.stream) {
            Some(version) => {
                known.insert(stream.stream, version);
            }
            None if stream.expected == 0 && !stream.events.is_empty() => {}
            None => unknown.push(stream.stream),
        }
    }
    unknown
}

impl Draft {
    fn is_something(&self) -> bool {
        !(self.recorded.is_empty() && self.messages.is_empty())
    }

    /// What each change is answered once the batch is committed.
    pub(crate) fn outcomes(self) -> Vec<Outcome> {
        let (head, mut events) = (self.head, self.recorded.into_iter());
        let mut committed = |count| Committed { head, events: events.by_ref().take(count).collect() };
        self.outcomes.into_iter().map(|outcome| outcome.map(&mut committed)).collect()
    }
}

fn draft(
    batch: &[Job],
    broken: &BTreeSet<usize>,
    changes: &[Vec<(Holder, ClaimChange)>],
    versions: &mut Versions,
    claims: &mut Claims,
    frontier: &mut Frontier,
) -> Result<Draft, StoreError> {
    let (mut rows, mut recorded, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let mut outcomes = Vec::with_capacity(batch.len());
    for (i, (job, changes)) in batch.iter().zip(changes).enumerate() {
        let guards = &job.append.guards;
        if broken.contains(&i) || guards.iter().any(|g| recorded.iter().any(|e| g.is_broken_by(e))) {
            outcomes.push(Err(AppendError::Conflict));
            continue;
        }
        if let Err(refusal) = check(job, versions, claims, changes) {
            outcomes.push(Err(refusal));
            continue;
        }
        let before = recorded.len();
        place(job, versions, claims, frontier, &mut rows, &mut recorded)?;
        messages.extend(job.messages.iter().cloned());
        outcomes.push(Ok(recorded.len() - before));
    }
    Ok(Draft { head: Position(frontier.size()), rows, messages, recorded, outcomes })
}

fn claim_changes(job: &Job) -> Vec<(Holder, ClaimChange)> {
    let events = job.append.streams.iter().flat_map(|s| s.events.iter().map(move |e| (s.stream.id, e)));
    events.flat_map(|(holder, event)| event.claims().into_iter().map(move |c| (holder, c))).collect()
}

fn check(
    job: &Job,
    versions: &Versions,
    claims: &Claims,
    changes: &[(Holder, ClaimChange)],
) -> Result<(), AppendError> {
    let stale = |s: &StreamAppend| versions.get(&s.stream).copied().unwrap_or(0) != s.expected;
    if job.append.streams.iter().any(stale) {
        return Err(AppendError::Conflict);
    }
    claims.check(changes).map_err(AppendError::ClaimTaken)
}

/// Gives a change's events their positions.
fn place(
    job: &Job,
    versions: &mut Versions,
    claims: &mut Claims,
    frontier: &mut Frontier,
    rows: &mut Vec<Row>,
    recorded: &mut Vec<Recorded>,
) -> Result<(), StoreError> {
    for (stream, events) in job.append.streams.iter().zip(&job.prepared) {
        for prepared in events {
            let sequence = versions.entry(stream.stream).or_default();
            *sequence += 1;
            let position = Position(frontier.size() + 1);
            rows.push(prepared.place(stream.stream, *sequence, position, frontier).map_err(Arc::new)?);
            for change in prepared.event.claims() {
                claims.apply(stream.stream.id, &change, position);
            }
            recorded.push(Recorded {
                position,
                id: prepared.id,
                stream: stream.stream,
                sequence: *sequence,
                occurred_at: job.append.occurred_at,
                subject: Some(stream.subject.clone()),
                provenance: job.append.provenance.clone(),
                event: prepared.event.clone(),
            });
        }
    }
    Ok(())
}

/// Whether a batch whose commit was not answered is in the log.
pub(crate) async fn is_committed(database: &Database, draft: &Draft) -> Result<bool, StoreError> {
    let (sql, witness) = match (draft.recorded.first(), draft.messages.first()) {
        (Some(event), _) => ("select 1 from events where event_id = $1 and position = $2", {
            vec![event.id.to_string().into(), crate::codec::signed(event.position.0).into()]
        }),
        // A message may have been sent and dropped meanwhile; then it goes out twice, with the same id.
        (None, Some(message)) => ("select 1 from outbox where id = $1", message[..1].to_vec()),
        (None, None) => return Ok(true),
    };
    writing::is_there(database, sql, &witness).await
}

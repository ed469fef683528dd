//! The writer: one task a node that commits what is waiting as one batch.

use std::collections::HashMap;
use std::sync::Arc;

use evident_domain::claim::Holder;
use evident_domain::{ClaimChange, Position, Recorded, StreamId};
use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot, watch};

use crate::StoreError;
use crate::append::{Append, AppendError, Committed, Inline};
use crate::claims::Claims;
use crate::codec::{EVENTS, Prepared};
use crate::database::{Database, DatabaseError, Dialect, Row, Tables, Value};
use crate::head::HeadLock;
use crate::merkle::Frontier;
use crate::outbox::OUTBOX;

/// Most changes in one transaction.
const MAX_BATCH: usize = 256;
/// Changes that may wait for the writer; beyond that the store answers that it is overloaded.
const QUEUE: usize = 1024;

/// A change that is ready to be written.
pub(crate) struct Job {
    pub(crate) append: Append,
    /// The prepared events, stream by stream as in the append.
    pub(crate) prepared: Vec<Vec<Prepared>>,
    /// The outbox rows.
    pub(crate) messages: Vec<Row>,
    pub(crate) answer: oneshot::Sender<Result<Committed, AppendError>>,
}

type Outcome = Result<Committed, AppendError>;

/// Starts the writer; it ends when every sender is gone.
pub(crate) fn start(
    database: Database,
    inline: Arc<dyn Inline>,
    head: watch::Sender<Position>,
) -> mpsc::Sender<Job> {
    let (sender, mut receiver) = mpsc::channel::<Job>(QUEUE);
    tokio::spawn(async move {
        let mut batch = Vec::new();
        while receiver.recv_many(&mut batch, MAX_BATCH).await > 0 {
            write_batch(&database, &*inline, &head, std::mem::take(&mut batch)).await;
        }
    });
    sender
}

/// Commits a batch. If the database refuses it, each change is tried alone: what is wrong with one
/// must not be the others' misfortune.
async fn write_batch(
    database: &Database,
    inline: &dyn Inline,
    head: &watch::Sender<Position>,
    batch: Vec<Job>,
) {
    match commit(database, inline, &batch).await {
        Ok(outcomes) => answer(head, batch, outcomes),
        Err(error) if batch.len() == 1 => {
            for job in batch {
                let _ = job.answer.send(Err(AppendError::Store(error.clone())));
            }
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a batch failed; its changes are tried alone"
            );
            for job in batch {
                let job = vec![job];
                match commit(database, inline, &job).await {
                    Ok(outcomes) => answer(head, job, outcomes),
                    Err(error) => {
                        for job in job {
                            let _ = job.answer.send(Err(AppendError::Store(error.clone())));
                        }
                    }
                }
            }
        }
    }
}

fn answer(head: &watch::Sender<Position>, batch: Vec<Job>, outcomes: Vec<Outcome>) {
    if let Some(committed) = outcomes.iter().flatten().next() {
        head.send_if_modified(|position| {
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

async fn commit(database: &Database, inline: &dyn Inline, batch: &[Job]) -> Result<Vec<Outcome>, StoreError> {
    let mut lock = HeadLock::acquire(database).await?;
    let mut versions = versions(lock.tables(), batch).await?;
    let changes = claim_changes(batch);
    let mut claims =
        Claims::load(lock.tables(), changes.iter().flatten().map(|(holder, change)| (*holder, change)))
            .await?;

    let mut frontier = lock.frontier();
    let (mut rows, mut recorded, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let mut outcomes: Vec<Result<std::ops::Range<usize>, AppendError>> = Vec::with_capacity(batch.len());
    for (job, changes) in batch.iter().zip(&changes) {
        if let Err(refusal) = check(job, &versions, &claims, changes) {
            outcomes.push(Err(refusal));
            continue;
        }
        let first = recorded.len();
        place(job, &mut versions, &mut claims, &mut frontier, &mut rows, &mut recorded)?;
        messages.extend(job.messages.iter().cloned());
        outcomes.push(Ok(first..recorded.len()));
    }

    let head = Position(frontier.size());
    if !recorded.is_empty() || !messages.is_empty() {
        lock.tables().insert(&EVENTS, &rows).await?;
        claims.store(lock.tables()).await?;
        inline.apply(lock.tables(), &recorded).await?;
        lock.tables().insert(&OUTBOX, &messages).await?;
        lock.advance(&frontier).await?;
        lock.commit().await?;
        inline.committed(&recorded);
    }
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.map(|range| Committed { head, events: recorded[range].to_vec() }))
        .collect())
}

/// The version of every stream that the batch names.
async fn versions(tables: &mut dyn Tables, batch: &[Job]) -> Result<HashMap<StreamId, u64>, DatabaseError> {
    let streams: Vec<StreamId> =
        batch.iter().flat_map(|job| job.append.streams.iter().map(|s| s.stream)).collect();
    let mut versions: HashMap<StreamId, u64> = streams.iter().map(|stream| (*stream, 0)).collect();
    let list: Json =
        versions.keys().map(|s| Json::from(vec![s.kind.as_str().to_owned(), s.id.to_string()])).collect();
    let sql = match tables.dialect() {
        Dialect::Sqlite => {
            "select s.value ->> 0, s.value ->> 1, (select max(sequence) from events e \
             where e.aggregate_type = s.value ->> 0 and e.aggregate_id = s.value ->> 1) from json_each($1) s"
        }
        Dialect::Postgres => {
            "select s ->> 0, s ->> 1, (select max(sequence) from events e \
             where e.aggregate_type = s ->> 0 and e.aggregate_id = s ->> 1) from json_array_elements($1::json) s"
        }
    };
    for row in tables.query(sql, &[list.to_string().into()]).await? {
        let [Value::Text(kind), Value::Text(id), Value::Int(version)] = row.as_slice() else {
            continue; // no event yet: 0 stands
        };
        let stream = evident_domain::StreamKind::from_name(kind)
            .zip(id.parse().ok())
            .map(|(kind, id)| StreamId { kind, id });
        if let (Some(stream), Ok(version)) = (stream, u64::try_from(*version)) {
            versions.insert(stream, version);
        }
    }
    Ok(versions)
}

fn claim_changes(batch: &[Job]) -> Vec<Vec<(Holder, ClaimChange)>> {
    batch
        .iter()
        .map(|job| {
            job.append
                .streams
                .iter()
                .flat_map(|s| {
                    s.events.iter().flat_map(move |e| e.claims().into_iter().map(move |c| (s.stream.id, c)))
                })
                .collect()
        })
        .collect()
}

fn check(
    job: &Job,
    versions: &HashMap<StreamId, u64>,
    claims: &Claims,
    changes: &[(Holder, ClaimChange)],
) -> Result<(), AppendError> {
    let stale = |s: &crate::append::StreamAppend| versions.get(&s.stream).copied().unwrap_or(0) != s.expected;
    if job.append.streams.iter().any(stale) {
        return Err(AppendError::Conflict);
    }
    claims.check(changes).map_err(AppendError::ClaimTaken)
}

/// Gives a change's events their positions.
fn place(
    job: &Job,
    versions: &mut HashMap<StreamId, u64>,
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

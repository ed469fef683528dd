//! Time travel: the state as of a position or a time, as an SQLite file that anyone can query.

use std::fs::OpenOptions;
use std::path::Path;

use chrono::TimeDelta;
use evident_domain::{Position, Time};
use evident_eventstore::{Database, EventStore, Filter};

use crate::ProjectionError;
use crate::folds;
use crate::loader::Limits;
use crate::progress::Progress;
use crate::scratch::Scratch;
use crate::status;

/// Tables that a fresh log has and a replay has no use for.
const NO_PROJECTIONS: [&str; 12] = [
    "events",
    "log_head",
    "outbox",
    "restores",
    "retention_progress",
    "tree_cosignatures",
    "tree_checkpoints",
    "tree_tiles",
    "tree_identity",
    "projection_rebuild",
    "projection_shadows",
    "_sqlx_migrations",
];

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Up to this event, inclusive.
    Position(Position),
    /// Up to the last event before the first that happened later than this.
    Time(Time),
}

/// Folds the log up to a point into a new SQLite file, readable by its owner only. Its tables are those
/// of the live database, whatever their indexes are called; `projections` says what they were built from.
///
/// # Errors
/// [`ProjectionError::Exists`] when the file is there, [`ProjectionError::NotYet`] when the log does not
/// go that far. A file that could not be finished is removed.
pub async fn replay(
    store: &EventStore,
    until: Until,
    into: &Path,
    progress: &dyn Progress,
) -> Result<Position, ProjectionError> {
    let position = resolve(store, until).await?;
    create_private(into)?;
    let outcome = fill(store, position, into, progress).await;
    if outcome.is_err() {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = into.as_os_str().to_owned();
            name.push(suffix);
            // It may not be there; the failure itself is what counts.
            let _ = std::fs::remove_file(name);
        }
    }
    outcome.map(|()| position)
}

/// The position that a moment means.
pub(crate) async fn resolve(store: &EventStore, until: Until) -> Result<Position, ProjectionError> {
    let head = store.head().await?.position;
    match until {
        Until::Position(asked) if asked > head => Err(ProjectionError::NotYet { asked, head }),
        Until::Position(asked) => Ok(asked),
        Until::Time(time) => {
            let later = Filter {
                from: Some(time + TimeDelta::microseconds(1)),
                last: Some(head),
                ..Filter::default()
            };
            let first = store.page(Position(0), 1, &later).await?;
            Ok(first.first().map_or(head, |event| Position(event.position.0 - 1)))
        }
    }
}

/// Makes the file, and fails if it is there.
fn create_private(path: &Path) -> Result<(), ProjectionError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(ProjectionError::Exists(path.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn fill(
    store: &EventStore,
    position: Position,
    into: &Path,
    progress: &dyn Progress,
) -> Result<(), ProjectionError> {
    let database = Database::open_sqlite_log(into).await?;
    let outcome = fold(store, position, &database, progress).await;
    database.close().await;
    outcome
}

async fn fold(
    store: &EventStore,
    position: Position,
    database: &Database,
    progress: &dyn Progress,
) -> Result<(), ProjectionError> {
    let mut scratch = Scratch::begin(store, &folds::ALL, database, Limits::default().indexed).await?;
    progress.begin("replay", position.0);
    scratch.advance(position, progress).await?;
    let built: Vec<_> = folds::ALL.into_iter().zip(scratch.digests()).collect();
    scratch.finish().await?;
    let mut transaction = database.transaction().await?;
    status::record(&mut transaction, &built, position, store.clock().now()).await?;
    for table in NO_PROJECTIONS {
        evident_eventstore::Tables::execute(&mut transaction, &format!("drop table if exists {table}"), &[])
            .await?;
    }
    Ok(transaction.commit().await?)
}

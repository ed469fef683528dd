//! Rebuilding projections while the server serves.

use std::time::Duration;

use evident_domain::Position;
use evident_eventstore::{EventStore, HeadLock, Table};
use tokio::time::sleep;

use crate::ProjectionError;
use crate::folding::Projection;
use crate::folds;
use crate::lease::Lease;
use crate::loader::{Loader, Spill};
use crate::progress::Progress;
use crate::shadow;
use crate::status;

/// How far behind the head the last stretch may begin, which is folded under the head's lock.
const LAST_STRETCH: u64 = 500;
/// How often to catch up and to wait for readers before giving up.
const ATTEMPTS: u32 = 30;
/// How long a rebuild that shows no sign of life is waited for before it is taken for dead.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Which projections are new.
    pub names: Vec<&'static str>,
    /// They hold everything up to here.
    pub position: Position,
}

/// The projections of these names; all if there is none.
pub(crate) fn chosen(names: &[&str]) -> Result<Vec<&'static dyn Projection>, ProjectionError> {
    let all = || folds::ALL.iter().copied();
    if let Some(unknown) = names.iter().find(|name| all().all(|p| p.name() != **name)) {
        let known: Vec<_> = all().map(Projection::name).collect();
        return Err(ProjectionError::Unknown((*unknown).to_owned(), known.join(", ")));
    }
    Ok(all().filter(|p| names.is_empty() || names.contains(&p.name())).collect())
}

/// Folds the log into new tables and puts them in the place of the live ones. The server goes on
/// serving and committing; only the last stretch is folded, and the tables swapped, under the lock of
/// the log's head. If anything fails the live tables are as they were.
///
/// # Errors
/// [`ProjectionError::Busy`] when a rebuild is running, and whatever the log and the tables report.
pub async fn rebuild(
    store: &EventStore,
    names: &[&str],
    patience: Duration,
    progress: &dyn Progress,
) -> Result<Rebuilt, ProjectionError> {
    let projections = chosen(names)?;
    let lease = Lease::acquire(store.database(), patience).await?;
    let mut loader = Loader::new(&projections, store.database().clone(), shadow::SHADOW, Some(lease));
    let outcome = run(store, &projections, &mut loader, progress).await;
    if let Some(mut lease) = loader.into_lease() {
        // What is left over here goes at the next start of a rebuild.
        match shadow::clean(store.database(), &every_table(), &mut lease).await {
            Ok(()) | Err(ProjectionError::Superseded) => {}
            Err(error) => tracing::warn!(%error, "shadow tables could not be removed"),
        }
        lease.release().await?;
    }
    Ok(Rebuilt { names: projections.iter().map(|p| p.name()).collect(), position: outcome? })
}

/// Removes tables that a rebuild left when it crashed: they hold what may have to be forgotten. Waits for
/// `patience` where a rebuild may be running, and leaves one that is alone. Call it at start, beside
/// serving.
///
/// # Errors
/// When the database fails.
pub async fn clear_leftovers(store: &EventStore, patience: Duration) -> Result<(), ProjectionError> {
    if !shadow::has_leftovers(store.database(), &every_table()).await? {
        return Ok(());
    }
    let mut lease = match Lease::acquire(store.database(), patience).await {
        Ok(lease) => lease,
        Err(ProjectionError::Busy) => return Ok(()),
        Err(error) => return Err(error),
    };
    let outcome = shadow::clean(store.database(), &every_table(), &mut lease).await;
    lease.release().await?;
    outcome
}

/// The tables of all projections.
fn every_table() -> Vec<Table> {
    folds::ALL.iter().flat_map(|p| p.tables()).collect()
}

async fn run(
    store: &EventStore,
    projections: &[&'static dyn Projection],
    loader: &mut Loader,
    progress: &dyn Progress,
) -> Result<Position, ProjectionError> {
    let live: Vec<Table> = projections.iter().flat_map(|p| p.tables()).collect();
    if let Some(lease) = loader.lease() {
        shadow::clean(store.database(), &every_table(), lease).await?;
        let mut transaction = store.database().transaction().await?;
        lease.beat(&mut transaction).await?;
        for table in &live {
            shadow::create(&mut transaction, table).await?;
        }
        transaction.commit().await?;
    }

    let head = store.head().await?.position;
    progress.begin("rebuild", head.0);
    loader.advance(store, head, Spill::Allowed, progress).await?;
    loader.flush().await?;
    for table in &live {
        if let Some(lease) = loader.lease() {
            shadow::complete(store.database(), table, lease).await?;
        }
    }

    let mut lock = caught_up(store, loader, &live, progress).await?;
    let position = lock.position();
    if let Some(lease) = loader.lease() {
        lease.beat(lock.tables()).await?;
    }
    loader.advance(store, position, Spill::Never, progress).await?;
    loader.flush_into(lock.tables()).await?;
    for table in &live {
        shadow::swap(lock.tables(), table).await?;
    }
    status::record(lock.tables(), projections, position, store.clock().now()).await?;
    lock.commit().await?;
    Ok(position)
}

/// Folds what came meanwhile, and locks head and tables once little is left.
async fn caught_up(
    store: &EventStore,
    loader: &mut Loader,
    live: &[Table],
    progress: &dyn Progress,
) -> Result<HeadLock, ProjectionError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let head = store.head().await?.position;
        loader.advance(store, head, Spill::Allowed, progress).await?;
        loader.flush().await?;
        let mut lock = store.lock_head().await?;
        let behind = lock.position().0 - loader.position().0;
        if behind > LAST_STRETCH && attempts < ATTEMPTS {
            continue;
        }
        match shadow::lock(lock.tables(), live).await {
            Ok(()) => return Ok(lock),
            Err(error) if attempts >= ATTEMPTS => return Err(error.into()),
            Err(error) => {
                drop(lock);
                tracing::debug!(%error, "a reader stands in the way of the swap");
                sleep(Duration::from_millis(300)).await;
            }
        }
    }
}

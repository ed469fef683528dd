//! Rebuilding projections while the server serves.

use std::time::Duration;

use chrono::TimeDelta;
use evident_domain::Position;
use evident_eventstore::{EventStore, HeadLock, Table};
use tokio::time::sleep;

use crate::ProjectionError;
use crate::cells;
use crate::folding::Projection;
use crate::folds;
use crate::lease::Lease;
use crate::loader::{Limits, Loader, Spill};
use crate::progress::Progress;
use crate::shadow;
use crate::shadow_indexes;
use crate::shadows::{self, Mark};
use crate::status;

/// How far behind the head the last stretch may begin, which is folded under the head's lock.
const LAST_STRETCH: u64 = 500;
/// How often to catch up and to wait for readers before giving up.
const ATTEMPTS: u32 = 80;
/// How long a rebuild that shows no sign of life is waited for before it is taken for dead.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long what an interrupted rebuild left waits for somebody to go on with it.
const LEFT_ALONE: TimeDelta = TimeDelta::days(1);

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Which projections are new.
    pub names: Vec<&'static str>,
    /// They hold everything up to here.
    pub position: Position,
    /// Where it went on from; 0 where it began at the beginning.
    pub resumed_at: Position,
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
/// the log's head. If anything fails the live tables are as they were. A rebuild that was interrupted, by
/// `kill -9` or power loss, goes on where it last wrote.
///
/// # Errors
/// [`ProjectionError::Busy`] when a rebuild is running, and whatever the log and the tables report.
pub async fn rebuild(
    store: &EventStore,
    names: &[&str],
    patience: Duration,
    progress: &dyn Progress,
) -> Result<Rebuilt, ProjectionError> {
    let limits = Limits::on(store.database().dialect());
    rebuild_within(store, names, patience, limits, progress).await
}

/// The same with limits of the caller's.
///
/// # Errors
/// As [`rebuild`].
pub async fn rebuild_within(
    store: &EventStore,
    names: &[&str],
    patience: Duration,
    limits: Limits,
    progress: &dyn Progress,
) -> Result<Rebuilt, ProjectionError> {
    let projections = chosen(names)?;
    let lease = Lease::acquire(store.database(), patience).await?;
    let outcome = run(store, &projections, &lease, limits, progress).await;
    // What is left over here goes at the next start of a rebuild.
    match shadow::clean(store.database(), &folds::ALL, &[], &lease).await {
        Ok(()) | Err(ProjectionError::Superseded) => {}
        Err(error) => tracing::warn!(%error, "shadow tables could not be removed"),
    }
    lease.release().await?;
    store.database().end_bulk().await?;
    let (position, resumed_at) = outcome?;
    Ok(Rebuilt { names: projections.iter().map(|p| p.name()).collect(), position, resumed_at })
}

/// Removes tables that a rebuild left when it crashed: they hold what may have to be forgotten. Waits for
/// `patience` where a rebuild may be running, and leaves one that is alone; leaves also what a rebuild could
/// go on from, unless that is older than a day, or somebody was erased since. Call it at start, beside
/// serving.
///
/// # Errors
/// When the database fails.
pub async fn clear_leftovers(store: &EventStore, patience: Duration) -> Result<(), ProjectionError> {
    let database = store.database();
    if !shadow::has_leftovers(database, &folds::ALL).await? {
        return Ok(());
    }
    let lease = match Lease::acquire(database, patience).await {
        Ok(lease) => lease,
        Err(ProjectionError::Busy) => return Ok(()),
        Err(error) => return Err(error),
    };
    let outcome = clear(store, &lease).await;
    lease.release().await?;
    outcome
}

async fn clear(store: &EventStore, lease: &Lease) -> Result<(), ProjectionError> {
    let database = store.database();
    let mut kept = Vec::new();
    for mark in shadows::read(database).await? {
        let erased = "select 1 from erased_subjects where position > $1 limit 1";
        let erased = database.query(erased, &[cells::number(mark.position.0)]).await?;
        if erased.is_empty() && store.clock().now() - mark.begun_at < LEFT_ALONE {
            kept.push(mark.name);
        }
    }
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    shadow::clean(database, &folds::ALL, &kept, lease).await
}

/// Makes the shadows, or finds those that an interrupted rebuild left and that are still what would be made
/// now.
async fn prepare(
    store: &EventStore,
    projections: &[&'static dyn Projection],
    lease: &Lease,
) -> Result<Vec<Mark>, ProjectionError> {
    let database = store.database();
    let (head, now) = (store.head().await?.position, store.clock().now());
    let known = shadows::read(database).await?;
    let (mut going_on, mut making) = (Vec::new(), Vec::new());
    for projection in projections {
        let fresh = shadows::fresh(database, *projection, now).await?;
        let left = known.iter().find(|mark| mark.goes_on_as(&fresh, head));
        match left {
            Some(mark) if shadow::is_whole(database, *projection).await? => going_on.push(mark.clone()),
            Some(_) | None => making.push((projection, fresh)),
        }
    }
    let kept: Vec<&str> = going_on.iter().map(|mark| mark.name.as_str()).collect();
    shadow::clean(database, &folds::ALL, &kept, lease).await?;
    let mut transaction = database.transaction().await?;
    let empty: Vec<Table> = making.iter().flat_map(|(projection, _)| projection.tables()).collect();
    shadow::create(&mut transaction, &empty).await?;
    for (_, fresh) in &making {
        fresh.write(&mut transaction).await?;
    }
    lease.beat(&mut transaction).await?;
    transaction.commit().await?;
    going_on.extend(making.into_iter().map(|(_, fresh)| fresh));
    Ok(going_on)
}

async fn run(
    store: &EventStore,
    projections: &[&'static dyn Projection],
    lease: &Lease,
    limits: Limits,
    progress: &dyn Progress,
) -> Result<(Position, Position), ProjectionError> {
    store.database().begin_bulk().await?;
    let live: Vec<Table> = projections.iter().flat_map(|p| p.tables()).collect();
    let marks = prepare(store, projections, lease).await?;
    let mut loader = Loader::new(projections, (store, store.database()), limits, lease.clone(), &marks);
    let resumed_at = loader.position();

    let head = store.head().await?.position;
    progress.begin("rebuild", head.0);
    progress.at(resumed_at.0);
    loader.advance(head, Spill::Allowed, progress).await?;
    loader.flush().await?;
    tokio::try_join!(shadow_indexes::complete(store.database(), &live, lease), loader.let_go())?;

    let mut lock = caught_up(store, &mut loader, &live, progress).await?;
    let position = lock.position();
    loader.advance(position, Spill::Never, progress).await?;
    loader.flush_into(lock.tables()).await?;
    shadow::swap(lock.tables(), &live).await?;
    for projection in projections {
        shadows::forget(lock.tables(), projection.name()).await?;
    }
    let built: Vec<_> = projections.iter().copied().zip(loader.digests()).collect();
    status::record(lock.tables(), &built, position, store.clock().now()).await?;
    lease.beat(lock.tables()).await?;
    lock.commit().await?;
    Ok((position, resumed_at))
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
        loader.advance(head, Spill::Allowed, progress).await?;
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
                tracing::debug!(%error, "somebody stands in the way of the swap");
                if let Err(error) = shadow::end_vacuums(store.database(), live).await {
                    tracing::debug!(%error, "and goes on doing so");
                }
                sleep(Duration::from_millis(300)).await;
            }
        }
    }
}

//! What happens at the start to projections that another version of their fold made.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use evident_eventstore::EventStore;
use evident_projections::Progress;

use crate::bootstrap::StartError;
use crate::config::RebuildAtStart;

/// How often the log tells of a rebuild.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Folds those projections afresh, before anybody reads them, whose fold changed or is new; or says no.
///
/// # Errors
/// When the owner wants no rebuild here, or it fails.
pub(crate) async fn rebuild(store: &EventStore, policy: RebuildAtStart) -> Result<(), StartError> {
    let outdated = evident_projections::outdated(store).await?;
    if outdated.is_empty() {
        return Ok(());
    }
    let names = outdated.join(", ");
    match policy {
        RebuildAtStart::Always => {}
        RebuildAtStart::Never => return Err(StartError::Outdated(names)),
    }
    tracing::info!(projections = names, "projections are rebuilt: their folds have changed");
    let progress = LoggedProgress::default();
    evident_projections::rebuild(store, &outdated, evident_projections::PATIENCE, &progress).await?;
    Ok(())
}

/// Tells the log now and then how far a rebuild is, so that whoever waits for the server knows.
#[derive(Debug, Default)]
struct LoggedProgress(Mutex<Option<Stage>>);

#[derive(Debug)]
struct Stage {
    name: String,
    steps: u64,
    /// Where it began, and when.
    begun: Option<(u64, Instant)>,
    told: Instant,
}

impl Progress for LoggedProgress {
    fn begin(&self, stage: &str, steps: u64) {
        let stage = Stage { name: stage.to_owned(), steps, begun: None, told: Instant::now() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
    }

    fn at(&self, done: u64) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stage) = stage.as_mut() else { return };
        let (first, begun) = *stage.begun.get_or_insert_with(|| (done, Instant::now()));
        if stage.told.elapsed() < TOLD_EVERY {
            return;
        }
        stage.told = Instant::now();
        let millis = begun.elapsed().as_millis().max(1);
        let rate = u128::from(done.saturating_sub(first)) * 1_000 / millis;
        let left = u128::from(stage.steps.saturating_sub(done)) / rate.max(1);
        tracing::info!(stage = stage.name, done, of = stage.steps, rate, seconds_left = left, "working");
    }
}

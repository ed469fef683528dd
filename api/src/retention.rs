//! Retention by itself: now and then what has had its time is dropped, on one node.

use std::time::Duration;

use chrono::TimeDelta;
use evident_commands::{Commands, Context, Failure, PruneLog, PublicationError};
use evident_domain::{Actor, Provenance, Surface};
use evident_projections::retention::{self, Policy};
use evident_projections::{PATIENCE, ProjectionError};
use tokio::sync::watch;

use crate::config::ProofSettings;

/// Between two runs.
const PAUSE: Duration = Duration::from_secs(3600);
/// After the start nobody wants to wait for this.
const FIRST: Duration = Duration::from_secs(60);
/// How often a node that serves nobody lets go of what others have erased.
const CATCH_UP: Duration = Duration::from_secs(10);

/// From when on the log's entries are no longer handed out, and where that is published.
#[derive(Debug, Clone)]
pub(crate) struct Pruning {
    after: TimeDelta,
    policy: String,
}

impl Pruning {
    /// As the settings say; none where all are handed out.
    pub(crate) fn of(settings: &ProofSettings) -> Option<Self> {
        let after = TimeDelta::from_std(settings.prune_after?).unwrap_or(TimeDelta::MAX);
        Some(Self { after, policy: settings.retention_policy.clone()? })
    }

    async fn run(&self, commands: &Commands) -> Result<(), PublicationError> {
        let store = commands.store();
        let Some(moment) = commands.clock().now().checked_sub_signed(self.after) else { return Ok(()) };
        let entries = store.older_than(moment).await.map_err(Failure::from)?;
        let provenance = Provenance::internal(Actor::System, Surface::Internal, store.entropy().uuid());
        let prune = PruneLog { entries, policy: self.policy.clone() };
        commands.execute(&Context::new(provenance), &prune).await.map(drop)
    }
}

/// Works until the shutdown is announced.
pub(crate) async fn work(
    commands: Commands,
    policy: Policy,
    pruning: Option<Pruning>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut pause = FIRST;
    while !policy.is_idle() || pruning.is_some() {
        tokio::select! {
            _ = shutdown.changed() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = PAUSE;
        let store = commands.store();
        if let Some(pruning) = &pruning {
            match pruning.run(&commands).await {
                // It waits for the hold's end.
                Ok(()) | Err(PublicationError::Log(_)) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the log was not pruned");
                }
            }
        }
        let run = retention::run(store, &policy, store.clock().now(), PATIENCE);
        let outcome = tokio::select! {
            _ = shutdown.changed() => return,
            outcome = run => outcome,
        };
        match outcome {
            // Another node is at it, or a rebuild.
            Err(ProjectionError::Busy) => {}
            Ok(report) => {
                let dropped: u64 = report.dropped.values().sum();
                if dropped > 0 || !report.periods.is_empty() {
                    tracing::info!(dropped, periods = report.periods.len(), "retention has dropped contents");
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "retention failed; it goes on later"
                );
            }
        }
    }
}

/// Lets go of what other nodes have erased, also while nobody asks this one for anything.
pub(crate) async fn forget_with_others(commands: Commands, mut shutdown: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = shutdown.changed() => return,
            () = tokio::time::sleep(CATCH_UP) => {}
        }
        if let Err(error) = commands.catch_up().await {
            tracing::debug!(%error, "the log's head cannot be read");
        }
    }
}

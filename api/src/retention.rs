//! Retention by itself: now and then what has had its time is dropped, on one node.

use std::time::Duration;

use evident_commands::Commands;
use evident_projections::retention::{self, Policy};
use evident_projections::{PATIENCE, ProjectionError};
use tokio::sync::watch;

/// Between two runs.
const PAUSE: Duration = Duration::from_secs(3600);
/// After the start nobody wants to wait for this.
const FIRST: Duration = Duration::from_secs(60);
/// How often a node that serves nobody lets go of what others have erased.
const CATCH_UP: Duration = Duration::from_secs(10);

/// Works until the shutdown is announced.
pub(crate) async fn work(commands: Commands, policy: Policy, mut shutdown: watch::Receiver<bool>) {
    let mut pause = FIRST;
    while !policy.is_idle() {
        tokio::select! {
            _ = shutdown.changed() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = PAUSE;
        let store = commands.store();
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

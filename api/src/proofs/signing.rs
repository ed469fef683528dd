//! Signs a checkpoint within a second of a commit, on whichever node it was made.

use std::time::Duration;

use evident_eventstore::tlog::{Checkpoints, SignError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How often to look whether another node has committed.
const LOOK: Duration = Duration::from_millis(500);
/// At most one checkpoint in so long a time, whatever goes on.
const PAUSE: Duration = Duration::from_millis(700);
/// After a failure the next try comes later.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// At the end there is so much time for the last commits.
const LAST: Duration = Duration::from_secs(5);
/// So old are checkpoints of which only one an hour is kept, in seconds.
const THIN_AFTER: u64 = 7 * 24 * 3600;
/// How often old ones are looked for.
const THIN_EVERY: Duration = Duration::from_secs(3600);

async fn announced(mut shutdown: watch::Receiver<bool>) {
    // An error says that nobody is left who could announce anything: that is an end, too.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// The work of signing.
#[derive(Debug)]
pub(super) struct Signing {
    checkpoints: Checkpoints,
    thinned: Option<Instant>,
    /// The last failure, which is told once.
    failure: Option<String>,
}

impl Signing {
    pub(super) fn new(checkpoints: Checkpoints) -> Self {
        Self { checkpoints, thinned: None, failure: None }
    }

    /// Works until the shutdown is announced; tells the sizes that are signed.
    pub(super) async fn run(mut self, signed: watch::Sender<u64>, mut shutdown: watch::Receiver<bool>) {
        let mut moved = self.checkpoints.store().watch_head();
        while !*shutdown.borrow() {
            moved.mark_unchanged();
            let stopping = shutdown.clone();
            let outcome = tokio::select! {
                outcome = self.step(&signed) => outcome,
                // Making the tiles of a long log may take minutes.
                () = announced(stopping) => break,
            };
            let pause = match outcome {
                Ok(pause) => {
                    self.failure = None;
                    pause
                }
                Err(error) => {
                    self.tell(&error);
                    Some(FAILURE_PAUSE)
                }
            };
            tokio::select! {
                _ = shutdown.changed() => {}
                () = sleep(pause.unwrap_or(LOOK)) => {}
                // Right after a signature the next one waits.
                _ = moved.changed(), if pause.is_none() => {}
            }
        }
        if let Ok(Err(error)) = timeout(LAST, self.checkpoints.sign()).await {
            self.tell(&error);
        }
    }

    /// Signs where the log has gone on, and says how long to wait in any case.
    async fn step(&mut self, signed: &watch::Sender<u64>) -> Result<Option<Duration>, SignError> {
        let Some(age) = self.checkpoints.behind().await? else {
            self.thin().await?;
            return Ok(None);
        };
        if age < PAUSE {
            return Ok(Some(PAUSE.saturating_sub(age)));
        }
        let checkpoint = self.checkpoints.sign().await?;
        signed.send_if_modified(|size| {
            let newer = checkpoint.size > *size;
            *size = checkpoint.size.max(*size);
            newer
        });
        self.thin().await?;
        Ok(None)
    }

    async fn thin(&mut self) -> Result<(), SignError> {
        if self.thinned.is_some_and(|at| at.elapsed() < THIN_EVERY) {
            return Ok(());
        }
        self.thinned = Some(Instant::now());
        let now = self.checkpoints.store().clock().now();
        self.checkpoints.thin(now - Duration::from_secs(THIN_AFTER)).await?;
        Ok(())
    }

    fn tell(&mut self, error: &SignError) {
        let text = error.to_string();
        if self.failure.as_ref() != Some(&text) {
            tracing::error!(error = error as &dyn std::error::Error, "no checkpoint is signed");
            self.failure = Some(text);
        }
    }
}

//! Asks a witness to cosign (C2SP tlog-witness), and keeps what it says.

use std::time::Duration;

use evident_commands::outbound::{Chosen, Outbound, OutboundError};
use evident_eventstore::StoreError;
use evident_eventstore::tlog::{Checkpoint, CheckpointError, Checkpoints, TreeError, hash_lines};
use reqwest::{Method, StatusCode};
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;

use crate::config::proofs::WitnessPlace;

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// So often a witness may say in one go that it has seen another size: other nodes ask it, too.
const CORRECTIONS: usize = 3;
/// Longer answers are no signatures.
const LONGEST_ANSWER: usize = 16 * 1024;

/// Why a witness has not signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The proof cannot be made.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// It could not be asked.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// It said no.
    #[error("the witness answered {0}")]
    Refused(StatusCode),
    /// It has seen a larger tree of this log than there is.
    #[error(
        "the witness has seen {0} events of this log, and there are fewer: was it restored or rewritten?"
    )]
    Ahead(u64),
    /// Its answer is not what it should be.
    #[error("the witness's answer: {0}")]
    Answer(#[from] CheckpointError),
}

/// The work of asking one witness.
#[derive(Debug)]
pub(super) struct Asking {
    checkpoints: Checkpoints,
    outbound: Outbound,
    place: WitnessPlace,
    every: Duration,
}

impl Asking {
    pub(super) fn new(
        checkpoints: Checkpoints,
        outbound: Outbound,
        place: WitnessPlace,
        every: Duration,
    ) -> Self {
        Self { checkpoints, outbound, place, every }
    }

    /// Works until the shutdown is announced.
    pub(super) async fn run(self, mut newest: watch::Receiver<u64>, mut shutdown: watch::Receiver<bool>) {
        let mut pause = self.every;
        while !*shutdown.borrow() {
            newest.mark_unchanged();
            let outcome = self.ask().await;
            let asked = !matches!(outcome, Ok(false));
            match outcome {
                Ok(_) => pause = self.every,
                Err(error) => {
                    let witness = self.place.witness.name();
                    tracing::warn!(
                        witness,
                        error = &error as &dyn std::error::Error,
                        "a witness has not signed"
                    );
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE.max(self.every));
                }
            }
            tokio::select! {
                _ = shutdown.changed() => {}
                () = sleep(pause) => {}
                _ = newest.changed(), if !asked => {}
            }
        }
    }

    /// Has the newest checkpoint signed; says whether there was anything to ask.
    async fn ask(&self) -> Result<bool, AskError> {
        let vkey = self.place.witness.vkey();
        let Some(checkpoint) = self.checkpoints.latest().await? else { return Ok(false) };
        let signed = self.checkpoints.cosigned_size(&vkey).await?;
        if signed == Some(checkpoint.size) {
            return Ok(false);
        }
        let mut old = signed.unwrap_or(0);
        let mut reply = self.add_checkpoint(old, &checkpoint).await?;
        for _ in 0..CORRECTIONS {
            if reply.0 != StatusCode::CONFLICT {
                break;
            }
            // It says what it has seen: perhaps on the word of another node, or before a restore.
            let seen = reply.1.trim_end().parse().map_err(|_| AskError::Refused(reply.0))?;
            if seen > checkpoint.size {
                // Another node may have had a later checkpoint signed meanwhile.
                let newest = self.checkpoints.latest().await?.map_or(0, |newest| newest.size);
                return if newest >= seen { Ok(false) } else { Err(AskError::Ahead(seen)) };
            }
            old = seen;
            reply = self.add_checkpoint(old, &checkpoint).await?;
        }
        if reply.0 != StatusCode::OK {
            return Err(AskError::Refused(reply.0));
        }
        let (line, _) = self.place.witness.find(&checkpoint.note, &reply.1)?;
        self.checkpoints.keep_cosignature(checkpoint.size, &vkey, &line).await?;
        Ok(true)
    }

    async fn add_checkpoint(
        &self,
        old: u64,
        checkpoint: &Checkpoint,
    ) -> Result<(StatusCode, String), AskError> {
        let proof = self.checkpoints.tree().consistency(old, checkpoint.size).await?;
        let body = format!("old {old}\n{}\n{}", hash_lines(&proof), checkpoint.note);
        let url = add_checkpoint_url(&self.place.url);
        let request = self.outbound.request(Method::POST, &url, Chosen::ByOwner)?.body(body);
        let answer = self.outbound.send_up_to(request, LONGEST_ANSWER).await?;
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }
}

fn add_checkpoint_url(prefix: &Url) -> Url {
    let mut url = prefix.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("add-checkpoint");
    }
    url
}

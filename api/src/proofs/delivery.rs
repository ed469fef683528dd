//! Writes checkpoints out, so that somebody else holds them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use evident_commands::outbound::{Chosen, Outbound, OutboundError};
use evident_eventstore::StoreError;
use evident_eventstore::tlog::{Checkpoint, Checkpoints};
use reqwest::{Method, StatusCode};
use tokio::fs;
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;

use crate::config::ProofSettings;

/// What stands for the number of events in a file's name.
const SIZE: &str = "{size}";
/// What stands for the time of the signature.
const TIME: &str = "{time}";

#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the file cannot be written")]
    File(#[from] io::Error),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("the receiver answered {0}")]
    Refused(StatusCode),
}

/// The work of writing checkpoints out.
#[derive(Debug)]
pub(super) struct Delivery {
    checkpoints: Checkpoints,
    outbound: Outbound,
    file: Option<PathBuf>,
    url: Option<Url>,
    every: Duration,
}

impl Delivery {
    /// None where nobody is to have them.
    pub(super) fn new(
        checkpoints: Checkpoints,
        outbound: Outbound,
        settings: &ProofSettings,
    ) -> Option<Self> {
        let url = settings.to_url.as_deref().and_then(|url| Url::parse(url).ok());
        let file = settings.to_file.clone();
        let wanted = file.is_some() || url.is_some();
        wanted.then_some(Self { checkpoints, outbound, file, url, every: settings.to_every })
    }

    /// Works until the shutdown is announced.
    pub(super) async fn run(self, mut newest: watch::Receiver<u64>, mut shutdown: watch::Receiver<bool>) {
        let mut delivered = None;
        while !*shutdown.borrow() {
            newest.mark_unchanged();
            let outcome = self.deliver(delivered).await;
            let waits = !matches!(outcome, Ok(size) if size == delivered);
            match outcome {
                Ok(size) => delivered = size,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a checkpoint was not written out; it is tried again"
                    );
                }
            }
            tokio::select! {
                _ = shutdown.changed() => {}
                () = sleep(self.every) => {}
                _ = newest.changed(), if !waits => {}
            }
        }
    }

    /// Writes the newest checkpoint where it is newer than the last; gives its size.
    async fn deliver(&self, last: Option<u64>) -> Result<Option<u64>, DeliveryError> {
        let Some(checkpoint) = self.checkpoints.latest().await? else { return Ok(last) };
        if last == Some(checkpoint.size) {
            return Ok(last);
        }
        if let Some(file) = &self.file {
            write_whole(&named(file, &checkpoint), &checkpoint.text()).await?;
        }
        if let Some(url) = &self.url {
            let request = self.outbound.request(Method::POST, url, Chosen::ByOwner)?;
            let request = request.header("content-type", "text/plain; charset=utf-8").body(checkpoint.text());
            let status = self.outbound.send(request).await?.status;
            if !status.is_success() {
                return Err(DeliveryError::Refused(status));
            }
        }
        Ok(Some(checkpoint.size))
    }
}

fn named(file: &Path, checkpoint: &Checkpoint) -> PathBuf {
    let time = checkpoint.signed_at.format("%Y%m%dT%H%M%SZ").to_string();
    file.to_string_lossy().replace(SIZE, &checkpoint.size.to_string()).replace(TIME, &time).into()
}

/// Under its name a file stands whole or not at all.
async fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).await?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    fs::write(&draft, text).await?;
    fs::rename(&draft, path).await
}

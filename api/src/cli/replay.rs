//! `evident replay`: the state as of then.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use evident_domain::{Position, Time};
use evident_eventstore::{Contents, Database, EventStore, MasterKey, NoProjections, Vault};
use evident_projections::{Until, replay};
use serde_json::json;
use tempfile::TempDir;

use evident_eventstore::restore::GoingOn;

use super::import::{lines, take_in};
use super::passphrase::Passphrase;
use super::progress::Bar;
use super::{CliError, output};
use crate::bootstrap::{self, StartError};
use crate::config::Settings;
use crate::ports::{SystemClock, SystemEntropy};

/// Write the state as of a moment into an SQLite file.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A position, or a time (2026-11-21T10:00:00Z); the whole log without
    #[arg(long, value_name = "TIME|POSITION", value_parser = until)]
    until: Option<Until>,
    /// The file; it must not be there yet
    #[arg(long, value_name = "FILE.db")]
    into: PathBuf,
    /// From an archive alone: no store is needed
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// The keys that open the archive's personal fields; without, they read as erased
    #[arg(long, value_name = "FILE", requires = "archive")]
    keys: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Reads a moment.
pub(super) fn until(text: &str) -> Result<Until, String> {
    if let Ok(position) = text.parse() {
        return Ok(Until::Position(Position(position)));
    }
    let time: Result<Time, _> = text.parse();
    time.map(Until::Time).map_err(|_| "write a position (1200) or a time (2026-11-21T10:00:00Z)".to_owned())
}

impl Replay {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let bar = Bar::new(json);
        let (store, scratch) = match &self.archive {
            None => (bootstrap::open_store(settings).await?, None),
            Some(archive) => {
                let beside = self.into.parent().filter(|folder| !folder.as_os_str().is_empty());
                let scratch = Scratch::make(beside.unwrap_or(Path::new(".")))?;
                let store = scratch.store().await?;
                take_in(
                    &store,
                    lines(archive)?,
                    GoingOn::AsAnother,
                    self.keys.as_deref(),
                    &self.passphrase,
                    &bar,
                )
                .await?;
                (store, Some(scratch))
            }
        };
        let until = match self.until {
            Some(until) => until,
            None => Until::Position(store.head().await?.position),
        };
        let position = replay(&store, until, &self.into, &bar).await?;
        bar.finish();
        if let Some(scratch) = scratch {
            store.database().close().await;
            scratch.0.close()?;
        }
        let file = self.into.display().to_string();
        let text = if json {
            json!({"position": position, "file": file}).to_string()
        } else {
            format!("{file} holds the state as of position {position}")
        };
        output::line(&mut std::io::stdout(), &text)?;
        Ok(())
    }
}

/// A store for one replay, in a folder that only its owner can read and that goes with it.
struct Scratch(TempDir);

impl Scratch {
    fn make(beside: &Path) -> Result<Self, CliError> {
        Ok(Self(tempfile::Builder::new().prefix("evident-replay-").tempdir_in(beside)?))
    }

    async fn store(&self) -> Result<EventStore, StartError> {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let log = Database::open_sqlite(&self.0.path().join("log.db"), Contents::Log).await?;
        let keys = Database::open_sqlite(&self.0.path().join("keys.db"), Contents::Keys).await?;
        let master = MasterKey::generate(&SystemEntropy);
        let vault = Vault::open(keys, &master, clock.clone(), entropy.clone()).await?;
        Ok(EventStore::open(log, vault, Arc::new(NoProjections), clock, entropy).await?)
    }
}

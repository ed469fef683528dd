//! `evident import`: restoring an archive, and taking in keys.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use evident_eventstore::restore::{GoingOn, RestoreError, Restored, restore, settle_keys};
use evident_eventstore::{EventStore, KeysMoved};
use evident_projections::{PATIENCE, Progress, rebuild};
use serde_json::json;

use super::passphrase::Passphrase;
use super::progress::Bar;
use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Taking in what another server handed over.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Restore an archive into an empty store; no server may run on it meanwhile
    Events(ImportEvents),
}

/// Restore an archive (`evident events export`) into an empty store.
#[derive(Debug, Args)]
pub(super) struct ImportEvents {
    /// The archive, or - for standard input
    archive: PathBuf,
    /// The keys that open its personal fields (`evident export keys`); without, they read as erased
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The server that the archive came from goes on: sign under another name and key than it, also where its
    /// key came along
    #[arg(long)]
    as_another: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl From<RestoreError> for CliError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Store(error) => Self::Store(error),
            RestoreError::Database(error) => Self::Store(error.into()),
            other => Self::Failed(super::chain(&other)),
        }
    }
}

impl Import {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        match self {
            Self::Events(import) => import.run(settings, json).await,
        }
    }
}

impl ImportEvents {
    async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let archive = lines(&self.archive)?;
        let store = bootstrap::open_store(settings).await?;
        let bar = Bar::new(json);
        let going_on = if self.as_another { GoingOn::AsAnother } else { GoingOn::AsTheSame };
        let keys = self.keys.as_deref();
        let (restored, keys) = take_in(&store, archive, going_on, keys, &self.passphrase, &bar).await?;
        settle_keys(&store).await?;
        rebuild(&store, &[], PATIENCE, &bar).await?;
        // Whoever the archive says is erased stays so, whatever the file of keys says.
        bootstrap::destroy_keys_of_the_erased(&store).await?;
        bar.finish();
        // As checkpoints write it, to be compared with one.
        let root = STANDARD.encode(restored.root);
        let text = if json {
            json!({
                "events": restored.events,
                "root": root,
                "checkpoints": restored.checkpoints,
                "keys": keys.map(|keys| keys.subjects - keys.destroyed),
            })
            .to_string()
        } else {
            let personal = match keys {
                Some(keys) => format!("{} keys taken in", keys.subjects - keys.destroyed),
                None => "no keys: personal fields read as erased".to_owned(),
            };
            let (events, checkpoints) = (restored.events, restored.checkpoints);
            format!("{events} events restored, {checkpoints} checkpoints hold, root {root}; {personal}")
        };
        output::line(&mut std::io::stdout(), &text)?;
        Ok(())
    }
}

/// Takes in keys, where there are some, and then the events: keys alone harm nobody.
pub(super) async fn take_in(
    store: &EventStore,
    archive: Box<dyn BufRead + Send>,
    going_on: GoingOn,
    keys: Option<&Path>,
    passphrase: &Passphrase,
    bar: &Bar,
) -> Result<(Restored, Option<KeysMoved>), CliError> {
    let head = store.head().await?.position;
    if head.0 > 0 {
        return Err(RestoreError::NotEmpty(head).into());
    }
    let taken = match keys {
        None => None,
        Some(path) => {
            let passphrase = passphrase.read()?;
            let mut file = lines(path)?;
            Some(store.vault().import_keys(&mut *file, &passphrase).await?)
        }
    };
    bar.begin("restore", 0);
    let restored = restore(store, archive, going_on, &|position| bar.at(position.0)).await?;
    Ok((restored, taken))
}

/// A file's lines, or those of standard input.
pub(super) fn lines(path: &Path) -> Result<Box<dyn BufRead + Send>, CliError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = File::open(path)
        .map_err(|error| CliError::Usage(format!("{} cannot be read: {error}", path.display())))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

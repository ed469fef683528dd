//! `evident export keys`: what opens an archive's personal fields, on request and apart from it.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::passphrase::Passphrase;
use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Handing over what is not in the log.
#[derive(Debug, Subcommand)]
pub(super) enum Export {
    /// Write the keys of all persons under a passphrase, for `evident import events --keys`
    Keys(ExportKeys),
}

/// Write keys under a passphrase.
#[derive(Debug, Args)]
pub(super) struct ExportKeys {
    /// The file; it must not be there yet
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
    /// Also the server's own keys, so that tokens, codes and authenticator apps stay good
    #[arg(long)]
    server_keys: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Export {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        match self {
            Self::Keys(keys) => keys.run(settings, json).await,
        }
    }
}

impl ExportKeys {
    async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let passphrase = self.passphrase.read()?;
        let store = bootstrap::open_store(settings).await?;
        let name = self.into.display().to_string();
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.into);
        let file = file.map_err(|error| CliError::Usage(format!("{name} cannot be made: {error}")))?;
        let mut out = BufWriter::new(file);
        let written = store.vault().export_keys(&mut out, &passphrase, self.server_keys).await;
        let moved = match written {
            Ok(moved) => moved,
            Err(error) => {
                // Half a file of keys is of no use to anybody; the failure itself is what counts.
                let _ = std::fs::remove_file(&self.into);
                return Err(error.into());
            }
        };
        out.flush()?;
        out.get_ref().sync_all()?;
        let (open, server) = (moved.subjects - moved.destroyed, moved.server);
        let text = if json {
            json!({"file": name, "keys": open, "destroyed": moved.destroyed, "server_keys": server})
                .to_string()
        } else {
            format!(
                "{open} keys of subjects and {server} of the server written to {name}; {} were destroyed",
                moved.destroyed
            )
        };
        output::line(&mut std::io::stdout(), &text)?;
        Ok(())
    }
}

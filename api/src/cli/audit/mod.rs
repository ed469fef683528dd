//! `evident audit`: reading the log, and proving it.

mod keys;
mod token;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::progress::Bar;
use super::{CliError, output};
use crate::bootstrap::{self, StartError};
use crate::config::Settings;
use crate::proofs::identity::LogDocument;
use crate::proofs::prove::{self, ProveError};
use crate::proofs::publish::{PublishError, Published, publish};

/// Reading the log, and proving it.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Make a token that may read the log at /audit
    Token(token::Token),
    /// Print the verifier key (C2SP signed-note) of the log's checkpoints: give it to auditors
    Key {
        /// Those before it, too, a line each
        #[arg(long)]
        all: bool,
    },
    /// Sign with a new key; for a time the one before it signs, too
    RotateKey(keys::RotateKey),
    /// Sign under another name, with a new key: for a copy of a log that goes on elsewhere
    Rename(keys::Rename),
    /// Print the checkpoint over the whole log, with the witnesses' signatures
    Checkpoint,
    /// Print the proof (C2SP tlog-proof) that an event is in the log
    Prove {
        /// Its position
        position: u64,
        /// In the tree of the checkpoint over so many events; the newest without
        #[arg(long)]
        size: Option<u64>,
    },
    /// Print the proof that the log of one size begins with that of a smaller one
    ProveGrowth {
        /// The smaller size
        from: u64,
        /// The larger size
        to: u64,
    },
    /// Check that the log holds, or that an archive does; exit code 1 with the first event that does not
    Verify(verify::Verify),
    /// Write the log as static files (C2SP tlog-tiles) that any web server can publish
    Publish(Publish),
}

/// Where to, and what.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// The folder; what is there of this log is gone on with
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Only what the tree has, without the (sealed) contents
    #[arg(long)]
    without_contents: bool,
}

impl Audit {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let mut out = std::io::stdout();
        match self {
            Self::Token(token) => token.run(settings, json).await?,
            Self::RotateKey(command) => command.run(settings, json).await?,
            Self::Rename(command) => command.run(settings, json).await?,
            Self::Key { all } => {
                let store = bootstrap::open_store(settings).await?;
                let checkpoints = bootstrap::checkpoints(settings, &store).await?;
                let document = LogDocument::of(&checkpoints).await.map_err(StartError::from)?;
                let text = match (json, all) {
                    (true, _) => json!(document).to_string(),
                    (false, false) => document.key,
                    (false, true) => checkpoints.vkeys().join("\n"),
                };
                output::line(&mut out, &text)?;
            }
            Self::Checkpoint => {
                let store = bootstrap::open_store(settings).await?;
                let checkpoints = bootstrap::checkpoints(settings, &store).await?;
                let checkpoint = checkpoints.sign().await.map_err(StartError::from)?;
                let text = checkpoint.text();
                let text = if json {
                    let at = output::time(checkpoint.signed_at);
                    let root = checkpoint.root.to_string();
                    json!({"size": checkpoint.size, "root": root, "signed_at": at, "checkpoint": text})
                        .to_string()
                } else {
                    text.trim_end().to_owned()
                };
                output::line(&mut out, &text)?;
            }
            Self::Prove { position, size } => {
                let store = bootstrap::open_store(settings).await?;
                let checkpoints = bootstrap::checkpoints(settings, &store).await?;
                checkpoints.sign().await.map_err(StartError::from)?;
                let proof = prove::inclusion(&checkpoints, position, size).await?;
                let text =
                    if json { json!({"proof": proof}).to_string() } else { proof.trim_end().to_owned() };
                output::line(&mut out, &text)?;
            }
            Self::ProveGrowth { from, to } => {
                let store = bootstrap::open_store(settings).await?;
                let checkpoints = bootstrap::checkpoints(settings, &store).await?;
                checkpoints.sign().await.map_err(StartError::from)?;
                let proof = prove::growth(&checkpoints, from, to).await?;
                let text =
                    if json { json!({"proof": proof}).to_string() } else { proof.trim_end().to_owned() };
                output::line(&mut out, &text)?;
            }
            Self::Verify(command) => command.run(settings, json).await?,
            Self::Publish(command) => {
                let store = bootstrap::open_store(settings).await?;
                let checkpoints = bootstrap::checkpoints(settings, &store).await?;
                let bar = Bar::new(json);
                let published = publish(&checkpoints, &command.into, !command.without_contents, &bar).await?;
                bar.finish();
                let Published { size, from, files, removed } = published;
                let folder = command.into.display().to_string();
                let text = if json {
                    json!({"size": size, "from": from, "files": files, "removed": removed, "folder": folder})
                        .to_string()
                } else {
                    let removed = match removed {
                        0 => String::new(),
                        removed => format!(", {removed} pruned"),
                    };
                    format!("{folder} holds the log up to position {size} ({files} files written{removed})")
                };
                output::line(&mut out, &text)?;
            }
        }
        Ok(())
    }
}

impl From<ProveError> for CliError {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Sign(error) => Self::Start(error.into()),
            other => Self::Failed(super::chain(&other)),
        }
    }
}

impl From<PublishError> for CliError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Sign(error) => Self::Start(error.into()),
            other => Self::Failed(super::chain(&other)),
        }
    }
}

//! `evident users certificate`: that a person was forgotten, signed.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use evident_commands::{erasure_certificate, open_certificate};
use evident_domain::UserId;
use evident_eventstore::EventStore;
use serde_json::json;

use super::super::{CliError, chain, output};
use crate::bootstrap;
use crate::config::Settings;

/// Whose certificate to make, or which to check.
#[derive(Debug, Args)]
pub(in crate::cli) struct Certificate {
    /// The id of the person who was erased
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    user: Option<UserId>,
    /// Check a certificate instead; `-` reads it from the standard input
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// The verifier key that it must be signed by; else this log's own
    #[arg(long, value_name = "KEY", requires = "check")]
    key: Option<String>,
}

impl Certificate {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let Some(file) = self.check else {
            let store = bootstrap::open_store(settings).await?;
            let user = self.user.ok_or_else(|| CliError::Usage("name a user".to_owned()))?;
            return print(settings, &store, user, json).await;
        };
        let mut note = String::new();
        if file.as_os_str() == "-" {
            std::io::stdin().read_to_string(&mut note)?;
        } else {
            note = std::fs::read_to_string(&file)?;
        }
        let keys = match self.key {
            Some(key) => vec![key],
            None => {
                let store = bootstrap::open_store(settings).await?;
                bootstrap::checkpoints(settings, &store).await?.vkeys()
            }
        };
        // It may be older than the key that signs now.
        let mut outcomes = keys.iter().map(|key| open_certificate(&note, key)).collect::<Vec<_>>();
        let holds = outcomes.iter().position(Result::is_ok).unwrap_or_default();
        let certificate = outcomes.swap_remove(holds).map_err(|error| CliError::Failed(chain(&error)))?;
        let text = if json {
            serde_json::to_string(&certificate).unwrap_or_default()
        } else {
            format!(
                "holds: {} was erased at {} (position {}); {} destroyed",
                certificate.subject,
                certificate.erased_at,
                certificate.position,
                certificate.keys_destroyed.join(", ")
            )
        };
        output::line(&mut std::io::stdout(), &text)?;
        Ok(())
    }
}

/// Makes a certificate from the log and prints it.
pub(super) async fn print(
    settings: &Settings,
    store: &EventStore,
    user: UserId,
    json: bool,
) -> Result<(), CliError> {
    let checkpoints = bootstrap::checkpoints(settings, store).await?;
    let note = erasure_certificate(&checkpoints, user).await;
    let note = note.map_err(|error| CliError::Failed(chain(&error)))?;
    let text = if json {
        json!({ "certificate": note, "key": checkpoints.key().vkey() }).to_string()
    } else {
        note.trim_end().to_owned()
    };
    output::line(&mut std::io::stdout(), &text)?;
    Ok(())
}

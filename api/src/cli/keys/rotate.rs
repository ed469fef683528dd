//! `evident keys rotate-master`: another master key, while nodes serve.

use clap::Args;
use evident_projections::Progress as _;
use serde_json::json;

use super::super::progress::Bar;
use super::super::{CliError, chain, output};
use crate::bootstrap::{self, NextMaster};
use crate::config::Settings;

/// How the change ends.
#[derive(Debug, Args)]
pub(in crate::cli) struct RotateMaster {
    /// Remove the old key's file in the end, instead of leaving it as `master.key.retired`
    #[arg(long)]
    destroy_old: bool,
}

impl RotateMaster {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let next = NextMaster::prepare(settings)?;
        let bar = Bar::new(json);
        let failed = |error: evident_eventstore::VaultError| CliError::Failed(chain(&error));
        bar.begin("keys", store.vault().count().await.map_err(failed)?);
        let report = store.vault().rotate_master(next.key(), &|done| bar.at(done)).await;
        bar.finish();
        let report = report.map_err(failed)?;
        let note = next.settle(self.destroy_old)?;
        let text = if json {
            json!({ "rewrapped": report.keys, "already": report.others, "next": note }).to_string()
        } else {
            format!("{} keys are wrapped anew. {note}", report.keys)
        };
        output::line(&mut std::io::stdout(), &text)?;
        Ok(())
    }
}

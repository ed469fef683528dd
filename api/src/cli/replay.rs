//! `evident replay`: the state as of then.

use std::path::PathBuf;

use clap::Args;
use evident_domain::{Position, Time};
use evident_projections::{Until, replay};
use serde_json::json;

use super::progress::Bar;
use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Write the state as of a moment into an SQLite file.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A position, or a time (2026-11-21T10:00:00Z); the whole log without
    #[arg(long, value_name = "TIME|POSITION", value_parser = until)]
    until: Option<Until>,
    /// The file; it must not be there yet
    #[arg(long, value_name = "FILE.db")]
    into: PathBuf,
}

fn until(text: &str) -> Result<Until, String> {
    if let Ok(position) = text.parse() {
        return Ok(Until::Position(Position(position)));
    }
    let time: Result<Time, _> = text.parse();
    time.map(Until::Time).map_err(|_| "write a position (1200) or a time (2026-11-21T10:00:00Z)".to_owned())
}

impl Replay {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let until = match self.until {
            Some(until) => until,
            None => Until::Position(store.head().await?.position),
        };
        let bar = Bar::new(json);
        let position = replay(&store, until, &self.into, &bar).await?;
        bar.finish();
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

//! `evident diff`: what changed between two moments.

use std::io::{BufWriter, ErrorKind, Write};

use clap::Args;
use evident_projections::{Change, EntityChange, ProjectionError, Until, diff};
use serde_json::{Map, Value as Json, json};

use super::progress::Bar;
use super::replay::until;
use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Say what changed between two moments, entity by entity.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The earlier moment
    #[arg(long, value_name = "TIME|POSITION", value_parser = until)]
    from: Until,
    /// The later one; now without
    #[arg(long, value_name = "TIME|POSITION", value_parser = until)]
    to: Option<Until>,
}

impl Diff {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let to = match self.to {
            Some(to) => to,
            None => Until::Position(store.head().await?.position),
        };
        let bar = Bar::new(json);
        let mut out = BufWriter::new(std::io::stdout());
        let mut changes = 0_u64;
        let mut show = |change: EntityChange| {
            changes += 1;
            let text = if json { as_json(change).to_string() } else { as_text(&change) };
            writeln!(out, "{text}")
        };
        // The scratch tables hold readable rows: they belong into the private folder.
        let scratch = &settings.server.data_dir;
        let (from, to) = match diff(&store, (self.from, to), scratch, &bar, &mut show).await {
            // A reader that has gone away is no error.
            Err(ProjectionError::File(error)) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            outcome => outcome?,
        };
        bar.finish();
        if !json {
            output::line(&mut out, &format!("{changes} changes from position {from} to {to}"))?;
        }
        out.flush()?;
        Ok(())
    }
}

fn as_json(change: EntityChange) -> Json {
    let (word, fields) = match change.change {
        Change::Created(fields) => ("created", fields.into_iter().collect::<Map<_, _>>()),
        Change::Deleted(fields) => ("deleted", fields.into_iter().collect()),
        Change::Changed(fields) => {
            let field = |(name, (before, after))| (name, json!({"before": before, "after": after}));
            ("changed", fields.into_iter().map(field).collect())
        }
    };
    json!({"entity": change.entity, "id": change.id, "change": word, "fields": fields})
}

fn as_text(change: &EntityChange) -> String {
    let (entity, id) = (change.entity, &change.id);
    let lines = |word: &str, lines: Vec<String>| format!("{entity} {id} {word}\n  {}", lines.join("\n  "));
    match &change.change {
        Change::Created(fields) => {
            lines("created", fields.iter().map(|(name, value)| format!("{name}: {value}")).collect())
        }
        Change::Deleted(fields) => {
            lines("deleted", fields.iter().map(|(name, value)| format!("{name}: {value}")).collect())
        }
        Change::Changed(fields) => {
            let line =
                |(name, (before, after)): (&String, &(Json, Json))| format!("{name}: {before} → {after}");
            lines("changed", fields.iter().map(line).collect())
        }
    }
}

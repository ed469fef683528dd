//! `evident projections`: are the tables the log's, and make them so again.

use std::fmt::Write as _;
use std::time::Instant;

use clap::Subcommand;
use evident_projections::{Outcome, PATIENCE, ProjectionError, Status, rebuild, status, verify};
use serde_json::json;

use super::progress::Bar;
use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// The tables that are folded from the log.
#[derive(Debug, Subcommand)]
pub(super) enum Projections {
    /// Say what each table was built from
    Status,
    /// Fold the log afresh and compare; exit code 1 when a table differs
    Verify {
        /// Which; all without
        names: Vec<String>,
    },
    /// Fold the log into new tables and put them in the place of the old, while the server serves
    Rebuild {
        /// Which; all without
        names: Vec<String>,
    },
}

impl From<ProjectionError> for CliError {
    fn from(error: ProjectionError) -> Self {
        match error {
            ProjectionError::Unknown(..) => Self::Usage(error.to_string()),
            ProjectionError::Store(error) => Self::Store(error),
            other => Self::Failed(super::chain(&other)),
        }
    }
}

/// What a table was built from, in one line.
fn line(status: &Status) -> String {
    let state = if status.is_current() { "current" } else { "to be rebuilt" };
    let mut line = format!("{:<20} version {:<3} {state:<13}", status.name, status.version);
    if let Some(built) = &status.built {
        let _ = write!(line, "  from position {} on {}", built.position, output::time(built.at));
        if let Some(digest) = &built.digest {
            let _ = write!(line, ": {} rows, digest {digest}", digest.rows());
        }
    }
    line
}

impl Projections {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let mut out = std::io::stdout();
        match self {
            Self::Status => {
                for status in status(&store).await? {
                    let built = status.built.as_ref();
                    let text = if json {
                        json!({
                            "name": status.name,
                            "version": status.version,
                            "current": status.is_current(),
                            "built_from": built.map(|built| built.position),
                            "built_at": built.map(|built| output::time(built.at)),
                            "built_version": built.map(|built| built.version),
                            "rows": built.and_then(|built| Some(built.digest?.rows())),
                            "digest": built.and_then(|built| Some(built.digest?.to_string())),
                        })
                        .to_string()
                    } else {
                        line(&status)
                    };
                    output::line(&mut out, &text)?;
                }
            }
            Self::Verify { names } => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let bar = Bar::new(json);
                // The scratch tables hold readable rows: they belong into the private folder.
                let scratch = &settings.server.data_dir;
                let verification = verify(&store, &names, scratch, &bar).await?;
                bar.finish();
                for (name, outcome) in &verification.outcomes {
                    let text = match (outcome, json) {
                        (Outcome::Same { rows, digest }, true) => {
                            json!({"name": name, "same": true, "rows": rows, "digest": digest.to_string()})
                                .to_string()
                        }
                        (Outcome::Same { rows, digest }, false) => {
                            format!("{name:<20} same  {rows} rows  {digest}")
                        }
                        (Outcome::Different(difference), true) => {
                            json!({"name": name, "same": false, "difference": difference.to_string()})
                                .to_string()
                        }
                        (Outcome::Different(difference), false) => {
                            format!("{name:<20} DIFFERENT  {difference}")
                        }
                    };
                    output::line(&mut out, &text)?;
                }
                if !verification.is_clean() {
                    return Err(CliError::Failed("the tables differ from the log".to_owned()));
                }
                if !json {
                    output::line(
                        &mut out,
                        &format!("the tables are the log's, up to position {}", verification.position),
                    )?;
                }
            }
            Self::Rebuild { names } => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let bar = Bar::new(json);
                let begun = Instant::now();
                let rebuilt = rebuild(&store, &names, PATIENCE, &bar).await?;
                bar.finish();
                let seconds = begun.elapsed().as_secs_f64();
                let text = if json {
                    json!({
                        "rebuilt": rebuilt.names,
                        "position": rebuilt.position,
                        "resumed_at": rebuilt.resumed_at,
                        "seconds": seconds,
                    })
                    .to_string()
                } else {
                    let from = match rebuilt.resumed_at.0 {
                        0 => String::new(),
                        at => format!(", going on from {at}, where an earlier rebuild had come"),
                    };
                    let names = rebuilt.names.join(", ");
                    format!("rebuilt {names} up to position {} in {seconds:.1} s{from}", rebuilt.position)
                };
                output::line(&mut out, &text)?;
            }
        }
        Ok(())
    }
}

//! `evident retention`: dropping what has had its time.

use clap::Subcommand;
use evident_domain::retention::RetentionClass;
use evident_projections::{ProjectionError, retention};
use serde_json::json;

use super::{CliError, chain, output};
use crate::bootstrap;
use crate::config::Settings;

/// Dropping what has had its time. The server does it by itself, every hour.
#[derive(Debug, Subcommand)]
pub(super) enum Retention {
    /// Do it now
    Run,
    /// Show the ages, and how far it has come
    Status,
}

impl Retention {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let (policy, now) = (&settings.retention, store.clock().now());
        let mut out = std::io::stdout();
        match self {
            Self::Run => {
                let report = retention::run(&store, policy, now, evident_projections::PATIENCE).await;
                let report = report.map_err(|error| match error {
                    ProjectionError::Busy => {
                        CliError::Failed("another run, or a rebuild, is under way".to_owned())
                    }
                    error => CliError::Failed(chain(&error)),
                })?;
                let total: u64 = report.dropped.values().sum();
                let text = if json {
                    let dropped: serde_json::Map<_, _> = report
                        .dropped
                        .iter()
                        .map(|(class, count)| (class.as_str().to_owned(), json!(count)))
                        .collect();
                    json!({ "dropped": dropped, "periods": report.periods, "held": report.held }).to_string()
                } else if report.held {
                    "a legal hold keeps everything; nothing was dropped".to_owned()
                } else {
                    format!("{total} contents dropped, {} keys of periods destroyed", report.periods.len())
                };
                output::line(&mut out, &text)?;
            }
            Self::Status => {
                let progress = retention::progress(&store).await?;
                for class in RetentionClass::DROPPABLE {
                    let reached = progress.iter().find(|progress| progress.class == class.as_str());
                    let age = policy.age(class);
                    let text = if json {
                        json!({
                            "class": class.as_str(),
                            "age_seconds": age.map(|age| age.as_secs()),
                            "position": reached.map(|reached| reached.position),
                            "dropped": reached.map_or(0, |reached| reached.dropped),
                            "ran_at": reached.map(|reached| output::time(reached.ran_at)),
                        })
                        .to_string()
                    } else {
                        let days = age.map(|age| age.as_secs() / 86_400);
                        let age = days.map_or_else(|| "stays".to_owned(), |days| format!("{days} days"));
                        let dropped = reached.map_or(0, |reached| reached.dropped);
                        format!("{:<10} {age:<12} {dropped} dropped", class.as_str())
                    };
                    output::line(&mut out, &text)?;
                }
            }
        }
        Ok(())
    }
}

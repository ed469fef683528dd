//! `evident retention`: dropping what has had its time.

use clap::{Args, Subcommand};
use evident_commands::{Context, PruneLog, PublicationError, standing_holds};
use evident_domain::ports::Entropy;
use evident_domain::publication::BUNDLE;
use evident_domain::retention::RetentionClass;
use evident_domain::{Actor, Provenance, Surface, Time};
use evident_eventstore::EventStore;
use evident_projections::{ProjectionError, retention};
use serde_json::json;

use super::{CliError, chain, output};
use crate::bootstrap;
use crate::config::Settings;
use crate::ports::SystemEntropy;

/// Dropping what has had its time. The server does it by itself, every hour.
#[derive(Debug, Subcommand)]
pub(super) enum Retention {
    /// Do it now
    Run,
    /// Show the ages, and how far it has come
    Status,
    /// Hand out the log's oldest entries no longer; shows what that means, and does it with --apply
    Prune(Prune),
}

/// Up to where.
#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Entries from before this time; without, what `retention.log_entries` says
    #[arg(long, value_name = "TIME", conflicts_with = "entries")]
    before: Option<Time>,
    /// So many of the oldest; whole bundles of 256 of them go
    #[arg(long, value_name = "COUNT")]
    entries: Option<u64>,
    /// Where everybody can read how long entries are handed out; without, `retention.log_policy`
    #[arg(long, value_name = "URL")]
    policy: Option<String>,
    /// Do it
    #[arg(long)]
    apply: bool,
}

impl Retention {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        if let Self::Prune(prune) = self {
            return prune.run(settings, json).await;
        }
        let store = bootstrap::open_store(settings).await?;
        let policy = &settings.retention;
        let mut out = std::io::stdout();
        match self {
            Self::Prune(_) => {}
            Self::Run => {
                let report = drop_contents(&store, settings).await?;
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
                pruned(&store, json).await?;
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

/// Drops what has had its time.
async fn drop_contents(store: &EventStore, settings: &Settings) -> Result<retention::Report, CliError> {
    let now = store.clock().now();
    let report = retention::run(store, &settings.retention, now, evident_projections::PATIENCE).await;
    report.map_err(|error| match error {
        ProjectionError::Busy => CliError::Failed("another run, or a rebuild, is under way".to_owned()),
        error => CliError::Failed(chain(&error)),
    })
}

/// From where on the log is handed out.
async fn pruned(store: &EventStore, json: bool) -> Result<(), CliError> {
    let pruning = store.pruning().await?;
    let text = if json {
        json!({ "minimum_index": pruning.minimum, "policy": pruning.policy }).to_string()
    } else {
        match pruning.policy {
            None => "the log hands out all entries".to_owned(),
            Some(policy) => format!("the log hands out entries from {} on ({policy})", pruning.minimum),
        }
    };
    output::line(&mut std::io::stdout(), &text)?;
    Ok(())
}

impl Prune {
    async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let Some(policy) = self.policy.clone().or_else(|| settings.proofs.retention_policy.clone()) else {
            let missing = "say with --policy, or `retention.log_policy`, where it is published how long the log's \
                           entries are handed out";
            return Err(CliError::Usage(missing.to_owned()));
        };
        let store = bootstrap::open_store(settings).await?;
        let now = store.clock().now();
        let before = self.before.or_else(|| {
            now.checked_sub_signed(chrono::TimeDelta::from_std(settings.proofs.prune_after?).ok()?)
        });
        let head = store.head().await?.position.0;
        let entries = match (self.entries, before) {
            (Some(entries), _) => entries.min(head),
            (None, Some(before)) => store.older_than(before).await?,
            (None, None) => {
                let missing = "say up to where, with --before, --entries or `retention.log_entries`";
                return Err(CliError::Usage(missing.to_owned()));
            }
        };
        if let Some((hold, _)) = standing_holds(&store, now).await?.first() {
            return Err(CliError::Failed(format!("the legal hold {hold} keeps the log's oldest part")));
        }
        let from = store.pruning().await?.minimum;
        let minimum = (entries - entries % BUNDLE).max(from);
        let contents = retention::contents_within(&store, minimum).await?;
        let dropped = if self.apply && minimum > from {
            // A whole node, so that the event is written as any other.
            drop(store);
            let commands = bootstrap::open_commands(settings).await?;
            let provenance = Provenance::internal(Actor::Operator, Surface::Cli, SystemEntropy.uuid());
            let prune = PruneLog { entries, policy: policy.clone() };
            let outcome = commands.execute(&Context::new(provenance), &prune).await;
            outcome.map_err(|error: PublicationError| CliError::Failed(chain(&error)))?;
            let report = drop_contents(commands.store(), settings).await?;
            Some(report.dropped.values().sum::<u64>())
        } else {
            None
        };
        let bundles = (minimum - from) / BUNDLE;
        let text = if json {
            json!({
                "applied": dropped.is_some(),
                "from": from,
                "minimum_index": minimum,
                "bundles": bundles,
                "contents": contents,
                "dropped": dropped,
                "policy": policy,
            })
            .to_string()
        } else {
            match dropped {
                Some(dropped) => format!(
                    "the log hands out entries from {minimum} on; {dropped} contents were dropped, all events stay"
                ),
                None if bundles == 0 => "there is no whole bundle of entries to prune".to_owned(),
                None => format!(
                    "entries {from} to {} ({bundles} bundles) would no longer be handed out; of their contents up \
                     to {contents}, which nothing needs, would be dropped; events, tables and proofs would stay. \
                     --apply does it.",
                    minimum - 1
                ),
            }
        };
        output::line(&mut std::io::stdout(), &text)?;
        Ok(())
    }
}

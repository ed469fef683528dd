//! `evident audit verify`: does the log hold, or an archive of it?

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use evident_eventstore::EventStore;
use evident_eventstore::tlog::{Checked, Finding, Trust, check_archive, check_store};
use evident_projections::{Outcome, Progress, verify};
use serde_json::{Value as Json, json};

use super::super::progress::Bar;
use super::super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Bytes that are read of an archive at a time.
const BUFFER: usize = 1 << 20;

/// What to check, and by whose word.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// An archive (JSON Lines) in the log's place; then nothing else is opened
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// The verifier key, from somebody else than the log's owner; without it, the log's or archive's own. Once
    /// more for each that it had before
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// A checkpoint that somebody else has kept; may be given again
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    /// Leave out the tables that are folded from the log (which take longest)
    #[arg(long)]
    without_projections: bool,
}

impl Verify {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let checkpoints = self.checkpoints.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
        let mut trust = Trust { keys: self.keys, checkpoints };
        let bar = Bar::new(json);
        let Some(archive) = &self.archive else {
            let store = bootstrap::open_store(settings).await?;
            if trust.keys.is_empty() {
                trust.keys = bootstrap::checkpoints(settings, &store).await?.vkeys();
            }
            bar.begin("log", 0);
            let outcome = check_store(&store, &trust, |done, all| {
                bar.begin("log", all);
                bar.at(done);
            });
            let outcome = outcome.await?;
            bar.finish();
            tell(&outcome, false, json)?;
            return if self.without_projections { Ok(()) } else { projections(&store, settings, json).await };
        };
        bar.begin("archive", 0);
        let open = || Ok(BufReader::with_capacity(BUFFER, File::open(archive)?));
        let outcome = check_archive(open, &trust, |done| bar.at(done))
            .map_err(|error| CliError::Failed(format!("{} cannot be read: {error}", archive.display())))?;
        bar.finish();
        tell(&outcome, true, json)
    }
}

fn read(file: &Path) -> Result<String, CliError> {
    let problem = |error: io::Error| CliError::Usage(format!("{} cannot be read: {error}", file.display()));
    fs::read_to_string(file).map_err(problem)
}

fn tell(outcome: &Result<Checked, Finding>, of_archive: bool, json: bool) -> Result<(), CliError> {
    let text = match (outcome, json) {
        (Ok(checked), true) => checked_json(checked).to_string(),
        (Ok(checked), false) => {
            let dropped = match checked.dropped {
                0 => String::new(),
                dropped => format!(", {dropped} of them without their contents"),
            };
            let pruned = match checked.pruned {
                0 => String::new(),
                pruned if of_archive => format!(
                    "\nthe {pruned} oldest events were pruned: they are in the root, and were not looked at"
                ),
                pruned => format!("\nthe {pruned} oldest events are no longer handed out; they hold as well"),
            };
            let uncompared = match checked.uncompared {
                0 => String::new(),
                count => format!(
                    "\n{count} of the given checkpoints sign pruned events only, and were NOT compared: ask for \
                     a proof of growth"
                ),
            };
            format!(
                "the log holds: {} events{dropped}, {} checkpoints, {} tiles\nroot {}\nkey  {}{pruned}{uncompared}",
                checked.events,
                checked.checkpoints,
                checked.tiles,
                checked.root,
                keys_of(checked),
            )
        }
        (Err(finding), true) => json!({
            "holds": false,
            "position": finding.position,
            "id": finding.id,
            "problem": finding.problem.to_string(),
        })
        .to_string(),
        (Err(finding), false) => format!("the log does NOT hold: {finding}"),
    };
    output::line(&mut io::stdout(), &text)?;
    match outcome {
        Ok(_) => Ok(()),
        Err(_) => Err(CliError::Failed("the log does not hold".to_owned())),
    }
}

fn keys_of(checked: &Checked) -> String {
    match checked.keys.as_slice() {
        [] => "none: checkpoints were compared, their signatures not".to_owned(),
        keys => keys.join("\nkey  "),
    }
}

fn checked_json(checked: &Checked) -> Json {
    json!({
        "holds": true,
        "events": checked.events,
        "dropped": checked.dropped,
        "checkpoints": checked.checkpoints,
        "tiles": checked.tiles,
        "root": checked.root.to_string(),
        "key": checked.keys.first(),
        "keys": checked.keys,
        "pruned": checked.pruned,
        "uncompared": checked.uncompared,
    })
}

/// Claims and the other tables against the log.
async fn projections(store: &EventStore, settings: &Settings, json: bool) -> Result<(), CliError> {
    let bar = Bar::new(json);
    let verification = verify(store, &[], &settings.server.data_dir, &bar).await?;
    bar.finish();
    let mut out = io::stdout();
    for (name, outcome) in &verification.outcomes {
        if let Outcome::Different(difference) = outcome {
            let text = if json {
                json!({"name": name, "same": false, "difference": difference.to_string()}).to_string()
            } else {
                format!("{name:<20} DIFFERENT  {difference}")
            };
            output::line(&mut out, &text)?;
        }
    }
    if !verification.is_clean() {
        return Err(CliError::Failed("the tables differ from the log".to_owned()));
    }
    let text = if json {
        json!({"projections": "same", "position": verification.position}).to_string()
    } else {
        format!("claims and tables are the log's, up to position {}", verification.position)
    };
    output::line(&mut out, &text)?;
    Ok(())
}

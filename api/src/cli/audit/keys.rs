//! `evident audit rotate-key` and `rename`: another key signs the log's checkpoints.

use chrono::TimeDelta;
use clap::Args;
use evident_commands::{Context, PublicationError, RenameLog, RotateLogKey};
use evident_domain::ports::Entropy;
use evident_domain::{Actor, Provenance, Surface};
use serde_json::json;

use crate::bootstrap::{self, StartError};
use crate::cli::{CliError, chain, output};
use crate::config::Settings;
use crate::ports::SystemEntropy;

/// For how long both sign.
#[derive(Debug, Args)]
pub(in crate::cli) struct RotateKey {
    /// So many days the key before it signs, too: time to give the new one to all who check the log
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=3_650))]
    both_days: u32,
}

/// Under which name.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rename {
    /// The new name (`auth.example.com/audit/2`); no log ever had it
    #[arg(long, value_name = "NAME")]
    origin: String,
}

fn context() -> Context {
    Context::new(Provenance::internal(Actor::Operator, Surface::Cli, SystemEntropy.uuid()))
}

fn refused(error: &PublicationError) -> CliError {
    CliError::Failed(chain(error))
}

fn print(key: &str, former: &str, json: bool, words: &str) -> Result<(), CliError> {
    let text =
        if json { json!({ "key": key, "former": former }).to_string() } else { format!("{key}\n{words}") };
    output::line(&mut std::io::stdout(), &text)?;
    Ok(())
}

impl RotateKey {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let commands = bootstrap::open_commands(settings).await?;
        let checkpoints = bootstrap::checkpoints(settings, commands.store()).await?;
        let former = checkpoints.key();
        let key = checkpoints.prepare_key(former.origin()).await.map_err(StartError::from)?.vkey();
        let both_until = commands.clock().now() + TimeDelta::days(i64::from(self.both_days));
        let rotate = RotateLogKey { key: key.clone(), former: former.vkey(), both_until };
        commands.execute(&context(), &rotate).await.map_err(|error| refused(&error))?;
        checkpoints.sign().await.map_err(StartError::from)?;
        let words =
            format!("signs from now on; {} signs, too, until {}", former.vkey(), output::time(both_until));
        print(&key, &former.vkey(), json, &words)
    }
}

impl Rename {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let commands = bootstrap::open_commands(settings).await?;
        let checkpoints = bootstrap::checkpoints(settings, commands.store()).await?;
        let former = checkpoints.key();
        if checkpoints.had_name(&self.origin).await.map_err(StartError::from)? {
            return Err(CliError::Usage(format!("a log had the name {:?} already", self.origin)));
        }
        let key = checkpoints.prepare_key(&self.origin).await.map_err(StartError::from)?.vkey();
        let rename = RenameLog { key: key.clone(), former: former.vkey() };
        commands.execute(&context(), &rename).await.map_err(|error| refused(&error))?;
        checkpoints.sign().await.map_err(StartError::from)?;
        let words = format!("signs from now on; under {} nothing is signed here any more", former.origin());
        print(&key, &former.vkey(), json, &words)
    }
}

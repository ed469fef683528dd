//! The command line: `evident <command>`.

mod audit;
mod diff;
mod events;
mod explain;
mod export_keys;
mod hold;
mod import;
mod keys;
mod output;
mod passphrase;
mod progress;
mod projections;
mod replay;
mod retention;
mod role_token;
mod serve;
mod users;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::bootstrap::StartError;
use crate::config::{Configuration, Settings};
use crate::telemetry;

/// An auth server whose only source of truth is an append-only log of events.
#[derive(Debug, Parser)]
#[command(
    name = "evident",
    version,
    after_help = "Start here: `evident serve` needs no configuration. It keeps everything in ./evident-data \
                  and listens on http://127.0.0.1:9999.\nSettings come from evident.toml, then the \
                  environment (EVIDENT_*, and the names that Supabase Auth and Better Auth use), then --set.\n\
                  Exit codes: 0 done, 1 the work failed or a check found a difference, 2 the call or a setting is wrong."
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Global {
    /// Settings file; ./evident.toml if it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting, over all other sources; may be given again
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// Print JSON, one object a line, for machines
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Read the log
    #[command(subcommand)]
    Events(events::Events),
    /// Hand over what is not in the log
    #[command(subcommand)]
    Export(export_keys::Export),
    /// Restore what was handed over
    #[command(subcommand)]
    Import(import::Import),
    /// Say of a user, session or organization how it came to be as it is
    Explain(explain::Explain),
    /// Say what changed between two moments
    Diff(diff::Diff),
    /// Prove the log: its key, its checkpoints, the check that all of it holds
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Look after the tables that are folded from the log
    #[command(subcommand)]
    Projections(projections::Projections),
    /// Write the state as of a moment into an SQLite file
    Replay(replay::Replay),
    /// Look after keys: those that sign access tokens, and the master key
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Look after users
    #[command(subcommand)]
    Users(users::Users),
    /// Run a witness, who cosigns checkpoints of logs that only grow
    Witness(witness::Witness),
    /// Legal holds: what must be kept
    #[command(subcommand)]
    Hold(hold::Hold),
    /// Drop what has had its time
    #[command(subcommand)]
    Retention(retention::Retention),
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A command did not do its work.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// A setting is wrong: one line says which.
    #[error("{0}")]
    Usage(String),
    /// The store cannot be opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The log cannot be read or written.
    #[error(transparent)]
    Store(#[from] evident_eventstore::StoreError),
    /// The tables differ from the log; what differs is printed already.
    #[error("{0}")]
    Failed(String),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] std::io::Error),
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let configuration = match Settings::from_process(cli.global.config.as_deref(), &cli.global.set) {
        Ok(configuration) => configuration,
        Err(error) => {
            eprintln!("evident: {error}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = telemetry::start(&configuration.settings.log) {
        eprintln!("evident: {error}");
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("evident: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(dispatch(cli, configuration)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evident: {}", chain(&error));
            match error {
                CliError::Usage(_) => ExitCode::from(2),
                CliError::Start(error) if error.is_configuration() => ExitCode::from(2),
                CliError::Start(_) | CliError::Store(_) | CliError::Failed(_) | CliError::Output(_) => {
                    ExitCode::FAILURE
                }
            }
        }
    }
}

async fn dispatch(cli: Cli, configuration: Configuration) -> Result<(), CliError> {
    let json = cli.global.json;
    let settings = &configuration.settings;
    match cli.command {
        Command::Serve(command) => command.run(&configuration).await,
        Command::Events(command) => command.run(settings, json).await,
        Command::Export(command) => command.run(settings, json).await,
        Command::Import(command) => command.run(settings, json).await,
        Command::Explain(command) => command.run(settings, json).await,
        Command::Diff(command) => command.run(settings, json).await,
        Command::Audit(command) => command.run(settings, json).await,
        Command::Projections(command) => command.run(settings, json).await,
        Command::Replay(command) => command.run(settings, json).await,
        Command::Keys(command) => command.run(settings, json).await,
        Command::Users(command) => command.run(settings, json).await,
        Command::Witness(command) => command.run(json).await,
        Command::Hold(command) => command.run(settings, json).await,
        Command::Retention(command) => command.run(settings, json).await,
    }
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

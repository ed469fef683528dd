//! `evident witness`: a witness for those who have none.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use evident_eventstore::tlog::{CheckpointError, TreeHead};
use serde_json::json;
use tokio::net::TcpListener;

use super::{CliError, output};
use crate::bootstrap::StartError;
use crate::ports::{SystemClock, SystemEntropy};
use crate::server;
use crate::witness::{StateError, WitnessService, WitnessState};

/// Run a witness, who cosigns checkpoints of logs that only grow.
#[derive(Debug, Args)]
pub(super) struct Witness {
    /// Its file (SQLite), made at the first start: the key, and what was seen
    #[arg(long, value_name = "FILE", default_value = "witness.db")]
    data: PathBuf,
    /// What it is called; kept at the first start
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// The verifier key of a log that it knows (`evident audit key`); may be given again
    #[arg(long = "log", value_name = "KEY")]
    logs: Vec<String>,
    /// Print the witness's verifier key, for the setting `audit.witnesses`, and do nothing else
    #[arg(long)]
    print_key: bool,
}

impl From<StateError> for CliError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Name(_) => Self::Usage(error.to_string()),
            error => Self::Failed(super::chain(&error)),
        }
    }
}

impl Witness {
    pub(super) async fn run(self, json: bool) -> Result<(), CliError> {
        for log in &self.logs {
            // An empty checkpoint is malformed, whatever the key; a key that does not read is told first.
            if TreeHead::open("", log) == Err(CheckpointError::Key) {
                return Err(CliError::Usage(format!("{log:?} is no verifier key of a log")));
            }
        }
        let state = WitnessState::open(&self.data).await?;
        let key = state.key(self.name.as_deref(), &SystemEntropy).await?;
        let vkey = key.witness().vkey();
        let mut out = std::io::stdout();
        if self.print_key {
            let text = if json { json!({"key": vkey}).to_string() } else { vkey };
            output::line(&mut out, &text)?;
            return Ok(());
        }
        let problem = |cause| StartError::Listen { address: self.listen.to_string(), cause };
        let listener = TcpListener::bind(self.listen).await.map_err(problem)?;
        let bound = listener.local_addr().map_err(problem)?;
        output::line(&mut out, &format!("evident: witness {vkey} ready on http://{bound}"))?;
        let service = WitnessService::new(key, self.logs, state, Arc::new(SystemClock));
        server::serve_app(listener, service.router(), server::shutdown_signal()).await;
        Ok(())
    }
}

//! `evident audit`: reading the log, and proving it.

mod token;

use clap::Subcommand;

use super::CliError;
use crate::config::Settings;

/// Reading the log, and proving it.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Make a token that may read the log at /audit
    Token(token::Token),
}

impl Audit {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        match self {
            Self::Token(token) => token.run(settings, json).await,
        }
    }
}

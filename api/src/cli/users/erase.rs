//! `evident users erase`: forgetting a person.

use clap::Args;
use evident_commands::{Context, DeleteUserError, Deletion};
use evident_domain::ports::Entropy;
use evident_domain::{Actor, Provenance, Surface};

use super::super::{CliError, chain};
use super::{certificate, named};
use crate::bootstrap;
use crate::config::Settings;
use crate::ports::SystemEntropy;

/// Whom to forget.
#[derive(Debug, Args)]
pub(in crate::cli) struct Erase {
    /// The account's id, or its address
    user: String,
}

impl Erase {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let commands = bootstrap::open_commands(settings).await?;
        let user = named(commands.store(), &self.user).await?;
        let provenance = Provenance::internal(Actor::Operator, Surface::Cli, SystemEntropy.uuid());
        let outcome = commands.delete_user(&Context::new(provenance), user, Deletion::Erase).await;
        match outcome {
            Ok(()) => certificate::print(settings, commands.store(), user, json).await,
            Err(DeleteUserError::Held(hold)) => Err(CliError::Failed(format!(
                "a legal hold ({hold}) keeps what is known of this person; `evident hold list` shows it"
            ))),
            Err(error) => Err(CliError::Failed(chain(&error))),
        }
    }
}

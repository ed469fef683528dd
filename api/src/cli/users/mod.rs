//! `evident users`: what an operator needs to begin, and what people may ask for: to see what is held on them,
//! and to be forgotten.

mod certificate;
mod erase;
mod export;

use clap::{Args, Subcommand};
use evident_commands::Contact;
use evident_domain::{Email, UserId};
use evident_eventstore::EventStore;

use super::{CliError, role_token};
use crate::config::Settings;

/// Users and those who administer them.
#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// Make a token for calls to /admin (what Supabase calls a `service_role` key)
    CreateAdminToken(CreateAdminToken),
    /// Forget a person: rows go, the key of their personal data is destroyed; prints the certificate
    Erase(erase::Erase),
    /// Make the certificate of an erasure once more, or check one
    Certificate(certificate::Certificate),
    /// Write all that is held on a person, as JSON
    Export(export::Export),
}

/// The account that an operator names by its id, or by its address.
async fn named(store: &EventStore, name: &str) -> Result<UserId, CliError> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let unknown = || CliError::Failed(format!("{name:?} is neither a user's id nor an account's address"));
    let email = Email::parse(name).map_err(|_| unknown())?;
    let owner = Contact::Email(email).owner(store).await;
    owner.map_err(|error| CliError::Failed(super::chain(&error)))?.ok_or_else(unknown)
}

/// What the token says.
#[derive(Debug, Args)]
pub(super) struct CreateAdminToken {
    /// Its role; one of those that count as administrators'
    #[arg(long, default_value = "service_role")]
    role: String,
    /// How many days it is good
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

impl Users {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        match self {
            Self::CreateAdminToken(token) => token.run(settings, json).await,
            Self::Erase(erase) => erase.run(settings, json).await,
            Self::Certificate(certificate) => certificate.run(settings, json).await,
            Self::Export(export) => export.run(settings).await,
        }
    }
}

impl CreateAdminToken {
    async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let roles = &settings.commands.tokens.admin_roles;
        if !roles.contains(&self.role) {
            return Err(CliError::Usage(format!(
                "{:?} is no administrator's role; there are: {}",
                self.role,
                roles.join(", ")
            )));
        }
        role_token::print(settings, &self.role, self.days, json).await
    }
}

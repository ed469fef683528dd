//! `evident users`: what an operator needs to begin.

use clap::{Args, Subcommand};

use super::{CliError, role_token};
use crate::config::Settings;

/// Users and those who administer them.
#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// Make a token for calls to /admin (what Supabase calls a `service_role` key)
    CreateAdminToken(CreateAdminToken),
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

//! `evident users`: what an operator needs to begin.

use clap::{Args, Subcommand};
use evident_commands::tokens::Claims;
use evident_domain::ports::Clock;
use serde_json::json;

use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;
use crate::ports::SystemClock;

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
        let store = bootstrap::open_store(settings).await?;
        let keys = bootstrap::signing_keys(settings, &store).await?;
        let now = SystemClock.now().timestamp();
        let claims = Claims {
            iss: settings.commands.tokens.issuer.clone(),
            role: Some(self.role.clone()),
            iat: Some(now),
            exp: Some(now + i64::from(self.days) * 86_400),
            ..Claims::default()
        };
        let token = keys.sign(&claims).map_err(|error| CliError::Failed(super::chain(&error)))?;
        let text = if json { json!({"token": token, "role": self.role}).to_string() } else { token };
        output::line(&mut std::io::stdout(), &text)?;
        Ok(())
    }
}

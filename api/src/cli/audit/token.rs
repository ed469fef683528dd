//! `evident audit token`: what an auditor shows at /audit.

use clap::Args;

use crate::cli::{CliError, role_token};
use crate::config::Settings;

/// What the token says.
#[derive(Debug, Args)]
pub(in crate::cli) struct Token {
    /// Its role, one of `audit.roles`; the first of them where nothing is said
    #[arg(long)]
    role: Option<String>,
    /// How many days it is good
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

impl Token {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let roles = &settings.audit.roles;
        let Some(role) = self.role.as_ref().or(roles.first()) else {
            return Err(CliError::Usage("`audit.roles` is empty: nobody may read the log".to_owned()));
        };
        if !roles.contains(role) {
            let there = roles.join(", ");
            return Err(CliError::Usage(format!("{role:?} is no auditor's role; there are: {there}")));
        }
        role_token::print(settings, role, self.days, json).await
    }
}

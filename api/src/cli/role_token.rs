//! Tokens that carry a role and belong to nobody: what an operator hands to programs and people.

use evident_commands::tokens::Claims;
use evident_domain::ports::Clock;
use serde_json::json;

use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;
use crate::ports::SystemClock;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Signs and prints a token.
pub(super) async fn print(settings: &Settings, role: &str, days: u32, json: bool) -> Result<(), CliError> {
    let store = bootstrap::open_store(settings).await?;
    let keys = bootstrap::signing_keys(settings, &store).await?;
    let now = SystemClock.now().timestamp();
    let claims = Claims {
        iss: settings.commands.tokens.issuer.clone(),
        role: Some(role.to_owned()),
        iat: Some(now),
        exp: Some(now + i64::from(days) * DAY),
        ..Claims::default()
    };
    let token = keys.sign(&claims).map_err(|error| CliError::Failed(super::chain(&error)))?;
    let text = if json { json!({ "token": token, "role": role }).to_string() } else { token };
    output::line(&mut std::io::stdout(), &text)?;
    Ok(())
}

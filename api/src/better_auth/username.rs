//! `POST /sign-in/username`, `POST /is-username-available`

use evident_commands::{Entered, GivenContact, NameChange, NameError, SignIn, Unconfirmed};
use evident_domain::Actor;
use evident_domain::user::username::UsernameError;
use serde_json::json;

use super::call::{Answer, Call, Reply};
use super::error::BetterAuthError;
use super::routes::Table;
use super::sign_in::{refusal as sign_in_refusal, signed_in};
use super::sign_up::password_length;
use super::two_factor::{asked_for_second_step, keep_trust, trusted_device};

pub(super) fn routes(table: Table) -> Table {
    table.post("/sign-in/username", sign_in).post("/is-username-available", is_available)
}

/// A name and a password for a session.
async fn sign_in(call: Call) -> Reply {
    let mut fields = call.fields();
    let name = fields.text("username");
    let password = fields.secret("password");
    let remembered = fields.maybe_flag("rememberMe") != Some(false);
    let callback = fields.maybe_text("callbackURL");
    fields.finish()?;
    if name.is_empty() || password.is_empty() {
        return Err(invalid_credentials());
    }
    let username = call.app.commands().username(&name).map_err(unprocessable)?;
    let own = &call.app.options().email_password;
    let wanted = SignIn {
        contact: GivenContact::default(),
        username: Some(username),
        password,
        length: password_length(&call),
        unconfirmed: if own.verification_required { Unconfirmed::Refused } else { Unconfirmed::Admitted },
        terms: call.app.session_terms(remembered),
    };
    let context = call.context(Actor::Visitor);
    let entered = call.app.commands().enter(&context, wanted, trusted_device(&call)).await;
    let entered = entered.map_err(|error| {
        let refused = sign_in_refusal(error);
        if refused.code() == Some("INVALID_EMAIL_OR_PASSWORD") { invalid_credentials() } else { refused }
    })?;
    match entered {
        Entered::Waits(waiting) => asked_for_second_step(&call, &waiting, remembered),
        Entered::In { signed_in: entry, device } => {
            keep_trust(&call, device);
            signed_in(&call, entry.grant.session, &entry.grant.user, remembered, callback.as_deref()).await
        }
    }
}

/// Whether nobody has a name.
async fn is_available(call: Call) -> Reply {
    let mut fields = call.fields();
    let name = fields.text("username");
    fields.finish()?;
    if name.is_empty() {
        return Err(BetterAuthError::unprocessable("INVALID_USERNAME", "Username is invalid"));
    }
    let username = call.app.commands().username(&name).map_err(unprocessable)?;
    let available = call.app.commands().is_username_free(&username).await?;
    Answer::json(&json!({ "available": available }))
}

/// The names that somebody chooses who signs up. What is shown is what was written, where nothing else is
/// asked for.
pub(super) async fn chosen(
    call: &Call,
    username: Option<String>,
    display_username: Option<String>,
) -> Result<NameChange, BetterAuthError> {
    let shown = display_username.or_else(|| username.clone());
    let Some(text) = username else { return Ok(NameChange { username: None, display_username: shown }) };
    let name = call.app.commands().username(&text).map_err(|error| refusal(error.into()))?;
    if !call.app.commands().is_username_free(&name).await? {
        return Err(refusal(NameError::Taken));
    }
    Ok(NameChange { username: Some(name), display_username: shown })
}

/// The names that somebody who is signed in wants.
pub(super) fn changed(
    call: &Call,
    username: Option<&str>,
    display_username: Option<String>,
) -> Result<NameChange, BetterAuthError> {
    let username = username.map(|name| call.app.commands().username(name)).transpose();
    Ok(NameChange { username: username.map_err(|error| refusal(error.into()))?, display_username })
}

fn invalid_credentials() -> BetterAuthError {
    BetterAuthError::unauthorized("INVALID_USERNAME_OR_PASSWORD", "Invalid username or password")
}

fn words(error: UsernameError) -> (&'static str, &'static str) {
    match error {
        UsernameError::TooShort => ("USERNAME_TOO_SHORT", "Username is too short"),
        UsernameError::TooLong => ("USERNAME_TOO_LONG", "Username is too long"),
        UsernameError::Malformed => ("INVALID_USERNAME", "Username is invalid"),
    }
}

/// A name that cannot be one, where somebody looks for it.
fn unprocessable(error: UsernameError) -> BetterAuthError {
    let (code, message) = words(error);
    BetterAuthError::unprocessable(code, message)
}

/// A name that an account cannot have.
pub(super) fn refusal(error: NameError) -> BetterAuthError {
    match error {
        NameError::Taken => BetterAuthError::bad_request(
            "USERNAME_IS_ALREADY_TAKEN",
            "Username is already taken. Please try another.",
        ),
        NameError::Immutable => {
            BetterAuthError::bad_request("USERNAME_IS_IMMUTABLE", "Username cannot be updated")
        }
        NameError::Malformed(error) => {
            let (code, message) = words(error);
            BetterAuthError::bad_request(code, message)
        }
        NameError::User(_) => BetterAuthError::signed_out(),
        NameError::Failure(failure) => failure.into(),
    }
}

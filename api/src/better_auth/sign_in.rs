//! `POST /sign-in/email`

use axum::http::header;
use evident_commands::{Caller, Entered, GivenContact, SignIn, SignInError, Unconfirmed};
use evident_domain::{Actor, SessionId};
use serde_json::{Value, json};

use super::anonymous;
use super::body::is_email;
use super::call::{Answer, Call, Reply};
use super::document::UserDocument;
use super::error::BetterAuthError;
use super::routes::Table;
use super::sign_up::password_length;
use super::two_factor::{asked_for_second_step, keep_trust, trusted_device};
use super::verification::send_verification;

pub(super) fn routes(table: Table) -> Table {
    table.post_form("/sign-in/email", by_email)
}

/// An address and a password for a session.
async fn by_email(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let password = fields.secret("password");
    let callback = fields.maybe_text("callbackURL");
    let remembered = fields.maybe_flag("rememberMe") != Some(false);
    fields.finish()?;
    let own = &call.app.options().email_password;
    if !own.enabled {
        return Err(disabled());
    }
    if !is_email(&email) {
        return Err(BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email"));
    }
    let wanted = SignIn {
        contact: GivenContact { email, phone: String::new() },
        username: None,
        password,
        length: password_length(&call),
        unconfirmed: if own.verification_required { Unconfirmed::Refused } else { Unconfirmed::Admitted },
        terms: call.app.session_terms(remembered),
    };
    let context = call.context(Actor::Visitor);
    let resends = call.app.options().verification.enabled && call.app.options().verification.on_sign_in;
    let again = wanted.contact.email.clone();
    match call.app.commands().enter(&context, wanted, trusted_device(&call)).await {
        Ok(Entered::Waits(waiting)) => asked_for_second_step(&call, &waiting, remembered),
        Ok(Entered::In { signed_in: entry, device }) => {
            keep_trust(&call, device);
            signed_in(&call, entry.grant.session, &entry.grant.user, remembered, callback.as_deref()).await
        }
        Err(SignInError::EmailNotConfirmed) if resends => {
            // The password was right: the owner of the address may have missed the first mail.
            send_verification(&call, again, callback.as_deref()).await?;
            Err(refusal(SignInError::EmailNotConfirmed))
        }
        Err(error) => Err(refusal(error)),
    }
}

/// The answer to a sign-in: the session goes into cookies, and the client goes on to where it wants.
pub(super) async fn signed_in(
    call: &Call,
    session: SessionId,
    caller: &Caller,
    remembered: bool,
    callback: Option<&str>,
) -> Reply {
    anonymous::become_known(call, caller.view.user.id).await?;
    let token = call.open_session(session, remembered);
    let user = UserDocument::of(&call.app, &caller.view);
    let mut body = json!({ "redirect": callback.is_some(), "token": token, "user": user });
    let Some(url) = callback else { return Answer::json(&body) };
    body["url"] = Value::from(url);
    Ok(Answer::json(&body)?.with_header(header::LOCATION, url))
}

fn disabled() -> BetterAuthError {
    BetterAuthError::bad_request("EMAIL_PASSWORD_DISABLED", "Email and password is not enabled")
}

/// The words for a refused sign-in by password.
pub(super) fn refusal(error: SignInError) -> BetterAuthError {
    match error {
        SignInError::EmailDisabled | SignInError::PhoneDisabled => disabled(),
        SignInError::BothContacts
        | SignInError::NoContact
        | SignInError::InvalidCredentials
        | SignInError::User(_) => invalid_credentials(),
        SignInError::Banned => BetterAuthError::banned(),
        SignInError::EmailNotConfirmed | SignInError::PhoneNotConfirmed => {
            BetterAuthError::forbidden("EMAIL_NOT_VERIFIED", "Email not verified")
        }
        SignInError::Session(_) => {
            BetterAuthError::unauthorized("FAILED_TO_CREATE_SESSION", "Failed to create session")
        }
        SignInError::Rejected(message) => BetterAuthError::forbidden("FORBIDDEN", message),
        SignInError::Throttled(throttled) => BetterAuthError::too_many_requests(throttled.retry_after),
        SignInError::Failure(failure) => failure.into(),
    }
}

fn invalid_credentials() -> BetterAuthError {
    BetterAuthError::unauthorized("INVALID_EMAIL_OR_PASSWORD", "Invalid email or password")
}

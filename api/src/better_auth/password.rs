//! Passwords: `POST /request-password-reset` (and `/forget-password`, as it was called),
//! `GET /reset-password/{token}`, `POST /reset-password`, `/change-password`, `/verify-password`

use evident_commands::{
    AccessIntent, ChangePassword, ChangePasswordError, GivenContact, LinkStanding, PasswordProofError,
    RequestAccess, RequestError, ResetPassword, ResetPasswordError,
};
use evident_domain::user::TokenPurpose;
use evident_domain::{Actor, Metadata};
use serde_json::json;

use super::call::{Answer, Call, Reply};
use super::document::UserDocument;
use super::error::BetterAuthError;
use super::links;
use super::routes::Table;
use super::sign_up::{length_refusal, password_length, weakness_refusal};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/request-password-reset", request_reset)
        .post("/forget-password", request_reset)
        .get("/reset-password/{token}", open_reset)
        .post("/reset-password", reset)
        .post("/change-password", change)
        .post("/verify-password", verify)
}

/// Sends a link to whoever has the address. The answer is the same for everybody.
async fn request_reset(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.email("email");
    let redirect_to = fields.maybe_text("redirectTo");
    fields.finish()?;
    if !call.app.options().email_password.reset_enabled {
        return Err(BetterAuthError::bad_request("RESET_PASSWORD_DISABLED", "Reset password isn't enabled"));
    }
    let wanted = RequestAccess {
        intent: AccessIntent::Recover,
        contact: GivenContact { email, phone: String::new() },
        data: Metadata::default(),
        aud: call.app.settings().tokens.default_aud.clone(),
        challenge: None,
        redirect_to: None,
        channel: evident_commands::messages::SmsChannel::default(),
        form: Some(links::reset(&call.app, redirect_to.as_deref())),
    };
    let asked = call.app.commands().request_access(&call.context(Actor::Visitor), wanted).await;
    // Whether a mail went, and whether too many did, is not told.
    if let Err(RequestError::Failure(failure)) = asked {
        return Err(failure.into());
    }
    let message = "If this email exists in our system, check your email for the reset link";
    Answer::json(&json!({ "status": true, "message": message }))
}

/// The link of the mail: on to the application, with the token if it is good. It is not used up.
async fn open_reset(call: Call) -> Reply {
    let callback = call.required_param("callbackURL")?;
    let token = call.path.get("token").map(String::as_str).unwrap_or_default();
    if callback.is_empty() {
        return Answer::redirect(&links::error_page(&call.app, "INVALID_TOKEN"));
    }
    let standing = call.app.commands().link_standing(token, &[TokenPurpose::Recovery]).await?;
    let news = if standing == LinkStanding::Good { ("token", token) } else { ("error", "INVALID_TOKEN") };
    Answer::redirect(&links::absolute(&call.app, callback, news))
}

/// A new password for the token of a link.
async fn reset(call: Call) -> Reply {
    let mut fields = call.fields();
    let password = fields.secret("newPassword");
    let token = fields.maybe_text("token");
    fields.finish()?;
    let token = token.or_else(|| call.params.get("token").map(str::to_owned));
    let wanted = ResetPassword {
        token: token.unwrap_or_default(),
        password,
        length: password_length(&call),
        ends_sessions: call.app.options().email_password.reset_revokes_sessions,
    };
    match call.app.commands().reset_password(&call.context(Actor::Visitor), wanted).await {
        Ok(()) => Answer::status(),
        Err(ResetPasswordError::Length(error)) => Err(length_refusal(error)),
        Err(ResetPasswordError::Weak(weakness)) => Err(weakness_refusal(weakness)),
        Err(ResetPasswordError::Invalid) => {
            Err(BetterAuthError::bad_request("INVALID_TOKEN", "Invalid token"))
        }
        Err(ResetPasswordError::Session(error)) => Err(BetterAuthError::internal(error)),
        Err(ResetPasswordError::Failure(failure)) => Err(failure.into()),
    }
}

/// A new password for the old one. Other sessions end if that is wanted, and this one is another then.
async fn change(call: Call) -> Reply {
    let mut fields = call.fields();
    let new = fields.secret("newPassword");
    let current = fields.secret("currentPassword");
    let revokes = fields.maybe_flag("revokeOtherSessions") == Some(true);
    fields.finish()?;
    let caller = call.session().await?;
    let remembered = !call.is_forgotten();
    let wanted = ChangePassword {
        user: caller.user(),
        session: caller.session_id(),
        current,
        new,
        length: password_length(&call),
        renew: revokes.then(|| call.app.session_terms(remembered)),
    };
    let changed = call.app.commands().change_password(&call.context(caller.actor()), wanted).await;
    let changed = changed.map_err(refusal)?;
    let token = changed.session.map(|session| call.open_session(session, remembered));
    let user = UserDocument::of(&call.app, &changed.view);
    Answer::json(&json!({ "token": token, "user": user }))
}

/// Whether a password is the caller's.
async fn verify(call: Call) -> Reply {
    let mut fields = call.fields();
    let password = fields.secret("password");
    fields.finish()?;
    let caller = call.session().await?;
    let context = call.context(caller.actor());
    call.app
        .commands()
        .prove_password(&context, caller.user(), &password)
        .await
        .map_err(|error| proof_refusal(error, invalid_password()))?;
    Answer::status()
}

fn invalid_password() -> BetterAuthError {
    BetterAuthError::bad_request("INVALID_PASSWORD", "Invalid password")
}

/// The words for a password that is not shown; those for an account that has none are the caller's.
pub(super) fn proof_refusal(error: PasswordProofError, without: BetterAuthError) -> BetterAuthError {
    match error {
        PasswordProofError::NoPassword => without,
        PasswordProofError::Wrong => invalid_password(),
        PasswordProofError::Throttled(throttled) => BetterAuthError::too_many_requests(throttled.retry_after),
        PasswordProofError::User(_) => BetterAuthError::signed_out(),
        PasswordProofError::Failure(failure) => failure.into(),
    }
}

/// An account without a password.
pub(super) fn no_credentials() -> BetterAuthError {
    BetterAuthError::bad_request("CREDENTIAL_ACCOUNT_NOT_FOUND", "Credential account not found")
}

fn refusal(error: ChangePasswordError) -> BetterAuthError {
    match error {
        ChangePasswordError::Length(error) => length_refusal(error),
        ChangePasswordError::Weak(weakness) => weakness_refusal(weakness),
        ChangePasswordError::Proof(error) => proof_refusal(error, no_credentials()),
        ChangePasswordError::InsufficientAal => {
            BetterAuthError::forbidden("FORBIDDEN", "The session has not shown the second factor")
        }
        ChangePasswordError::User(_) | ChangePasswordError::Session(_) => BetterAuthError::signed_out(),
        ChangePasswordError::Failure(failure) => failure.into(),
    }
}

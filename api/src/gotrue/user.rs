//! `GET` and `PUT /user`: the caller's own account.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use evident_commands::password::Password;
use evident_commands::{AccessError, UpdateUser, UpdateUserError};
use evident_domain::session::SessionError;
use evident_domain::user::UserError;

use super::access::UserCaller;
use super::app::{App, Bucket};
use super::body::Body;
use super::document::UserDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::message_refusal::{over_quota, over_rate, too_soon};
use super::{pkce, reply};

/// Shows the account.
pub(super) async fn show(caller: UserCaller) -> Result<Response<HttpBody>, GotrueError> {
    caller.check_aud()?;
    reply::json(&UserDocument::of(&caller.caller.view))
}

/// Changes the account.
pub(super) async fn change(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    app.limit(Bucket::ChangeSelf, &incoming)?;
    let body = Body::read(request, app.body_limit(), "UserUpdateParams").await?;
    let wanted = wanted(&app, &caller, &incoming, body)?;
    let by_phone = wanted.email.as_deref().is_none_or(str::is_empty);
    let context = incoming.context(caller.actor());
    let changed = app.commands().update_user(&context, wanted).await;
    reply::json(&UserDocument::of(&changed.map_err(|error| refusal(error, by_phone))?))
}

fn wanted(
    app: &App,
    caller: &UserCaller,
    incoming: &Incoming,
    mut body: Body,
) -> Result<UpdateUser, GotrueError> {
    let channel = app.commands().sms_channel(&body.text_or_empty("channel")?);
    let password = match body.text("password")? {
        None => None,
        Some(text) => Some(Password::parse(text).map_err(|_| GotrueError::password_too_long())?),
    };
    Ok(UpdateUser {
        user: caller.user,
        session: caller.session,
        email: body.text("email")?,
        phone: body.text("phone")?,
        password,
        // One that is too long is nobody's, and counts as none.
        current_password: body.text("current_password")?.and_then(|text| Password::parse(text).ok()),
        nonce: body.text("nonce")?,
        data: body.object("data")?,
        app_metadata: body.object("app_metadata")?,
        challenge: pkce::challenge_in(&mut body)?,
        redirect_to: incoming.redirect_to(app),
        channel: channel.map_err(|_| GotrueError::channel())?,
    })
}

fn refusal(error: UpdateUserError, by_phone: bool) -> GotrueError {
    let current_password = "Current password required when setting new password.";
    match error {
        UpdateUserError::Weak(weakness) => GotrueError::weak_password(weakness),
        UpdateUserError::SamePassword => GotrueError::unprocessable(
            ErrorCode::SamePassword,
            "New password should be different from the old password.",
        ),
        UpdateUserError::CurrentPasswordRequired => {
            GotrueError::bad_request(ErrorCode::CurrentPasswordRequired, current_password)
        }
        UpdateUserError::CurrentPasswordInvalid => {
            GotrueError::bad_request(ErrorCode::CurrentPasswordInvalid, current_password)
        }
        UpdateUserError::ReauthenticationNeeded => GotrueError::bad_request(
            ErrorCode::ReauthenticationNeeded,
            "Password update requires reauthentication",
        ),
        UpdateUserError::ReauthenticationInvalid => {
            GotrueError::unprocessable(ErrorCode::ReauthenticationNotValid, "Nonce has expired or is invalid")
        }
        UpdateUserError::AppMetadataForbidden => {
            GotrueError::forbidden(ErrorCode::NotAdmin, "Updating app_metadata requires admin privileges")
        }
        UpdateUserError::AnonymousNeedsContact => GotrueError::unprocessable(
            ErrorCode::ValidationFailed,
            "Updating password of an anonymous user without an email or phone is not allowed",
        ),
        UpdateUserError::InsufficientAal => GotrueError::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::InsufficientAal,
            "AAL2 session is required to update email or password when MFA is enabled.",
        ),
        UpdateUserError::PhoneDisabled => {
            GotrueError::bad_request(ErrorCode::PhoneProviderDisabled, "Unsupported phone provider")
        }
        UpdateUserError::Email(error) => GotrueError::email(error),
        UpdateUserError::Phone(_) => GotrueError::phone(),
        UpdateUserError::EmailTaken => GotrueError::email_exists(),
        UpdateUserError::PhoneTaken => GotrueError::phone_exists(),
        UpdateUserError::TooSoon(error) => too_soon(error, by_phone),
        UpdateUserError::OverQuota(error) => over_quota(error, by_phone),
        UpdateUserError::Flow(error) => GotrueError::internal(error),
        UpdateUserError::User(error) => user_refusal(error, by_phone),
        UpdateUserError::Session(SessionError::NotFound) => AccessError::SessionNotFound.into(),
        UpdateUserError::Session(error) => GotrueError::internal(error),
        UpdateUserError::Failure(failure) => failure.into(),
    }
}

/// What the account's rules said no to. Most of them cannot be broken here.
fn user_refusal(error: UserError, by_phone: bool) -> GotrueError {
    match error {
        UserError::TooSoon { seconds } => GotrueError::too_soon(over_rate(by_phone), seconds),
        // Deleted since the token was looked at.
        UserError::NotFound => {
            GotrueError::forbidden(ErrorCode::UserNotFound, "User from sub claim in JWT does not exist")
        }
        UserError::AlreadyExists
        | UserError::NoContact
        | UserError::NothingToConfirm
        | UserError::TokenInvalid
        | UserError::IdentityNotFound
        | UserError::Factor(_)
        | UserError::LastIdentity
        | UserError::EmailConflict
        | UserError::IdentityAlreadyLinked => GotrueError::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_peers_words() {
        for (error, status, code, message) in [
            (
                UpdateUserError::SamePassword,
                422,
                "same_password",
                "New password should be different from the old password.",
            ),
            (
                UpdateUserError::AppMetadataForbidden,
                403,
                "not_admin",
                "Updating app_metadata requires admin privileges",
            ),
            (
                UpdateUserError::EmailTaken,
                422,
                "email_exists",
                "A user with this email address has already been registered",
            ),
            (
                UpdateUserError::PhoneTaken,
                422,
                "phone_exists",
                "A user with this phone number has already been registered",
            ),
            (
                UpdateUserError::ReauthenticationNeeded,
                400,
                "reauthentication_needed",
                "Password update requires reauthentication",
            ),
            (
                UpdateUserError::ReauthenticationInvalid,
                422,
                "reauthentication_not_valid",
                "Nonce has expired or is invalid",
            ),
            (
                UpdateUserError::CurrentPasswordInvalid,
                400,
                "current_password_invalid",
                "Current password required when setting new password.",
            ),
        ] {
            let refused = refusal(error, false);
            assert_eq!(
                (refused.status().as_u16(), refused.code().as_str(), refused.message()),
                (status, code, message)
            );
        }
    }
}

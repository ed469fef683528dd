//! `POST /signup`

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::{GivenContact, SignUp, SignUpError, SignedUp};
use evident_domain::Actor;
use evident_domain::user::UserError;
use zeroize::Zeroizing;

use super::app::{App, Bucket};
use super::body::Body;
use super::document::{SessionDocument, UserDocument};
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;

/// Signs somebody up: a session where addresses need no confirmation, else the user.
pub(super) async fn sign_up(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let mut body = Body::read(request, app.body_limit(), "SignupParams").await?;
    let contact = GivenContact { email: body.text_or_empty("email")?, phone: body.text_or_empty("phone")? };
    let password = Zeroizing::new(body.text_or_empty("password")?);
    let data = body.object("data")?.unwrap_or_default();
    if contact.email.is_empty() && contact.phone.is_empty() {
        return Err(without_contact(&app));
    }
    app.limit(Bucket::SignUp, &incoming)?;
    let by_phone = contact.email.is_empty();
    let wanted =
        SignUp { contact, password, data, aud: incoming.aud(&app), redirect_to: incoming.redirect_to(&app) };
    match app.commands().sign_up(&incoming.context(Actor::Visitor), wanted).await {
        Ok(SignedUp::In(grant)) => reply::session(&grant, &SessionDocument::of(&grant)),
        Ok(SignedUp::Pending(view)) => reply::json(&UserDocument::of(&view)),
        Ok(SignedUp::Pretended(pretended)) => reply::json(&UserDocument::pretended(&pretended)),
        Err(error) => Err(refusal(error, by_phone)),
    }
}

/// Nobody signs up without an address or a number here.
fn without_contact(app: &App) -> GotrueError {
    if app.settings().sign_up.disabled {
        return refusal(SignUpError::Disabled, false);
    }
    GotrueError::unprocessable(ErrorCode::AnonymousProviderDisabled, "Anonymous sign-ins are disabled")
}

fn refusal(error: SignUpError, by_phone: bool) -> GotrueError {
    match error {
        SignUpError::Disabled => {
            GotrueError::unprocessable(ErrorCode::SignupDisabled, "Signups not allowed for this instance")
        }
        SignUpError::PasswordMissing => GotrueError::validation("Signup requires a valid password"),
        SignUpError::PasswordTooLong(_) => GotrueError::password_too_long(),
        SignUpError::Weak(weakness) => GotrueError::weak_password(weakness),
        SignUpError::BothContacts => {
            GotrueError::validation("Only an email address or phone number should be provided on signup.")
        }
        SignUpError::EmailDisabled => {
            GotrueError::bad_request(ErrorCode::EmailProviderDisabled, "Email signups are disabled")
        }
        SignUpError::PhoneDisabled => {
            GotrueError::bad_request(ErrorCode::PhoneProviderDisabled, "Phone signups are disabled")
        }
        SignUpError::Email(error) => GotrueError::email(error),
        SignUpError::Phone(_) => GotrueError::phone(),
        SignUpError::AlreadyRegistered => {
            GotrueError::unprocessable(ErrorCode::UserAlreadyExists, "User already registered")
        }
        SignUpError::User(error) => user_refusal(error, by_phone),
        SignUpError::Session(error) => GotrueError::internal(error),
        SignUpError::Failure(failure) => failure.into(),
    }
}

/// What the account's rules said no to. Most of them cannot be broken here.
fn user_refusal(error: UserError, by_phone: bool) -> GotrueError {
    match error {
        UserError::TooSoon { seconds } => GotrueError::too_soon(over_rate(by_phone), seconds),
        // Erased between two steps of the sign-up: the next try makes a new account.
        UserError::NotFound => GotrueError::overloaded(),
        UserError::AlreadyExists
        | UserError::NoContact
        | UserError::NothingToConfirm
        | UserError::TokenInvalid
        | UserError::IdentityNotFound
        | UserError::LastIdentity
        | UserError::IdentityAlreadyLinked => GotrueError::internal(error),
    }
}

/// The code for messages that follow each other too fast.
pub(super) fn over_rate(by_phone: bool) -> ErrorCode {
    if by_phone { ErrorCode::OverSmsSendRateLimit } else { ErrorCode::OverEmailSendRateLimit }
}

#[cfg(test)]
mod tests {
    use evident_domain::contact::{EmailError, PhoneError};

    use super::*;

    #[test]
    fn refusals_have_the_peers_words() {
        for (error, status, code, message) in [
            (SignUpError::Disabled, 422, "signup_disabled", "Signups not allowed for this instance"),
            (SignUpError::PasswordMissing, 400, "validation_failed", "Signup requires a valid password"),
            (SignUpError::EmailDisabled, 400, "email_provider_disabled", "Email signups are disabled"),
            (SignUpError::PhoneDisabled, 400, "phone_provider_disabled", "Phone signups are disabled"),
            (
                SignUpError::Email(EmailError::Malformed),
                400,
                "validation_failed",
                "Unable to validate email address: invalid format",
            ),
            (
                SignUpError::Phone(PhoneError),
                400,
                "validation_failed",
                "Invalid phone number format (E.164 required)",
            ),
            (SignUpError::AlreadyRegistered, 422, "user_already_exists", "User already registered"),
            (
                SignUpError::User(UserError::TooSoon { seconds: 2 }),
                429,
                "over_email_send_rate_limit",
                "For security purposes, you can only request this after 2 seconds.",
            ),
        ] {
            let refused = refusal(error, false);
            assert_eq!(
                (refused.status().as_u16(), refused.code().as_str(), refused.message()),
                (status, code, message)
            );
        }
        let by_phone = refusal(SignUpError::User(UserError::TooSoon { seconds: 0 }), true);
        assert_eq!(by_phone.code(), ErrorCode::OverSmsSendRateLimit);
    }
}

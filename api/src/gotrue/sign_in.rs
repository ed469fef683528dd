//! `POST /token?grant_type=password`

use axum::body::Body as HttpBody;
use axum::extract::Request;
use axum::http::Response;
use evident_commands::password::PasswordLength;
use evident_commands::{GivenContact, SessionTerms, SignIn, SignInError, Unconfirmed};
use evident_domain::Actor;
use zeroize::Zeroizing;

use super::app::App;
use super::body::Body;
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;

/// A password for a session.
pub(super) async fn sign_in(
    app: &App,
    incoming: &Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let mut body = Body::read(request, app.body_limit(), "PasswordGrantParams").await?;
    let contact = GivenContact { email: body.text_or_empty("email")?, phone: body.text_or_empty("phone")? };
    let password = Zeroizing::new(body.text_or_empty("password")?);
    let context = incoming.context(Actor::Visitor);
    let wanted = SignIn {
        username: None,
        contact,
        password,
        length: PasswordLength::Supabase,
        unconfirmed: Unconfirmed::Refused,
        terms: SessionTerms::default(),
    };
    let signed_in = app.commands().sign_in(&context, wanted).await.map_err(refusal)?;
    let document = SessionDocument::of(&signed_in.grant).with_weakness(signed_in.weakness.as_ref());
    reply::session(&signed_in.grant, &document)
}

fn refusal(error: SignInError) -> GotrueError {
    match error {
        SignInError::BothContacts => {
            GotrueError::validation("Only an email address or phone number should be provided on login.")
        }
        SignInError::NoContact => GotrueError::validation("missing email or phone"),
        SignInError::EmailDisabled => {
            GotrueError::unprocessable(ErrorCode::EmailProviderDisabled, "Email logins are disabled")
        }
        SignInError::PhoneDisabled => {
            GotrueError::unprocessable(ErrorCode::PhoneProviderDisabled, "Phone logins are disabled")
        }
        // The rules say no when the account went while its password was compared.
        SignInError::InvalidCredentials | SignInError::User(_) | SignInError::Session(_) => {
            GotrueError::bad_request(ErrorCode::InvalidCredentials, "Invalid login credentials")
        }
        SignInError::Banned => GotrueError::bad_request(ErrorCode::UserBanned, "User is banned"),
        SignInError::EmailNotConfirmed => {
            GotrueError::bad_request(ErrorCode::EmailNotConfirmed, "Email not confirmed")
        }
        SignInError::PhoneNotConfirmed => {
            GotrueError::bad_request(ErrorCode::PhoneNotConfirmed, "Phone not confirmed")
        }
        SignInError::Rejected(message) => GotrueError::bad_request(ErrorCode::InvalidCredentials, message),
        SignInError::Throttled(throttled) => GotrueError::too_many_requests(throttled.retry_after),
        SignInError::Failure(failure) => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use evident_commands::Throttled;

    use super::*;

    #[test]
    fn refusals_have_the_peers_words() {
        for (error, status, code, message) in [
            (SignInError::InvalidCredentials, 400, "invalid_credentials", "Invalid login credentials"),
            (SignInError::Banned, 400, "user_banned", "User is banned"),
            (SignInError::EmailDisabled, 422, "email_provider_disabled", "Email logins are disabled"),
            (SignInError::PhoneDisabled, 422, "phone_provider_disabled", "Phone logins are disabled"),
            (SignInError::EmailNotConfirmed, 400, "email_not_confirmed", "Email not confirmed"),
            (SignInError::PhoneNotConfirmed, 400, "phone_not_confirmed", "Phone not confirmed"),
            (SignInError::NoContact, 400, "validation_failed", "missing email or phone"),
            (
                SignInError::Throttled(Throttled { retry_after: Duration::from_secs(1) }),
                429,
                "over_request_rate_limit",
                "Request rate limit reached",
            ),
        ] {
            let refused = refusal(error);
            assert_eq!(
                (refused.status().as_u16(), refused.code().as_str(), refused.message()),
                (status, code, message)
            );
        }
    }
}

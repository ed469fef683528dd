//! `POST /signup`

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::password::PasswordLength;
use evident_commands::{
    AnonymousError, Entry, GivenContact, NameChange, SessionTerms, SignUp, SignUpError, SignedUp,
};
use evident_domain::{Actor, Metadata};
use zeroize::Zeroizing;

use super::app::{App, Bucket};
use super::body::Body;
use super::document::{SessionDocument, UserDocument};
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::message_refusal::{over_quota, too_soon, user_refusal};
use super::{pkce, reply};

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
    let channel = body.text_or_empty("channel")?;
    if contact.email.is_empty() && contact.phone.is_empty() {
        return without_contact(&app, &incoming, data).await;
    }
    app.limit(Bucket::SignUp, &incoming)?;
    let challenge = pkce::challenge_in(&mut body);
    // What holds for every sign-up is told before what is wrong with this one's flow.
    let challenge = if app.settings().sign_up.disabled || password.is_empty() { None } else { challenge? };
    let by_phone = contact.email.is_empty();
    let (aud, redirect_to) = (incoming.aud(&app), incoming.redirect_to(&app));
    let (length, entry) = (PasswordLength::Supabase, Entry::Confirmed);
    let names = NameChange::default();
    let wanted =
        SignUp { contact, password, data, aud, challenge, redirect_to, channel, length, entry, names };
    match app.commands().sign_up(&incoming.context(Actor::Visitor), wanted).await {
        Ok(SignedUp::In(grant)) => reply::session(&grant, &SessionDocument::of(&grant)),
        Ok(SignedUp::Pending(view)) => reply::json(&UserDocument::of(&view)),
        Ok(SignedUp::Pretended(pretended)) => reply::json(&UserDocument::pretended(&pretended)),
        Err(error) => Err(refusal(error, by_phone)),
    }
}

/// Whoever gives neither address nor number stays unknown, where that is on.
async fn without_contact(
    app: &App,
    incoming: &Incoming,
    data: Metadata,
) -> Result<Response<HttpBody>, GotrueError> {
    app.commands().admits_anonymous().map_err(anonymous_refusal)?;
    app.limit(Bucket::AnonymousSignUp, incoming)?;
    let context = incoming.context(Actor::Visitor);
    let grant =
        app.commands().sign_up_anonymously(&context, incoming.aud(app), data, SessionTerms::default()).await;
    let grant = grant.map_err(anonymous_refusal)?;
    reply::session(&grant, &SessionDocument::of(&grant))
}

fn anonymous_refusal(error: AnonymousError) -> GotrueError {
    match error {
        AnonymousError::Disabled => refusal(SignUpError::Disabled, false),
        AnonymousError::AnonymousDisabled => GotrueError::unprocessable(
            ErrorCode::AnonymousProviderDisabled,
            "Anonymous sign-ins are disabled",
        ),
        AnonymousError::User(error) => GotrueError::internal(error),
        AnonymousError::Session(error) => GotrueError::internal(error),
        AnonymousError::Failure(failure) => failure.into(),
    }
}

fn refusal(error: SignUpError, by_phone: bool) -> GotrueError {
    match error {
        SignUpError::Disabled => {
            GotrueError::unprocessable(ErrorCode::SignupDisabled, "Signups not allowed for this instance")
        }
        SignUpError::PasswordMissing => GotrueError::validation("Signup requires a valid password"),
        SignUpError::Length(_) => GotrueError::password_too_long(),
        SignUpError::Weak(weakness) => GotrueError::weak_password(weakness),
        SignUpError::BothContacts => {
            GotrueError::validation("Only an email address or phone number should be provided on signup.")
        }
        SignUpError::FlowByPhone => GotrueError::validation("PKCE not supported for phone signups"),
        SignUpError::EmailDisabled => {
            GotrueError::bad_request(ErrorCode::EmailProviderDisabled, "Email signups are disabled")
        }
        SignUpError::PhoneDisabled => {
            GotrueError::bad_request(ErrorCode::PhoneProviderDisabled, "Phone signups are disabled")
        }
        SignUpError::Channel(_) => GotrueError::channel(),
        SignUpError::Email(error) => GotrueError::email(error),
        SignUpError::Phone(_) => GotrueError::phone(),
        SignUpError::AlreadyRegistered => {
            GotrueError::unprocessable(ErrorCode::UserAlreadyExists, "User already registered")
        }
        SignUpError::TooSoon(error) => too_soon(error, by_phone),
        SignUpError::OverQuota(error) => over_quota(error, by_phone),
        SignUpError::Flow(error) => GotrueError::internal(error),
        SignUpError::User(error) => user_refusal(error, by_phone),
        SignUpError::Session(error) => GotrueError::internal(error),
        SignUpError::Name(error) => GotrueError::internal(error),
        SignUpError::Failure(failure) => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use evident_domain::contact::{EmailError, PhoneError};
    use evident_domain::user::UserError;

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

//! `POST /resend`: what confirms an address or number, once more.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::{GivenContact, RequestError, Resend, Resent};
use evident_domain::Actor;

use super::app::{App, Bucket};
use super::body::Body;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::message_refusal::request_refusal;
use super::{pkce, reply};

/// Sends it, where somebody waits for it. Everybody hears the same.
pub(super) async fn resend(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    app.limit(Bucket::Resend, &incoming)?;
    let body = Body::read(request, app.body_limit(), "ResendConfirmationParams").await?;
    let wanted = wanted(&app, &incoming, body)?;
    let by_phone = wanted.contact.email.is_empty();
    match app.commands().resend(&incoming.context(Actor::Visitor), wanted).await {
        Ok(()) => Ok(reply::empty_object()),
        Err(RequestError::PhoneDisabled) => {
            Err(GotrueError::bad_request(ErrorCode::PhoneProviderDisabled, "Phone logins are disabled"))
        }
        Err(error) => Err(request_refusal(error, by_phone)),
    }
}

fn wanted(app: &App, incoming: &Incoming, mut body: Body) -> Result<Resend, GotrueError> {
    let kind = body.text_or_empty("type")?;
    let contact = GivenContact { email: body.text_or_empty("email")?, phone: body.text_or_empty("phone")? };
    let (what, by_email) = match kind.as_str() {
        "signup" => (Resent::SignUp, true),
        "email_change" => (Resent::Change, true),
        "sms" => (Resent::SignUp, false),
        "phone_change" => (Resent::Change, false),
        _ => {
            return Err(GotrueError::validation(
                "Missing one of these types: signup, email_change, sms, phone_change",
            ));
        }
    };
    let refuse = |message: &'static str| Err(GotrueError::validation(message));
    match (contact.email.is_empty(), contact.phone.is_empty(), by_email) {
        (true, true, _) => return refuse("Missing email address or phone number"),
        (false, false, _) => {
            return refuse("Only an email address or phone number should be provided.");
        }
        (true, false, true) => return refuse("Type provided requires an email address"),
        (false, true, false) => return refuse("Type provided requires a phone number"),
        (false, true, true) | (true, false, false) => {}
    }
    let challenge = if by_email { pkce::challenge_in(&mut body)? } else { None };
    Ok(Resend { what, contact, challenge, redirect_to: incoming.redirect_to(app), form: None })
}

//! `POST /otp`, and `POST /magiclink`, which came before it: a code or link to come in by.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::messages::SmsChannel;
use evident_commands::{AccessIntent, GivenContact, RequestAccess, RequestError, Requested};
use evident_domain::Actor;
use serde::Serialize;

use super::app::{App, Bucket};
use super::body::Body;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::message_refusal::request_refusal;
use super::{pkce, reply};

/// The name of a message: known only of those that are not sent.
#[derive(Serialize)]
struct MessageDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'static str>,
}

/// By mail or text, with an account made where nobody has the address, unless that is not wanted.
pub(super) async fn otp(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    app.limit(Bucket::Otp, &incoming)?;
    let mut body = Body::read(request, app.body_limit(), "OtpParams").await?;
    let contact = GivenContact { email: body.text_or_empty("email")?, phone: body.text_or_empty("phone")? };
    let create = body.flag_or("create_user", true)?;
    let data = body.object("data")?.unwrap_or_default();
    let channel = body.text_or_empty("channel")?;
    if !contact.email.is_empty() && contact.phone.is_empty() && !channel.is_empty() {
        return Err(GotrueError::validation("Channel should only be specified with Phone OTP"));
    }
    let channel = app.commands().sms_channel(&channel).map_err(|_| GotrueError::channel())?;
    // Texts have no link that could go on with a flow: what is said of one is not looked at.
    let challenge = if contact.phone.is_empty() { pkce::challenge_in(&mut body)? } else { None };
    let intent = if create { AccessIntent::SignInOrUp } else { AccessIntent::SignIn };
    let (aud, redirect_to) = (incoming.aud(&app), incoming.redirect_to(&app));
    send(
        &app,
        &incoming,
        RequestAccess { intent, contact, data, aud, challenge, redirect_to, channel, form: None },
    )
    .await
}

/// By mail.
pub(super) async fn magic_link(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    app.limit(Bucket::MagicLink, &incoming)?;
    let mut body = Body::read(request, app.body_limit(), "MagicLinkParams").await?;
    let email = body.text_or_empty("email")?;
    if email.is_empty() {
        let message = "Password recovery requires an email";
        return Err(GotrueError::unprocessable(ErrorCode::ValidationFailed, message));
    }
    let wanted = RequestAccess {
        form: None,
        intent: AccessIntent::SignInOrUp,
        contact: GivenContact { email, phone: String::new() },
        data: body.object("data")?.unwrap_or_default(),
        aud: incoming.aud(&app),
        challenge: pkce::challenge_in(&mut body)?,
        redirect_to: incoming.redirect_to(&app),
        channel: SmsChannel::default(),
    };
    send(&app, &incoming, wanted).await
}

async fn send(
    app: &App,
    incoming: &Incoming,
    wanted: RequestAccess,
) -> Result<Response<HttpBody>, GotrueError> {
    let by_phone = wanted.contact.email.is_empty();
    match app.commands().request_access(&incoming.context(Actor::Visitor), wanted).await {
        Ok(Requested::Quietly) => reply::json(&MessageDocument { message_id: None }),
        Ok(Requested::TestCode) => reply::json(&MessageDocument { message_id: Some("test-otp") }),
        Err(RequestError::EmailDisabled) => {
            Err(GotrueError::unprocessable(ErrorCode::EmailProviderDisabled, "Email logins are disabled"))
        }
        Err(error) => Err(request_refusal(error, by_phone)),
    }
}

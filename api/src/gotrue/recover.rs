//! `POST /recover`: a link for who forgot their password.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::messages::SmsChannel;
use evident_commands::{AccessIntent, GivenContact, RequestAccess, RequestError};
use evident_domain::{Actor, Metadata};

use super::app::{App, Bucket};
use super::body::Body;
use super::error::GotrueError;
use super::incoming::Incoming;
use super::message_refusal::request_refusal;
use super::{pkce, reply};

/// Sends the link, where somebody has the address. Everybody hears the same.
pub(super) async fn recover(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    app.limit(Bucket::Recover, &incoming)?;
    if !app.settings().sign_up.email_enabled {
        return Err(request_refusal(RequestError::EmailDisabled, false));
    }
    let mut body = Body::read(request, app.body_limit(), "RecoverParams").await?;
    let wanted = RequestAccess {
        form: None,
        intent: AccessIntent::Recover,
        contact: GivenContact { email: body.text_or_empty("email")?, phone: String::new() },
        data: Metadata::default(),
        aud: incoming.aud(&app),
        challenge: pkce::challenge_in(&mut body)?,
        redirect_to: incoming.redirect_to(&app),
        channel: SmsChannel::default(),
    };
    match app.commands().request_access(&incoming.context(Actor::Visitor), wanted).await {
        Ok(_) => Ok(reply::empty_object()),
        Err(RequestError::NoContact) => Err(GotrueError::validation("Password recovery requires an email")),
        Err(error) => Err(request_refusal(error, false)),
    }
}

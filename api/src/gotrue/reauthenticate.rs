//! `GET /reauthenticate`: a code to show with a new password.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::Response;
use evident_commands::{AccessError, ReauthenticateError, RequestError};
use evident_domain::session::SessionError;

use super::access::UserCaller;
use super::app::App;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::message_refusal::request_refusal;
use super::reply;

/// Sends the code.
pub(super) async fn reauthenticate(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
) -> Result<Response<HttpBody>, GotrueError> {
    let context = incoming.context(caller.actor());
    app.commands().reauthenticate(&context, caller.user, caller.session).await.map_err(refusal)?;
    Ok(reply::empty_object())
}

fn refusal(error: ReauthenticateError) -> GotrueError {
    match error {
        ReauthenticateError::EmailNotConfirmed => {
            GotrueError::unprocessable(ErrorCode::EmailNotConfirmed, "Please verify your email first.")
        }
        ReauthenticateError::PhoneNotConfirmed => {
            GotrueError::unprocessable(ErrorCode::PhoneNotConfirmed, "Please verify your phone first.")
        }
        ReauthenticateError::Request { error: RequestError::Session(SessionError::NotFound), .. } => {
            AccessError::SessionNotFound.into()
        }
        ReauthenticateError::Request { error: RequestError::NoContact, .. } => {
            GotrueError::validation("Reauthentication requires the user to have an email or a phone number")
        }
        ReauthenticateError::Request { error, by_phone } => request_refusal(error, by_phone),
    }
}

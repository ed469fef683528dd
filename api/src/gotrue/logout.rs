//! `POST /logout`

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::Response;
use evident_commands::{SignOut, SignOutError, SignOutScope};

use super::access::UserCaller;
use super::app::App;
use super::error::GotrueError;
use super::incoming::Incoming;
use super::reply;

/// Ends sessions of the caller: all of them, unless `scope` says otherwise.
pub(super) async fn logout(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
) -> Result<Response<HttpBody>, GotrueError> {
    let scope = match incoming.params.get("scope") {
        None | Some("" | "global") => SignOutScope::Global,
        Some("local") => SignOutScope::Local,
        Some("others") => SignOutScope::Others,
        Some(other) => {
            return Err(GotrueError::validation(format!("Unsupported logout scope {other:?}")));
        }
    };
    let sign_out = SignOut { user: caller.user, session: caller.session, scope };
    match app.commands().execute(&incoming.context(caller.actor()), &sign_out).await {
        Ok(()) => Ok(reply::no_content()),
        Err(SignOutError::Session(error)) => Err(GotrueError::internal(error)),
        Err(SignOutError::Failure(failure)) => Err(failure.into()),
    }
}

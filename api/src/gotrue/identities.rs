//! `DELETE /user/identities/{identity_id}`: a way to sign in less.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Response;
use evident_commands::AccessError;
use evident_commands::external::UnlinkError;
use evident_domain::IdentityId;
use evident_domain::session::SessionError;
use evident_domain::user::{UserError, WaysInLeft};
use serde_json::json;
use uuid::Uuid;

use super::access::UserCaller;
use super::app::App;
use super::authorize::check_linking;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;

/// Removes an identity of the caller's.
pub(super) async fn unlink(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response<Body>, GotrueError> {
    check_linking(&app)?;
    let no_uuid = || GotrueError::not_found(ErrorCode::ValidationFailed, "identity_id must be an UUID");
    let Path(identity) = path.map_err(|_| no_uuid())?;
    let identity = Uuid::try_parse(&identity).map_err(|_| no_uuid())?;
    caller
        .check_aud()
        .map_err(|error| GotrueError::forbidden(ErrorCode::UnexpectedAudience, error.message().to_owned()))?;
    let context = incoming.context(caller.actor());
    let (identity, leaving) = (IdentityId(identity), WaysInLeft::AnIdentity);
    let unlinked = app.commands().unlink_identity(&context, caller.user, caller.session, identity, leaving);
    unlinked.await.map_err(refusal)?;
    reply::json(&json!({}))
}

fn refusal(error: UnlinkError) -> GotrueError {
    let (code, message) = match error {
        UnlinkError::User(UserError::LastIdentity) => {
            (ErrorCode::SingleIdentityNotDeletable, "User must have at least 1 identity after unlinking")
        }
        UnlinkError::User(UserError::IdentityNotFound) => {
            (ErrorCode::IdentityNotFound, "Identity doesn't exist")
        }
        UnlinkError::User(UserError::EmailConflict) => {
            (ErrorCode::EmailConflictIdentityNotDeletable, "Unable to unlink identity due to email conflict")
        }
        UnlinkError::Session(SessionError::NotFound) => return AccessError::SessionNotFound.into(),
        UnlinkError::Session(error) => return GotrueError::internal(error),
        UnlinkError::User(error) => return GotrueError::internal(error),
        UnlinkError::Failure(failure) => return failure.into(),
    };
    GotrueError::unprocessable(code, message)
}

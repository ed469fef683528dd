//! `POST /invite`: an administrator asks somebody in.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::{InviteUser, InviteUserError};

use super::access::AdminCaller;
use super::app::App;
use super::body::Body;
use super::document::UserDocument;
use super::error::GotrueError;
use super::incoming::Incoming;
use super::message_refusal::{over_quota, user_refusal};
use super::reply;

/// Sends the invitation and shows the account.
pub(super) async fn invite(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let mut body = Body::read(request, app.body_limit(), "InviteParams").await?;
    let wanted = InviteUser {
        email: body.text_or_empty("email")?,
        data: body.object("data")?.unwrap_or_default(),
        aud: incoming.aud(&app),
        redirect_to: incoming.redirect_to(&app),
    };
    let invited = app.commands().invite_user(&incoming.context(admin.actor()), wanted).await;
    reply::json(&UserDocument::of(&invited.map_err(refusal)?))
}

fn refusal(error: InviteUserError) -> GotrueError {
    match error {
        InviteUserError::Email(error) => GotrueError::email(error),
        InviteUserError::EmailTaken => GotrueError::email_exists(),
        InviteUserError::OverQuota(error) => over_quota(error, false),
        InviteUserError::User(error) => user_refusal(error, false),
        InviteUserError::Session(error) => GotrueError::internal(error),
        InviteUserError::Failure(failure) => failure.into(),
    }
}

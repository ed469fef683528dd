//! `/user/oauth/grants`: what the user granted to clients, and taking it back.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::Response;
use evident_commands::AccessError;
use evident_commands::oauth_server::{RevokeGrant, RevokeGrantError};
use evident_domain::session::SessionError;
use evident_domain::{ClientId, Scopes};
use evident_projections::views::{self, GrantView};
use serde::Serialize;
use uuid::Uuid;

use super::{ClientSummary, OAuthServer};
use crate::gotrue::access::UserCaller;
use crate::gotrue::app::App;
use crate::gotrue::error::{ErrorCode, GotrueError};
use crate::gotrue::incoming::Incoming;
use crate::gotrue::reply;
use crate::gotrue::time::Rfc3339;

#[derive(Serialize)]
struct GrantDocument<'a> {
    client: ClientSummary<'a>,
    scopes: &'a Scopes,
    granted_at: Rfc3339,
}

impl<'a> GrantDocument<'a> {
    fn of(grant: &'a GrantView) -> Self {
        Self {
            client: ClientSummary::of(grant.client.id, &grant.client.details),
            scopes: &grant.consent.scopes,
            granted_at: Rfc3339(grant.consent.granted_at),
        }
    }
}

/// What the user granted, the latest first.
pub(in crate::gotrue) async fn list(
    State(app): State<App>,
    caller: UserCaller,
    _: OAuthServer,
) -> Result<Response<HttpBody>, GotrueError> {
    let grants = views::grants_of(app.commands().store().database(), caller.user).await;
    let grants = grants.map_err(GotrueError::internal)?;
    reply::json(&grants.iter().map(GrantDocument::of).collect::<Vec<_>>())
}

/// Takes back what the user granted to one client.
pub(in crate::gotrue) async fn revoke(
    State(app): State<App>,
    caller: UserCaller,
    _: OAuthServer,
    incoming: Incoming,
) -> Result<Response<HttpBody>, GotrueError> {
    let client = incoming.params.get("client_id").filter(|id| !id.is_empty());
    let client = client.ok_or_else(|| GotrueError::validation("client_id query parameter is required"))?;
    let client = Uuid::try_parse(client).map_err(|_| GotrueError::validation("invalid client_id format"))?;
    let revocation = RevokeGrant { user: caller.user, session: caller.session, client: ClientId(client) };
    match app.commands().execute(&incoming.context(caller.actor()), &revocation).await {
        Ok(()) => Ok(reply::no_content()),
        Err(RevokeGrantError::Consent(_)) => Err(GotrueError::not_found(
            ErrorCode::OauthConsentNotFound,
            "No active grant found for this client",
        )),
        Err(RevokeGrantError::Session(SessionError::NotFound)) => Err(AccessError::SessionNotFound.into()),
        Err(RevokeGrantError::Session(error)) => Err(GotrueError::internal(error)),
        Err(RevokeGrantError::Failure(failure)) => Err(failure.into()),
    }
}

//! `GET /oauth/userinfo`: what a client's scopes tell of the user (OpenID Connect Core, section 5.3).

use axum::body::Body as HttpBody;
use axum::http::Response;
use evident_commands::oauth_server::UserInfo;

use super::OAuthServer;
use crate::gotrue::access::TokenBearer;
use crate::gotrue::error::GotrueError;
use crate::gotrue::reply;

/// The user behind the token. Whoever comes with a session of their own hears their id.
pub(in crate::gotrue) async fn user_info(
    _: OAuthServer,
    TokenBearer(caller): TokenBearer,
) -> Result<Response<HttpBody>, GotrueError> {
    let bound = caller.caller.session.as_ref().and_then(|session| session.client.as_ref());
    let scopes = bound.map(|bound| bound.scopes.clone()).unwrap_or_default();
    reply::json(&UserInfo::of(&caller.caller.view.user, &scopes))
}

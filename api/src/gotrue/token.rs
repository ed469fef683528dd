//! `POST /token`: the grants.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;

use super::app::{App, Bucket};
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::{id_token, pkce, refresh, sign_in, web3};

/// Exchanges something for a session. The grant stands in the query; unknown ones are not counted.
pub(super) async fn token(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    match incoming.params.get("grant_type") {
        Some("password") => {
            app.limit(Bucket::Token, &incoming)?;
            sign_in::sign_in(&app, &incoming, request).await
        }
        Some("refresh_token") => {
            app.limit(Bucket::Token, &incoming)?;
            refresh::refresh(&app, &incoming, request).await
        }
        Some("id_token") => {
            app.limit(Bucket::Token, &incoming)?;
            id_token::exchange(&app, &incoming, request).await
        }
        Some("pkce") => {
            app.limit(Bucket::Token, &incoming)?;
            pkce::redeem(&app, &incoming, request).await
        }
        Some("web3") => {
            app.limit(Bucket::Web3, &incoming)?;
            web3::sign_in(&app, &incoming, request).await
        }
        _ => Err(GotrueError::bad_request(ErrorCode::InvalidCredentials, "unsupported_grant_type")),
    }
}

//! The OAuth server's endpoints (OAuth 2.1, OpenID Connect).

pub(super) mod authorizations;
pub(super) mod authorize;
pub(super) mod clients;
pub(super) mod grants;
pub(super) mod token;
pub(super) mod user_info;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use evident_domain::ClientId;
use evident_domain::client::ClientDetails;
use serde::Serialize;

use super::app::App;
use super::error::{ErrorCode, GotrueError};

/// Stands for the OAuth server's being there. A handler that takes it is 404 where it is not.
#[derive(Debug)]
pub(super) struct OAuthServer;

impl FromRequestParts<App> for OAuthServer {
    type Rejection = GotrueError;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        if app.settings().oauth_server.enabled {
            Ok(Self)
        } else {
            Err(GotrueError::not_found(ErrorCode::FeatureDisabled, "OAuth server is disabled"))
        }
    }
}

/// A client as users see it.
#[derive(Serialize)]
struct ClientSummary<'a> {
    id: ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<&'a str>,
}

impl<'a> ClientSummary<'a> {
    fn of(id: ClientId, details: &'a ClientDetails) -> Self {
        Self {
            id,
            name: details.name.as_deref(),
            uri: details.uri.as_deref(),
            logo_uri: details.logo_uri.as_deref(),
        }
    }
}

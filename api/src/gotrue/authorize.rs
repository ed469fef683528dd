//! `GET /authorize` and `GET /user/identities/authorize`: off to another provider.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Response, StatusCode};
use evident_commands::external::{BeginExternal, BeginExternalError, Linking, ProviderError};
use evident_domain::Actor;
use serde::Serialize;

use super::access::UserCaller;
use super::app::App;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::{pkce, redirect, reply};

/// Sends somebody to a provider.
pub(super) async fn authorize(
    State(app): State<App>,
    incoming: Incoming,
) -> Result<Response<Body>, GotrueError> {
    let url = begin(&app, &incoming, None).await?;
    redirect::send_on(StatusCode::FOUND, &Method::GET, &url)
}

/// Sends a user to a provider whose identity they want to link.
pub(super) async fn link(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
) -> Result<Response<Body>, GotrueError> {
    check_linking(&app)?;
    let url = begin(&app, &incoming, Some(Linking { user: caller.user, session: caller.session })).await?;
    if incoming.params.get("skip_http_redirect") == Some("true") {
        return reply::json(&Address { url: &url });
    }
    redirect::send_on(StatusCode::FOUND, &Method::GET, &url)
}

/// Where to go, for clients that go there themselves.
#[derive(Serialize)]
struct Address<'a> {
    url: &'a str,
}

/// Whether users may link and unlink identities.
pub(super) fn check_linking(app: &App) -> Result<(), GotrueError> {
    if app.settings().security.manual_linking_enabled {
        Ok(())
    } else {
        Err(GotrueError::not_found(ErrorCode::ManualLinkingDisabled, "Manual linking is disabled"))
    }
}

async fn begin(app: &App, incoming: &Incoming, linking: Option<Linking>) -> Result<String, GotrueError> {
    let param = |key| incoming.params.get(key).unwrap_or_default();
    let provider = param("provider").to_lowercase();
    let refused = |error| refusal(error, &provider);
    // The provider is looked at before anything else of the request.
    app.commands().check_provider(&provider).await.map_err(refused)?;
    let invitation = Some(param("invite_token")).filter(|token| !token.is_empty()).map(str::to_owned);
    if let Some(token) = &invitation {
        app.commands().check_invitation(token).await.map_err(refused)?;
    }
    let challenge = pkce::challenge(param("code_challenge"), param("code_challenge_method"))?;
    let request = BeginExternal {
        scopes: param("scopes").split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        extra: incoming.params.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        redirect_to: incoming.redirect_to(app).unwrap_or_else(|| app.redirects().site_url().to_owned()),
        challenge,
        invitation,
        linking,
        provider: provider.clone(),
        callback: None,
    };
    let actor = linking.map_or(Actor::Visitor, |linking| Actor::User { id: linking.user });
    app.commands().begin_external(&incoming.context(actor), request).await.map_err(refused)
}

fn refusal(error: BeginExternalError, provider: &str) -> GotrueError {
    match error {
        BeginExternalError::Provider(error) => unsupported(&error, provider),
        BeginExternalError::NotInvited => {
            GotrueError::not_found(ErrorCode::UserNotFound, "User identified by token not found")
        }
        BeginExternalError::Flow(error) => GotrueError::internal(error),
        BeginExternalError::Failure(failure) => failure.into(),
    }
}

/// Why nobody can be sent to a provider.
pub(super) fn unsupported(error: &ProviderError, provider: &str) -> GotrueError {
    let problem = match error {
        ProviderError::Unknown if provider.starts_with("custom:") => {
            format!("custom provider {provider} not found")
        }
        ProviderError::Unknown => format!("Provider {provider} could not be found"),
        ProviderError::NotEnabled => "provider is not enabled".to_owned(),
        ProviderError::Missing(what) => format!("missing {what}"),
        ProviderError::Unreachable => "provider could not be reached".to_owned(),
    };
    GotrueError::validation(format!("Unsupported provider: {problem}"))
}

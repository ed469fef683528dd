//! `GET /oauth/authorize`: a client sends a browser here; the browser goes on to the page where its user
//! decides.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{Method, Response, StatusCode};
use evident_commands::oauth_server::{AuthorizationRequest, AuthorizeError, RequestProblem, RequestRefused};
use evident_domain::Actor;
use evident_domain::flow::ChallengeError;

use super::OAuthServer;
use crate::gotrue::app::{App, Bucket};
use crate::gotrue::error::{ErrorCode, GotrueError};
use crate::gotrue::incoming::Incoming;
use crate::gotrue::redirect::send_on;

/// Takes a request in.
pub(in crate::gotrue) async fn authorize(
    State(app): State<App>,
    _: OAuthServer,
    incoming: Incoming,
) -> Result<Response<HttpBody>, GotrueError> {
    // Everybody may ask, and each request is kept for a while.
    app.limit(Bucket::AuthorizationRequests, &incoming)?;
    let param = |name: &str| incoming.params.get(name).map(str::to_owned);
    let request = AuthorizationRequest {
        client_id: param("client_id"),
        redirect_uri: param("redirect_uri"),
        response_type: param("response_type"),
        scope: param("scope"),
        state: param("state"),
        nonce: param("nonce"),
        resource: param("resource"),
        code_challenge: param("code_challenge"),
        code_challenge_method: param("code_challenge_method"),
    };
    let context = incoming.context(Actor::Visitor);
    match app.commands().request_authorization(&context, &request).await {
        Ok(page) => send_on(StatusCode::FOUND, &Method::GET, &page),
        Err(AuthorizeError::Refused(refused)) => send_on(StatusCode::FOUND, &Method::GET, &told(&refused)),
        Err(error) => Err(refusal(error)),
    }
}

/// Where the browser goes with the news that the request is wrong.
fn told(refused: &RequestRefused) -> String {
    let (error, description) = match &refused.problem {
        RequestProblem::ResponseType => ("invalid_request", "only response_type=code is supported"),
        RequestProblem::NoChallenge => {
            ("invalid_request", "PKCE flow requires both code_challenge and code_challenge_method")
        }
        RequestProblem::Challenge(ChallengeError::Method) => {
            ("invalid_request", "code_challenge_method must be 'S256' or 'plain'")
        }
        RequestProblem::Challenge(ChallengeError::Length) => {
            ("invalid_request", "code challenge has to be between 43 and 128 characters")
        }
        RequestProblem::Challenge(ChallengeError::Characters) => (
            "invalid_request",
            "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes",
        ),
        RequestProblem::Scope(scope) => {
            return refused.location("invalid_request", &format!("unsupported scope: {scope}"));
        }
        RequestProblem::Resource => ("invalid_request", "resource must be an absolute URI"),
        RequestProblem::TooLong => {
            ("invalid_request", "state, nonce and resource must not be longer than 2048 bytes")
        }
        RequestProblem::Grant => {
            ("unauthorized_client", "Client is not allowed to use grant type: authorization_code")
        }
        RequestProblem::NoConsentPage => ("server_error", "oauth authorization path not configured"),
    };
    refused.location(error, description)
}

fn refusal(error: AuthorizeError) -> GotrueError {
    let unknown = |message| GotrueError::bad_request(ErrorCode::OauthClientNotFound, message);
    match error {
        AuthorizeError::NoClient => GotrueError::validation("client_id is required"),
        AuthorizeError::MalformedClient => unknown("invalid client_id format"),
        AuthorizeError::UnknownClient => unknown("invalid client_id"),
        AuthorizeError::NoRedirectUri => GotrueError::validation("redirect_uri is required"),
        AuthorizeError::WrongRedirectUri => GotrueError::validation("invalid redirect_uri"),
        AuthorizeError::Refused(_) => GotrueError::internal(error),
        AuthorizeError::Failure(failure) => failure.into(),
    }
}

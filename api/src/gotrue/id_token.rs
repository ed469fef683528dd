//! `POST /token?grant_type=id_token`: an ID token that an app got from a provider itself.

use axum::body::Body as HttpBody;
use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderValue, Response, StatusCode, header};
use evident_commands::Failure;
use evident_commands::external::{ArrivalTerms, IdTokenSignIn, IdTokenSignInError, KeptTokens, Linking};
use evident_domain::Actor;
use serde::Serialize;
use zeroize::Zeroizing;

use super::access::UserCaller;
use super::app::App;
use super::authorize::{check_linking, unsupported};
use super::body::Body;
use super::callback::{linked_unverified, refusal, unverified};
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;

/// Exchanges an ID token for a session.
pub(super) async fn exchange(
    app: &App,
    incoming: &Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let (mut parts, body) = request.into_parts();
    let bytes = Request::new(body);
    let mut body = Body::read(bytes, app.body_limit(), "IdTokenGrantParams").await?;
    let mut wanted = IdTokenSignIn {
        id_token: Zeroizing::new(body.text_or_empty("id_token")?),
        provider: body.text_or_empty("provider")?,
        client_id: body.text_or_empty("client_id")?,
        issuer: body.text_or_empty("issuer")?,
        nonce: body.text_or_empty("nonce")?,
        access_token: Zeroizing::new(body.text_or_empty("access_token")?),
        aud: incoming.aud(app),
        linking: None,
        plain_nonce: false,
        tokens: KeptTokens::default(),
        terms: ArrivalTerms::default(),
    };
    let links = body.flag("link_identity")?;
    if wanted.id_token.is_empty() {
        return oauth_error("invalid request", "id_token required");
    }
    if wanted.provider.is_empty() && (wanted.client_id.is_empty() || wanted.issuer.is_empty()) {
        return oauth_error("invalid request", "provider or client_id and issuer required");
    }
    let mut actor = Actor::Visitor;
    if links {
        check_linking(app)?;
        let Ok(caller) = UserCaller::from_request_parts(&mut parts, app).await else {
            let message = "Linking requires a valid user access token in Authorization";
            return oauth_error("invalid request", message);
        };
        wanted.linking = Some(Linking { user: caller.user, session: caller.session });
        actor = caller.actor();
    }
    match app.commands().sign_in_with_id_token(&incoming.context(actor), wanted).await {
        Ok(Some(grant)) => reply::session(&grant, &SessionDocument::of(&grant)),
        Ok(None) => Err(Failure::Internal("a sign-in opened nothing").into()),
        Err(error) => refuse(error),
    }
}

fn refuse(error: IdTokenSignInError) -> Result<Response<HttpBody>, GotrueError> {
    match error {
        IdTokenSignInError::NoProvider => {
            oauth_error("invalid request", "provider or client_id and issuer required")
        }
        IdTokenSignInError::NotAllowed(issuer) => {
            Err(GotrueError::validation(format!("Custom OIDC provider {issuer:?} not allowed")))
        }
        IdTokenSignInError::Disabled(issuer) => Err(GotrueError::bad_request(
            ErrorCode::ProviderDisabled,
            format!("Provider (issuer {issuer:?}) is not enabled"),
        )),
        IdTokenSignInError::Provider(error) => Err(unsupported(&error, "")),
        IdTokenSignInError::Bad => oauth_error("invalid request", "Bad ID token"),
        IdTokenSignInError::Audience(audience) => {
            let message = format!("Unacceptable audience in id_token: [{}]", audience.join(" "));
            oauth_error("invalid request", &message)
        }
        IdTokenSignInError::NonceMissing => {
            let message = "Passed nonce and nonce in id_token should either both exist or not.";
            oauth_error("invalid request", message)
        }
        IdTokenSignInError::NonceMismatch => oauth_error("invalid nonce", "Nonces mismatch"),
        IdTokenSignInError::Unverified { provider, sent } => Err(unverified(&provider, sent)),
        IdTokenSignInError::LinkedUnverified => Err(linked_unverified()),
        IdTokenSignInError::Arrival(error) => Err(refusal(error)),
        IdTokenSignInError::Failure(failure) => Err(failure.into()),
    }
}

#[derive(Serialize)]
struct OauthError<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// An error in OAuth's form (RFC 6749, 5.2), which no version of the API changes.
fn oauth_error(error: &str, error_description: &str) -> Result<Response<HttpBody>, GotrueError> {
    let mut response = reply::json(&OauthError { error, error_description })?;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

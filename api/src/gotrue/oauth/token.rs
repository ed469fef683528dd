//! `POST /oauth/token`: a client exchanges a code or a refresh token (RFC 6749, sections 4.1.3 and 6).

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evident_commands::oauth_server::{
    ClientAuthError, ClientCredentials, ClientRefreshError, CodeExchange, RedeemError,
};
use evident_commands::tokens::{ClientSecret, RefreshToken};
use evident_commands::{Grant, RefreshError};
use evident_domain::Actor;
use evident_domain::client::{AuthMethod, GrantType};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use zeroize::Zeroizing;

use super::OAuthServer;
use crate::gotrue::app::App;
use crate::gotrue::body::Body;
use crate::gotrue::error::{ErrorCode, GotrueError, OAuthCode};
use crate::gotrue::incoming::Incoming;
use crate::gotrue::refresh::{expired, name_rotation};
use crate::gotrue::reply;

type Answer = Result<Response<HttpBody>, GotrueError>;

#[derive(Serialize)]
struct TokenDocument<'a> {
    access_token: &'a str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    token_type: &'a str,
}

impl<'a> TokenDocument<'a> {
    fn of(grant: &'a Grant) -> Self {
        Self {
            access_token: &grant.access_token,
            expires_in: grant.expires_in,
            id_token: None,
            refresh_token: Some(RefreshToken::expose(&grant.refresh_token)),
            token_type: "bearer",
        }
    }
}

/// Exchanges something for tokens. Who comes is looked at first.
pub(in crate::gotrue) async fn token(
    State(app): State<App>,
    _: OAuthServer,
    incoming: Incoming,
    request: Request,
) -> Answer {
    let authorization = basic(request.headers());
    let mut body = Body::read_form_or_json(request, app.body_limit(), "OAuthTokenParams").await?;
    let credentials = credentials(authorization?, &mut body)?;
    let context = incoming.context(Actor::Visitor);
    let client = app.commands().authenticate_client(&context, &credentials).await.map_err(unproven)?;
    let grant_type = body.text_or_empty("grant_type")?;
    if grant_type.is_empty() {
        return Err(GotrueError::oauth(OAuthCode::InvalidRequest, "grant_type is required"));
    }
    match GrantType::from_name(&grant_type).filter(|grant| client.grant_types.contains(grant)) {
        Some(GrantType::AuthorizationCode) => redeem(&app, &incoming, credentials, body).await,
        Some(GrantType::RefreshToken) => refresh(&app, &incoming, &credentials, body).await,
        None => Err(not_allowed(&grant_type)),
    }
}

async fn redeem(app: &App, incoming: &Incoming, credentials: ClientCredentials, mut body: Body) -> Answer {
    let code = body.text_or_empty("code")?;
    if code.is_empty() {
        let message = "code is required for authorization_code grant";
        return Err(GotrueError::oauth(OAuthCode::InvalidRequest, message));
    }
    let exchange = CodeExchange {
        credentials,
        code,
        redirect_uri: body.text("redirect_uri")?.filter(|uri| !uri.is_empty()),
        verifier: body.text_or_empty("code_verifier")?,
        resource: body.text("resource")?.filter(|resource| !resource.is_empty()),
    };
    let context = incoming.context(Actor::Visitor);
    let redeemed = app.commands().redeem_code(&context, &exchange).await.map_err(not_redeemed)?;
    let mut document =
        TokenDocument { id_token: redeemed.id_token.as_deref(), ..TokenDocument::of(&redeemed.grant) };
    if !redeemed.may_refresh {
        document.refresh_token = None;
    }
    let mut response = reply::json(&document)?;
    reply::name_session(response.headers_mut(), &redeemed.grant);
    Ok(response)
}

async fn refresh(app: &App, incoming: &Incoming, credentials: &ClientCredentials, mut body: Body) -> Answer {
    let token = Zeroizing::new(body.text_or_empty("refresh_token")?);
    if token.is_empty() {
        let message = "refresh_token is required for refresh_token grant";
        return Err(GotrueError::oauth(OAuthCode::InvalidRequest, message));
    }
    let context = incoming.context(Actor::Visitor);
    let refreshed = app.commands().refresh_as_client(&context, credentials, &token).await;
    let refreshed = refreshed.map_err(not_refreshed)?;
    let mut response = reply::json(&TokenDocument::of(&refreshed.grant))?;
    reply::name_session(response.headers_mut(), &refreshed.grant);
    name_rotation(response.headers_mut(), &refreshed);
    Ok(response)
}

/// The name and the secret of `Authorization: Basic` (RFC 6749, section 2.3.1), if there is such a header.
fn basic(headers: &HeaderMap) -> Result<Option<(String, Zeroizing<String>)>, GotrueError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let read = || {
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = Zeroizing::new(String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?);
        let (id, secret) = decoded.split_once(':')?;
        Some((form_decoded(id)?, Zeroizing::new(form_decoded(secret)?)))
    };
    read().map(Some).ok_or_else(|| unproven(ClientAuthError::Invalid))
}

/// Both parts are encoded as in a form before they are joined.
fn form_decoded(text: &str) -> Option<String> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// What the client shows of itself, in one way.
fn credentials(
    basic: Option<(String, Zeroizing<String>)>,
    body: &mut Body,
) -> Result<ClientCredentials, GotrueError> {
    let client_id = body.text("client_id")?.filter(|id| !id.is_empty());
    let secret = body.text("client_secret")?.filter(|secret| !secret.is_empty()).map(Zeroizing::new);
    match (basic, secret) {
        (Some(_), Some(_)) => {
            let message = "client credentials must be sent in one way only";
            Err(GotrueError::oauth(OAuthCode::InvalidRequest, message))
        }
        (Some((id, _)), None) if client_id.as_ref().is_some_and(|said| *said != id) => {
            Err(unproven(ClientAuthError::Invalid))
        }
        (Some((id, secret)), None) => Ok(ClientCredentials {
            client_id: Some(id),
            secret: Some(ClientSecret::given(secret)),
            method: AuthMethod::ClientSecretBasic,
        }),
        (None, Some(secret)) => Ok(ClientCredentials {
            client_id,
            secret: Some(ClientSecret::given(secret)),
            method: AuthMethod::ClientSecretPost,
        }),
        (None, None) => Ok(ClientCredentials { client_id, secret: None, method: AuthMethod::None }),
    }
}

/// The peer answers these in the ordinary form of errors; OAuth's own words stand beside it.
fn unproven(error: ClientAuthError) -> GotrueError {
    let message = match error {
        ClientAuthError::Nobody => "Invalid client credentials: client_id is required".to_owned(),
        ClientAuthError::Invalid => "invalid client credentials".to_owned(),
        ClientAuthError::Method { registered, used } => format!(
            "invalid authentication method: client is registered for '{}' but '{}' was used",
            registered.as_str(),
            used.as_str()
        ),
        ClientAuthError::Failure(failure) => return failure.into(),
    };
    GotrueError::bad_request(ErrorCode::InvalidCredentials, message).beside(OAuthCode::InvalidClient)
}

fn not_allowed(grant_type: &str) -> GotrueError {
    let shown: String = grant_type.chars().take(64).collect();
    let message = format!("Client is not allowed to use grant type: {shown}");
    GotrueError::oauth(OAuthCode::UnsupportedGrantType, message)
}

fn not_redeemed(error: RedeemError) -> GotrueError {
    let invalid_grant = |message| GotrueError::oauth(OAuthCode::InvalidGrant, message);
    match error {
        RedeemError::Client(error) => unproven(error),
        RedeemError::GrantNotAllowed => not_allowed(GrantType::AuthorizationCode.as_str()),
        RedeemError::InvalidCode => invalid_grant("Invalid authorization code"),
        RedeemError::WrongRedirectUri => invalid_grant("Invalid redirect_uri"),
        RedeemError::WrongVerifier => invalid_grant(
            "PKCE verification failed: code challenge does not match previously saved code verifier",
        ),
        RedeemError::WrongResource => {
            GotrueError::oauth(OAuthCode::InvalidTarget, "resource does not match the authorization")
        }
        RedeemError::Banned => invalid_grant("User is banned"),
        RedeemError::Failure(failure) => failure.into(),
    }
}

fn not_refreshed(error: ClientRefreshError) -> GotrueError {
    match error {
        ClientRefreshError::Client(error) => unproven(error),
        ClientRefreshError::GrantNotAllowed => not_allowed(GrantType::RefreshToken.as_str()),
        ClientRefreshError::Refresh(error) => bad_refresh_token(error),
        ClientRefreshError::Failure(failure) => failure.into(),
    }
}

fn bad_refresh_token(error: RefreshError) -> GotrueError {
    let owner = error.owner();
    let invalid_grant = |message| GotrueError::oauth(OAuthCode::InvalidGrant, message);
    let refused = match error {
        RefreshError::Malformed => invalid_grant("Refresh token is not valid"),
        RefreshError::NotFound => invalid_grant("Invalid Refresh Token: Refresh Token Not Found"),
        RefreshError::NotIssued { .. } => invalid_grant("Invalid Refresh Token: Not Issued By This Server"),
        RefreshError::AlreadyUsed { .. } => {
            invalid_grant("Invalid Refresh Token: Already Used").ending_the_session()
        }
        // Who holds another's token hears nothing of its owner.
        RefreshError::NotTheClients { another_clients: true, .. } => {
            return invalid_grant("Refresh token was issued to another client");
        }
        RefreshError::NotTheClients { another_clients: false, .. } | RefreshError::ClientNeeded { .. } => {
            let message = "Client authentication not allowed for non-OAuth session";
            return GotrueError::oauth(OAuthCode::InvalidClient, message);
        }
        RefreshError::Banned { .. } => invalid_grant("Invalid Refresh Token: User Banned"),
        RefreshError::Expired { rule, .. } => invalid_grant(expired(rule)),
        RefreshError::Failure(failure) => failure.into(),
    };
    refused.about(owner)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn names_and_secrets_of_the_header_are_decoded_as_forms_are() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap());
            basic(&headers).ok().flatten().map(|(id, secret)| (id, secret.to_string()))
        };
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(read(&encoded("an%2Did:a%2Bb+c:d")), pair("an-id", "a+b c:d"));
        assert_eq!(read(&encoded("id:")), pair("id", ""));
        for broken in ["Basic", "Basic !", "Bearer abc", &encoded("id"), &encoded("id:%ff")] {
            assert_eq!(read(broken), None, "{broken}");
        }
        assert!(matches!(basic(&HeaderMap::new()), Ok(None)));
    }
}

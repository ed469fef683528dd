//! `/admin/oauth/clients` and `POST /oauth/clients/register`: clients are made known, changed, deleted.

use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Response, StatusCode};
use evident_commands::oauth_server::{ClientSecretShown, DeleteClient, ManageClientError};
use evident_commands::tokens::ClientSecret;
use evident_domain::client::{
    AuthMethod, ClientDraft, ClientError, ClientType, DetailsError, GrantType, Page, RedirectUri,
    RedirectUriError, Registration,
};
use evident_domain::{Actor, ClientId};
use evident_projections::folds::ClientRow;
use evident_projections::views;
use serde::Serialize;
use uuid::Uuid;

use super::OAuthServer;
use crate::gotrue::access::AdminCaller;
use crate::gotrue::app::{App, Bucket};
use crate::gotrue::body::Body;
use crate::gotrue::error::{ErrorCode, GotrueError};
use crate::gotrue::incoming::Incoming;
use crate::gotrue::reply;
use crate::gotrue::time::Rfc3339;

type Answer = Result<Response<HttpBody>, GotrueError>;

/// The id in a path, if it is one.
type ClientPath = Result<Path<String>, PathRejection>;

#[derive(Serialize)]
struct ClientDocument<'a> {
    client_id: ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    client_type: &'a str,
    redirect_uris: Vec<&'a str>,
    token_endpoint_auth_method: &'a str,
    grant_types: Vec<&'a str>,
    response_types: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<&'a str>,
    registration_type: &'a str,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

impl<'a> ClientDocument<'a> {
    fn of(client: &'a ClientRow) -> Self {
        let details = &client.details;
        Self {
            client_id: client.id,
            client_secret: None,
            client_type: details.client_type().as_str(),
            redirect_uris: details.redirect_uris.iter().map(RedirectUri::as_str).collect(),
            token_endpoint_auth_method: details.auth_method.as_str(),
            grant_types: details.grant_types.iter().map(|grant| grant.as_str()).collect(),
            response_types: ["code"],
            client_name: details.name.as_deref(),
            client_uri: details.uri.as_deref(),
            logo_uri: details.logo_uri.as_deref(),
            registration_type: client.registration.as_str(),
            created_at: Rfc3339(client.created_at),
            updated_at: Rfc3339(client.updated_at),
        }
    }

    fn with_secret(shown: &'a ClientSecretShown) -> Self {
        let client_secret = shown.secret.as_ref().map(ClientSecret::expose);
        Self { client_secret, ..Self::of(&shown.client) }
    }
}

#[derive(Serialize)]
struct ClientsDocument<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<ClientDocument<'a>>,
}

/// All clients, the newest first.
pub(in crate::gotrue) async fn list(State(app): State<App>, _: AdminCaller, _: OAuthServer) -> Answer {
    let clients = views::oauth_clients(app.commands().store().database()).await;
    let clients = clients.map_err(GotrueError::internal)?;
    reply::json(&ClientsDocument { clients: clients.iter().map(ClientDocument::of).collect() })
}

/// Makes a client known.
pub(in crate::gotrue) async fn create(
    State(app): State<App>,
    admin: AdminCaller,
    _: OAuthServer,
    incoming: Incoming,
    request: Request,
) -> Answer {
    register(&app, &incoming, admin.actor(), Registration::Manual, request).await
}

/// A client makes itself known (RFC 7591).
pub(in crate::gotrue) async fn register_itself(
    State(app): State<App>,
    _: OAuthServer,
    incoming: Incoming,
    request: Request,
) -> Answer {
    app.limit(Bucket::ClientRegistration, &incoming)?;
    if !app.settings().oauth_server.dynamic_registration {
        return Err(GotrueError::forbidden(
            ErrorCode::OauthDynamicClientRegistrationDisabled,
            "Dynamic client registration is not enabled",
        ));
    }
    register(&app, &incoming, Actor::Visitor, Registration::Dynamic, request).await
}

async fn register(
    app: &App,
    incoming: &Incoming,
    actor: Actor,
    registration: Registration,
    request: Request,
) -> Answer {
    let body = Body::read(request, app.body_limit(), "OAuthServerClientRegisterParams").await?;
    let draft = draft(body)?;
    let registered = app.commands().register_client(&incoming.context(actor), registration, draft).await;
    let mut response = reply::json(&ClientDocument::with_secret(&registered.map_err(refusal)?))?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// One client.
pub(in crate::gotrue) async fn show(
    State(app): State<App>,
    _: AdminCaller,
    _: OAuthServer,
    path: ClientPath,
) -> Answer {
    let client = views::oauth_client(app.commands().store().database(), client_id(path)?).await;
    let client = client.map_err(GotrueError::internal)?.ok_or_else(not_found)?;
    reply::json(&ClientDocument::of(&client))
}

/// Changes a client.
pub(in crate::gotrue) async fn change(
    State(app): State<App>,
    admin: AdminCaller,
    _: OAuthServer,
    incoming: Incoming,
    path: ClientPath,
    request: Request,
) -> Answer {
    let id = client_id(path)?;
    let body = Body::read(request, app.body_limit(), "OAuthServerClientUpdateParams").await?;
    let draft = ClientDraft { client_type: None, ..draft(body)? };
    if draft == ClientDraft::default() {
        return Err(GotrueError::validation("No fields provided for update"));
    }
    let changed = app.commands().update_client(&incoming.context(admin.actor()), id, draft).await;
    reply::json(&ClientDocument::of(&changed.map_err(refusal)?))
}

/// Deletes a client.
pub(in crate::gotrue) async fn delete(
    State(app): State<App>,
    admin: AdminCaller,
    _: OAuthServer,
    incoming: Incoming,
    path: ClientPath,
) -> Answer {
    let deletion = DeleteClient(client_id(path)?);
    app.commands().execute(&incoming.context(admin.actor()), &deletion).await.map_err(refusal)?;
    Ok(reply::no_content())
}

/// Gives a client another secret.
pub(in crate::gotrue) async fn regenerate_secret(
    State(app): State<App>,
    admin: AdminCaller,
    _: OAuthServer,
    incoming: Incoming,
    path: ClientPath,
) -> Answer {
    let context = incoming.context(admin.actor());
    let shown = app.commands().regenerate_client_secret(&context, client_id(path)?).await;
    reply::json(&ClientDocument::with_secret(&shown.map_err(refusal)?))
}

fn client_id(path: ClientPath) -> Result<ClientId, GotrueError> {
    let id = path.ok().and_then(|Path(id)| Uuid::try_parse(&id).ok());
    id.map(ClientId).ok_or_else(|| GotrueError::validation("invalid client_id format"))
}

/// What a body says about a client. Fields that are not known here are dropped.
fn draft(mut body: Body) -> Result<ClientDraft, GotrueError> {
    let grants = "grant_types must only contain 'authorization_code' and/or 'refresh_token'";
    let grant = |name: String| named(&name, GrantType::from_name, grants);
    let grant_types = body.texts("grant_types")?.map(|names| names.into_iter().map(grant).collect());
    let types = "client_type must be 'public' or 'confidential'";
    let client_type = body.text("client_type")?.filter(|name| !name.is_empty());
    let methods = "token_endpoint_auth_method must be one of: client_secret_basic, client_secret_post, none";
    let auth_method = body.text("token_endpoint_auth_method")?.filter(|name| !name.is_empty());
    Ok(ClientDraft {
        name: body.text("client_name")?,
        uri: body.text("client_uri")?,
        logo_uri: body.text("logo_uri")?,
        redirect_uris: body.texts("redirect_uris")?,
        grant_types: grant_types.transpose()?,
        client_type: client_type.map(|name| named(&name, ClientType::from_name, types)).transpose()?,
        auth_method: auth_method.map(|name| named(&name, AuthMethod::from_name, methods)).transpose()?,
    })
}

/// What a name means, or what there is instead.
fn named<T>(
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
    instead: &'static str,
) -> Result<T, GotrueError> {
    read(name).ok_or_else(|| GotrueError::validation(instead))
}

fn not_found() -> GotrueError {
    GotrueError::not_found(ErrorCode::OauthClientNotFound, "OAuth client not found")
}

fn refusal(error: ManageClientError) -> GotrueError {
    match error {
        ManageClientError::Client(ClientError::NotFound) => not_found(),
        ManageClientError::Client(ClientError::Public) => {
            GotrueError::validation("Cannot regenerate secret for public client")
        }
        ManageClientError::Client(ClientError::Details(details)) => broken_rule(&details),
        ManageClientError::Client(error @ ClientError::AlreadyRegistered) => GotrueError::internal(error),
        ManageClientError::Failure(failure) => failure.into(),
    }
}

fn broken_rule(details: &DetailsError) -> GotrueError {
    GotrueError::validation(match details {
        DetailsError::NoRedirectUri => "redirect_uris is required".to_owned(),
        DetailsError::TooManyRedirectUris => "redirect_uris cannot exceed 10 items".to_owned(),
        DetailsError::RedirectUri { uri, problem } => {
            let shown: String = uri.chars().take(256).collect();
            format!("invalid redirect_uri '{shown}': {}", uri_problem(*problem))
        }
        DetailsError::NameTooLong => "client_name cannot exceed 1024 characters".to_owned(),
        DetailsError::Page(Page::Client) => "client_uri must be a valid URL".to_owned(),
        DetailsError::Page(Page::Logo) => "logo_uri must be a valid URL".to_owned(),
        DetailsError::Inconsistent { client_type, auth_method } => format!(
            "client_type '{}' is inconsistent with token_endpoint_auth_method '{}' (expected client_type '{}')",
            client_type.as_str(),
            auth_method.as_str(),
            auth_method.client_type().as_str()
        ),
    })
}

fn uri_problem(problem: RedirectUriError) -> &'static str {
    match problem {
        RedirectUriError::TooLong => "cannot exceed 2048 bytes",
        RedirectUriError::NotAbsolute => "must have scheme and host",
        RedirectUriError::Ambiguous => "must not contain user names, spaces or characters outside ASCII",
        RedirectUriError::Fragment => "must not contain a fragment",
        RedirectUriError::Insecure => "HTTP scheme only allowed for localhost",
        RedirectUriError::Scheme => "scheme is not allowed",
    }
}

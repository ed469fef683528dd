//! `/admin/custom-providers`: providers to sign in with that administrators register.

use std::collections::BTreeMap;

use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Response, StatusCode};
use evident_commands::external::{
    AdministerProviderError, DescribeProvider, DescriptionError, PlaceError, ProviderRow,
};
use evident_domain::Metadata;
use evident_domain::provider::ProviderKind;
use serde::Serialize;
use zeroize::Zeroizing;

use super::access::AdminCaller;
use super::app::App;
use super::body::Body;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;
use super::time::Rfc3339;

type Answer = Result<Response<HttpBody>, GotrueError>;

/// The identifier in a path, if it reads.
type ItemPath = Result<Path<String>, PathRejection>;

/// The providers, or those of one kind.
pub(super) async fn list(State(app): State<App>, _: AdminCaller, incoming: Incoming) -> Answer {
    check_enabled(&app)?;
    let wanted = incoming.params.get("type").filter(|kind| !kind.is_empty());
    let rows = match wanted.map(ProviderKind::from_name) {
        // Of a kind that does not exist there are none.
        Some(None) => Vec::new(),
        kind => app.commands().registered_providers(kind.flatten()).await?,
    };
    reply::json(&ListDocument { providers: rows.iter().map(ProviderDocument::of).collect() })
}

/// Registers one.
pub(super) async fn create(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    request: Request,
) -> Answer {
    check_enabled(&app)?;
    let mut body = Body::read(request, app.body_limit(), "AdminCustomOAuthProviderParams").await?;
    let (name, identifier) = (body.text_or_empty("provider_type")?, body.text_or_empty("identifier")?);
    let kind = kind(&name)?;
    let described = described(&mut body)?;
    let context = incoming.context(admin.actor());
    let made = app.commands().register_provider(&context, kind, &identifier, described).await;
    let row = made.map_err(|error| refusal(error, &identifier))?;
    let mut response = reply::json(&ProviderDocument::of(&row))?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Shows one.
pub(super) async fn show(State(app): State<App>, _: AdminCaller, path: ItemPath) -> Answer {
    check_enabled(&app)?;
    let Path(identifier) = path.map_err(|_| not_found())?;
    let row = app.commands().registered_provider(&identifier).await?;
    reply::json(&ProviderDocument::of(&row.ok_or_else(not_found)?))
}

/// Changes one; what is not said stays.
pub(super) async fn change(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    path: ItemPath,
    request: Request,
) -> Answer {
    check_enabled(&app)?;
    let Path(identifier) = path.map_err(|_| not_found())?;
    let mut body = Body::read(request, app.body_limit(), "AdminCustomOAuthProviderParams").await?;
    let described = described(&mut body)?;
    let context = incoming.context(admin.actor());
    let changed = app.commands().change_provider(&context, &identifier, described).await;
    reply::json(&ProviderDocument::of(&changed.map_err(|error| refusal(error, &identifier))?))
}

/// Removes one.
pub(super) async fn delete(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    path: ItemPath,
) -> Answer {
    check_enabled(&app)?;
    let Path(identifier) = path.map_err(|_| not_found())?;
    let context = incoming.context(admin.actor());
    let removed = app.commands().remove_provider(&context, &identifier).await;
    removed.map_err(|error| refusal(error, &identifier))?;
    Ok(reply::no_content())
}

fn check_enabled(app: &App) -> Result<(), GotrueError> {
    if app.settings().external.custom.enabled {
        Ok(())
    } else {
        Err(GotrueError::not_found(ErrorCode::FeatureDisabled, "Custom OAuth providers are disabled"))
    }
}

fn kind(name: &str) -> Result<ProviderKind, GotrueError> {
    ProviderKind::from_name(name)
        .ok_or_else(|| GotrueError::validation("provider_type must be either 'oauth2' or 'oidc'"))
}

fn described(body: &mut Body) -> Result<DescribeProvider, GotrueError> {
    Ok(DescribeProvider {
        name: body.text("name")?,
        client_id: body.text("client_id")?,
        client_secret: body.text("client_secret")?.map(Zeroizing::new),
        acceptable_client_ids: body.texts("acceptable_client_ids")?,
        scopes: body.texts("scopes")?,
        pkce_enabled: body.maybe_flag("pkce_enabled")?,
        attribute_mapping: body.maybe_object("attribute_mapping")?,
        custom_claims_allowlist: body.texts("custom_claims_allowlist")?,
        authorization_params: body.maybe_object("authorization_params")?.map(texts_of).transpose()?,
        enabled: body.maybe_flag("enabled")?,
        email_optional: body.maybe_flag("email_optional")?,
        issuer: body.text("issuer")?,
        discovery_url: body.text("discovery_url")?,
        skip_nonce_check: body.maybe_flag("skip_nonce_check")?,
        authorization_url: body.text("authorization_url")?,
        token_url: body.text("token_url")?,
        userinfo_url: body.text("userinfo_url")?,
        jwks_uri: body.text("jwks_uri")?,
    })
}

fn texts_of(object: Metadata) -> Result<BTreeMap<String, String>, GotrueError> {
    let text = |value: serde_json::Value| value.as_str().map(str::to_owned);
    let texts = object.0.into_iter().map(|(key, value)| Some((key, text(value)?)));
    texts
        .collect::<Option<_>>()
        .ok_or_else(|| GotrueError::validation("authorization_params must be an object of strings"))
}

fn not_found() -> GotrueError {
    GotrueError::not_found(ErrorCode::CustomProviderNotFound, "Custom OAuth provider not found")
}

fn refusal(error: AdministerProviderError, identifier: &str) -> GotrueError {
    match error {
        AdministerProviderError::Description(error) => GotrueError::validation(problem(error, identifier)),
        AdministerProviderError::Exists => {
            let message = "A custom OAuth provider with this identifier already exists";
            GotrueError::bad_request(ErrorCode::Conflict, message)
        }
        AdministerProviderError::NotFound => not_found(),
        AdministerProviderError::TooMany => {
            let message = "Maximum number of custom providers reached";
            GotrueError::bad_request(ErrorCode::OverCustomProviderQuota, message)
        }
        AdministerProviderError::Failure(failure) => failure.into(),
    }
}

fn problem(error: DescriptionError, identifier: &str) -> String {
    match error {
        DescriptionError::Prefix => {
            format!("identifier must start with 'custom:' prefix, e.g. 'custom:{identifier}'")
        }
        DescriptionError::Identifier => {
            "identifier may hold small letters, digits, hyphens, underscores, periods and colons behind its prefix"
                .to_owned()
        }
        DescriptionError::Missing(name) => format!("{name} is required"),
        DescriptionError::TooLong(name) => format!("{name} is too long"),
        DescriptionError::Reserved => "authorization_params may not hold reserved parameters".to_owned(),
        DescriptionError::Place(name, PlaceError::Malformed) => format!("{name} is not a valid URL"),
        DescriptionError::Place(_, PlaceError::NotHttps) => "URL must use HTTPS".to_owned(),
        DescriptionError::Place(_, PlaceError::Unresolved) => "Unable to resolve hostname".to_owned(),
        DescriptionError::Place(_, PlaceError::Loopback) => {
            "URL cannot point to localhost or loopback addresses".to_owned()
        }
        DescriptionError::Place(_, PlaceError::Private) => {
            "URL cannot resolve to private network addresses".to_owned()
        }
    }
}

#[derive(Serialize)]
struct ListDocument<'a> {
    providers: Vec<ProviderDocument<'a>>,
}

/// A provider as administrators see it. Its secret is never shown.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's document has these switches")]
struct ProviderDocument<'a> {
    id: String,
    provider_type: &'static str,
    identifier: &'a str,
    name: &'a str,
    client_id: &'a str,
    acceptable_client_ids: &'a [String],
    scopes: &'a [String],
    pkce_enabled: bool,
    attribute_mapping: &'a Metadata,
    custom_claims_allowlist: &'a [String],
    authorization_params: &'a BTreeMap<String, String>,
    enabled: bool,
    email_optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery_url: Option<&'a str>,
    skip_nonce_check: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

impl<'a> ProviderDocument<'a> {
    fn of(row: &'a ProviderRow) -> Self {
        let definition = &row.definition;
        Self {
            id: row.id.to_string(),
            provider_type: row.kind.as_str(),
            identifier: &row.identifier,
            name: &definition.name,
            client_id: &definition.client_id,
            acceptable_client_ids: &definition.acceptable_client_ids,
            scopes: &definition.scopes,
            pkce_enabled: definition.pkce_enabled,
            attribute_mapping: &definition.attribute_mapping,
            custom_claims_allowlist: &definition.custom_claims_allowlist,
            authorization_params: &definition.authorization_params,
            enabled: definition.enabled,
            email_optional: definition.email_optional,
            issuer: definition.issuer.as_deref(),
            discovery_url: definition.discovery_url.as_deref(),
            skip_nonce_check: definition.skip_nonce_check,
            authorization_url: definition.authorization_url.as_deref(),
            token_url: definition.token_url.as_deref(),
            userinfo_url: definition.userinfo_url.as_deref(),
            jwks_uri: definition.jwks_uri.as_deref(),
            created_at: Rfc3339(row.created_at),
            updated_at: Rfc3339(row.updated_at),
        }
    }
}

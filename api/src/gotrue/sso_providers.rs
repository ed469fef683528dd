//! `/admin/sso/providers`: the identity providers of organizations; and what everybody who would sign in
//! by one is told.

use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Response, StatusCode};
use evident_commands::sso::{
    ChangeSsoProvider, MetadataError, MetadataSource, RegisterSsoProvider, SsoProviderFailure,
    SsoProviderName, SsoProviderRow,
};
use evident_domain::sso_provider::SsoProviderError;
use evident_domain::{Metadata, SsoProviderId};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::access::AdminCaller;
use super::app::App;
use super::body::Body;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;
use super::time::Rfc3339;

/// The forms of names that a provider can be asked for (SAML 2.0 Core, 8.3).
const NAME_ID_FORMATS: [&str; 4] = [
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
];
/// The longest name that the application gives, in characters.
const LONGEST_RESOURCE_ID: usize = 255;

type Answer = Result<Response<HttpBody>, GotrueError>;
type ProviderPath = Result<Path<String>, PathRejection>;

/// `/sso` and all below it: nobody signs in by SAML.
pub(super) async fn saml_is_off() -> GotrueError {
    GotrueError::not_found(ErrorCode::SamlProviderDisabled, "SAML 2.0 is disabled")
}

/// All providers, without their metadata.
pub(super) async fn list(State(app): State<App>, _: AdminCaller, incoming: Incoming) -> Answer {
    // No provider has such a name, and PostgreSQL knows no such text.
    let filter = |key| incoming.params.get(key).filter(|text| !text.is_empty());
    let (resource_id, prefix) = (filter("resource_id"), filter("resource_id_prefix"));
    if [resource_id, prefix].into_iter().flatten().any(|text| text.contains('\0')) {
        return reply::json(&ListDocument { items: Vec::new() });
    }
    let rows = app.commands().sso_providers(resource_id, prefix).await?;
    let items = rows.iter().map(|row| ProviderDocument::of(row, Shown::InList)).collect();
    reply::json(&ListDocument { items })
}

/// Makes a provider known.
pub(super) async fn register(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    request: Request,
) -> Answer {
    let mut body = Body::read(request, app.body_limit(), "CreateSSOProviderParams").await?;
    if body.text_or_empty("type")? != "saml" {
        return Err(GotrueError::validation("Only 'saml' supported for SSO provider type"));
    }
    let wanted = RegisterSsoProvider {
        metadata: source(&mut body)?
            .ok_or_else(|| GotrueError::validation("Either metadata_xml or metadata_url must be set"))?,
        attribute_mapping: mapping(&mut body)?.unwrap_or_default(),
        name_id_format: name_id_format(&mut body)?.flatten(),
        domains: body.texts("domains")?.unwrap_or_default(),
        resource_id: resource_id(&mut body)?.flatten(),
        disabled: body.maybe_flag("disabled")?,
    };
    let context = incoming.context(admin.actor());
    let row = app.commands().register_sso_provider(&context, wanted).await.map_err(refusal)?;
    let mut response = reply::json(&ProviderDocument::of(&row, Shown::Alone))?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Shows a provider.
pub(super) async fn show(State(app): State<App>, _: AdminCaller, path: ProviderPath) -> Answer {
    let row = existing(&app, path).await?;
    reply::json(&ProviderDocument::of(&row, Shown::Alone))
}

/// Describes a provider anew.
pub(super) async fn change(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    path: ProviderPath,
    request: Request,
) -> Answer {
    let id = existing(&app, path).await?.id;
    let mut body = Body::read(request, app.body_limit(), "CreateSSOProviderParams").await?;
    if !matches!(body.text_or_empty("type")?.as_str(), "" | "saml") {
        return Err(GotrueError::validation("Only 'saml' supported for SSO provider type"));
    }
    let wanted = ChangeSsoProvider {
        metadata: source(&mut body)?,
        attribute_mapping: mapping(&mut body)?,
        name_id_format: name_id_format(&mut body)?,
        domains: body.texts("domains")?,
        resource_id: resource_id(&mut body)?,
        disabled: body.maybe_flag("disabled")?,
    };
    let context = incoming.context(admin.actor());
    let row = app.commands().change_sso_provider(&context, id, wanted).await.map_err(refusal)?;
    reply::json(&ProviderDocument::of(&row, Shown::Alone))
}

/// Removes a provider, and shows what it was.
pub(super) async fn remove(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    path: ProviderPath,
) -> Answer {
    let row = existing(&app, path).await?;
    let context = incoming.context(admin.actor());
    app.commands().remove_sso_provider(&context, row.id).await.map_err(refusal)?;
    reply::json(&ProviderDocument::of(&row, Shown::Alone))
}

async fn existing(app: &App, path: ProviderPath) -> Result<SsoProviderRow, GotrueError> {
    let name = path.ok().and_then(|Path(text)| match text.strip_prefix("resource_") {
        Some(resource) if resource.contains('\0') => None,
        Some(resource) => Some(SsoProviderName::Resource(resource.to_owned())),
        None => Uuid::try_parse(&text).ok().map(|id| SsoProviderName::Id(SsoProviderId(id))),
    });
    let row = match name {
        Some(name) => app.commands().sso_provider(&name).await?,
        None => None,
    };
    row.ok_or_else(provider_not_found)
}

fn provider_not_found() -> GotrueError {
    GotrueError::not_found(ErrorCode::SsoProviderNotFound, "SSO Identity Provider not found")
}

fn source(body: &mut Body) -> Result<Option<MetadataSource>, GotrueError> {
    let (xml, url) = (body.text_or_empty("metadata_xml")?, body.text_or_empty("metadata_url")?);
    match (xml.is_empty(), url.is_empty()) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(MetadataSource::Document(xml))),
        (true, false) => match Url::parse(&url) {
            Ok(parsed) if parsed.scheme() == "https" => Ok(Some(MetadataSource::Address(url))),
            Ok(_) => Err(metadata_refusal(&MetadataError::NotHttps)),
            Err(_) => Err(metadata_refusal(&MetadataError::Address)),
        },
        (false, false) => {
            Err(GotrueError::validation("Only one of metadata_xml or metadata_url needs to be set"))
        }
    }
}

/// A form of names; an empty one stands for none.
#[expect(clippy::option_option, reason = "not said, none, or one: three things")]
fn name_id_format(body: &mut Body) -> Result<Option<Option<String>>, GotrueError> {
    match body.text("name_id_format")? {
        None => Ok(None),
        Some(format) if format.is_empty() => Ok(Some(None)),
        Some(format) if NAME_ID_FORMATS.contains(&format.as_str()) => Ok(Some(Some(format))),
        Some(_) => Err(GotrueError::validation(format!(
            "name_id_format must be unspecified or one of {}",
            NAME_ID_FORMATS.join(", ")
        ))),
    }
}

/// A name of the application's; an empty one stands for none.
#[expect(clippy::option_option, reason = "not said, none, or one: three things")]
fn resource_id(body: &mut Body) -> Result<Option<Option<String>>, GotrueError> {
    match body.text("resource_id")? {
        Some(id) if id.chars().count() > LONGEST_RESOURCE_ID => {
            Err(GotrueError::validation("resource_id is too long"))
        }
        id => Ok(id.map(|id| Some(id).filter(|id| !id.is_empty()))),
    }
}

/// `{keys: {<claim>: {name, names, default, array}}}`, and nothing else of it.
fn mapping(body: &mut Body) -> Result<Option<Metadata>, GotrueError> {
    let Some(Metadata(mut given)) = body.object("attribute_mapping")? else { return Ok(None) };
    let malformed = || GotrueError::validation("attribute_mapping is not valid");
    let keys = match given.remove("keys") {
        None | Some(Value::Null) => return Ok(Some(Metadata::default())),
        Some(Value::Object(keys)) => keys,
        Some(_) => return Err(malformed()),
    };
    let mut kept = Map::new();
    for (claim, attribute) in keys {
        let Value::Object(attribute) = attribute else { return Err(malformed()) };
        let mut fields = Map::new();
        for (field, value) in attribute {
            let fits = match (field.as_str(), &value) {
                (_, Value::Null) => continue,
                ("name", Value::String(_)) | ("array", Value::Bool(_)) | ("default", _) => true,
                ("names", Value::Array(names)) => names.iter().all(Value::is_string),
                ("name" | "names" | "array", _) => false,
                _ => continue,
            };
            if !fits {
                return Err(malformed());
            }
            fields.insert(field, value);
        }
        kept.insert(claim, Value::Object(fields));
    }
    Ok(Some(Metadata::default().with("keys", kept)))
}

fn refusal(error: SsoProviderFailure) -> GotrueError {
    match error {
        SsoProviderFailure::Metadata(error) => metadata_refusal(&error),
        SsoProviderFailure::Domain(domain) => {
            GotrueError::validation(format!("SSO Domain '{domain}' is not valid"))
        }
        SsoProviderFailure::EntityTaken(entity) => GotrueError::unprocessable(
            ErrorCode::SamlIdpAlreadyExists,
            format!("SAML Identity Provider with this EntityID ({entity}) already exists"),
        ),
        SsoProviderFailure::DomainTaken { domain, holder } => GotrueError::bad_request(
            ErrorCode::SsoDomainAlreadyExists,
            format!("SSO Domain '{domain}' is already assigned to an SSO identity provider ({holder})"),
        ),
        SsoProviderFailure::ResourceTaken(resource) => GotrueError::unprocessable(
            ErrorCode::Conflict,
            format!("SSO Identity Provider with this resource_id ({resource}) already exists"),
        ),
        SsoProviderFailure::Provider(SsoProviderError::EntityMismatch { expected, given }) => {
            GotrueError::bad_request(
                ErrorCode::SamlEntityIdMismatch,
                format!(
                    "SAML Metadata can be updated only if the EntityID matches for the provider; \
                     expected '{expected}' but got '{given}'"
                ),
            )
        }
        SsoProviderFailure::Provider(SsoProviderError::NotFound | SsoProviderError::AlreadyRegistered) => {
            provider_not_found()
        }
        SsoProviderFailure::Failure(failure) => failure.into(),
    }
}

fn metadata_refusal(error: &MetadataError) -> GotrueError {
    match error {
        MetadataError::NotFetched(_) => {
            GotrueError::bad_request(ErrorCode::SamlMetadataFetchFailed, error.to_string())
        }
        MetadataError::Address
        | MetadataError::NotHttps
        | MetadataError::NotXml
        | MetadataError::NoProvider
        | MetadataError::NoEntityId
        | MetadataError::NoSignOn
        | MetadataError::Certificate => GotrueError::validation(error.to_string()),
    }
}

/// Whether a provider is shown alone or among others, without its metadata.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Alone,
    InList,
}

#[derive(Serialize)]
struct ListDocument<'a> {
    items: Vec<ProviderDocument<'a>>,
}

#[derive(Serialize)]
struct ProviderDocument<'a> {
    id: SsoProviderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    disabled: Option<bool>,
    saml: SamlDocument<'a>,
    domains: Vec<DomainDocument<'a>>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

#[derive(Serialize)]
struct SamlDocument<'a> {
    entity_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_xml: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_url: Option<&'a str>,
    attribute_mapping: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_id_format: Option<&'a str>,
}

#[derive(Serialize)]
struct DomainDocument<'a> {
    domain: &'a str,
}

impl<'a> ProviderDocument<'a> {
    fn of(row: &'a SsoProviderRow, shown: Shown) -> Self {
        Self {
            id: row.id,
            resource_id: row.resource_id.as_deref(),
            disabled: row.disabled,
            saml: SamlDocument {
                entity_id: &row.entity_id,
                metadata_xml: (shown == Shown::Alone).then_some(&row.metadata_xml),
                metadata_url: row.metadata_url.as_deref(),
                attribute_mapping: serde_json::from_str(&row.attribute_mapping).unwrap_or(RawValue::NULL),
                name_id_format: row.name_id_format.as_deref(),
            },
            domains: row.domains.iter().map(|domain| DomainDocument { domain }).collect(),
            created_at: Rfc3339(row.created_at),
            updated_at: Rfc3339(row.updated_at),
        }
    }
}

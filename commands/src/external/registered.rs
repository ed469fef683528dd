//! Providers that administrators register: taking them up, changing and removing them, and being a client
//! of one.

use std::collections::BTreeMap;

use evident_domain::Metadata;
use evident_domain::provider::{
    Provider, ProviderCommand, ProviderDefinition, ProviderError as Refusal, ProviderKind, Registration,
    SealedSecret,
};
pub use evident_projections::folds::ProviderRow;
use evident_projections::views;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::CUSTOM_PREFIX;
use super::claims;
use super::client::{Client, OpenId, ProfileSource, ProviderError};
use super::description::ClientProof;
use super::oidc::{Issuers, Source};
use super::places::{self, PlaceError};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::outbound::Chosen;
use crate::settings::Secret;
use crate::unit::{Context, Unit};

/// The longest text of a description, in bytes.
const LONGEST_TEXT: usize = 2048;
/// The longest list in a description.
const LONGEST_LIST: usize = 100;
/// The longest identifier, the prefix included, in bytes.
const LONGEST_IDENTIFIER: usize = 50;

/// What a request says of a provider; what it does not say stays, or has its default.
#[derive(Debug, Clone, Default)]
pub struct DescribeProvider {
    /// What people call it.
    pub name: Option<String>,
    /// The client there.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Zeroizing<String>>,
    /// Further clients whose ID tokens are taken.
    pub acceptable_client_ids: Option<Vec<String>>,
    /// What is asked for.
    pub scopes: Option<Vec<String>>,
    /// It knows PKCE.
    pub pkce_enabled: Option<bool>,
    /// Names of claims.
    pub attribute_mapping: Option<Metadata>,
    /// Claims that are kept.
    pub custom_claims_allowlist: Option<Vec<String>>,
    /// What is sent along.
    pub authorization_params: Option<BTreeMap<String, String>>,
    /// People may come by it.
    pub enabled: Option<bool>,
    /// People may come without an address.
    pub email_optional: Option<bool>,
    /// Its issuer.
    pub issuer: Option<String>,
    /// Where its document is.
    pub discovery_url: Option<String>,
    /// ID tokens without a nonce are taken.
    pub skip_nonce_check: Option<bool>,
    /// Where people are sent.
    pub authorization_url: Option<String>,
    /// Where codes are exchanged.
    pub token_url: Option<String>,
    /// Where the document about the user is.
    pub userinfo_url: Option<String>,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
}

/// Why a provider is not registered or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// The identifier does not begin as it must.
    #[error("the identifier lacks its prefix")]
    Prefix,
    /// The identifier has other characters than it may.
    #[error("the identifier is malformed")]
    Identifier,
    /// Something that is needed is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Something is too long.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// A parameter that only this server sets.
    #[error("a parameter is reserved")]
    Reserved,
    /// An address is not taken.
    #[error("{0}: {1}")]
    Place(&'static str, PlaceError),
}

/// Why nothing was registered, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum AdministerProviderError {
    /// The description will not do.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// There is one of that name.
    #[error("there is a provider of that name")]
    Exists,
    /// There is none of that name.
    #[error("there is no provider of that name")]
    NotFound,
    /// There are as many as there may be.
    #[error("there are too many providers")]
    TooMany,
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<Refusal> for AdministerProviderError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::AlreadyRegistered | Refusal::OtherKind => Self::Exists,
        }
    }
}

impl DescribeProvider {
    /// The definition that follows, over another one.
    fn over(self, old: ProviderDefinition) -> ProviderDefinition {
        let place = |new: Option<String>, old| new.map_or(old, |text| Some(text).filter(|t| !t.is_empty()));
        ProviderDefinition {
            kind: old.kind,
            name: self.name.unwrap_or(old.name),
            client_id: self.client_id.unwrap_or(old.client_id),
            acceptable_client_ids: self.acceptable_client_ids.unwrap_or(old.acceptable_client_ids),
            scopes: self.scopes.unwrap_or(old.scopes),
            pkce_enabled: self.pkce_enabled.unwrap_or(old.pkce_enabled),
            attribute_mapping: self.attribute_mapping.unwrap_or(old.attribute_mapping),
            custom_claims_allowlist: self.custom_claims_allowlist.unwrap_or(old.custom_claims_allowlist),
            authorization_params: self.authorization_params.unwrap_or(old.authorization_params),
            enabled: self.enabled.unwrap_or(old.enabled),
            email_optional: self.email_optional.unwrap_or(old.email_optional),
            issuer: place(self.issuer, old.issuer),
            discovery_url: place(self.discovery_url, old.discovery_url),
            skip_nonce_check: self.skip_nonce_check.unwrap_or(old.skip_nonce_check),
            authorization_url: place(self.authorization_url, old.authorization_url),
            token_url: place(self.token_url, old.token_url),
            userinfo_url: place(self.userinfo_url, old.userinfo_url),
            jwks_uri: place(self.jwks_uri, old.jwks_uri),
        }
    }
}

/// A provider of which nothing is said yet.
fn blank(kind: ProviderKind) -> ProviderDefinition {
    ProviderDefinition {
        kind,
        name: String::new(),
        client_id: String::new(),
        acceptable_client_ids: Vec::new(),
        scopes: Vec::new(),
        pkce_enabled: true,
        attribute_mapping: Metadata::default(),
        custom_claims_allowlist: Vec::new(),
        authorization_params: BTreeMap::new(),
        enabled: true,
        email_optional: false,
        issuer: None,
        discovery_url: None,
        skip_nonce_check: false,
        authorization_url: None,
        token_url: None,
        userinfo_url: None,
        jwks_uri: None,
    }
}

/// Whether an identifier is one: the prefix, then small letters, digits, `_`, `.` and `-`.
fn check_identifier(identifier: &str) -> Result<(), DescriptionError> {
    let rest = identifier.strip_prefix(CUSTOM_PREFIX).ok_or(DescriptionError::Prefix)?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-:".contains(&byte);
    let good = !rest.is_empty()
        && identifier.len() <= LONGEST_IDENTIFIER
        && rest.bytes().all(fits)
        && rest.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    if good { Ok(()) } else { Err(DescriptionError::Identifier) }
}

/// The addresses of a description, by their names.
fn addresses(definition: &ProviderDefinition) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("issuer", &definition.issuer),
        ("discovery_url", &definition.discovery_url),
        ("authorization_url", &definition.authorization_url),
        ("token_url", &definition.token_url),
        ("userinfo_url", &definition.userinfo_url),
        ("jwks_uri", &definition.jwks_uri),
    ]
    .into_iter()
    .filter_map(|(name, url)| Some((name, url.as_deref()?)))
}

fn check_shape(definition: &ProviderDefinition) -> Result<(), DescriptionError> {
    let needed =
        |name, text: &str| if text.is_empty() { Err(DescriptionError::Missing(name)) } else { Ok(()) };
    needed("name", &definition.name)?;
    needed("client_id", &definition.client_id)?;
    let places: &[(&'static str, &Option<String>)] = match definition.kind {
        ProviderKind::Oidc => &[("issuer", &definition.issuer)],
        ProviderKind::Oauth2 => &[
            ("authorization_url", &definition.authorization_url),
            ("token_url", &definition.token_url),
            ("userinfo_url", &definition.userinfo_url),
        ],
    };
    for (name, place) in places {
        needed(name, place.as_deref().unwrap_or_default())?;
    }
    for (name, text) in [("name", &definition.name), ("client_id", &definition.client_id)] {
        if text.len() > LONGEST_TEXT {
            return Err(DescriptionError::TooLong(name));
        }
    }
    for (name, list) in [
        ("acceptable_client_ids", &definition.acceptable_client_ids),
        ("scopes", &definition.scopes),
        ("custom_claims_allowlist", &definition.custom_claims_allowlist),
    ] {
        if list.len() > LONGEST_LIST || list.iter().any(|text| text.len() > LONGEST_TEXT) {
            return Err(DescriptionError::TooLong(name));
        }
    }
    if definition.authorization_params.len() > LONGEST_LIST
        || definition.attribute_mapping.0.len() > LONGEST_LIST
    {
        return Err(DescriptionError::TooLong("authorization_params or attribute_mapping"));
    }
    if definition.authorization_params.keys().any(|key| super::client::is_reserved(key)) {
        return Err(DescriptionError::Reserved);
    }
    Ok(())
}

impl Commands {
    async fn check_definition(&self, definition: &ProviderDefinition) -> Result<(), DescriptionError> {
        check_shape(definition)?;
        let trusted = &self.settings().external.custom.trusted_hosts;
        for (name, url) in addresses(definition) {
            places::check(trusted, url).await.map_err(|error| DescriptionError::Place(name, error))?;
        }
        Ok(())
    }

    /// Registers a provider.
    ///
    /// # Errors
    /// When the description will not do, the name is taken or there are too many.
    pub async fn register_provider(
        &self,
        context: &Context,
        kind: ProviderKind,
        identifier: &str,
        mut described: DescribeProvider,
    ) -> Result<ProviderRow, AdministerProviderError> {
        check_identifier(identifier)?;
        let secret = described.client_secret.take().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or(DescriptionError::Missing("client_secret"))?;
        let definition = described.over(blank(kind));
        self.check_definition(&definition).await?;
        let id = self.store().entropy().uuid();
        let client_secret = self.sealed(id, &secret)?;
        let registration = Registration { identifier: identifier.to_owned(), definition, client_secret };
        let max = self.settings().external.custom.max_providers;
        self.execute(context, &RegisterCase { id, registration, max }).await?;
        self.registered_provider(identifier).await?.ok_or(AdministerProviderError::NotFound)
    }

    /// Changes what is said of a provider; what is not said stays.
    ///
    /// # Errors
    /// When there is none, or the description will not do.
    pub async fn change_provider(
        &self,
        context: &Context,
        identifier: &str,
        mut described: DescribeProvider,
    ) -> Result<ProviderRow, AdministerProviderError> {
        let row = self.registered_provider(identifier).await?.ok_or(AdministerProviderError::NotFound)?;
        let secret = described.client_secret.take().filter(|secret| !secret.is_empty());
        let client_secret = match secret {
            Some(secret) => Some(self.sealed(row.id, &secret)?),
            None => None,
        };
        let definition = described.over(row.definition);
        self.check_definition(&definition).await?;
        let command = ProviderCommand::Change { definition: Box::new(definition), client_secret };
        self.execute(context, &TellCase { id: row.id, command }).await?;
        self.registered_provider(identifier).await?.ok_or(AdministerProviderError::NotFound)
    }

    /// Removes a provider; who came by it keeps their account.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove_provider(
        &self,
        context: &Context,
        identifier: &str,
    ) -> Result<(), AdministerProviderError> {
        let row = self.registered_provider(identifier).await?.ok_or(AdministerProviderError::NotFound)?;
        self.execute(context, &TellCase { id: row.id, command: ProviderCommand::Remove }).await
    }

    /// The registered providers, of one kind or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn registered_providers(
        &self,
        kind: Option<ProviderKind>,
    ) -> Result<Vec<ProviderRow>, Failure> {
        Ok(views::providers(self.store().database(), kind).await?)
    }

    /// A registered provider.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn registered_provider(&self, identifier: &str) -> Result<Option<ProviderRow>, Failure> {
        Ok(views::provider(self.store().database(), identifier).await?)
    }

    fn sealed(&self, id: Uuid, secret: &str) -> Result<SealedSecret, Failure> {
        let sealed = self.secrets().seal(self.store().entropy(), id, secret);
        sealed.map(SealedSecret).map_err(|_| Failure::Internal("a secret could not be sealed"))
    }

    /// This server as a client of a registered provider.
    pub(super) async fn registered_client(
        &self,
        identifier: &str,
    ) -> Result<Result<Client, ProviderError>, Failure> {
        let settings = &self.settings().external.custom;
        let row = if settings.enabled { self.registered_provider(identifier).await? } else { None };
        let Some(row) = row else { return Ok(Err(ProviderError::Unknown)) };
        if !row.definition.enabled {
            return Ok(Err(ProviderError::NotEnabled));
        }
        let secret = self
            .secrets()
            .open(row.id, &row.client_secret.0)
            .map_err(|_| Failure::Internal("the secret of a provider cannot be opened"))?;
        let chosen = places::chosen(&settings.trusted_hosts, addresses(&row.definition).map(|(_, url)| url));
        Ok(self.client_of(row, &secret, chosen).await)
    }

    async fn client_of(
        &self,
        row: ProviderRow,
        secret: &str,
        chosen: Chosen,
    ) -> Result<Client, ProviderError> {
        let settings = &self.settings().external.custom;
        let definition = row.definition;
        let own = |url: &Option<String>| url.as_deref().and_then(|url| Url::parse(url).ok());
        let (mut authorize, mut token, mut userinfo) =
            (own(&definition.authorization_url), own(&definition.token_url), own(&definition.userinfo_url));
        let mut proof = ClientProof::Header;
        let mut scopes = definition.scopes;
        let mut open_id = None;
        if let Some(issuer) = definition.issuer.filter(|_| definition.kind == ProviderKind::Oidc) {
            let source = match own(&definition.discovery_url) {
                Some(discovery) => Some(Source { discovery, chosen }),
                None => Source::of(&issuer, chosen),
            };
            let source = source.ok_or(ProviderError::Missing("issuer"))?;
            let document =
                self.oidc().document(self.look(), &source).await.map_err(|_| ProviderError::Unreachable)?;
            if document.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
                return Err(ProviderError::Unreachable);
            }
            authorize = authorize.or_else(|| document.authorization_endpoint.clone());
            token = token.or_else(|| document.token_endpoint.clone());
            userinfo = userinfo.or_else(|| document.userinfo_endpoint.clone());
            let methods = &document.token_endpoint_auth_methods_supported;
            if !methods.is_empty() && !methods.iter().any(|method| method == "client_secret_basic") {
                proof = ClientProof::Form;
            }
            if !scopes.iter().any(|scope| scope == "openid") {
                scopes.insert(0, "openid".to_owned());
            }
            open_id = Some(OpenId {
                source,
                issuers: Issuers::Named(vec![issuer]),
                read: claims::generic,
                own_tenant: false,
            });
        }
        let site = &self.settings().site.external_url;
        let external = settings.external_url.as_ref().unwrap_or(site).trim_end_matches('/');
        Ok(Client {
            name: row.identifier,
            audiences: std::iter::once(definition.client_id)
                .chain(definition.acceptable_client_ids)
                .collect(),
            secret: Secret::new(secret),
            redirect_uri: format!("{external}/callback"),
            authorize: authorize.ok_or(ProviderError::Missing("authorization_url"))?,
            token: token.ok_or(ProviderError::Missing("token_url"))?,
            scopes,
            params: definition.authorization_params.into_iter().collect(),
            proof,
            pkce: definition.pkce_enabled,
            nonce: open_id.is_some() && !definition.skip_nonce_check,
            email_optional: definition.email_optional,
            skip_nonce_check: definition.skip_nonce_check,
            chosen,
            profile: ProfileSource::Custom {
                userinfo,
                mapping: definition.attribute_mapping,
                kept_claims: definition.custom_claims_allowlist,
            },
            open_id,
        })
    }
}

struct RegisterCase {
    id: Uuid,
    registration: Registration,
    max: u32,
}

impl UseCase for RegisterCase {
    type Output = ();
    type Error = AdministerProviderError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), AdministerProviderError> {
        let known = views::providers(unit.store().database(), None).await.map_err(Failure::from)?;
        if known.iter().any(|row| row.identifier == self.registration.identifier) {
            return Err(AdministerProviderError::Exists);
        }
        if self.max > 0 && known.len() >= usize::try_from(self.max).unwrap_or(usize::MAX) {
            return Err(AdministerProviderError::TooMany);
        }
        unit.expect_new::<Provider>(self.id);
        let command = ProviderCommand::Register(Box::new(self.registration.clone()));
        unit.tell::<Provider, AdministerProviderError>(self.id, command).await?;
        Ok(())
    }
}

struct TellCase {
    id: Uuid,
    command: ProviderCommand,
}

impl UseCase for TellCase {
    type Output = ();
    type Error = AdministerProviderError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), AdministerProviderError> {
        unit.tell::<Provider, AdministerProviderError>(self.id, self.command.clone()).await?;
        Ok(())
    }
}

//! A provider as this server is a client of it: the row of the table or the registered description, with
//! what the owner set. It knows where to send people, exchanges codes and fetches profiles.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evident_domain::flow::ProviderTokens;
use evident_domain::{FlowId, Metadata};
use hmac::{Hmac, Mac as _};
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use url::Url;
use url::form_urlencoded::{self, Serializer};

use super::description::{Call, ClientProof, Extra, Source, Told};
use super::oidc::{IdToken, IdTokenError, Issuers, Look, Source as OpenIdSource};
use super::profile::{Profile, ProfileError};
use super::table::describe;
use super::{claims, oauth1};
use crate::Commands;
use crate::outbound::{Chosen, OutboundError};
use crate::settings::{Builtin, ProviderSettings, Secret};
use crate::tokens::FlowSecret;

/// The longest access token of a provider that is passed on, in bytes.
const LONGEST_TOKEN: usize = 32_768;
/// Parts of Microsoft's addresses that stand for no single organization.
const EVERY_TENANT: [&str; 3] = ["common", "organizations", "consumers"];
/// Query parameters of the way to a provider that nobody but this server sets.
const RESERVED: [&str; 13] = [
    "provider",
    "scopes",
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "state",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "invite_token",
    "request",
    "request_uri",
];

/// Whether nobody but this server sets a query parameter.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Why nobody can be sent to a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Nobody knows it.
    #[error("there is no provider of that name")]
    Unknown,
    /// It is switched off.
    #[error("the provider is not enabled")]
    NotEnabled,
    /// The owner left something out.
    #[error("the provider lacks its {0}")]
    Missing(&'static str),
    /// It does not say where people are to be sent, or does not answer.
    #[error("the provider cannot be reached")]
    Unreachable,
}

/// Why nothing is known of who came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The provider does not take the code, or its answer holds no token.
    #[error("the code is refused")]
    Code,
    /// The provider does not tell who it is, or not as it should.
    #[error("the profile cannot be had")]
    Profile,
}

impl From<OutboundError> for FetchError {
    fn from(_: OutboundError) -> Self {
        Self::Profile
    }
}

impl From<ProfileError> for FetchError {
    fn from(_: ProfileError) -> Self {
        Self::Profile
    }
}

impl From<IdTokenError> for FetchError {
    fn from(_: IdTokenError) -> Self {
        Self::Profile
    }
}

/// How ID tokens of a provider are checked and read.
#[derive(Debug, Clone)]
pub(crate) struct OpenId {
    pub(super) source: OpenIdSource,
    pub(super) issuers: Issuers,
    pub(super) read: claims::Reader,
    pub(super) own_tenant: bool,
}

/// Where a profile comes from.
#[derive(Debug, Clone)]
pub(super) enum ProfileSource {
    /// As the table says.
    Builtin { source: Source, api: String },
    /// As an administrator says.
    Custom { userinfo: Option<Url>, mapping: Metadata, kept_claims: Vec<String> },
}

/// A provider with what this server is there.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what a provider knows, and what its owner lets pass: none excludes another"
)]
pub(crate) struct Client {
    pub(super) name: String,
    /// The clients here; the first one sends people there, ID tokens may be for any.
    pub(super) audiences: Vec<String>,
    pub(super) secret: Secret,
    pub(super) redirect_uri: String,
    pub(super) authorize: Url,
    pub(super) token: Url,
    pub(super) scopes: Vec<String>,
    pub(super) params: Vec<(String, String)>,
    pub(super) proof: ClientProof,
    pub(super) pkce: bool,
    pub(super) nonce: bool,
    pub(super) email_optional: bool,
    pub(super) skip_nonce_check: bool,
    pub(super) chosen: Chosen,
    pub(super) profile: ProfileSource,
    pub(super) open_id: Option<OpenId>,
}

/// Where somebody is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The address.
    pub(super) url: String,
    /// What is needed again when they come back.
    pub(super) kept: Option<String>,
}

/// How a built-in provider is set up, as far as ID tokens need it: whether it is on is not looked at.
pub(super) fn open_id(provider: Builtin, settings: &ProviderSettings) -> Option<OpenId> {
    let row = describe(provider);
    let issuer = row.issuer?;
    let own = own_base(settings.url.as_deref());
    let (name, aliases) = match own {
        Some(own) => (format!("{own}{}", issuer.suffix), &[][..]),
        None if issuer.name.is_empty() => return None,
        None => (issuer.name.to_owned(), issuer.aliases),
    };
    let every_tenant = provider == Builtin::Azure
        && own.is_none_or(|own| EVERY_TENANT.iter().any(|tenant| own.ends_with(&format!("/{tenant}"))));
    let issuers = if every_tenant {
        Issuers::AnyTenant
    } else if provider == Builtin::Azure {
        Issuers::OfDocument
    } else {
        Issuers::Named(std::iter::once(name.clone()).chain(aliases.iter().map(|a| (*a).to_owned())).collect())
    };
    Some(OpenId {
        source: OpenIdSource::of(&name, Chosen::ByOwner)?,
        issuers,
        read: issuer.read,
        own_tenant: provider == Builtin::Azure && !every_tenant,
    })
}

fn own_base(url: Option<&str>) -> Option<&str> {
    url.map(|url| url.trim().trim_end_matches('/')).filter(|url| !url.is_empty())
}

impl Client {
    /// The same client, where the provider sends people back to another address than usual.
    pub(super) fn returning_to(mut self, callback: Option<String>) -> Self {
        if let Some(callback) = callback {
            self.redirect_uri = callback;
        }
        self
    }

    /// A built-in provider, if it is on and set up.
    pub(super) fn builtin(commands: &Commands, provider: Builtin) -> Result<Self, ProviderError> {
        let settings = commands.settings().external.providers.get(provider);
        if !settings.enabled {
            return Err(ProviderError::NotEnabled);
        }
        if settings.client_ids.is_empty() {
            return Err(ProviderError::Missing("OAuth client ID"));
        }
        let secret = settings.secret.clone().ok_or(ProviderError::Missing("OAuth secret"))?;
        let row = describe(provider);
        let own = own_base(settings.url.as_deref());
        if own.is_none() && row.authorize.base.is_empty() {
            return Err(ProviderError::Missing("URL"));
        }
        let place = |base: &str, path: &str| format!("{}{path}", own.unwrap_or(base));
        let url = |text: String| Url::parse(&text).map_err(|_| ProviderError::Missing("URL"));
        let api = match own_base(settings.api_url.as_deref()) {
            Some(api) => format!("{api}{}", row.api.path),
            None => {
                let path = row.own_api_path.filter(|_| own.is_some()).unwrap_or(row.api.path);
                place(row.api.base, path)
            }
        };
        let external = commands.settings().site.external_url.trim_end_matches('/');
        Ok(Self {
            name: provider.name().to_owned(),
            audiences: settings.client_ids.clone(),
            secret,
            redirect_uri: settings.redirect_uri.clone().unwrap_or_else(|| format!("{external}/callback")),
            authorize: url(place(row.authorize.base, row.authorize.path))?,
            token: url(place(row.token.base, row.token.path))?,
            scopes: row.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            params: row.params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            proof: row.client,
            pkce: row.pkce,
            nonce: row.has_nonce() && !settings.skip_nonce_check,
            email_optional: settings.email_optional,
            skip_nonce_check: settings.skip_nonce_check,
            chosen: Chosen::ByOwner,
            open_id: open_id(provider, settings),
            profile: ProfileSource::Builtin { source: row.source, api },
        })
    }

    fn client_id(&self) -> &str {
        self.audiences.first().map(String::as_str).unwrap_or_default()
    }

    /// Where to send somebody whose flow has this id.
    pub(super) async fn way(
        &self,
        commands: &Commands,
        flow: FlowId,
        scopes: &[String],
        extra: &[(String, String)],
    ) -> Result<Way, ProviderError> {
        if let ProfileSource::Builtin { source: Source::OAuth1(..), .. } = self.profile {
            return self.oauth1(commands).way(flow).await.map_err(|_| ProviderError::Unreachable);
        }
        let mut query: BTreeMap<&str, String> = BTreeMap::new();
        for (key, value) in extra {
            let key =
                if self.name == "workos" && key == "workos_provider" { "provider" } else { key.as_str() };
            if key == "provider" && self.name == "workos" || !is_reserved(key) {
                query.entry(key).or_insert_with(|| value.clone());
            }
        }
        for (key, value) in &self.params {
            query.insert(key, value.clone());
        }
        query.insert("client_id", self.client_id().to_owned());
        query.insert("redirect_uri", self.redirect_uri.clone());
        query.insert("response_type", "code".to_owned());
        query.insert("state", flow.to_string());
        let all: Vec<&str> = self.scopes.iter().chain(scopes).map(String::as_str).collect();
        if !all.is_empty() {
            query.insert("scope", all.join(" "));
        }
        let flows = commands.flows();
        if self.pkce {
            let verifier = flows.secret(flow, FlowSecret::Verifier);
            query.insert("code_challenge", oauth1::s256(&verifier));
            query.insert("code_challenge_method", "S256".to_owned());
        }
        if self.nonce {
            query.insert("nonce", flows.secret(flow, FlowSecret::Nonce).to_string());
        }
        let mut url = self.authorize.clone();
        url.query_pairs_mut().extend_pairs(query);
        Ok(Way { url: url.into(), kept: None })
    }

    /// Who the claims of an ID token are of, with the names that an administrator gave.
    pub(super) fn read_claims(&self, claims: Map<String, Value>) -> Result<Profile, ProfileError> {
        match &self.profile {
            ProfileSource::Custom { mapping, kept_claims, .. } => read_custom(claims, mapping, kept_claims),
            ProfileSource::Builtin { .. } => Err(ProfileError::Malformed),
        }
    }

    pub(super) fn oauth1(&self, commands: &Commands) -> oauth1::Consumer<'_> {
        oauth1::Consumer {
            key: self.client_id(),
            secret: &self.secret,
            callback: &self.redirect_uri,
            authorize: &self.authorize,
            access: &self.token,
            outbound: commands.outbound().clone(),
            now: commands.clock().now(),
            nonce: commands.store().entropy().uuid(),
        }
    }

    /// Exchanges a code (RFC 6749, 4.1.3).
    pub(super) async fn exchange(
        &self,
        commands: &Commands,
        flow: FlowId,
        code: &str,
    ) -> Result<Value, FetchError> {
        let verifier = self.pkce.then(|| commands.flows().secret(flow, FlowSecret::Verifier));
        let mut fields = vec![
            ("code", code),
            ("grant_type", "authorization_code"),
            ("redirect_uri", self.redirect_uri.as_str()),
        ];
        if let Some(verifier) = &verifier {
            fields.push(("code_verifier", verifier.as_str()));
        }
        self.ask_for_token(commands, fields).await
    }

    /// Whether it hands out other tokens for a refresh token.
    pub(super) const fn refreshes(&self) -> bool {
        !matches!(self.profile, ProfileSource::Builtin { source: Source::OAuth1(..), .. })
    }

    /// Asks for other tokens (RFC 6749, 6).
    pub(super) async fn refresh(&self, commands: &Commands, token: &str) -> Result<Value, FetchError> {
        let fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        self.ask_for_token(commands, fields).await
    }

    /// Who somebody is, by an access token of a moment ago; none where only the answer to a code tells it.
    pub(super) async fn fetch_profile_again(
        &self,
        commands: &Commands,
        access: &str,
    ) -> Result<Option<Profile>, FetchError> {
        match &self.profile {
            ProfileSource::Builtin { source: Source::Calls(calls, read), api } => {
                let mut answers = Vec::new();
                for call in *calls {
                    answers.push(self.call(commands, api, call, access).await?);
                }
                Ok(Some(read(&Told { api, token: &Value::Null, answers: &answers })?))
            }
            ProfileSource::Custom { userinfo: Some(url), mapping, kept_claims } => {
                let request = commands.outbound().request(Method::GET, url, self.chosen)?;
                let Value::Object(told) = self.answer_of(commands, request, access).await? else {
                    return Err(FetchError::Profile);
                };
                Ok(Some(read_custom(told, mapping, kept_claims)?))
            }
            ProfileSource::Builtin { .. } | ProfileSource::Custom { userinfo: None, .. } => Ok(None),
        }
    }

    async fn ask_for_token(
        &self,
        commands: &Commands,
        mut fields: Vec<(&str, &str)>,
    ) -> Result<Value, FetchError> {
        let outbound = commands.outbound();
        let request =
            outbound.request(Method::POST, &self.token, self.chosen).map_err(|_| FetchError::Code)?;
        let request = match self.proof {
            ClientProof::Form => {
                fields.push(("client_id", self.client_id()));
                fields.push(("client_secret", self.secret.expose()));
                request
            }
            ClientProof::Header => {
                let encoded =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(self.client_id()), encoded(self.secret.expose()));
                request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)))
            }
        };
        let request = request
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Serializer::new(String::new()).extend_pairs(fields).finish());
        let answer = outbound.send(request).await.map_err(|_| FetchError::Code)?;
        if !answer.status.is_success() {
            return Err(FetchError::Code);
        }
        let token: Value = answer.json().unwrap_or_else(|_| {
            let fields = form_urlencoded::parse(&answer.body).into_owned();
            Value::Object(fields.map(|(key, value)| (key, value.into())).collect())
        });
        tokens_in(&token).map(|_| token).ok_or(FetchError::Code)
    }

    /// Who came, by the provider's answer to the code. `user` is what Apple tells apart.
    pub(super) async fn fetch_profile(
        &self,
        commands: &Commands,
        flow: FlowId,
        token: &Value,
        user: Option<&str>,
    ) -> Result<Profile, FetchError> {
        let access = token.get("access_token").and_then(Value::as_str).ok_or(FetchError::Code)?;
        match &self.profile {
            ProfileSource::Builtin { source: Source::Calls(calls, read), api } => {
                let mut answers = Vec::new();
                for call in *calls {
                    answers.push(self.call(commands, api, call, access).await?);
                }
                Ok(read(&Told { api, token, answers: &answers })?)
            }
            ProfileSource::Builtin { source: Source::TokenAnswer(read), api } => {
                Ok(read(&Told { api, token, answers: &[] })?)
            }
            ProfileSource::Builtin { source: Source::IdToken, .. } => {
                let (id_token, open_id) = self.id_token(commands, flow, token, access).await?;
                let claims = claims::Claims { all: id_token.claims(), own_tenant: open_id.own_tenant };
                let profile = (open_id.read)(&claims)?;
                Ok(if self.name == "apple" { with_name(profile, user) } else { profile })
            }
            ProfileSource::Builtin { source: Source::OAuth1(..), .. } => Err(FetchError::Profile),
            ProfileSource::Custom { userinfo, mapping, kept_claims } => {
                let told = self.custom_claims(commands, flow, token, access, userinfo.as_ref()).await?;
                Ok(read_custom(told, mapping, kept_claims)?)
            }
        }
    }

    /// The ID token in the provider's answer: for this server, of this sign-in, with this access token.
    async fn id_token(
        &self,
        commands: &Commands,
        flow: FlowId,
        token: &Value,
        access: &str,
    ) -> Result<(IdToken, &OpenId), FetchError> {
        let (Some(text), Some(open_id)) = (token.get("id_token").and_then(Value::as_str), &self.open_id)
        else {
            return Err(FetchError::Profile);
        };
        let id_token =
            commands.oidc().verify(commands.look(), &open_id.source, &open_id.issuers, text).await?;
        let nonce = commands.flows().secret(flow, FlowSecret::Nonce);
        let told = id_token.text("nonce").unwrap_or_default();
        let nonce_fits = !self.nonce || bool::from(told.as_bytes().ct_eq(nonce.as_bytes()));
        if id_token.is_for(&self.audiences) && nonce_fits && id_token.fits(access) {
            Ok((id_token, open_id))
        } else {
            Err(FetchError::Profile)
        }
    }

    /// What a registered provider tells: in the ID token, and where that holds no address, at the userinfo
    /// endpoint, which must speak of the same person (OpenID Connect Core, section 5.3.2).
    async fn custom_claims(
        &self,
        commands: &Commands,
        flow: FlowId,
        token: &Value,
        access: &str,
        userinfo: Option<&Url>,
    ) -> Result<Map<String, Value>, FetchError> {
        let mut told = Map::new();
        if self.open_id.is_some() && token.get("id_token").is_some() {
            told = self.id_token(commands, flow, token, access).await?.0.claims().clone();
        } else if self.open_id.is_some() && self.nonce {
            // An OpenID provider that was asked for an ID token gives one.
            return Err(FetchError::Profile);
        }
        let Some(url) = userinfo.filter(|_| !told.contains_key("email")) else {
            return if told.is_empty() { Err(FetchError::Profile) } else { Ok(told) };
        };
        let request = commands.outbound().request(Method::GET, url, self.chosen)?;
        let Value::Object(more) = self.answer_of(commands, request, access).await? else {
            return Err(FetchError::Profile);
        };
        if told.get("sub").is_some_and(|sub| more.get("sub") != Some(sub)) {
            return Err(FetchError::Profile);
        }
        for (key, value) in more {
            told.entry(key).or_insert(value);
        }
        Ok(told)
    }

    async fn call(
        &self,
        commands: &Commands,
        api: &str,
        call: &Call,
        access: &str,
    ) -> Result<Value, FetchError> {
        let mut url = Url::parse(&format!("{api}{}", call.path)).map_err(|_| FetchError::Profile)?;
        if call.extra == Extra::SecretProof {
            let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes())
                .map_err(|_| FetchError::Profile)?;
            mac.update(access.as_bytes());
            let proof = hex::encode(mac.finalize().into_bytes());
            url.query_pairs_mut().append_pair("appsecret_proof", &proof);
        }
        let request = commands.outbound().request(Method::GET, &url, self.chosen)?;
        let request = match call.extra {
            Extra::Header(name, value) => request.header(name, value),
            Extra::ClientId(name) => request.header(name, self.client_id()),
            Extra::None | Extra::SecretProof => request,
        };
        self.answer_of(commands, request, access).await
    }

    async fn answer_of(
        &self,
        commands: &Commands,
        request: RequestBuilder,
        access: &str,
    ) -> Result<Value, FetchError> {
        let request = request.bearer_auth(access).header(header::ACCEPT, "application/json");
        let answer = commands.outbound().send(request).await?;
        if answer.status.is_success() { Ok(answer.json()?) } else { Err(FetchError::Profile) }
    }
}

/// The tokens in a provider's answer.
pub(super) fn tokens_in(token: &Value) -> Option<ProviderTokens> {
    let text = |key| token_in(token, key).map(str::to_owned);
    Some(ProviderTokens { access_token: text("access_token")?, refresh_token: text("refresh_token") })
}

/// One of the tokens in a provider's answer, where it looks like one.
pub(super) fn token_in<'t>(answer: &'t Value, key: &str) -> Option<&'t str> {
    let text = answer.get(key).and_then(Value::as_str)?;
    let fits = !text.is_empty() && text.len() <= LONGEST_TOKEN && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// Apple tells a name once, beside the code; it is the browser's word, like any name.
fn with_name(profile: Profile, user: Option<&str>) -> Profile {
    let Some(user) = user.and_then(|user| serde_json::from_str::<Value>(user).ok()) else { return profile };
    let part = |pointer| user.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let name = format!("{} {}", part("/name/firstName"), part("/name/lastName"));
    profile.with_all(&["name", "full_name"], Some(name.trim()))
}

/// What a registered provider tells, with the names that its administrator gave.
pub(super) fn read_custom(
    mut told: Map<String, Value>,
    mapping: &Metadata,
    kept_claims: &[String],
) -> Result<Profile, ProfileError> {
    let own = told.clone();
    for (target, source) in &mapping.0 {
        match source {
            Value::String(source) => {
                if let Some(value) = own.get(source) {
                    told.insert(target.clone(), value.clone());
                }
            }
            literal => {
                told.insert(target.clone(), literal.clone());
            }
        }
    }
    if let Some(Value::Number(number)) = told.get("sub") {
        told.insert("sub".to_owned(), Value::String(number.to_string()));
    }
    let profile = claims::generic(&claims::Claims { all: &told, own_tenant: false })?;
    let kept = kept_claims.iter().map(|key| (key.as_str(), own.get(key)));
    Ok(profile.with_custom(kept).with_provider_id())
}

impl Commands {
    /// What a look at an OpenID provider needs.
    pub(super) fn look(&self) -> Look<'_> {
        Look {
            outbound: self.outbound(),
            now: self.clock().now(),
            ttl: self.settings().external.oidc_cache_ttl,
        }
    }
}

//! Signing in with an ID token that an app got from a provider itself.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Linking;
use super::arrive::{Aim, ArrivalCase, ArrivalError, ArrivalTerms, Arrived};
use super::claims;
use super::client::{Client, OpenId, ProviderError, open_id};
use super::kept_tokens::KeptTokens;
use super::oidc::{IdToken, Issuers, Source};
use super::profile::{Profile, ProfileError};
use crate::Commands;
use crate::execute::Failure;
use crate::grant::Grant;
use crate::outbound::Chosen;
use crate::settings::Builtin;
use crate::unit::Context;

/// An ID token, and what belongs to it.
#[derive(Clone, Default)]
pub struct IdTokenSignIn {
    /// The token.
    pub id_token: Zeroizing<String>,
    /// The provider's name; empty: the issuer counts.
    pub provider: String,
    /// The client it was issued for, where no provider is named.
    pub client_id: String,
    /// The issuer, where no provider is named.
    pub issuer: String,
    /// What the token's nonce was made of; empty: none.
    pub nonce: String,
    /// The access token that came with it; empty: none.
    pub access_token: Zeroizing<String>,
    /// What else came with it, for keeping.
    pub tokens: KeptTokens,
    /// The audience of the account.
    pub aud: String,
    /// The user who links the identity, where that is the matter.
    pub linking: Option<Linking>,
    /// The token holds the nonce as it is, not its hash.
    pub plain_nonce: bool,
    /// What it opens.
    pub terms: ArrivalTerms,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum IdTokenSignInError {
    /// No provider is named, and no issuer and client either.
    #[error("a provider, or client and issuer, are needed")]
    NoProvider,
    /// The issuer is not one that is taken.
    #[error("the issuer is not allowed")]
    NotAllowed(String),
    /// The provider is off.
    #[error("the provider is not enabled")]
    Disabled(String),
    /// The provider is none that issues ID tokens, or it does not answer.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Signature, issuer or time is wrong.
    #[error("the ID token is not good")]
    Bad,
    /// It is for somebody else.
    #[error("the ID token is for somebody else")]
    Audience(Vec<String>),
    /// One of token and request has a nonce, the other has none.
    #[error("there is one nonce of two")]
    NonceMissing,
    /// The nonces differ.
    #[error("the nonces do not match")]
    NonceMismatch,
    /// Nobody vouches for the address.
    #[error("nobody vouches for the e-mail address")]
    Unverified {
        /// The provider.
        provider: String,
        /// A mail was sent to confirm it.
        sent: bool,
    },
    /// The identity is linked; nobody vouches for the address that came with it.
    #[error("the e-mail address that came with the identity is not confirmed")]
    LinkedUnverified,
    /// Whoever came may not come in.
    #[error(transparent)]
    Arrival(#[from] ArrivalError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Against what a token is checked.
struct Party {
    name: String,
    open_id: OpenId,
    clients: Vec<String>,
    skip_nonce_check: bool,
    email_optional: bool,
    /// How the claims become a profile, where an administrator says so.
    custom: Option<Client>,
}

impl Commands {
    /// Signs in, or links, the person of an ID token; nothing is opened where the terms say so.
    ///
    /// # Errors
    /// When the token is not good, not for us or not of this sign-in; or when the person may not come in.
    pub async fn sign_in_with_id_token(
        &self,
        context: &Context,
        request: IdTokenSignIn,
    ) -> Result<Option<Grant>, IdTokenSignInError> {
        let party = self.party(&request).await?;
        let OpenId { source, issuers, .. } = &party.open_id;
        let verified = self.oidc().verify(self.look(), source, issuers, &request.id_token).await;
        let token = verified.map_err(|_| IdTokenSignInError::Bad)?;
        check(&party, &token, &request)?;
        let profile = party.read(&token).map_err(ArrivalError::from)?;
        let case = ArrivalCase {
            commands: self,
            provider: &party.name,
            profile: &profile,
            email_optional: party.email_optional,
            aim: request.linking.map_or(Aim::SignIn, Aim::Link),
            aud: request.aud,
            flow: None,
            tokens: request.tokens,
            terms: request.terms,
        };
        let unverified = |sent| IdTokenSignInError::Unverified { provider: party.name.clone(), sent };
        match self.execute_at(context, &case).await {
            Ok((Arrived::In(started), committed)) => Ok(Some(self.grant(&started, committed).await?)),
            Ok((Arrived::Linked, _)) => Ok(None),
            Ok((Arrived::Unverified { sent }, _)) => Err(unverified(sent)),
            Ok((Arrived::LinkedUnverified, _)) => Err(IdTokenSignInError::LinkedUnverified),
            Ok((Arrived::Code(_), _)) => Err(Failure::Internal("there was no flow to get a code of").into()),
            Err(ArrivalError::NoEmail) => Err(unverified(false)),
            Err(error) => Err(error.into()),
        }
    }

    /// Who is meant: by name, or by issuer and client.
    async fn party(&self, request: &IdTokenSignIn) -> Result<Party, IdTokenSignInError> {
        let name = request.provider.to_ascii_lowercase();
        if name.starts_with(super::CUSTOM_PREFIX) {
            return self.custom_party(&name).await;
        }
        if !name.is_empty() {
            let provider = Builtin::parse(&name).filter(|provider| provider.grants_id_tokens());
            let provider = provider.ok_or_else(|| IdTokenSignInError::NotAllowed(name.clone()))?;
            return self.builtin_party(provider);
        }
        if request.issuer.is_empty() || request.client_id.is_empty() {
            return Err(IdTokenSignInError::NoProvider);
        }
        let issuer = request.issuer.trim_end_matches('/');
        if let Some(provider) = self.builtin_by_issuer(issuer) {
            return self.builtin_party(provider);
        }
        let allowed = &self.settings().external.allowed_id_token_issuers;
        let source = Source::of(issuer, Chosen::ByOwner);
        match source.filter(|_| allowed.iter().any(|allowed| allowed.trim_end_matches('/') == issuer)) {
            Some(source) => Ok(Party {
                name: request.issuer.clone(),
                open_id: OpenId {
                    source,
                    issuers: Issuers::Named(vec![issuer.to_owned()]),
                    read: claims::generic,
                    own_tenant: false,
                },
                // Whose tokens are meant for this server, only its owner can say.
                clients: Vec::new(),
                skip_nonce_check: false,
                email_optional: false,
                custom: None,
            }),
            None => Err(IdTokenSignInError::NotAllowed(request.issuer.clone())),
        }
    }

    fn builtin_by_issuer(&self, issuer: &str) -> Option<Builtin> {
        let providers = &self.settings().external.providers;
        Builtin::ALL.iter().copied().filter(|provider| provider.grants_id_tokens()).find(|provider| {
            match open_id(*provider, providers.get(*provider)).map(|open_id| open_id.issuers) {
                Some(Issuers::Named(names)) => names.iter().any(|name| name.trim_end_matches('/') == issuer),
                Some(Issuers::AnyTenant | Issuers::OfDocument) => {
                    let host = "https://login.microsoftonline.com/";
                    issuer.starts_with(host) && issuer.ends_with("/v2.0")
                }
                None => false,
            }
        })
    }

    fn builtin_party(&self, provider: Builtin) -> Result<Party, IdTokenSignInError> {
        let settings = self.settings().external.providers.get(provider);
        let issuer = super::table::describe(provider).issuer.map_or("", |issuer| issuer.name);
        let shown = settings.url.as_deref().filter(|url| !url.is_empty()).unwrap_or(issuer);
        if !settings.enabled {
            return Err(IdTokenSignInError::Disabled(shown.to_owned()));
        }
        let open_id = open_id(provider, settings).ok_or(ProviderError::Missing("URL"))?;
        let mut clients = settings.client_ids.clone();
        if provider == Builtin::Apple {
            clients.extend(self.settings().external.ios_bundle_id.clone());
        }
        Ok(Party {
            name: provider.name().to_owned(),
            open_id,
            clients,
            // Facebook's limited login puts the nonce in as it is.
            skip_nonce_check: settings.skip_nonce_check || provider == Builtin::Facebook,
            email_optional: settings.email_optional,
            custom: None,
        })
    }

    async fn custom_party(&self, name: &str) -> Result<Party, IdTokenSignInError> {
        let client = match self.provider_client(name).await? {
            Ok(client) => client,
            Err(ProviderError::NotEnabled) => return Err(IdTokenSignInError::Disabled(name.to_owned())),
            Err(ProviderError::Unknown) => return Err(IdTokenSignInError::NotAllowed(name.to_owned())),
            Err(error) => return Err(error.into()),
        };
        let open_id =
            client.open_id.clone().ok_or_else(|| IdTokenSignInError::NotAllowed(name.to_owned()))?;
        Ok(Party {
            name: name.to_owned(),
            open_id,
            clients: client.audiences.clone(),
            skip_nonce_check: client.skip_nonce_check,
            email_optional: client.email_optional,
            custom: Some(client),
        })
    }
}

impl Party {
    fn read(&self, token: &IdToken) -> Result<Profile, ProfileError> {
        match &self.custom {
            Some(client) => client.read_claims(token.claims().clone()),
            None => {
                let own_tenant = self.open_id.own_tenant;
                (self.open_id.read)(&claims::Claims { all: token.claims(), own_tenant })
            }
        }
    }
}

impl Builtin {
    /// Whether people may sign in with its ID tokens alone.
    fn grants_id_tokens(self) -> bool {
        matches!(
            self,
            Self::Apple
                | Self::Google
                | Self::Azure
                | Self::Facebook
                | Self::Keycloak
                | Self::Kakao
                | Self::VercelMarketplace
                | Self::Snapchat
        )
    }
}

/// For whom the token is, whether it is of this sign-in, and whether the access token belongs to it.
fn check(party: &Party, token: &IdToken, request: &IdTokenSignIn) -> Result<(), IdTokenSignInError> {
    if !token.is_for(&party.clients) {
        let audience = token.audience().into_iter().map(str::to_owned).collect();
        return Err(IdTokenSignInError::Audience(audience));
    }
    if !party.skip_nonce_check {
        let told = token.text("nonce").unwrap_or_default();
        if told.is_empty() != request.nonce.is_empty() {
            return Err(IdTokenSignInError::NonceMissing);
        }
        let hashed = if request.plain_nonce {
            request.nonce.clone()
        } else {
            hex::encode(Sha256::digest(request.nonce.as_bytes()))
        };
        if !told.is_empty() && !bool::from(hashed.as_bytes().ct_eq(told.as_bytes())) {
            return Err(IdTokenSignInError::NonceMismatch);
        }
    }
    if !request.access_token.is_empty() && !token.fits(&request.access_token) {
        return Err(IdTokenSignInError::Bad);
    }
    Ok(())
}

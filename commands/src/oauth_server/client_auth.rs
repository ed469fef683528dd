//! A client proves at the token endpoint that it is the one (RFC 6749, section 2.3).

use evident_domain::ClientId;
use evident_domain::client::{AuthMethod, Client, GrantType, RegisteredClient};

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::tokens::ClientSecret;
use crate::unit::{Context, Unit};

/// What a client shows of itself.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// Who it says it is; none: it says nothing.
    pub client_id: Option<String>,
    /// What it shows.
    pub secret: Option<ClientSecret>,
    /// How it shows it.
    pub method: AuthMethod,
}

/// A client that proved that it is the one.
#[derive(Debug, Clone)]
pub struct KnownClient {
    /// Which.
    pub id: ClientId,
    /// What it may exchange for tokens.
    pub grant_types: Vec<GrantType>,
}

/// Why a client is not taken for the one.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthError {
    /// It does not say who it is.
    #[error("the client does not say who it is")]
    Nobody,
    /// There is no such client, or the secret is another: which, nobody is told.
    #[error("the client's credentials are invalid")]
    Invalid,
    /// It is registered for another way of proving it.
    #[error("the client is registered for {}, not for {}", .registered.as_str(), .used.as_str())]
    Method {
        /// What it is registered for.
        registered: AuthMethod,
        /// What it used.
        used: AuthMethod,
    },
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Checks the credentials. The client becomes part of the decision: one that is deleted meanwhile, or gets
/// another secret, gets nothing.
pub(super) async fn authenticate(
    unit: &mut Unit<'_>,
    credentials: &ClientCredentials,
) -> Result<(ClientId, RegisteredClient), ClientAuthError> {
    let id = credentials.client_id.as_deref().filter(|id| !id.is_empty()).ok_or(ClientAuthError::Nobody)?;
    let id: ClientId = id.parse().map_err(|_| ClientAuthError::Invalid)?;
    let client = unit.read::<Client>(id.0).await?.registered().ok_or(ClientAuthError::Invalid)?;
    let (registered, used) = (client.details.auth_method, credentials.method);
    if registered != used {
        return Err(ClientAuthError::Method { registered, used });
    }
    let proven = match (&client.secret, &credentials.secret) {
        (Some(known), Some(shown)) => shown.hash().matches(known),
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
    };
    if proven { Ok((id, client.clone())) } else { Err(ClientAuthError::Invalid) }
}

impl Commands {
    /// Whether a client is the one that it says it is.
    ///
    /// # Errors
    /// When it is not.
    pub async fn authenticate_client(
        &self,
        context: &Context,
        credentials: &ClientCredentials,
    ) -> Result<KnownClient, ClientAuthError> {
        self.execute(context, &Authentication(credentials)).await
    }
}

struct Authentication<'a>(&'a ClientCredentials);

impl UseCase for Authentication<'_> {
    type Output = KnownClient;
    type Error = ClientAuthError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<KnownClient, ClientAuthError> {
        let (id, client) = authenticate(unit, self.0).await?;
        Ok(KnownClient { id, grant_types: client.details.grant_types })
    }
}

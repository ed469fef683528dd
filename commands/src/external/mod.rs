//! Signing in through other providers.
//!
//! [`table`] describes the built-in ones, [`registered`] those that administrators register; a [`client`] is
//! one of either with what the owner set. Somebody is sent there by [`begin`], comes back to [`finish`], or
//! brings an ID token ([`id_token`]); whose account a profile belongs to, [`arrive`] finds out. The secrets
//! shared with a provider (PKCE, nonce) follow from the id of the flow, which is the `state`.

mod arrive;
mod begin;
mod claims;
mod client;
mod description;
mod finish;
mod id_token;
mod kept_tokens;
mod oauth1;
mod oidc;
mod places;
mod profile;
mod registered;
mod table;
mod unlink;
mod userinfo;
#[cfg(test)]
mod userinfo_tests;

pub use arrive::{ArrivalError, ArrivalTerms};
pub use begin::{BeginExternal, BeginExternalError};
pub use client::{FetchError, ProviderError};
pub use finish::{CameBack, CameBackError, FinishExternalError, FinishedExternal, ProviderReply, WayBack};
pub use id_token::{IdTokenSignIn, IdTokenSignInError};
pub use kept_tokens::{KeptTokens, KeptTokensError, OwnIdentity, Renewal};
pub use places::PlaceError;
pub use profile::ProfileError;
pub use registered::{AdministerProviderError, DescribeProvider, DescriptionError, ProviderRow};
pub use unlink::UnlinkError;

pub(crate) use oidc::OidcCache;

use client::Client;
use evident_domain::{SessionId, UserId};

use crate::Commands;
use crate::execute::Failure;
use crate::settings::Builtin;

/// What the names of registered providers begin with.
pub(crate) const CUSTOM_PREFIX: &str = "custom:";

/// A user who links another identity to their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linking {
    /// Who.
    pub user: UserId,
    /// The session in which they do, where their token names one. With its end nothing is linked any more.
    pub session: Option<SessionId>,
}

impl Commands {
    /// A provider by its name, ready for use; the inner error says why people cannot come by it.
    async fn provider_client(&self, name: &str) -> Result<Result<Client, ProviderError>, Failure> {
        match Builtin::parse(name) {
            Some(provider) => Ok(Client::builtin(self, provider)),
            None if name.starts_with(CUSTOM_PREFIX) => self.registered_client(name).await,
            None => Ok(Err(ProviderError::Unknown)),
        }
    }
}

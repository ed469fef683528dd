//! A client goes on with a session that it has.

use evident_domain::client::GrantType;

use super::client_auth::{ClientAuthError, ClientCredentials, authenticate};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::refresh_session::{Bearer, Presented, RefreshError, Refreshed};
use crate::unit::{Context, Unit};

/// Why a client does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ClientRefreshError {
    /// It is not the one it says it is.
    #[error(transparent)]
    Client(#[from] ClientAuthError),
    /// It may not refresh.
    #[error("the client may not use refresh tokens")]
    GrantNotAllowed,
    /// The refresh token is not good.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Exchanges the refresh token of a client's session.
    ///
    /// # Errors
    /// When client or token are not good; see [`Commands::refresh`].
    pub async fn refresh_as_client(
        &self,
        context: &Context,
        credentials: &ClientCredentials,
        token: &str,
    ) -> Result<Refreshed, ClientRefreshError> {
        let token = self.read_refresh_token(token)?;
        let case = Refreshing { commands: self, credentials, token };
        let (presented, committed) = self.execute_at(context, &case).await?;
        Ok(self.refreshed(presented, committed).await?)
    }
}

struct Refreshing<'a> {
    commands: &'a Commands,
    credentials: &'a ClientCredentials,
    token: crate::tokens::ParsedRefreshToken,
}

impl UseCase for Refreshing<'_> {
    type Output = Presented;
    type Error = ClientRefreshError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Presented, ClientRefreshError> {
        let (client, registered) = authenticate(unit, self.credentials).await?;
        if !registered.may_use(GrantType::RefreshToken) {
            return Err(ClientRefreshError::GrantNotAllowed);
        }
        Ok(self.commands.present(unit, self.token, Bearer::Client(client)).await?)
    }
}

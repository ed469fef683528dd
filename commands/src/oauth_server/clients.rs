//! Clients are registered, changed and deleted.

use evident_domain::client::{Client, ClientCommand, ClientDetails, ClientDraft, ClientError, Registration};
use evident_domain::{ClientId, TokenHash};
use evident_projections::folds::ClientRow;
use evident_projections::views;

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::tokens::ClientSecret;
use crate::unit::{Context, Unit};

/// A client with its new secret, which nobody can be shown again.
#[derive(Debug)]
pub struct ClientSecretShown {
    /// The client.
    pub client: ClientRow,
    /// Its secret, where it keeps one.
    pub secret: Option<ClientSecret>,
}

/// Why nothing was done about a client.
#[derive(Debug, thiserror::Error)]
pub enum ManageClientError {
    /// The client's rules say no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Registers a client.
    ///
    /// # Errors
    /// When what is said about it breaks a rule.
    pub async fn register_client(
        &self,
        context: &Context,
        registration: Registration,
        draft: ClientDraft,
    ) -> Result<ClientSecretShown, ManageClientError> {
        let details = ClientDetails::new(draft).map_err(ClientError::from)?;
        let entropy = self.store().entropy();
        let (id, secret) = (ClientId(entropy.uuid()), ClientSecret::generate(entropy));
        let case = Registering { id, registration, details, secret: secret.hash() };
        let keeps_it = self.execute(context, &case).await?;
        Ok(ClientSecretShown { client: self.client_row(id).await?, secret: keeps_it.then_some(secret) })
    }

    /// Changes what is known of a client.
    ///
    /// # Errors
    /// When there is no such client, or a change breaks a rule.
    pub async fn update_client(
        &self,
        context: &Context,
        id: ClientId,
        draft: ClientDraft,
    ) -> Result<ClientRow, ManageClientError> {
        self.execute(context, &Updating { id, draft }).await?;
        self.client_row(id).await
    }

    /// Gives a client another secret; the one before is void at once.
    ///
    /// # Errors
    /// When there is no such client, or it keeps no secret.
    pub async fn regenerate_client_secret(
        &self,
        context: &Context,
        id: ClientId,
    ) -> Result<ClientSecretShown, ManageClientError> {
        let secret = ClientSecret::generate(self.store().entropy());
        self.execute(context, &Regenerating { id, secret: secret.hash() }).await?;
        Ok(ClientSecretShown { client: self.client_row(id).await?, secret: Some(secret) })
    }

    /// Whether there is such a client: tokens of one that was deleted count for nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_client_known(&self, id: ClientId) -> Result<bool, Failure> {
        Ok(views::oauth_client(self.store().database(), id).await?.is_some())
    }

    async fn client_row(&self, id: ClientId) -> Result<ClientRow, ManageClientError> {
        let row = views::oauth_client(self.store().database(), id).await.map_err(Failure::from)?;
        // Somebody may have deleted it since.
        row.ok_or(ClientError::NotFound.into())
    }
}

struct Registering {
    id: ClientId,
    registration: Registration,
    details: ClientDetails,
    secret: TokenHash,
}

impl UseCase for Registering {
    /// Whether it keeps a secret.
    type Output = bool;
    type Error = ManageClientError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<bool, ManageClientError> {
        unit.expect_new::<Client>(self.id.0);
        let command = ClientCommand::Register {
            registration: self.registration,
            details: self.details.clone(),
            secret: self.secret.clone(),
            now: unit.now(),
        };
        unit.tell::<Client, ManageClientError>(self.id.0, command).await?;
        let client = unit.read::<Client>(self.id.0).await?;
        Ok(client.registered().is_some_and(|client| client.secret.is_some()))
    }
}

struct Updating {
    id: ClientId,
    draft: ClientDraft,
}

impl UseCase for Updating {
    type Output = ();
    type Error = ManageClientError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), ManageClientError> {
        let command = ClientCommand::Update { draft: self.draft.clone(), now: unit.now() };
        unit.tell::<Client, ManageClientError>(self.id.0, command).await?;
        Ok(())
    }
}

struct Regenerating {
    id: ClientId,
    secret: TokenHash,
}

impl UseCase for Regenerating {
    type Output = ();
    type Error = ManageClientError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), ManageClientError> {
        let command = ClientCommand::RegenerateSecret { secret: self.secret.clone(), now: unit.now() };
        unit.tell::<Client, ManageClientError>(self.id.0, command).await?;
        Ok(())
    }
}

/// Deletes a client: its codes and tokens are refused from then on.
#[derive(Debug)]
pub struct DeleteClient(pub ClientId);

impl UseCase for DeleteClient {
    type Output = ();
    type Error = ManageClientError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), ManageClientError> {
        unit.tell::<Client, ManageClientError>(self.0.0, ClientCommand::Delete).await?;
        Ok(())
    }
}

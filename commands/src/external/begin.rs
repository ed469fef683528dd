//! Sending somebody to a provider.

use evident_domain::flow::{CodeChallenge, Flow, FlowCommand, FlowError, FlowPurpose, Start};
use evident_domain::user::TokenPurpose;
use evident_domain::{FlowId, UserId};

use super::Linking;
use super::client::ProviderError;
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::tokens::LinkToken;
use crate::unit::{Context, Unit};

/// Somebody wants to go to a provider.
#[derive(Debug, Clone, Default)]
pub struct BeginExternal {
    /// Its name.
    pub provider: String,
    /// What is asked for beside the usual.
    pub scopes: Vec<String>,
    /// What else is sent along; what this server sets itself is not taken from here.
    pub extra: Vec<(String, String)>,
    /// Where they are sent in the end; allowed already.
    pub redirect_to: String,
    /// What the client will prove; without it there is no code.
    pub challenge: Option<CodeChallenge>,
    /// The token of an invitation that they accept by coming.
    pub invitation: Option<String>,
    /// The user who links another identity, where that is the matter.
    pub linking: Option<Linking>,
    /// The address that the provider sends them back to, where it is not the usual one. They are sent to
    /// `redirect_to` then, whatever the owner's usual page is.
    pub callback: Option<String>,
}

/// Why nobody is sent.
#[derive(Debug, thiserror::Error)]
pub enum BeginExternalError {
    /// The provider is none that people may go to.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// There is no such invitation.
    #[error("there is no such invitation")]
    NotInvited,
    /// The flow refuses.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Whether people may go to a provider.
    ///
    /// # Errors
    /// When it is unknown, off or not set up.
    pub async fn check_provider(&self, name: &str) -> Result<(), BeginExternalError> {
        self.provider_client(name).await?.map(|_| ()).map_err(Into::into)
    }

    /// Whether a token is that of an invitation.
    ///
    /// # Errors
    /// [`BeginExternalError::NotInvited`] when it is none, or over.
    pub async fn check_invitation(&self, token: &str) -> Result<(), BeginExternalError> {
        self.holder_of_invitation(token).await.map(|_| ())
    }

    /// Who holds an invitation, by its token.
    ///
    /// # Errors
    /// [`BeginExternalError::NotInvited`] when it is none, or over.
    async fn holder_of_invitation(&self, token: &str) -> Result<UserId, BeginExternalError> {
        let link = LinkToken::parse(token).map_err(|_| BeginExternalError::NotInvited)?;
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let now = unit.now();
        let account = unit.user(link.user()).await?.account().cloned();
        let invitation = account.and_then(|mut account| account.tokens.remove(&TokenPurpose::Invitation));
        let holds = invitation.is_some_and(|invitation| {
            invitation.expires_at > now && invitation.link.is_some_and(|hash| hash.matches(&link.hash()))
        });
        if holds { Ok(link.user()) } else { Err(BeginExternalError::NotInvited) }
    }

    /// Begins a sign-in at a provider, and tells where to send the person.
    ///
    /// # Errors
    /// When nobody may go there, or the invitation is none.
    pub async fn begin_external(
        &self,
        context: &Context,
        request: BeginExternal,
    ) -> Result<String, BeginExternalError> {
        let usual = self.settings().external.redirect_url.clone().filter(|_| request.callback.is_none());
        let client = self.provider_client(&request.provider).await??.returning_to(request.callback);
        let invited = match &request.invitation {
            Some(token) => Some(self.holder_of_invitation(token).await?),
            None => None,
        };
        let flow = FlowId(self.store().entropy().timed_uuid(self.clock().now()));
        let way = client.way(self, flow, &request.scopes, &request.extra).await?;
        let start = StartCase {
            flow,
            start: Start {
                purpose: if invited.is_some() { FlowPurpose::Invitation } else { FlowPurpose::External },
                provider: Some(client.name.clone()),
                challenge: request.challenge,
                redirect_to: usual.unwrap_or(request.redirect_to),
                linking: invited.or(request.linking.map(|linking| linking.user)),
                session: request.linking.and_then(|linking| linking.session),
                kept: way.kept,
                now: self.clock().now(),
                expires_at: self.clock().now() + self.settings().flows.lifetime(),
            },
        };
        self.execute(context, &start).await?;
        Ok(way.url)
    }
}

struct StartCase {
    flow: FlowId,
    start: Start,
}

impl UseCase for StartCase {
    type Output = ();
    type Error = BeginExternalError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), BeginExternalError> {
        unit.expect_new::<Flow>(self.flow.0);
        let start = FlowCommand::Start(self.start.clone());
        unit.tell::<Flow, BeginExternalError>(self.flow.0, start).await?;
        Ok(())
    }
}

//! Sign-ins that are under way: begun here, authenticated by a link or at a provider, and in the end
//! redeemed with a code by the client that began them (PKCE, RFC 7636).

use std::time::Duration;

use evident_domain::flow::{CodeChallenge, Flow, FlowCommand, FlowError, FlowPurpose, ProviderTokens, Start};
use evident_domain::session::SessionError;
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{FlowId, UserId};
use uuid::Uuid;

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, Started, start_session};
use crate::unit::{Context, Unit};

/// A flow as it begins.
#[derive(Debug, Clone)]
pub(crate) struct NewFlow {
    /// What it leads to.
    pub purpose: FlowPurpose,
    /// The provider it goes through, where there is one.
    pub provider: Option<String>,
    /// What the client has to prove at the end; without it there is no code.
    pub challenge: Option<CodeChallenge>,
    /// Where the user is sent in the end; allowed already.
    pub redirect_to: String,
    /// What is needed again when the user comes back from the provider.
    pub kept: Option<String>,
    /// For so long somebody may come back with it.
    pub lifetime: Duration,
}

/// Begins a flow as part of a unit.
pub(crate) async fn start_flow<E>(unit: &mut Unit<'_>, new: NewFlow) -> Result<FlowId, E>
where
    E: From<FlowError> + From<Failure>,
{
    let (flow, now) = (FlowId(unit.store().entropy().timed_uuid(unit.now())), unit.now());
    unit.expect_new::<Flow>(flow.0);
    let start = Start {
        purpose: new.purpose,
        provider: new.provider,
        challenge: new.challenge,
        redirect_to: new.redirect_to,
        linking: None,
        session: None,
        kept: new.kept,
        now,
        expires_at: now + new.lifetime,
    };
    unit.tell::<Flow, E>(flow.0, FlowCommand::Start(start)).await?;
    Ok(flow)
}

/// What came of a flow.
#[derive(Debug)]
pub struct RedeemedFlow {
    /// The new session.
    pub grant: Grant,
    /// What the provider handed out, for the client to call the provider with.
    pub tokens: Option<ProviderTokens>,
}

/// Why nothing came of a flow.
#[derive(Debug, thiserror::Error)]
pub enum RedeemFlowError {
    /// No flow has that code, it is not so far yet, or it was redeemed before.
    #[error("the code is unknown or used")]
    NotFound,
    /// The code is too old.
    #[error("the code has expired")]
    Expired,
    /// The client is not the one that began the flow. The code stays good.
    #[error("the code verifier does not match the code challenge")]
    WrongVerifier,
    /// Code and verifier are good, and the user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<UserError> for RedeemFlowError {
    fn from(_: UserError) -> Self {
        Self::NotFound
    }
}

impl From<FlowError> for RedeemFlowError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::NotFound | FlowError::AlreadyStarted | FlowError::AlreadyUsed => Self::NotFound,
            FlowError::Expired => Self::Expired,
            FlowError::WrongVerifier => Self::WrongVerifier,
        }
    }
}

impl Commands {
    /// Notes in a unit that the user of a flow has shown who they are, by a proof that tokens name in
    /// `amr`. Gives the code to redeem, where the flow began with a challenge; without one it is over, and
    /// the caller starts the session. What changes the user's credentials comes before, in the same unit:
    /// afterwards it would void the code.
    pub(crate) async fn authenticate_flow<E>(
        &self,
        unit: &mut Unit<'_>,
        flow: FlowId,
        user: UserId,
        method: &str,
        tokens: Option<ProviderTokens>,
    ) -> Result<Option<Uuid>, E>
    where
        E: From<FlowError> + From<UserError> + From<Failure>,
    {
        let now = unit.now();
        let credentials = unit.user(user).await?.account().ok_or(UserError::NotFound)?.credentials;
        let command = FlowCommand::Authenticate {
            user,
            credentials,
            method: method.to_owned(),
            tokens,
            now,
            code_expires_at: now + self.settings().flows.lifetime(),
        };
        unit.tell::<Flow, E>(flow.0, command).await?;
        Ok(match unit.read::<Flow>(flow.0).await? {
            Flow::Authenticated(_) => Some(self.flows().code(flow)),
            Flow::Absent | Flow::Pending(_) | Flow::Over => None,
        })
    }

    /// Exchanges the code of a flow and the verifier of its challenge for a session.
    ///
    /// # Errors
    /// When the code is not good, the verifier is another, or the user is banned.
    pub async fn redeem_flow(
        &self,
        context: &Context,
        code: Uuid,
        verifier: &str,
    ) -> Result<RedeemedFlow, RedeemFlowError> {
        let case = RedeemCase { flow: self.flows().flow(code), verifier };
        let ((started, tokens), committed) = self.execute_at(context, &case).await?;
        Ok(RedeemedFlow { grant: self.grant(&started, committed).await?, tokens })
    }
}

struct RedeemCase<'a> {
    flow: FlowId,
    verifier: &'a str,
}

impl UseCase for RedeemCase<'_> {
    type Output = (Started, Option<ProviderTokens>);
    type Error = RedeemFlowError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Self::Output, RedeemFlowError> {
        let now = unit.now();
        let Flow::Authenticated(flow) = unit.read::<Flow>(self.flow.0).await? else {
            return Err(RedeemFlowError::NotFound);
        };
        let flow = flow.clone();
        let redeem = FlowCommand::Redeem { verifier: self.verifier.to_owned(), now };
        unit.tell::<Flow, RedeemFlowError>(self.flow.0, redeem).await?;
        let account = unit.user(flow.user).await?.account().ok_or(RedeemFlowError::NotFound)?;
        if account.is_banned(now) {
            return Err(RedeemFlowError::Banned);
        }
        // A new password ended every session of before; the code must not begin one.
        if account.credentials != flow.credentials {
            return Err(RedeemFlowError::NotFound);
        }
        if matches!(flow.purpose, FlowPurpose::SignUp | FlowPurpose::EmailChange) {
            // Who began the flow set the password, and is who opened the link.
            unit.tell_user::<RedeemFlowError>(flow.user, UserCommand::ProvePassword).await?;
        }
        let session = unit.new_session();
        let started = start_session::<RedeemFlowError>(unit, flow.user, session, &flow.method).await?;
        Ok((started, flow.tokens))
    }
}

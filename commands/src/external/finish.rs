//! Coming back from a provider.

use evident_domain::FlowId;
use evident_domain::flow::{Flow, FlowCommand, FlowError, FlowPurpose, Pending, ProviderTokens};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::Linking;
use super::arrive::{Aim, ArrivalCase, ArrivalError, ArrivalTerms, Arrived};
use super::client::{Client, FetchError, ProfileSource, ProviderError, tokens_in};
use super::description::{Source, Told};
use super::kept_tokens::KeptTokens;
use super::profile::Profile;
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::grant::Grant;
use crate::unit::{Context, Unit};

/// Somebody who came back, and what they went for.
#[derive(Debug)]
pub struct CameBack {
    flow: FlowId,
    pending: Pending,
    provider: String,
}

impl CameBack {
    /// Where they are sent in the end.
    pub fn redirect_to(&self) -> &str {
        &self.pending.redirect_to
    }

    /// The provider they come from.
    pub fn provider(&self) -> &str {
        &self.provider
    }
}

/// Why nobody can have come back with a `state`.
#[derive(Debug, thiserror::Error)]
pub enum CameBackError {
    /// No flow is under way with it.
    #[error("the state is unknown or over")]
    Unknown,
    /// Too late.
    #[error("the state has expired")]
    Expired,
    /// Somebody came back with it before.
    #[error("the state was used")]
    Used,
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<FlowError> for CameBackError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Expired => Self::Expired,
            FlowError::AlreadyUsed => Self::Used,
            FlowError::NotFound | FlowError::AlreadyStarted | FlowError::WrongVerifier => Self::Unknown,
        }
    }
}

/// What the provider handed to the browser.
#[derive(Debug, Clone, Default)]
pub struct ProviderReply {
    /// The code, or the verifier of OAuth 1.0a.
    pub code: String,
    /// The request token of OAuth 1.0a.
    pub token: String,
    /// What Apple tells of somebody the first time: JSON.
    pub user: Option<String>,
}

/// By which way somebody came back, and on which terms; by default that of clients of Supabase Auth.
#[derive(Debug, Clone, Default)]
pub struct WayBack {
    /// The address that the provider sent them to, where it is not the usual one.
    pub callback: Option<String>,
    /// What it opens.
    pub terms: ArrivalTerms,
}

/// What came of a sign-in at a provider.
#[derive(Debug)]
pub enum FinishedExternal {
    /// A session, and what the provider handed out for its client.
    In(Box<Grant>, ProviderTokens),
    /// Another identity was linked, and nothing opened.
    Linked,
    /// A code that the client exchanges for a session.
    Code(Uuid),
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum FinishExternalError {
    /// The provider is not there any more.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The provider tells nothing, or nothing good.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Nobody vouches for the address.
    #[error("nobody vouches for the e-mail address")]
    Unverified {
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

impl Commands {
    /// Takes note that somebody came back with a `state`: it is used up, whatever comes of it.
    ///
    /// # Errors
    /// When no sign-in at a provider is under way with it.
    pub async fn came_back(&self, context: &Context, state: FlowId) -> Result<CameBack, CameBackError> {
        let pending = self.execute(context, &ReturnCase { flow: state }).await?;
        let provider = pending.provider.clone().ok_or(CameBackError::Unknown)?;
        Ok(CameBack { flow: state, pending, provider })
    }

    /// Signs in, or links, whoever came back.
    ///
    /// # Errors
    /// When the provider does not tell who it is, or they may not come in.
    pub async fn finish_external(
        &self,
        context: &Context,
        back: &CameBack,
        aud: &str,
        reply: ProviderReply,
        way: WayBack,
    ) -> Result<FinishedExternal, FinishExternalError> {
        let client = self.provider_client(&back.provider).await??.returning_to(way.callback);
        let (profile, tokens, kept) = self.who(&client, back, &reply).await?;
        let case = ArrivalCase {
            commands: self,
            provider: &back.provider,
            profile: &profile,
            email_optional: client.email_optional,
            aim: aim(&back.pending),
            aud: aud.to_owned(),
            flow: Some((back.flow, tokens.clone())),
            tokens: kept,
            terms: way.terms,
        };
        let (arrived, committed) = self.execute_at(context, &case).await?;
        match arrived {
            Arrived::In(started) => {
                let grant = self.grant(&started, committed).await?;
                Ok(FinishedExternal::In(Box::new(grant), tokens))
            }
            Arrived::Linked => Ok(FinishedExternal::Linked),
            Arrived::Code(code) => Ok(FinishedExternal::Code(code)),
            Arrived::Unverified { sent } => Err(FinishExternalError::Unverified { sent }),
            Arrived::LinkedUnverified => Err(FinishExternalError::LinkedUnverified),
        }
    }

    async fn who(
        &self,
        client: &Client,
        back: &CameBack,
        reply: &ProviderReply,
    ) -> Result<(Profile, ProviderTokens, KeptTokens), FetchError> {
        let ProfileSource::Builtin { source: Source::OAuth1(call, read), api } = &client.profile else {
            let token = client.exchange(self, back.flow, &reply.code).await?;
            let tokens = tokens_in(&token).ok_or(FetchError::Code)?;
            let user = reply.user.as_deref();
            let profile = client.fetch_profile(self, back.flow, &token, user).await?;
            return Ok((profile, tokens, KeptTokens::in_answer(&token, self.clock().now())));
        };
        let consumer = client.oauth1(self);
        let kept = back.pending.kept.as_deref().ok_or(FetchError::Code)?;
        let token = consumer.exchange(kept, &reply.token, &reply.code).await?;
        let url = Url::parse(&format!("{api}{}", call.path)).map_err(|_| FetchError::Profile)?;
        let answer = client.oauth1(self).fetch(&url, &token).await?;
        let profile = read(&Told { api, token: &Value::Null, answers: &[answer] })?;
        // Calls are signed with both (RFC 5849), so neither is an access token that could be handed out alone.
        let tokens = ProviderTokens { access_token: token.token, refresh_token: Some(token.secret) };
        Ok((profile, tokens, KeptTokens::default()))
    }
}

fn aim(pending: &Pending) -> Aim {
    match (pending.linking, pending.purpose) {
        (Some(user), FlowPurpose::Invitation) => Aim::Invitation(user),
        (Some(user), _) => Aim::Link(Linking { user, session: pending.session }),
        (None, _) => Aim::SignIn,
    }
}

struct ReturnCase {
    flow: FlowId,
}

impl UseCase for ReturnCase {
    type Output = Pending;
    type Error = CameBackError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Pending, CameBackError> {
        let now = unit.now();
        let flow = unit.read::<Flow>(self.flow.0).await?.clone();
        // Mails have flows, too; nobody comes back from a provider with one of those.
        let pending = match flow {
            Flow::Pending(pending) if pending.provider.is_some() => *pending,
            Flow::Authenticated(flow) if flow.provider.is_some() => return Err(CameBackError::Used),
            Flow::Absent | Flow::Pending(_) | Flow::Authenticated(_) | Flow::Over => {
                return Err(CameBackError::Unknown);
            }
        };
        let used_up = pending.returned && pending.challenge.is_none();
        let back = FlowCommand::Return { now };
        match unit.tell::<Flow, CameBackError>(self.flow.0, back).await {
            // Without a code to come, the state is simply gone.
            Err(CameBackError::Used) if used_up => Err(CameBackError::Unknown),
            Err(error) => Err(error),
            Ok(_) => Ok(pending),
        }
    }
}

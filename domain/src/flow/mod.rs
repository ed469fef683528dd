//! A sign-in that is under way: at another provider, or in a mail that somebody has still to open.
//! What came of it is fetched with a code (PKCE, RFC 7636), once.

mod challenge;
mod command;
mod error;
mod event;

pub use challenge::{ChallengeError, ChallengeMethod, CodeChallenge};
pub use command::{FlowCommand, Start};
pub use error::FlowError;
pub use event::FlowEvent;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::root::Root;
use crate::{Event, Personal, SessionId, StreamKind, Subject, Time, UserId};

described! {
    /// What a flow leads to.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FlowPurpose {
        /// A new account confirms its address.
        SignUp,
        /// A sign-in by a link that was mailed.
        MagicLink,
        /// A forgotten password.
        Recovery,
        /// An invitation.
        Invitation,
        /// Another address.
        EmailChange,
        /// A sign-in at another provider.
        External,
        /// A sign-in at the identity provider of an organization.
        SingleSignOn,
    }
}

/// What a provider handed out, for the client to call the provider with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTokens {
    /// Its access token.
    pub access_token: String,
    /// Its refresh token, where it gave one.
    pub refresh_token: Option<String>,
}

/// Tokens stay out of logs.
impl std::fmt::Debug for ProviderTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderTokens(…)")
    }
}

/// A flow's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Flow {
    /// No event yet.
    #[default]
    Absent,
    /// Under way.
    Pending(Box<Pending>),
    /// The user has shown who they are; the code may be redeemed.
    Authenticated(Box<Authenticated>),
    /// Redeemed, or finished without a code.
    Over,
}

/// A flow that is under way.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// What it leads to.
    pub purpose: FlowPurpose,
    /// The provider it goes through, where there is one.
    pub provider: Option<String>,
    /// What the client has to prove at the end; without it there is no code.
    pub challenge: Option<CodeChallenge>,
    /// Where the user is sent in the end; allowed already.
    pub redirect_to: String,
    /// The user who is linking another identity, or who was invited, where that is the matter.
    pub linking: Option<UserId>,
    /// The session in which the user links, where there is one.
    pub session: Option<SessionId>,
    /// What is needed again when the user comes back: a secret that the provider gave.
    pub kept: Option<String>,
    /// Whether the user has come back from the provider.
    pub returned: bool,
    /// From when on it counts for nothing.
    pub expires_at: Time,
}

/// Secrets and addresses stay out of logs.
impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending")
            .field("purpose", &self.purpose)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// A flow whose code may be redeemed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Authenticated {
    /// What it leads to.
    pub purpose: FlowPurpose,
    /// The provider it went through, where there was one.
    pub provider: Option<String>,
    /// What the client has to prove.
    pub challenge: CodeChallenge,
    /// Who.
    pub user: UserId,
    /// The user's credentials then (`Account::credentials`): with others the code is void.
    pub credentials: u64,
    /// By what proof: an `amr` name.
    pub method: String,
    /// What the provider handed out.
    pub tokens: Option<ProviderTokens>,
    /// From when on the code is refused.
    pub expires_at: Time,
}

impl Root for Flow {
    const KIND: StreamKind = StreamKind::Flow;

    fn decide(&self, command: FlowCommand) -> Result<Vec<FlowEvent>, FlowError> {
        match (self, command) {
            (Self::Absent, FlowCommand::Start(start)) => Ok(vec![FlowEvent::Started {
                purpose: start.purpose,
                provider: start.provider,
                challenge: start.challenge,
                redirect_to: start.redirect_to.into(),
                linking: start.linking,
                session: start.session,
                kept: start.kept.map(Into::into),
                started_at: start.now,
                expires_at: start.expires_at,
            }]),
            (_, FlowCommand::Start(_)) => Err(FlowError::AlreadyStarted),
            (Self::Pending(pending), FlowCommand::Return { now }) => {
                if pending.returned {
                    return Err(FlowError::AlreadyUsed);
                }
                if pending.expires_at <= now {
                    return Err(FlowError::Expired);
                }
                Ok(vec![FlowEvent::Returned { at: now }])
            }
            (Self::Authenticated(_), FlowCommand::Return { .. }) => Err(FlowError::AlreadyUsed),
            (
                Self::Pending(pending),
                FlowCommand::Authenticate { user, credentials, method, tokens, now, code_expires_at },
            ) => {
                if pending.expires_at <= now {
                    return Err(FlowError::Expired);
                }
                Ok(vec![FlowEvent::Authenticated {
                    user,
                    credentials,
                    method,
                    tokens: tokens.map(Into::into),
                    at: now,
                    code_expires_at,
                }])
            }
            (Self::Absent, FlowCommand::Answer { user, accepted, now }) => {
                Ok(vec![FlowEvent::Answered { user, accepted, at: now }])
            }
            (Self::Authenticated(flow), FlowCommand::Redeem { verifier, now }) => {
                if flow.expires_at <= now {
                    return Err(FlowError::Expired);
                }
                if !flow.challenge.is_met_by(&verifier) {
                    return Err(FlowError::WrongVerifier);
                }
                Ok(vec![FlowEvent::Redeemed { user: flow.user, at: now }])
            }
            _ => Err(FlowError::NotFound),
        }
    }

    fn fold(&mut self, event: &FlowEvent) {
        match (&mut *self, event) {
            (
                _,
                FlowEvent::Started {
                    purpose,
                    provider,
                    challenge,
                    redirect_to,
                    linking,
                    session,
                    kept,
                    expires_at,
                    started_at: _,
                },
            ) => {
                *self = Self::Pending(Box::new(Pending {
                    purpose: *purpose,
                    provider: provider.clone(),
                    challenge: challenge.clone(),
                    redirect_to: redirect_to.known().cloned().unwrap_or_default(),
                    linking: *linking,
                    session: *session,
                    kept: kept.as_ref().and_then(Personal::known).cloned(),
                    returned: false,
                    expires_at: *expires_at,
                }));
            }
            (
                Self::Pending(pending),
                FlowEvent::Authenticated { user, credentials, method, tokens, code_expires_at, .. },
            ) => {
                *self = match pending.challenge.take() {
                    None => Self::Over,
                    Some(challenge) => Self::Authenticated(Box::new(Authenticated {
                        purpose: pending.purpose,
                        provider: pending.provider.take(),
                        challenge,
                        user: *user,
                        credentials: *credentials,
                        method: method.clone(),
                        tokens: tokens.as_ref().and_then(Personal::known).cloned(),
                        expires_at: *code_expires_at,
                    })),
                };
            }
            (Self::Pending(pending), FlowEvent::Returned { .. }) => {
                pending.returned = true;
                pending.kept = None;
            }
            (_, FlowEvent::Redeemed { .. } | FlowEvent::Answered { .. }) => *self = Self::Over,
            (
                Self::Absent | Self::Authenticated(_) | Self::Over,
                FlowEvent::Authenticated { .. } | FlowEvent::Returned { .. },
            ) => {}
        }
    }

    fn own(event: &Event) -> Option<&FlowEvent> {
        if let Event::Flow(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        match self {
            Self::Authenticated(flow) => Subject::User(flow.user),
            Self::Absent | Self::Pending(_) | Self::Over => Subject::period_of(now),
        }
    }
}

impl Aggregate for Flow {
    const TYPE: &'static str = "flow";
    type Command = FlowCommand;
    type Event = FlowEvent;
    type Error = FlowError;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.fold(&event);
    }
}

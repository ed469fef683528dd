//! An OAuth authorization under way: a client asks, a user decides, the client redeems a code, once
//! (RFC 6749, section 4.1, with RFC 7636).

mod command;
mod error;
mod event;

pub use command::{AuthorizationCommand, Request};
pub use error::AuthorizationError;
pub use event::AuthorizationEvent;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::RedirectUri;
use crate::flow::CodeChallenge;
use crate::root::Root;
use crate::{ClientId, Event, Personal, Scopes, SessionId, StreamKind, Subject, Time, UserId};

/// An authorization's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Authorization {
    /// No event yet.
    #[default]
    Absent,
    /// Nobody has decided.
    Pending(Box<Pending>),
    /// The user said yes; the code may be redeemed.
    Approved(Box<Approved>),
    /// The user said no.
    Denied {
        /// Who.
        user: UserId,
    },
    /// The code is used up.
    Redeemed(Box<Redeemed>),
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Who asks.
    pub client: ClientId,
    /// Where the code is to be sent.
    pub redirect_uri: RedirectUri,
    /// What the client wants.
    pub scopes: Scopes,
    /// What comes back to the client as it is.
    pub state: Option<String>,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// For which service the tokens are to be.
    pub resource: Option<String>,
    /// What the client proves when it redeems the code.
    pub challenge: CodeChallenge,
    /// From when on the request counts for nothing.
    pub expires_at: Time,
}

/// An authorization that nobody has decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// What is asked for.
    pub asked: Asked,
    /// Whose decision it is, once somebody has looked.
    pub user: Option<UserId>,
}

/// An authorization whose code may be redeemed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    /// What was asked for.
    pub asked: Asked,
    /// Who said yes.
    pub user: UserId,
    /// When the user had signed in.
    pub authenticated_at: Time,
    /// From when on the code is refused.
    pub code_expires_at: Time,
}

/// An authorization whose code is used up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redeemed {
    /// Who redeemed it.
    pub client: ClientId,
    /// What that client had to prove.
    pub challenge: CodeChallenge,
    /// Who had said yes.
    pub user: UserId,
    /// The session that it opened.
    pub session: SessionId,
}

impl Authorization {
    /// The session that is to end because its code came back (RFC 9700, section 4.5.3.2): from the client
    /// that redeemed it, with the right verifier. Without that one, whoever found the code somewhere could
    /// end sessions that they never got near.
    pub fn session_of_reused_code(&self, client: ClientId, verifier: &str) -> Option<SessionId> {
        match self {
            Self::Redeemed(redeemed)
                if redeemed.client == client && redeemed.challenge.is_met_by(verifier) =>
            {
                Some(redeemed.session)
            }
            _ => None,
        }
    }

    /// Whose it is, and what was asked for, while it is pending in front of that user.
    fn pending_for(&self, user: UserId, now: Time) -> Result<&Pending, AuthorizationError> {
        match self {
            Self::Pending(pending) if pending.asked.expires_at <= now => Err(AuthorizationError::NotFound),
            Self::Pending(pending) if pending.user.is_none_or(|seen_by| seen_by == user) => Ok(pending),
            Self::Approved(approved) if approved.user == user => Err(AuthorizationError::Decided),
            Self::Redeemed(redeemed) if redeemed.user == user => Err(AuthorizationError::Decided),
            Self::Denied { user: denied_by } if *denied_by == user => Err(AuthorizationError::Decided),
            _ => Err(AuthorizationError::NotFound),
        }
    }

    /// Whether a user has it in front of them, and is to decide.
    ///
    /// # Errors
    /// When it is decided, or nothing that this user has looked at.
    pub fn check_before(&self, user: UserId, now: Time) -> Result<(), AuthorizationError> {
        match self.pending_for(user, now)?.user {
            Some(_) => Ok(()),
            None => Err(AuthorizationError::NotFound),
        }
    }
}

impl Approved {
    fn redeem(
        &self,
        client: ClientId,
        redirect_uri: Option<&str>,
        verifier: &str,
        now: Time,
    ) -> Result<(), AuthorizationError> {
        if self.asked.client != client || self.code_expires_at <= now {
            return Err(AuthorizationError::NotFound);
        }
        if redirect_uri.is_some_and(|uri| uri != self.asked.redirect_uri.as_str()) {
            return Err(AuthorizationError::WrongRedirectUri);
        }
        if !self.asked.challenge.is_met_by(verifier) {
            return Err(AuthorizationError::WrongVerifier);
        }
        Ok(())
    }
}

impl Root for Authorization {
    const KIND: StreamKind = StreamKind::Authorization;

    fn decide(&self, command: AuthorizationCommand) -> Result<Vec<AuthorizationEvent>, AuthorizationError> {
        match command {
            AuthorizationCommand::Request(request) => match self {
                Self::Absent => Ok(vec![AuthorizationEvent::Requested {
                    client: request.client,
                    redirect_uri: request.redirect_uri,
                    scopes: request.scopes,
                    state: request.state.map(Into::into),
                    nonce: request.nonce.map(Into::into),
                    resource: request.resource,
                    challenge: request.challenge,
                    requested_at: request.now,
                    expires_at: request.expires_at,
                }]),
                _ => Err(AuthorizationError::AlreadyRequested),
            },
            AuthorizationCommand::See { user, now } => Ok(match self.pending_for(user, now)?.user {
                Some(_) => Vec::new(),
                None => vec![AuthorizationEvent::Seen { user, at: now }],
            }),
            AuthorizationCommand::Approve { user, authenticated_at, now, code_expires_at } => {
                self.check_before(user, now)?;
                Ok(vec![AuthorizationEvent::Approved { user, authenticated_at, at: now, code_expires_at }])
            }
            AuthorizationCommand::Deny { user, now } => {
                self.check_before(user, now)?;
                Ok(vec![AuthorizationEvent::Denied { user, at: now }])
            }
            AuthorizationCommand::Redeem { client, redirect_uri, verifier, session, now } => match self {
                Self::Approved(approved) => {
                    approved.redeem(client, redirect_uri.as_deref(), &verifier, now)?;
                    Ok(vec![AuthorizationEvent::CodeRedeemed { user: approved.user, session, at: now }])
                }
                _ => Err(AuthorizationError::NotFound),
            },
        }
    }

    fn fold(&mut self, event: &AuthorizationEvent) {
        match (&mut *self, event) {
            (
                _,
                AuthorizationEvent::Requested {
                    client,
                    redirect_uri,
                    scopes,
                    state,
                    nonce,
                    resource,
                    challenge,
                    expires_at,
                    requested_at: _,
                },
            ) => {
                let known =
                    |text: &Option<Personal<String>>| text.as_ref().and_then(|text| text.known().cloned());
                let asked = Asked {
                    client: *client,
                    redirect_uri: redirect_uri.clone(),
                    scopes: scopes.clone(),
                    state: known(state),
                    nonce: known(nonce),
                    resource: resource.clone(),
                    challenge: challenge.clone(),
                    expires_at: *expires_at,
                };
                *self = Self::Pending(Box::new(Pending { asked, user: None }));
            }
            (Self::Pending(pending), AuthorizationEvent::Seen { user, .. }) => pending.user = Some(*user),
            (
                Self::Pending(pending),
                AuthorizationEvent::Approved { user, authenticated_at, code_expires_at, .. },
            ) => {
                *self = Self::Approved(Box::new(Approved {
                    asked: pending.asked.clone(),
                    user: *user,
                    authenticated_at: *authenticated_at,
                    code_expires_at: *code_expires_at,
                }));
            }
            (Self::Pending(_), AuthorizationEvent::Denied { user, .. }) => {
                *self = Self::Denied { user: *user };
            }
            (Self::Approved(approved), AuthorizationEvent::CodeRedeemed { session, .. }) => {
                *self = Self::Redeemed(Box::new(Redeemed {
                    client: approved.asked.client,
                    challenge: approved.asked.challenge.clone(),
                    user: approved.user,
                    session: *session,
                }));
            }
            // Out of order: it never was decided so.
            (
                _,
                AuthorizationEvent::Seen { .. }
                | AuthorizationEvent::Approved { .. }
                | AuthorizationEvent::Denied { .. }
                | AuthorizationEvent::CodeRedeemed { .. },
            ) => {}
        }
    }

    fn own(event: &Event) -> Option<&AuthorizationEvent> {
        if let Event::Authorization(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        let user = match self {
            Self::Absent => None,
            Self::Pending(pending) => pending.user,
            Self::Approved(approved) => Some(approved.user),
            Self::Denied { user } => Some(*user),
            Self::Redeemed(redeemed) => Some(redeemed.user),
        };
        user.map_or_else(|| Subject::period_of(now), Subject::User)
    }
}

impl Aggregate for Authorization {
    const TYPE: &'static str = "authorization";
    type Command = AuthorizationCommand;
    type Event = AuthorizationEvent;
    type Error = AuthorizationError;
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

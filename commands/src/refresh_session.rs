//! Refreshing: the refresh token is used up, the next is good; a used one that comes back ends the
//! session (RFC 9700, 4.14.2).

use evident_domain::attempt::AttemptEvent;
use evident_domain::session::{
    LiveSession, RefreshOutcome, ReusePolicy, RevocationReason, Session, SessionCommand, SessionError,
};
use evident_domain::user::UserError;
use evident_domain::{ClientId, SessionId, Subject, UserId};

use crate::Commands;
use crate::execute::{Failure, Settled, UseCase};
use crate::grant::{Grant, Started};
use crate::session_policy::{Expiry, SessionUse};
use crate::settings::ParentReuse;
use crate::tokens::{ParsedRefreshToken, RefreshTokenError};
use crate::unit::{Context, Unit};

/// A refresh that succeeded.
#[derive(Debug)]
pub struct Refreshed {
    /// The session, with the refresh token that is good now.
    pub grant: Grant,
    /// Whether a new refresh token was made, or the one that is good was handed out again.
    pub rotated: bool,
}

/// Why a session was not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The text is no refresh token.
    #[error("the refresh token is malformed")]
    Malformed,
    /// No session knows it, or its session has ended.
    #[error("the refresh token is unknown")]
    NotFound,
    /// It is ahead of its session: another server made it.
    #[error("the refresh token was not issued by this server")]
    NotIssued {
        /// Whose session.
        owner: SessionOwner,
    },
    /// It was used before; the session is over.
    #[error("the refresh token was used before")]
    AlreadyUsed {
        /// Whose session.
        owner: SessionOwner,
    },
    /// An OAuth client has the session, and it was not that one that came.
    #[error("the session is an OAuth client's")]
    ClientNeeded {
        /// Whose session.
        owner: SessionOwner,
    },
    /// An OAuth client came with a token that is not its own.
    #[error("the session is not the client's")]
    NotTheClients {
        /// Whose session.
        owner: SessionOwner,
        /// Whether another client has it; otherwise the user does.
        another_clients: bool,
    },
    /// The user is kept out.
    #[error("the user is banned")]
    Banned {
        /// Whose session.
        owner: SessionOwner,
    },
    /// The session is past its time.
    #[error("the session has expired")]
    Expired {
        /// Whose session.
        owner: SessionOwner,
        /// By which rule.
        rule: Expiry,
    },
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A session and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionOwner {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
}

impl From<SessionError> for RefreshError {
    fn from(_: SessionError) -> Self {
        Self::NotFound
    }
}

impl From<UserError> for RefreshError {
    fn from(_: UserError) -> Self {
        Self::NotFound
    }
}

impl Commands {
    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// [`RefreshError::AlreadyUsed`] after ending the session, when a used token came back too late.
    pub async fn refresh(&self, context: &Context, token: &str) -> Result<Refreshed, RefreshError> {
        let case = RefreshCase { commands: self, token: self.read_refresh_token(token)? };
        let (presented, committed) = self.execute_at(context, &case).await?;
        self.refreshed(presented, committed).await
    }

    /// Reads a refresh token that somebody brings.
    pub(crate) fn read_refresh_token(&self, token: &str) -> Result<ParsedRefreshToken, RefreshError> {
        self.refresh_tokens().parse(token).map_err(|error| match error {
            RefreshTokenError::Malformed => RefreshError::Malformed,
            RefreshTokenError::WellFormedUnknown => RefreshError::NotFound,
        })
    }

    /// The tokens of a refresh whose command is committed.
    pub(crate) async fn refreshed(
        &self,
        presented: Presented,
        committed: Settled,
    ) -> Result<Refreshed, RefreshError> {
        match presented {
            Presented::Good { started, rotated } => {
                Ok(Refreshed { grant: self.grant(&started, committed).await?, rotated })
            }
            Presented::Reused(owner) => Err(RefreshError::AlreadyUsed { owner }),
        }
    }

    fn reuse_policy(&self) -> ReusePolicy {
        let settings = &self.settings().sessions;
        ReusePolicy {
            interval_seconds: settings.reuse_interval_seconds,
            parent_always: settings.parent_reuse == ParentReuse::Always,
            revoke_on_reuse: settings.rotation_enabled,
        }
    }
}

struct RefreshCase<'a> {
    commands: &'a Commands,
    token: ParsedRefreshToken,
}

/// Who brings a refresh token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bearer {
    /// The user's own device.
    User,
    /// An OAuth client, which has proved that it is the one.
    Client(ClientId),
}

/// What came of it.
pub(crate) enum Presented {
    Good { started: Started, rotated: bool },
    Reused(SessionOwner),
}

impl UseCase for RefreshCase<'_> {
    type Output = Presented;
    type Error = RefreshError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Presented, RefreshError> {
        self.commands.present(unit, self.token, Bearer::User).await
    }
}

impl Commands {
    /// Presents a refresh token to its session.
    pub(crate) async fn present(
        &self,
        unit: &mut Unit<'_>,
        token: ParsedRefreshToken,
        bearer: Bearer,
    ) -> Result<Presented, RefreshError> {
        let ParsedRefreshToken { session, generation } = token;
        let now = unit.now();
        let state = unit.session(session).await?.clone();
        let (user, revoked) = match &state {
            Session::Absent => return Err(RefreshError::NotFound),
            Session::Live(live) => (live.user, None),
            Session::Revoked { user, reason } => (*user, Some(*reason)),
        };
        let owner = SessionOwner { user, session };
        if let Some(live) = state.live() {
            check_bearer(bearer, live, owner)?;
        }
        let account = unit.user(user).await?.account().ok_or(RefreshError::NotFound)?;
        let has_factor = account.factors.any_verified();
        if account.is_banned(now) {
            return Err(RefreshError::Banned { owner });
        }
        if revoked == Some(RevocationReason::RefreshTokenReused) {
            return Err(RefreshError::AlreadyUsed { owner });
        }
        let live = state.live().ok_or(RefreshError::NotFound)?;
        let use_so_far = SessionUse::of(live, has_factor);
        let rule = match self.expiry(&use_so_far, now) {
            None => self.newer_session(unit, owner, &use_so_far).await?,
            rule => rule,
        };
        if let Some(rule) = rule {
            return Err(RefreshError::Expired { owner, rule });
        }
        let policy = self.reuse_policy();
        let not_issued = |error| match error {
            SessionError::NotIssued => RefreshError::NotIssued { owner },
            SessionError::AlreadyUsed => RefreshError::AlreadyUsed { owner },
            SessionError::NotFound | SessionError::AlreadyStarted | SessionError::FieldsTooLarge => {
                RefreshError::NotFound
            }
        };
        let outcome = live.refresh_outcome(generation, now, policy).map_err(not_issued)?;
        let good = live.generation;
        let command = SessionCommand::Refresh { generation, now, policy };
        unit.tell_session::<RefreshError>(session, command).await?;
        if outcome == RefreshOutcome::Reused {
            let attempt =
                AttemptEvent::RefreshTokenReused { user, session, presented: generation, generation: good };
            unit.note(Subject::User(user), attempt);
            return Ok(Presented::Reused(owner));
        }
        let live = unit.session(session).await?.live().ok_or(RefreshError::NotFound)?.clone();
        let started = Started { user, session, state: Box::new(live) };
        Ok(Presented::Good { started, rotated: outcome == RefreshOutcome::Rotated })
    }
}

/// A client's token is good for that client alone, a user's for the user alone. Who comes with another's
/// learns nothing, and does not end a session either.
fn check_bearer(bearer: Bearer, session: &LiveSession, owner: SessionOwner) -> Result<(), RefreshError> {
    match (session.client.as_ref().map(|bound| bound.client), bearer) {
        (None, Bearer::User) => Ok(()),
        (Some(client), Bearer::Client(bearer)) if client == bearer => Ok(()),
        (Some(_), Bearer::User) => Err(RefreshError::ClientNeeded { owner }),
        (other, Bearer::Client(_)) => {
            Err(RefreshError::NotTheClients { owner, another_clients: other.is_some() })
        }
    }
}

impl RefreshError {
    /// The session that the token was of, where it is known.
    pub fn owner(&self) -> Option<SessionOwner> {
        match self {
            Self::NotIssued { owner }
            | Self::AlreadyUsed { owner }
            | Self::ClientNeeded { owner }
            | Self::NotTheClients { owner, .. }
            | Self::Banned { owner }
            | Self::Expired { owner, .. } => Some(*owner),
            Self::Malformed | Self::NotFound | Self::Failure(_) => None,
        }
    }
}

//! Sessions that clients know by their id: whose they are, using them, ending one.

use std::sync::Arc;

use evident_domain::session::{RevocationReason, SessionCommand, SessionError, SlidingEnd};
use evident_domain::{SessionId, UserId};
use evident_projections::views;

use crate::Commands;
use crate::access::{AccessError, Caller};
use crate::execute::{Failure, UseCase};
use crate::session_policy::{SessionUse, has_factor};
use crate::sign_out::revoke;
use crate::unit::{Context, Unit};
use crate::views::SessionRow;

/// Why nothing happened to a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// The account and session of a session's id, as they are now. Sessions of OAuth clients are not the
    /// user's own and count as none.
    ///
    /// # Errors
    /// When account or session are gone or over, or the user is banned.
    pub async fn session_holder(&self, session: SessionId) -> Result<Arc<Caller>, AccessError> {
        let user = self.nearby().holder(session).await.map_err(Failure::from)?;
        let caller = self.caller(user.ok_or(AccessError::SessionNotFound)?, Some(session)).await?;
        let own = caller.session.as_ref().is_some_and(|session| session.client.is_none());
        if !own || self.is_expired(&caller) {
            return Err(AccessError::SessionNotFound);
        }
        Ok(caller)
    }

    /// The user's own sessions that are not over, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionRow>, Failure> {
        let database = self.store().database();
        let Some(view) = views::user(database, user).await? else { return Ok(Vec::new()) };
        let (now, has_factor) = (self.clock().now(), has_factor(&view.user));
        let mut sessions = views::sessions_of(database, user).await?;
        sessions.retain(|row| {
            row.client.is_none() && self.expiry(&SessionUse::of_row(row, has_factor), now).is_none()
        });
        Ok(sessions)
    }

    /// Uses a session: its end moves on, where it slides and the time has come.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn extend_session(
        &self,
        context: &Context,
        session: SessionId,
        end: SlidingEnd,
    ) -> Result<(), SessionsError> {
        self.execute(context, &ExtendCase { session, end }).await
    }
}

struct ExtendCase {
    session: SessionId,
    end: SlidingEnd,
}

impl UseCase for ExtendCase {
    type Output = ();
    type Error = SessionsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SessionsError> {
        let command = SessionCommand::Extend { now: unit.now(), end: self.end };
        unit.tell_session::<SessionsError>(self.session, command).await?;
        Ok(())
    }
}

/// Ends one session of a user. Somebody else's stays, and nobody is told.
#[derive(Debug, Clone, Copy)]
pub struct EndSession {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// Why.
    pub reason: RevocationReason,
}

impl UseCase for EndSession {
    type Output = ();
    type Error = SessionsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SessionsError> {
        let live = unit.session(self.session).await?.live();
        if live.is_some_and(|live| live.user == self.user) {
            revoke::<SessionsError>(unit, self.session, self.reason).await?;
        }
        Ok(())
    }
}

//! Sessions that clients know by their id: whose they are, using them, ending one.

use std::sync::Arc;

use evident_domain::session::{AssuranceLevel, RevocationReason, SessionCommand, SessionError, SlidingEnd};
use evident_domain::{Metadata, SessionId, UserId};
use evident_projections::views;
use serde_json::{Map, Value};

use crate::Commands;
use crate::access::{AccessError, Caller};
use crate::administration::impersonation;
use crate::execute::{Failure, UseCase};
use crate::session_policy::{SessionUse, has_factor};
use crate::settings::FieldRefusal;
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
    /// user's own and count as none; nor does one in which an administrator acts who may not any more; nor
    /// one that has not shown the second factor of its account, where sessions may begin without it.
    ///
    /// # Errors
    /// When account or session are gone or over, or the user is banned.
    pub async fn session_holder(&self, session: SessionId) -> Result<Arc<Caller>, AccessError> {
        let user = self.nearby().holder(session).await.map_err(Failure::from)?;
        let caller = self.caller(user.ok_or(AccessError::SessionNotFound)?, Some(session)).await?;
        let row = caller.session.as_ref().ok_or(AccessError::SessionNotFound)?;
        // A session with an end of its own began with the second factor, where there was one.
        let half = row.not_after.is_none() && row.aal < AssuranceLevel::Aal2 && caller.view.user.two_factor;
        if row.client.is_some() || half || self.is_expired(&caller) {
            return Err(AccessError::SessionNotFound);
        }
        match row.impersonator {
            Some(administrator) if !self.may_impersonate(administrator).await? => {
                Err(AccessError::SessionNotFound)
            }
            Some(_) | None => Ok(caller),
        }
    }

    /// Whose a session is, whether or not it counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owner_of_session(&self, session: SessionId) -> Result<Option<UserId>, Failure> {
        Ok(self.nearby().holder(session).await?)
    }

    /// Whether somebody may act in the name of others now.
    async fn may_impersonate(&self, administrator: UserId) -> Result<bool, Failure> {
        match self.caller(administrator, None).await {
            Ok(caller) => Ok(self.may_administer(&caller.view.user, &impersonation())),
            Err(AccessError::Failure(failure)) => Err(failure),
            Err(AccessError::UserNotFound | AccessError::Banned | AccessError::SessionNotFound) => Ok(false),
        }
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

/// Why the fields of a session stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum SessionFieldsError {
    /// Nothing was given that is a field.
    #[error("no field of the session was given")]
    Nothing,
    /// Something cannot stand where it is to stand.
    #[error(transparent)]
    Field(#[from] FieldRefusal),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Lets the application keep something with a session, in the fields that the owner declared.
    ///
    /// # Errors
    /// When nothing is to be kept or a value does not fit, when it would be too much, and when the session
    /// is over.
    pub async fn change_session_fields(
        &self,
        context: &Context,
        session: SessionId,
        given: &Map<String, Value>,
    ) -> Result<(), SessionFieldsError> {
        let fields = self.settings().plugins.session_fields.admit(given)?;
        if fields.is_empty() {
            return Err(SessionFieldsError::Nothing);
        }
        self.execute(context, &FieldsCase { session, fields }).await
    }
}

struct FieldsCase {
    session: SessionId,
    fields: Metadata,
}

impl UseCase for FieldsCase {
    type Output = ();
    type Error = SessionFieldsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SessionFieldsError> {
        let command = SessionCommand::ChangeFields { fields: self.fields.clone(), now: unit.now() };
        unit.tell_session::<SessionFieldsError>(self.session, command).await?;
        Ok(())
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

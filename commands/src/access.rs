//! Who calls: the account and session behind an access token, as they are now.

use std::sync::Arc;

use evident_domain::{Position, SessionId, UserId};

use crate::Commands;
use crate::execute::Failure;
use crate::session_policy::{SessionUse, has_factor};
use crate::views::{SessionRow, UserView};

/// A signed-in caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub view: UserView,
    /// The session, for tokens that name one.
    pub session: Option<SessionRow>,
}

/// Why a token's bearer is nobody now.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The account is gone.
    #[error("the user does not exist")]
    UserNotFound,
    /// The user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The session has ended.
    #[error("the session does not exist")]
    SessionNotFound,
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// The account and session of a token whose signature is good. Revocation is effective at once.
    ///
    /// # Errors
    /// When account or session are gone, or the user is banned; the ban is told first, for it ended
    /// the session.
    pub async fn caller(&self, user: UserId, session: Option<SessionId>) -> Result<Arc<Caller>, AccessError> {
        let caller = self
            .nearby()
            .caller(user, session)
            .await
            .map_err(Failure::from)?
            .ok_or(AccessError::UserNotFound)?;
        if caller.view.user.is_banned(self.clock().now()) {
            return Err(AccessError::Banned);
        }
        if session.is_some() && caller.session.is_none() {
            return Err(AccessError::SessionNotFound);
        }
        Ok(caller)
    }

    /// Takes in what was committed up to now on any node, so that what this node keeps at hand (keys of
    /// persons, among others) is not older than that; gives the head's position. Calls at one time share
    /// one look at the head.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn catch_up(&self) -> Result<Position, Failure> {
        Ok(self.nearby().catch_up_with_head().await?)
    }

    /// Whether the caller's session is past its time: it still shows its user's account, and does nothing
    /// more.
    pub fn is_expired(&self, caller: &Caller) -> bool {
        let Some(session) = &caller.session else { return false };
        let session = SessionUse::of_row(session, has_factor(&caller.view.user));
        self.expiry(&session, self.clock().now()).is_some()
    }
}

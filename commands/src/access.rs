//! Who calls: the account and session behind an access token, as they are now.

use std::sync::Arc;

use evident_domain::{SessionId, UserId};

use crate::Commands;
use crate::execute::Failure;
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

    /// Whether a session is past its time: it still shows its user's account, and does nothing more.
    pub fn is_expired(&self, session: &SessionRow) -> bool {
        let now = self.clock().now();
        self.expiry(session.created_at, session.last_used_at(), session.not_after, now).is_some()
    }
}

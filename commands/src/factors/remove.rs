//! Removing a second factor. What it had proven counts no more.

use evident_domain::session::{SessionCommand, SessionError};
use evident_domain::user::factor::{FactorCommand, FactorRemoval};
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{FactorId, SessionId, UserId};

use super::{FactorsError, account_in_session};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

impl Commands {
    /// Removes a second factor of the user who asks.
    ///
    /// # Errors
    /// When there is none, or it is verified and the session has not shown a factor.
    pub async fn remove_own_factor(
        &self,
        context: &Context,
        user: UserId,
        session: SessionId,
        factor: FactorId,
    ) -> Result<(), FactorsError> {
        self.execute(context, &RemoveCase { user, session: Some(session), factor }).await
    }

    /// Removes a second factor of any user.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove_factor(
        &self,
        context: &Context,
        user: UserId,
        factor: FactorId,
    ) -> Result<(), FactorsError> {
        self.execute(context, &RemoveCase { user, session: None, factor }).await
    }
}

struct RemoveCase {
    user: UserId,
    /// The user's own session; none: an administrator asks.
    session: Option<SessionId>,
    factor: FactorId,
}

impl UseCase for RemoveCase {
    type Output = ();
    type Error = FactorsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), FactorsError> {
        let (aal, reason) = match self.session {
            None => (None, FactorRemoval::RemovedByAdmin),
            Some(session) => {
                let (_, live) = account_in_session::<FactorsError>(unit, self.user, session).await?;
                (Some(live.aal), FactorRemoval::Unenrolled)
            }
        };
        let command = FactorCommand::Remove { factor: self.factor, aal, reason };
        unit.tell_user::<FactorsError>(self.user, UserCommand::Factor(command)).await?;
        forget_in_sessions::<FactorsError>(unit, self.user, self.factor).await
    }
}

/// The user's sessions forget what a factor has proven.
async fn forget_in_sessions<E>(unit: &mut Unit<'_>, user: UserId, factor: FactorId) -> Result<(), E>
where
    E: From<UserError> + From<SessionError> + From<Failure>,
{
    let now = unit.now();
    for session in unit.live_sessions(user).await? {
        if unit.session(session).await?.live().is_some() {
            unit.tell_session::<E>(session, SessionCommand::StepDown { factor, now }).await?;
        }
    }
    Ok(())
}

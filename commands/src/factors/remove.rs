//! Removing a second factor. What it had proven counts no more.

use evident_domain::session::{SessionCommand, SessionError};
use evident_domain::user::factor::{FactorCommand, FactorRemoval};
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{FactorId, SessionId, UserId};

use super::{FactorsError, account_in_session};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::notify::Notification;
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
        self.execute(context, &RemoveCase { commands: self, user, session: Some(session), factor }).await
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
        self.execute(context, &RemoveCase { commands: self, user, session: None, factor }).await
    }
}

struct RemoveCase<'a> {
    commands: &'a Commands,
    user: UserId,
    /// The user's own session; none: an administrator asks.
    session: Option<SessionId>,
    factor: FactorId,
}

impl UseCase for RemoveCase<'_> {
    type Output = ();
    type Error = FactorsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), FactorsError> {
        let user = self.user;
        let (aal, reason) = match self.session {
            None => (None, FactorRemoval::RemovedByAdmin),
            Some(session) => {
                let (_, live) = account_in_session::<FactorsError>(unit, user, session).await?;
                (Some(live.aal), FactorRemoval::Unenrolled)
            }
        };
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let factor = account.factors.get(self.factor)?;
        // Who enrolls one and leaves it at that was told of nothing before, either.
        let told = (self.session.is_some() && factor.verified).then(|| factor.kind.as_str().to_owned());
        let command = FactorCommand::Remove { factor: self.factor, aal, reason };
        unit.tell_user::<FactorsError>(user, UserCommand::Factor(command)).await?;
        if let Some(factor_type) = told {
            self.commands.notify(unit, user, Notification::FactorUnenrolled { factor_type }).await?;
        }
        forget_in_sessions::<FactorsError>(unit, user, self.factor).await
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

//! Keeping somebody out: the ban and the end of the sessions are one change.

use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{Time, UserId};

use crate::execute::Failure;
use crate::sign_out::revoke_all;
use crate::unit::Unit;

/// What becomes of a ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BanChange {
    /// Keep the user out.
    Ban {
        /// Until then; for ever without.
        until: Option<Time>,
        /// Why.
        reason: Option<String>,
    },
    /// Let the user in again.
    Lift,
}

/// Bans or unbans as part of a unit.
pub(crate) async fn change_ban<E>(unit: &mut Unit<'_>, user: UserId, change: &BanChange) -> Result<(), E>
where
    E: From<UserError> + From<SessionError> + From<Failure>,
{
    match change {
        BanChange::Lift => {
            unit.tell_user::<E>(user, UserCommand::Unban).await?;
        }
        BanChange::Ban { until, reason } => {
            let command = UserCommand::Ban { until: *until, reason: reason.clone() };
            unit.tell_user::<E>(user, command).await?;
            let now = unit.now();
            if until.is_none_or(|until| until > now) {
                revoke_all::<E>(unit, user, None, RevocationReason::UserBanned).await?;
            }
        }
    }
    Ok(())
}

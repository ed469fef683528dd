//! Signing out: this device, the others, or all.

use evident_domain::session::{RevocationReason, SessionCommand, SessionError};
use evident_domain::user::{UserCommand, UserError, UserEvent};
use evident_domain::{SessionId, UserId};

use crate::execute::{Failure, UseCase};
use crate::unit::Unit;

/// Which sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignOutScope {
    /// All of the user's.
    Global,
    /// This one.
    Local,
    /// All but this one.
    Others,
}

/// Ends sessions of the user who asks.
#[derive(Debug, Clone)]
pub struct SignOut {
    /// Who.
    pub user: UserId,
    /// The session that asks; without one every session ends.
    pub session: Option<SessionId>,
    /// Which sessions end.
    pub scope: SignOutScope,
}

/// Why nobody was signed out.
#[derive(Debug, thiserror::Error)]
pub enum SignOutError {
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl UseCase for SignOut {
    type Output = ();
    type Error = SignOutError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SignOutError> {
        let ends = |id: SessionId| match (self.scope, self.session) {
            (SignOutScope::Global, _) | (_, None) => true,
            (SignOutScope::Local, Some(own)) => id == own,
            (SignOutScope::Others, Some(own)) => id != own,
        };
        for id in unit.live_sessions(self.user).await? {
            if !ends(id) {
                continue;
            }
            let reason = if Some(id) == self.session {
                RevocationReason::SignedOut
            } else {
                RevocationReason::SignedOutElsewhere
            };
            revoke::<SignOutError>(unit, id, reason).await?;
        }
        Ok(())
    }
}

/// Ends a session if it is alive.
pub(crate) async fn revoke<E>(
    unit: &mut Unit<'_>,
    session: SessionId,
    reason: RevocationReason,
) -> Result<(), E>
where
    E: From<SessionError> + From<Failure>,
{
    if unit.session(session).await?.live().is_some() {
        unit.tell_session::<E>(session, SessionCommand::Revoke { reason }).await?;
    }
    Ok(())
}

/// Drops a password that was set by somebody who had not shown that the address is theirs, and ends what
/// they opened with it.
pub(crate) async fn drop_unproven_password<E>(unit: &mut Unit<'_>, user: UserId) -> Result<(), E>
where
    E: From<UserError> + From<SessionError> + From<Failure>,
{
    let events = unit.tell_user::<E>(user, UserCommand::RemoveUnprovenPassword).await?;
    end_what_it_opened(unit, user, &events).await
}

/// Ends the sessions that a user's unproven password opened, once it opens nothing any more: somebody else has
/// them, perhaps.
pub(crate) async fn end_what_it_opened<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    events: &[UserEvent],
) -> Result<(), E>
where
    E: From<SessionError> + From<Failure>,
{
    let gone =
        |event: &UserEvent| matches!(event, UserEvent::PasswordRemoved {} | UserEvent::PasswordWithheld {});
    if !events.iter().any(gone) {
        return Ok(());
    }
    for id in unit.live_sessions(user).await? {
        let live = unit.session(id).await?.live();
        if live.is_some_and(|live| live.amr.iter().any(|proof| proof.method == "password")) {
            revoke::<E>(unit, id, RevocationReason::PasswordChanged).await?;
        }
    }
    Ok(())
}

/// Ends the live sessions of a user, except one.
pub(crate) async fn revoke_all<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    except: Option<SessionId>,
    reason: RevocationReason,
) -> Result<(), E>
where
    E: From<SessionError> + From<Failure>,
{
    for id in unit.live_sessions(user).await? {
        if Some(id) != except {
            revoke::<E>(unit, id, reason).await?;
        }
    }
    Ok(())
}

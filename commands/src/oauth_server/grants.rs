//! A user takes back what they granted to a client.

use evident_domain::consent::{Consent, ConsentCommand, ConsentError};
use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::{ClientId, ConsentId, SessionId, UserId};

use crate::execute::{Failure, UseCase};
use crate::sign_out::revoke;
use crate::unit::Unit;

/// Takes back what a user granted to a client. The client's sessions end with it.
#[derive(Debug, Clone, Copy)]
pub struct RevokeGrant {
    /// Who.
    pub user: UserId,
    /// The session that asks, where the token names one.
    pub session: Option<SessionId>,
    /// From whom.
    pub client: ClientId,
}

/// Why nothing was taken back.
#[derive(Debug, thiserror::Error)]
pub enum RevokeGrantError {
    /// Nothing is granted.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// A session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl UseCase for RevokeGrant {
    type Output = ();
    type Error = RevokeGrantError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), RevokeGrantError> {
        unit.asking_session::<RevokeGrantError>(self.user, self.session).await?;
        let consent = ConsentId::of(self.user, self.client).0;
        unit.tell::<Consent, RevokeGrantError>(consent, ConsentCommand::Revoke).await?;
        for id in unit.live_sessions(self.user).await? {
            let live = unit.session(id).await?.live();
            let bound = live.and_then(|session| session.client.as_ref());
            if bound.is_some_and(|bound| bound.client == self.client) {
                revoke::<RevokeGrantError>(unit, id, RevocationReason::ConsentRevoked).await?;
            }
        }
        Ok(())
    }
}

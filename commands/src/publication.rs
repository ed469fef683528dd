//! What the log shows of itself: from which entry on it is handed out, and by which keys it is signed.

use evident_domain::Time;
use evident_domain::hold::{self, Holds};
use evident_domain::publication::{LogCommand, LogError, PUBLICATION, Publication};

use crate::execute::{Failure, UseCase};
use crate::unit::Unit;

/// Why the log is handed out as before.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// A rule says no.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Hands out no entry of the log before one. Any legal hold that stands refuses it: a bundle that is gone is
/// gone for everybody, and what a hold is about may be in any.
#[derive(Debug, Clone)]
pub struct PruneLog {
    /// How many of the oldest entries are old enough; whole bundles of them go.
    pub entries: u64,
    /// Where everybody can read how long entries are kept.
    pub policy: String,
}

impl UseCase for PruneLog {
    /// The first entry, counted from 0, that is handed out from now on.
    type Output = u64;
    type Error = PublicationError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<u64, PublicationError> {
        let now = unit.now();
        // Read as part of the decision: a hold that is placed at the same moment is not overlooked.
        let held = unit.read::<Holds>(hold::REGISTER).await?.at(now).next().map(|(id, _)| id);
        let command = LogCommand::Prune { entries: self.entries, policy: self.policy.clone(), held };
        unit.tell::<Publication, PublicationError>(PUBLICATION, command).await?;
        Ok(unit.read::<Publication>(PUBLICATION).await?.minimum())
    }
}

/// Signs the log's checkpoints with another key.
#[derive(Debug, Clone)]
pub struct RotateLogKey {
    /// The verifier key of the one that is to sign; it is in the vault already.
    pub key: String,
    /// That of the one that signs.
    pub former: String,
    /// Until then both sign.
    pub both_until: Time,
}

impl UseCase for RotateLogKey {
    type Output = ();
    type Error = PublicationError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), PublicationError> {
        let Self { key, former, both_until } = self.clone();
        let command = LogCommand::Rotate { key, former, both_until, now: unit.now() };
        unit.tell::<Publication, PublicationError>(PUBLICATION, command).await?;
        Ok(())
    }
}

/// Goes on under another name and key: the log that this one was copied from goes on, too.
#[derive(Debug, Clone)]
pub struct RenameLog {
    /// The verifier key that is to sign, which begins with the name; it is in the vault already.
    pub key: String,
    /// That of the one that signs.
    pub former: String,
}

impl UseCase for RenameLog {
    type Output = ();
    type Error = PublicationError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), PublicationError> {
        let Self { key, former } = self.clone();
        let command = LogCommand::Rename { key, former };
        unit.tell::<Publication, PublicationError>(PUBLICATION, command).await?;
        Ok(())
    }
}

//! Legal holds: placing, lifting, looking at those that stand.

use evident_domain::hold::{Hold, HoldCommand, HoldError, HoldScope, Holds, REGISTER};
use evident_domain::{HoldId, Root, StreamId, Time};
use evident_eventstore::{EventStore, StoreError};

use crate::execute::{Failure, UseCase};
use crate::unit::Unit;

/// Why the register of holds is as it was.
#[derive(Debug, thiserror::Error)]
pub enum HoldsError {
    /// The register refuses.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Keeps what is known of somebody, of an organization, or everything, from being dropped and erased.
#[derive(Debug, Clone)]
pub struct PlaceHold {
    /// What.
    pub scope: HoldScope,
    /// Why.
    pub reason: String,
    /// Who ordered it.
    pub by: String,
    /// From when on it counts for nothing.
    pub until: Option<Time>,
}

impl UseCase for PlaceHold {
    type Output = HoldId;
    type Error = HoldsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<HoldId, HoldsError> {
        let (hold, now) = (HoldId(unit.store().entropy().uuid()), unit.now());
        let Self { scope, reason, by, until } = self.clone();
        let command = HoldCommand::Place { hold, scope, reason, by, until, now };
        unit.tell::<Holds, HoldsError>(REGISTER, command).await?;
        Ok(hold)
    }
}

/// Ends a hold.
#[derive(Debug, Clone)]
pub struct LiftHold {
    /// Which.
    pub hold: HoldId,
    /// Who says so.
    pub by: String,
}

impl UseCase for LiftHold {
    type Output = ();
    type Error = HoldsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), HoldsError> {
        let command = HoldCommand::Lift { hold: self.hold, by: self.by.clone(), now: unit.now() };
        unit.tell::<Holds, HoldsError>(REGISTER, command).await?;
        Ok(())
    }
}

/// The holds that count at a moment.
///
/// # Errors
/// When the store fails.
pub async fn standing_holds(store: &EventStore, now: Time) -> Result<Vec<(HoldId, Hold)>, StoreError> {
    let mut holds = Holds::default();
    for recorded in store.load(StreamId::holds()).await? {
        if let Some(event) = Holds::own(&recorded.event) {
            Root::fold(&mut holds, event);
        }
    }
    Ok(holds.at(now).map(|(id, hold)| (id, hold.clone())).collect())
}

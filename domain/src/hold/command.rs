//! What may be asked of the register of legal holds.

use super::HoldScope;
use crate::{HoldId, Time};

/// A command on the register.
#[derive(Debug, Clone)]
pub enum HoldCommand {
    /// Keep something.
    Place {
        /// The id of the new hold.
        hold: HoldId,
        /// What must be kept.
        scope: HoldScope,
        /// Why.
        reason: String,
        /// Who ordered it.
        by: String,
        /// From when on it counts for nothing.
        until: Option<Time>,
        /// The time of the decision.
        now: Time,
    },
    /// Keep it no longer.
    Lift {
        /// Which.
        hold: HoldId,
        /// Who says so.
        by: String,
        /// The time of the decision.
        now: Time,
    },
}

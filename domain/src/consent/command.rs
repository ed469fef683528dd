//! What may be asked of a consent.

use crate::{ClientId, Scopes, Time, UserId};

/// A command on a consent.
#[derive(Debug, Clone)]
pub enum ConsentCommand {
    /// Grant these scopes besides those that are granted already.
    Give {
        /// By whom.
        user: UserId,
        /// To whom.
        client: ClientId,
        /// What.
        scopes: Scopes,
        /// The time of the decision.
        now: Time,
    },
    /// Take everything back.
    Revoke,
}

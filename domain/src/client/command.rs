//! What may be asked of a client.

use super::{ClientDetails, ClientDraft, Registration};
use crate::{Time, TokenHash};

/// A command on a client.
#[derive(Debug, Clone)]
pub enum ClientCommand {
    /// Make it known.
    Register {
        /// By whom.
        registration: Registration,
        /// What is known of it.
        details: ClientDetails,
        /// The hash of a secret for it; a client that keeps none does not get it.
        secret: TokenHash,
        /// The time of the decision.
        now: Time,
    },
    /// Change what is known of it.
    Update {
        /// What is to change.
        draft: ClientDraft,
        /// The time of the decision.
        now: Time,
    },
    /// Give it another secret; the one before is void.
    RegenerateSecret {
        /// The hash of the new one.
        secret: TokenHash,
        /// The time of the decision.
        now: Time,
    },
    /// End it: its codes and tokens are refused from now on.
    Delete,
}

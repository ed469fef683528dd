//! What may be asked of a session.

use super::{AssuranceLevel, ClientBinding, RevocationReason};
use crate::{FactorId, Time, UserId};

/// A new session.
#[derive(Debug, Clone)]
pub struct Start {
    /// Whose.
    pub user: UserId,
    /// By what proof: `password`, `otp` …
    pub method: String,
    /// From when on it counts for nothing, where that is fixed.
    pub not_after: Option<Time>,
    /// The OAuth client that signs in for the user; none: the user does.
    pub client: Option<ClientBinding>,
    /// The time of the decision.
    pub now: Time,
}

/// When a refresh token may come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReusePolicy {
    /// For so long after its first use a used token is answered with the one that is good now.
    pub interval_seconds: u32,
    /// Whether the token just before the good one is answered so without limit: a client that lost
    /// the answer can go on (what Supabase Auth does).
    pub parent_always: bool,
    /// Whether any other reuse ends the session; it is refused in any case.
    pub revoke_on_reuse: bool,
}

/// A command on a session.
#[derive(Debug, Clone)]
pub enum SessionCommand {
    /// Sign in.
    Start(Start),
    /// Present the refresh token of a generation.
    Refresh {
        /// Its number.
        generation: u64,
        /// The time of the decision.
        now: Time,
        /// When a used one may come back.
        policy: ReusePolicy,
    },
    /// Give another proof.
    StepUp {
        /// Which.
        method: String,
        /// How sure it makes.
        aal: AssuranceLevel,
        /// The second factor that gave it.
        factor: Option<FactorId>,
        /// The time of the decision.
        now: Time,
    },
    /// Forget what a second factor has proven, because it is gone.
    StepDown {
        /// Which.
        factor: FactorId,
        /// The time of the decision.
        now: Time,
    },
    /// End it.
    Revoke {
        /// Why.
        reason: RevocationReason,
    },
}

//! What may be asked of a session.

use chrono::TimeDelta;

use super::{AssuranceLevel, ClientBinding, RevocationReason};
use crate::{FactorId, Metadata, OrganizationId, TeamId, Time, UserId};

/// A new session.
#[derive(Debug, Clone)]
pub struct Start {
    /// Whose.
    pub user: UserId,
    /// By what proof: `password`, `otp` …
    pub method: String,
    /// From when on it counts for nothing, where that is fixed.
    pub not_after: Option<Time>,
    /// Whether its end moves on while it is used; only where it has one.
    pub slides: bool,
    /// The OAuth client that signs in for the user; none: the user does.
    pub client: Option<ClientBinding>,
    /// Who acts in the user's name, where it is an administrator.
    pub impersonator: Option<UserId>,
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

/// How the end of a session moves on while it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingEnd {
    /// So long after its last move the session ends, in seconds.
    pub lifetime_seconds: u64,
    /// It moves when the last move is so long ago, in seconds.
    pub after_seconds: u64,
}

impl SlidingEnd {
    /// How long a session goes on from a move of its end.
    pub fn lifetime(self) -> TimeDelta {
        seconds(self.lifetime_seconds)
    }

    /// Whether the end of a session has not moved for long enough.
    pub fn is_due(self, not_after: Time, now: Time) -> bool {
        not_after - self.lifetime() + seconds(self.after_seconds) <= now
    }
}

/// A century at most, which every moment has room for.
fn seconds(seconds: u64) -> TimeDelta {
    const CENTURY: i64 = 100 * 366 * 86_400;
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(CENTURY).min(CENTURY))
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
    /// Use it: its end moves on, where it slides and the time has come.
    Extend {
        /// The time of the decision.
        now: Time,
        /// How.
        end: SlidingEnd,
    },
    /// Choose the organization that its user acts in; none: no organization. No team is chosen then.
    ChooseOrganization {
        /// Which.
        organization: Option<OrganizationId>,
        /// The time of the decision.
        now: Time,
    },
    /// Choose the team that its user acts in; none: no team.
    ChooseTeam {
        /// Which.
        team: Option<TeamId>,
        /// The time of the decision.
        now: Time,
    },
    /// Keep something of the application's with it.
    ChangeFields {
        /// What stands in each field from now on; what is not named stays.
        fields: Metadata,
        /// The time of the decision.
        now: Time,
    },
    /// End it.
    Revoke {
        /// Why.
        reason: RevocationReason,
    },
}

//! What may be asked of a flow.

use super::{CodeChallenge, FlowPurpose, ProviderTokens};
use crate::{SessionId, Time, UserId};

/// A new flow.
#[derive(Debug, Clone)]
pub struct Start {
    /// What it leads to.
    pub purpose: FlowPurpose,
    /// The provider it goes through, where there is one.
    pub provider: Option<String>,
    /// What the client has to prove at the end; without it there is no code.
    pub challenge: Option<CodeChallenge>,
    /// Where the user is sent in the end; allowed already.
    pub redirect_to: String,
    /// The user who is linking another identity, or who was invited, where that is the matter.
    pub linking: Option<UserId>,
    /// The session in which the user links, where there is one.
    pub session: Option<SessionId>,
    /// What is needed again when the user comes back: a secret that the provider gave.
    pub kept: Option<String>,
    /// The time of the decision.
    pub now: Time,
    /// From when on it counts for nothing.
    pub expires_at: Time,
}

/// A command on a flow.
#[derive(Debug, Clone)]
pub enum FlowCommand {
    /// Begin it.
    Start(Start),
    /// The user comes back from the provider, with whatever news. That happens once.
    Return {
        /// The time of the decision.
        now: Time,
    },
    /// The user has shown who they are. Without a challenge the flow is over then.
    Authenticate {
        /// Who.
        user: UserId,
        /// Which credentials the user has by now (`Account::credentials`).
        credentials: u64,
        /// By what proof: an `amr` name.
        method: String,
        /// What the provider handed out.
        tokens: Option<ProviderTokens>,
        /// The time of the decision.
        now: Time,
        /// From when on the code is refused.
        code_expires_at: Time,
    },
    /// Take the one answer of a passkey to the question of this id, good or not.
    Answer {
        /// Whose passkey, where that is known.
        user: Option<UserId>,
        /// Whether the answer is good.
        accepted: bool,
        /// The time of the decision.
        now: Time,
    },
    /// Fetch what came of it.
    Redeem {
        /// What the challenge was made of.
        verifier: String,
        /// The time of the decision.
        now: Time,
    },
}

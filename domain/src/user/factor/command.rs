//! What may be asked of second factors.

use std::net::IpAddr;
use std::time::Duration;

use super::{Authenticator, FactorRemoval};
use crate::session::AssuranceLevel;
use crate::{ChallengeId, FactorId, Phone, SessionId, Time, TokenHash, TotpSecret};

/// What is enrolled.
#[derive(Debug, Clone)]
pub enum NewFactor {
    /// An app, with the secret that it is to get.
    Totp(TotpSecret),
    /// A phone.
    Phone(Phone),
    /// An authenticator; its key comes with the first answer.
    Webauthn,
}

/// How many second factors an account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorLimits {
    /// Verified or not.
    pub enrolled: usize,
    /// Verified.
    pub verified: usize,
    /// One that was neither verified nor asked goes after so long.
    pub unverified_for: Duration,
}

/// What somebody answers.
#[derive(Debug, Clone)]
pub enum FactorAnswer {
    /// A code of an app: the time step that it is good for, none where it is good for none.
    Totp(Option<u64>),
    /// A code that was sent: its keyed hash.
    Code(TokenHash),
    /// An authenticator's answer: its key with the counter as it is now, none where it proves nothing.
    Webauthn(Option<Authenticator>),
}

/// A command on a user's second factors.
#[derive(Debug, Clone)]
pub enum FactorCommand {
    /// Add one, not yet verified.
    Enroll {
        /// Its id.
        factor: FactorId,
        /// What it is.
        new: NewFactor,
        /// What the user calls it; may be empty.
        name: String,
        /// How sure the asking session is.
        aal: AssuranceLevel,
        /// How many there may be.
        limits: FactorLimits,
        /// The time of the decision.
        now: Time,
    },
    /// Ask one.
    Challenge {
        /// Which.
        factor: FactorId,
        /// The challenge's id.
        challenge: ChallengeId,
        /// In which session.
        session: SessionId,
        /// From where.
        ip: Option<IpAddr>,
        /// Keyed hash of the code that is sent, where one is.
        code: Option<TokenHash>,
        /// The time of the decision.
        now: Time,
        /// From when on no answer is taken.
        expires_at: Time,
        /// How long after the last challenge the next may be sent, in seconds.
        min_interval_seconds: u64,
    },
    /// Answer a challenge. A wrong answer is no error, because the try must be kept: what happens is then
    /// [`UserEvent::FactorChallengeMissed`](crate::user::UserEvent::FactorChallengeMissed) and nothing
    /// else, and the caller is refused only after that is committed.
    Answer {
        /// Which factor.
        factor: FactorId,
        /// Which challenge.
        challenge: ChallengeId,
        /// In which session.
        session: SessionId,
        /// From where.
        ip: Option<IpAddr>,
        /// The answer.
        answer: FactorAnswer,
        /// The time of the decision.
        now: Time,
    },
    /// Remove one. Its user needs a session that has shown a second factor, if this one is verified.
    Remove {
        /// Which.
        factor: FactorId,
        /// How sure the user's session is; none: it is not the user who asks.
        aal: Option<AssuranceLevel>,
        /// Why.
        reason: FactorRemoval,
    },
    /// Call one something else.
    Rename {
        /// Which.
        factor: FactorId,
        /// The name; may be empty.
        name: String,
    },
    /// Give a phone another number.
    ChangePhone {
        /// Which.
        factor: FactorId,
        /// The number.
        phone: Phone,
    },
}

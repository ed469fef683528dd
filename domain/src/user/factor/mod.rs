//! Second factors: authenticator apps, phones and authenticators (WebAuthn) that show a second time who
//! signs in.
//!
//! They belong to the account, so that whatever races about them is a conflict: a challenge is answered
//! once, a code of an app is taken once, and no two enrolments pass a limit together.

mod command;
mod decide;
mod error;
mod fold;

pub use command::{FactorAnswer, FactorCommand, FactorLimits, NewFactor};
pub use error::FactorError;

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::{ChallengeId, FactorId, Metadata, Phone, SessionId, Time, TokenHash, TotpSecret};

/// Wrong answers in a row that have no consequence.
pub const FREE_MISSES: u32 = 5;
/// The wait after the first one that has; it doubles with each further one.
const FIRST_WAIT_SECONDS: i64 = 60;
/// The wait grows up to this: whoever guesses has some hundred tries a day for a million codes.
const MAX_WAIT_SECONDS: i64 = 900;
/// After so long without a wrong answer the count begins anew.
const FORGOTTEN_AFTER_SECONDS: i64 = 86_400;
/// Challenges of a user that are remembered; the oldest gives way.
pub const MAX_CHALLENGES: usize = 16;

described! {
    /// What a second factor is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FactorKind {
        /// An app that shows codes by the time (RFC 6238).
        Totp,
        /// A phone that gets codes by text message.
        Phone,
        /// An authenticator with a key of its own (Web Authentication).
        Webauthn,
    }
}

impl FactorKind {
    /// The name in both protocols and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Phone => "phone",
            Self::Webauthn => "webauthn",
        }
    }

    /// The proof that it gives, as access tokens name it (`amr`).
    pub const fn method(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Phone => "mfa/phone",
            Self::Webauthn => "mfa/webauthn",
        }
    }
}

described! {
    /// Why a second factor went.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FactorRemoval {
        /// The user removed it.
        Unenrolled,
        /// An administrator removed it.
        RemovedByAdmin,
        /// It was never verified, and its time was over.
        Expired,
        /// It was never verified, and the user enrolled the same number again.
        EnrolledAnew,
        /// It was never verified, and another one of its kind was.
        AnotherVerified,
    }
}

/// The public side of an authenticator: what its signatures are checked with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticator {
    /// The id that the authenticator gave the key, in base64url.
    pub credential_id: String,
    /// The model, where the authenticator tells it; nil otherwise.
    pub aaguid: Uuid,
    /// The key with its counter, in the stored form of the library that checks it.
    pub key: Metadata,
}

impl Authenticator {
    /// Whether it is the one of an id.
    pub fn is(&self, credential_id: &[u8]) -> bool {
        self.credential_id == URL_SAFE_NO_PAD.encode(credential_id)
    }
}

/// Which authenticators somebody has is personal.
impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(…)")
    }
}

/// The second factors of an account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// All of them, verified or not, oldest first.
    pub enrolled: Vec<Factor>,
    /// What was asked lately, oldest first.
    pub challenges: Vec<FactorChallenge>,
    /// Wrong answers in a row, to any of them.
    pub misses: u32,
    /// When the last wrong answer came.
    pub last_miss_at: Option<Time>,
}

/// A second factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What the user calls it; may be empty.
    pub name: String,
    /// Whether the user has shown once that they have it.
    pub verified: bool,
    /// The secret of an app.
    pub secret: Option<TotpSecret>,
    /// The number of a phone.
    pub phone: Option<Phone>,
    /// The key of an authenticator, once it is verified.
    pub authenticator: Option<Authenticator>,
    /// When it was enrolled.
    pub enrolled_at: Time,
    /// When it was last asked.
    pub last_challenged_at: Option<Time>,
    /// The time step of the last code of an app that was taken: no older one is taken again.
    pub last_step: Option<u64>,
}

/// A question to a second factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactorChallenge {
    /// Its id.
    pub id: ChallengeId,
    /// Whom it asks.
    pub factor: FactorId,
    /// In which session it was asked.
    pub session: SessionId,
    /// From where it was asked.
    pub ip: Option<IpAddr>,
    /// Keyed hash of the code that was sent.
    pub code: Option<TokenHash>,
    /// From when on no answer is taken.
    pub expires_at: Time,
    /// Whether it was answered rightly: then it is closed.
    pub closed: bool,
}

impl Factors {
    /// The factor of an id.
    ///
    /// # Errors
    /// When the account has no such factor.
    pub fn get(&self, id: FactorId) -> Result<&Factor, FactorError> {
        self.enrolled.iter().find(|factor| factor.id == id).ok_or(FactorError::NotFound)
    }

    /// Whether a second factor protects the account.
    pub fn any_verified(&self) -> bool {
        self.enrolled.iter().any(|factor| factor.verified)
    }

    /// A challenge to a factor that may be answered in a session.
    pub fn open_challenge(
        &self,
        id: ChallengeId,
        factor: FactorId,
        session: SessionId,
        now: Time,
    ) -> Option<&FactorChallenge> {
        self.challenges.iter().find(|challenge| {
            challenge.id == id
                && challenge.factor == factor
                && challenge.session == session
                && !challenge.closed
                && challenge.expires_at > now
        })
    }

    /// Whether too many wrong answers came: then none is looked at for so many seconds.
    pub fn wait_seconds(&self, now: Time) -> Option<u64> {
        let doublings = self.misses.checked_sub(FREE_MISSES)?.min(16);
        let wait = FIRST_WAIT_SECONDS.saturating_mul(1 << doublings).min(MAX_WAIT_SECONDS);
        let until = self.last_miss_at? + chrono::TimeDelta::seconds(wait);
        let left = (until - now).num_milliseconds();
        (left > 0).then(|| u64::try_from(left.saturating_add(999) / 1_000).unwrap_or(u64::MAX))
    }
}

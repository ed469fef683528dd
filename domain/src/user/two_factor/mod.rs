//! The second step of a sign-in: after the right password a code of an app, a code by mail, or a backup
//! code. Only then there is a session.
//!
//! The factors themselves are those of [`super::factor`]: one account is one account. What is here belongs
//! to the account for the same reason as there: whatever races is a conflict, so a code opens one session.

mod command;
mod decide;
mod fold;

pub use command::{SecondAnswer, StepKey, StepPolicy, TwoFactorCommand};

use serde::{Deserialize, Serialize};

use crate::catalogue::described;
use crate::{ChallengeId, Time, TokenHash};

/// Sign-ins of a user that may wait for their second step at once; the oldest gives way.
pub const MAX_STEPS: usize = 16;
/// Devices of a user that are trusted at once; the oldest gives way.
pub const MAX_DEVICES: usize = 16;

described! {
    /// How a second step was taken.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SecondStepMethod {
        /// By a code of an app.
        Totp,
        /// By a code that was mailed.
        MailedCode,
        /// By a code that was written down when the account was secured.
        BackupCode,
    }
}

impl SecondStepMethod {
    /// The proof that it gives, as sessions name it (`amr`).
    pub const fn method(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::MailedCode => "otp",
            Self::BackupCode => "backup_code",
        }
    }
}

/// What an account has for second steps besides its factors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TwoFactor {
    /// Whether codes by mail are a second factor of this account without any other.
    pub mail_codes: bool,
    /// Keyed hashes of the codes that were written down and are not used up.
    pub backup_codes: Vec<TokenHash>,
    /// Sign-ins that wait, and sessions that were mailed a code; oldest first.
    pub steps: Vec<SecondStep>,
    /// Devices from which the password is enough, oldest first.
    pub devices: Vec<TrustedDevice>,
    /// When codes were mailed within the last hour, oldest first.
    pub mailed_at: Vec<Time>,
}

/// A second step that is still to be taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondStep {
    /// The id of the sign-in; of a session: the session's.
    pub id: ChallengeId,
    /// Whether a sign-in waits for it; else somebody is signed in.
    pub of_sign_in: bool,
    /// From when on it counts for nothing.
    pub expires_at: Time,
    /// Wrong answers.
    pub misses: u32,
    /// The code that was mailed.
    pub code: Option<MailedCode>,
}

/// A code that was mailed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MailedCode {
    /// Its keyed hash.
    pub hash: TokenHash,
    /// From when on it is refused.
    pub expires_at: Time,
    /// Wrong codes.
    pub misses: u32,
}

/// A device from which the password is enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustedDevice {
    /// The hash of what the device shows.
    pub token: TokenHash,
    /// From when on it is trusted no more.
    pub expires_at: Time,
}

impl TwoFactor {
    /// Whether a device is trusted that shows something of this hash.
    pub fn trusts(&self, device: &TokenHash, now: Time) -> bool {
        self.devices.iter().any(|known| known.token.matches(device) && known.expires_at > now)
    }

    /// A sign-in that waits.
    pub fn waiting(&self, id: ChallengeId, now: Time) -> Option<&SecondStep> {
        self.steps.iter().find(|step| step.of_sign_in && step.id == id && step.expires_at > now)
    }
}

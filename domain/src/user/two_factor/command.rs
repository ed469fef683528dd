//! What may be asked of second steps.

use chrono::TimeDelta;

use crate::{ChallengeId, FactorId, SessionId, Time, TokenHash, TotpSecret};

/// Whose second step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKey {
    /// Of a sign-in that waits.
    SignIn(ChallengeId),
    /// Of somebody who is signed in.
    Session(SessionId),
}

impl StepKey {
    /// The id under which the step is kept.
    pub fn id(self) -> ChallengeId {
        match self {
            Self::SignIn(id) => id,
            Self::Session(session) => ChallengeId(session.0),
        }
    }
}

/// How much may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPolicy {
    /// Wrong answers to one sign-in, and to one code.
    pub attempts: u32,
    /// Wrong answers in a row of the account, over all sign-ins, after which none is looked at for a while.
    pub lock_after: u32,
    /// For so long.
    pub lock_for: TimeDelta,
}

/// What somebody answers.
#[derive(Debug, Clone)]
pub enum SecondAnswer {
    /// A code of an app: for each app of the account the time step that the code is good for there.
    Totp(Vec<(FactorId, u64)>),
    /// A code that was mailed: its keyed hash.
    Mailed(TokenHash),
    /// A backup code: its keyed hash.
    Backup(TokenHash),
}

/// A command on second steps.
#[derive(Debug, Clone)]
pub enum TwoFactorCommand {
    /// Give the account an app, which counts once it has shown a code, and backup codes.
    EnrollApp {
        /// The app's id.
        factor: FactorId,
        /// Its secret.
        secret: TotpSecret,
        /// Keyed hashes of the codes to write down.
        backup_codes: Vec<TokenHash>,
        /// The time of the decision.
        now: Time,
    },
    /// Make codes by mail a second factor.
    EnableMail,
    /// Have nothing but the password again.
    Disable,
    /// Replace the backup codes.
    ReplaceBackupCodes {
        /// Keyed hashes of the new ones.
        codes: Vec<TokenHash>,
    },
    /// The password was right: the second step is to follow.
    Begin {
        /// The id of the sign-in.
        step: ChallengeId,
        /// The time of the decision.
        now: Time,
        /// From when on it counts for nothing.
        expires_at: Time,
    },
    /// Note a code that is about to be mailed.
    MailCode {
        /// For which step.
        key: StepKey,
        /// Its keyed hash.
        code: TokenHash,
        /// The time of the decision.
        now: Time,
        /// From when on it is refused.
        expires_at: Time,
        /// So many are mailed to an account within an hour.
        most_per_hour: u32,
    },
    /// Answer. A wrong answer is no error, because the try must be kept: what happens is then
    /// [`UserEvent::SecondStepMissed`](crate::user::UserEvent::SecondStepMissed) or, after too many of them,
    /// [`UserEvent::SecondStepExhausted`](crate::user::UserEvent::SecondStepExhausted), and the caller is
    /// refused only after that is committed.
    Take {
        /// Which step.
        key: StepKey,
        /// The answer.
        answer: SecondAnswer,
        /// The session that is begun or was asked.
        session: SessionId,
        /// How much may be tried.
        policy: StepPolicy,
        /// The time of the decision.
        now: Time,
    },
    /// Trust a device from now on.
    Trust {
        /// The hash of what it will show.
        device: TokenHash,
        /// The hash of what it showed so far, which is void then.
        instead_of: Option<TokenHash>,
        /// The time of the decision.
        now: Time,
        /// From when on it is trusted no more.
        expires_at: Time,
    },
}

//! Why a second factor or a passkey refuses a command.

/// A rule about second factors or passkeys said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// The account has no such factor.
    #[error("the factor does not exist")]
    NotFound,
    /// Another factor of the account has this name.
    #[error("another factor has this name")]
    NameTaken,
    /// The account has as many factors as it may have.
    #[error("no further factor may be enrolled")]
    TooMany,
    /// The number is a verified factor already.
    #[error("the number is a verified factor already")]
    PhoneVerified,
    /// The session has not shown a second factor, and the account has one.
    #[error("the session has not shown a second factor")]
    InsufficientAal,
    /// The factor was asked a moment ago.
    #[error("too soon: {seconds} s to wait")]
    TooSoon {
        /// Whole seconds left.
        seconds: u64,
    },
    /// The factor was never asked so.
    #[error("the challenge does not exist")]
    ChallengeNotFound,
    /// The challenge was answered, or was asked in another session or from another address.
    #[error("the challenge was answered, or asked elsewhere")]
    ChallengeMismatch,
    /// The challenge is too old.
    #[error("the challenge has expired")]
    ChallengeExpired,
    /// The answer is of another kind than the factor.
    #[error("the answer is of another kind than the factor")]
    WrongKind,
    /// Too many wrong answers.
    #[error("too many wrong answers: {seconds} s to wait")]
    Locked {
        /// Whole seconds left.
        seconds: u64,
    },
    /// The account has an app that has shown a code.
    #[error("an app is enabled already")]
    AlreadyEnabled,
    /// Nothing but the password is asked for.
    #[error("no second factor is enabled")]
    NotEnabled,
    /// The account has no app that shows codes.
    #[error("no app is enabled")]
    AppNotEnabled,
    /// The account has no backup codes, or used them all.
    #[error("there are no backup codes")]
    NoBackupCodes,
    /// The sign-in was finished, or is too old.
    #[error("no sign-in waits for a second step")]
    StepNotFound,
    /// No code was mailed, or it is too old.
    #[error("no mailed code is good")]
    CodeNotSent,
    /// The account has no such passkey.
    #[error("the passkey does not exist")]
    PasskeyNotFound,
    /// The account has as many passkeys as it may have.
    #[error("no further passkey may be added")]
    TooManyPasskeys,
    /// The credential is a passkey already.
    #[error("the credential is a passkey already")]
    PasskeyExists,
}

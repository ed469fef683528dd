//! Why a session refuses a command.

/// A rule of the session aggregate said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// There is no such session, or no longer: it was ended, or is past the end fixed at its start.
    #[error("the session does not exist or has ended")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the session has been started")]
    AlreadyStarted,
    /// The refresh token's number is yet to come.
    #[error("the refresh token was not issued by this server")]
    NotIssued,
    /// The refresh token was used, or is from before a step-up, and the session stays.
    #[error("the refresh token was used")]
    AlreadyUsed,
    /// The fields of the application would take more than [`MAX_FIELDS_BYTES`](super::MAX_FIELDS_BYTES).
    #[error("the fields of the session are too large")]
    FieldsTooLarge,
}

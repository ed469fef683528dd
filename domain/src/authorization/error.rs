//! Why an authorization refuses a command.

/// A rule of the authorization aggregate said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// There is no such authorization for whoever asks: unknown, expired, another user's, another client's,
    /// not seen yet, not approved, redeemed already.
    #[error("the authorization does not exist")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the authorization has been requested")]
    AlreadyRequested,
    /// The user has said yes or no.
    #[error("the authorization is decided")]
    Decided,
    /// The code went to another address. The code stays as it is.
    #[error("the code was sent to another address")]
    WrongRedirectUri,
    /// The verifier is not the one that the challenge was made of. The code stays as it is.
    #[error("the code verifier does not match the code challenge")]
    WrongVerifier,
}

//! Why a flow refuses a command.

/// A rule of the flow aggregate said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// There is no such flow, it is not so far yet, or it is over.
    #[error("the flow does not exist or is over")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the flow has been started")]
    AlreadyStarted,
    /// The user has come back with it before.
    #[error("the flow was used already")]
    AlreadyUsed,
    /// It took too long.
    #[error("the flow has expired")]
    Expired,
    /// The verifier is not the one that the challenge was made of. The flow stays as it is.
    #[error("the code verifier does not match the code challenge")]
    WrongVerifier,
}

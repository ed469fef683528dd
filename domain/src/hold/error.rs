//! Why the register of legal holds refuses a command.

/// A rule of the register said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// Whoever looks at it later must know why and by whom.
    #[error("a hold needs a reason, and somebody who ordered it")]
    Unexplained,
    /// The id is taken.
    #[error("there is such a hold already")]
    AlreadyPlaced,
    /// It would end before it begins.
    #[error("the end of the hold has passed")]
    EndPassed,
    /// There is none with this id, or it has ended.
    #[error("there is no such hold")]
    NotFound,
    /// As many as there may be.
    #[error("there are too many holds")]
    TooMany,
}

//! Why a consent refuses a command.

/// A rule of the consent aggregate said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Nothing is granted that could be taken back.
    #[error("nothing is granted to the client")]
    NotGiven,
}

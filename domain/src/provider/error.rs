//! Why a provider refuses a command.

/// A rule of the provider aggregate said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// There is no such provider, or no longer.
    #[error("the provider does not exist")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the provider is registered")]
    AlreadyRegistered,
    /// What a provider speaks does not change.
    #[error("a provider cannot become one of another kind")]
    OtherKind,
}

//! Why a provider refuses a command.

/// A rule of the provider aggregate said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SsoProviderError {
    /// There is no such provider, or it was removed.
    #[error("the provider does not exist")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the provider is registered already")]
    AlreadyRegistered,
    /// The new metadata are another provider's.
    #[error("the metadata are those of another provider")]
    EntityMismatch {
        /// Whose they should be.
        expected: String,
        /// Whose they are.
        given: String,
    },
}

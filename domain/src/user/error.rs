//! Why a user refuses a command.

use super::factor::FactorError;

/// A rule of the user aggregate said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// There is no such user, or no longer.
    #[error("the user does not exist")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the user exists")]
    AlreadyExists,
    /// An account needs an address or a number, unless it is anonymous.
    #[error("an account needs an e-mail address or a phone number")]
    NoContact,
    /// There is no address to confirm, or no number.
    #[error("there is nothing to confirm")]
    NothingToConfirm,
    /// The code or link is unknown, used, superseded, guessed at too often or too old.
    #[error("the code or link is invalid or has expired")]
    TokenInvalid,
    /// A message of this kind was sent a moment ago.
    #[error("too soon: {seconds} s to wait")]
    TooSoon {
        /// Whole seconds left.
        seconds: u64,
    },
    /// A rule about second factors or passkeys.
    #[error(transparent)]
    Factor(#[from] FactorError),
    /// No identity of this id is linked.
    #[error("the identity is not linked")]
    IdentityNotFound,
    /// The last way to sign in cannot be removed.
    #[error("the last identity cannot be removed")]
    LastIdentity,
    /// The addresses of all remaining identities belong to other users.
    #[error("the addresses of the remaining identities are taken")]
    EmailConflict,
    /// The identity is linked already.
    #[error("the identity is linked already")]
    IdentityAlreadyLinked,
}

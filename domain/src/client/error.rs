//! Why a client refuses a command.

use super::DetailsError;

/// A rule of the client aggregate said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// There is no such client, or no longer.
    #[error("the client does not exist")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the client has been registered")]
    AlreadyRegistered,
    /// It keeps no secret.
    #[error("a public client has no secret")]
    Public,
    /// What is said about it breaks a rule.
    #[error(transparent)]
    Details(#[from] DetailsError),
}

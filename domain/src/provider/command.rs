//! What may be asked of a provider.

use super::{ProviderDefinition, Registration, SealedSecret};

/// A command on a provider.
#[derive(Debug, Clone)]
pub enum ProviderCommand {
    /// Take it up.
    Register(Box<Registration>),
    /// Describe it anew. What it speaks stays.
    Change {
        /// All that may be shown.
        definition: Box<ProviderDefinition>,
        /// Another secret, if there is one.
        client_secret: Option<SealedSecret>,
    },
    /// Forget it. Identities that came by it stay.
    Remove,
}

//! What can have happened to a provider.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{ProviderDefinition, SealedSecret};
use crate::catalogue::described;
use crate::{Claim, ClaimChange, ClaimKind};

described! {
    /// An event of a provider's stream.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum ProviderEvent {
        /// An administrator registered a provider to sign in with.
        #[serde(rename = "provider.registered")]
        Registered {
            /// The name in requests and identities; no two have the same.
            identifier: String,
            /// All that may be shown.
            definition: ProviderDefinition,
            /// The secret of the client there, enciphered under a key of the server.
            client_secret: SealedSecret,
        },
        /// It is described anew.
        #[serde(rename = "provider.changed")]
        Changed {
            /// All that may be shown.
            definition: ProviderDefinition,
            /// Another secret; without one the last stays.
            client_secret: Option<SealedSecret>,
        },
        /// It is gone, and its name free; identities that came by it stay.
        #[serde(rename = "provider.removed")]
        Removed {},
    }
}

impl ProviderEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Registered { .. } => ("provider.registered", "1.0"),
            Self::Changed { .. } => ("provider.changed", "1.0"),
            Self::Removed {} => ("provider.removed", "1.0"),
        }
    }

    /// What it does to the unique names of providers.
    pub fn claims(&self) -> Vec<ClaimChange> {
        match self {
            Self::Registered { identifier, .. } => {
                vec![ClaimChange::Take(Claim { kind: ClaimKind::Provider, value: identifier.clone() })]
            }
            Self::Changed { .. } => Vec::new(),
            Self::Removed {} => vec![ClaimChange::ReleaseAll],
        }
    }
}

impl DomainEvent for ProviderEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

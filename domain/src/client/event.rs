//! What can have happened to a client.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{ClientDetails, Registration};
use crate::catalogue::described;
use crate::{Time, TokenHash};

described! {
    /// An event of a client's stream. Clients are applications: nothing here is a person's.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum ClientEvent {
        /// An application may ask users for access.
        #[serde(rename = "client.registered")]
        Registered {
            /// By whom.
            registration: Registration,
            /// What is known of it.
            details: ClientDetails,
            /// The hash of its secret, where it keeps one.
            secret: Option<TokenHash>,
            /// When.
            registered_at: Time,
        },
        /// Something else is known of it now.
        #[serde(rename = "client.updated")]
        Updated {
            /// All that is known of it now.
            details: ClientDetails,
            /// When.
            at: Time,
        },
        /// It has another secret; the one before is void.
        #[serde(rename = "client.secret_regenerated")]
        SecretRegenerated {
            /// The hash of the new one.
            secret: TokenHash,
            /// When.
            at: Time,
        },
        /// It is gone: its codes and tokens are refused.
        #[serde(rename = "client.deleted")]
        Deleted {},
    }
}

impl ClientEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Registered { .. } => ("client.registered", "1.0"),
            Self::Updated { .. } => ("client.updated", "1.0"),
            Self::SecretRegenerated { .. } => ("client.secret_regenerated", "1.0"),
            Self::Deleted {} => ("client.deleted", "1.0"),
        }
    }
}

impl DomainEvent for ClientEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

//! What can have happened to a consent.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::catalogue::described;
use crate::{ClientId, Scopes, Time, UserId};

described! {
    /// An event of the stream that tells what one user granted to one client.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum ConsentEvent {
        /// The user lets the client have these scopes.
        #[serde(rename = "consent.given")]
        Given {
            /// Who.
            user: UserId,
            /// To whom.
            client: ClientId,
            /// All that is granted now.
            scopes: Scopes,
            /// When.
            given_at: Time,
        },
        /// The user took everything back; the client's sessions end with it.
        #[serde(rename = "consent.revoked")]
        Revoked {
            /// Who.
            user: UserId,
            /// From whom.
            client: ClientId,
        },
    }
}

impl ConsentEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Given { .. } => ("consent.given", "1.0"),
            Self::Revoked { .. } => ("consent.revoked", "1.0"),
        }
    }
}

impl DomainEvent for ConsentEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

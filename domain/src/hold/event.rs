//! What can have happened to the register of legal holds.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::HoldScope;
use crate::catalogue::described;
use crate::{HoldId, Personal, Time};

described! {
    /// An event of the one stream that tells what must be kept.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum HoldEvent {
        /// Something must be kept: retention drops nothing of it, and nobody in it is erased.
        #[serde(rename = "hold.placed")]
        Placed {
            /// The hold.
            hold: HoldId,
            /// What must be kept.
            scope: HoldScope,
            /// Why: the case it is kept for.
            reason: Personal<String>,
            /// Who ordered it.
            by: Personal<String>,
            /// From when on it counts for nothing; none: until it is lifted.
            until: Option<Time>,
        },
        /// It need not be kept any longer.
        #[serde(rename = "hold.lifted")]
        Lifted {
            /// The hold.
            hold: HoldId,
            /// What it kept.
            scope: HoldScope,
            /// Who said so.
            by: Personal<String>,
        },
    }
}

impl HoldEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Placed { .. } => ("hold.placed", "1.0"),
            Self::Lifted { .. } => ("hold.lifted", "1.0"),
        }
    }

    /// What it is about.
    pub const fn scope(&self) -> HoldScope {
        match self {
            Self::Placed { scope, .. } | Self::Lifted { scope, .. } => *scope,
        }
    }
}

impl DomainEvent for HoldEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

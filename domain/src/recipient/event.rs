//! What can have happened to a recipient.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{CodePurpose, MessageKind};
use crate::catalogue::described;
use crate::{Time, TokenHash};

described! {
    /// An event of a recipient's stream. The stream's id follows from the address under a key of the
    /// server, and nothing here tells it.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum RecipientEvent {
        /// Somebody asked that a message be sent there. Whether one was depends on who has the address.
        #[serde(rename = "recipient.message_asked_for")]
        MessageAskedFor {
            /// What for.
            kind: MessageKind,
            /// When.
            at: Time,
        },
        /// Who has the address answered by confirming it, or has a new password: the next message may be
        /// asked for at once.
        #[serde(rename = "recipient.answered")]
        Answered {},
        /// A code was made, whether anybody has the address or not; the one before for the same purpose is
        /// void.
        #[serde(rename = "recipient.code_issued")]
        CodeIssued {
            /// What for.
            purpose: CodePurpose,
            /// Its keyed hash.
            code: TokenHash,
            /// When.
            at: Time,
            /// From when on it is refused.
            expires_at: Time,
        },
        /// Somebody tried a wrong code.
        #[serde(rename = "recipient.code_missed")]
        CodeMissed {
            /// What for.
            purpose: CodePurpose,
        },
        /// After too many wrong codes one more came: the code is void.
        #[serde(rename = "recipient.code_exhausted")]
        CodeExhausted {
            /// What for.
            purpose: CodePurpose,
        },
        /// The code was used.
        #[serde(rename = "recipient.code_redeemed")]
        CodeRedeemed {
            /// What for.
            purpose: CodePurpose,
        },
    }
}

impl RecipientEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::MessageAskedFor { .. } => ("recipient.message_asked_for", "1.0"),
            Self::Answered {} => ("recipient.answered", "1.0"),
            Self::CodeIssued { .. } => ("recipient.code_issued", "1.0"),
            Self::CodeMissed { .. } => ("recipient.code_missed", "1.0"),
            Self::CodeExhausted { .. } => ("recipient.code_exhausted", "1.0"),
            Self::CodeRedeemed { .. } => ("recipient.code_redeemed", "1.0"),
        }
    }
}

impl DomainEvent for RecipientEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

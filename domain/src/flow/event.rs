//! What can have happened to a flow.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{CodeChallenge, FlowPurpose, ProviderTokens};
use crate::catalogue::described;
use crate::{Personal, SessionId, Time, UserId};

described! {
    /// An event of a flow's stream.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum FlowEvent {
        /// A sign-in is under way.
        #[serde(rename = "flow.started")]
        Started {
            /// What it leads to.
            purpose: FlowPurpose,
            /// The provider it goes through.
            provider: Option<String>,
            /// What the client has to prove at the end.
            challenge: Option<CodeChallenge>,
            /// Where the user is sent in the end.
            redirect_to: Personal<String>,
            /// The user who is linking another identity, or who was invited.
            linking: Option<UserId>,
            /// The session in which the user links: what it began counts for nothing once it has ended.
            session: Option<SessionId>,
            /// A secret of the provider that is needed when the user comes back.
            kept: Option<Personal<String>>,
            /// When.
            started_at: Time,
            /// From when on it counts for nothing.
            expires_at: Time,
        },
        /// The user came back from the provider: its `state` is used up.
        #[serde(rename = "flow.returned")]
        Returned {
            /// When.
            at: Time,
        },
        /// The user has shown who they are; with a challenge there is a code to redeem, without one the
        /// flow is over.
        #[serde(rename = "flow.authenticated")]
        Authenticated {
            /// Who.
            user: UserId,
            /// How often the user's credentials had changed by then: with others the code is void.
            credentials: u64,
            /// By what proof.
            method: String,
            /// What the provider handed out.
            tokens: Option<Personal<ProviderTokens>>,
            /// When.
            at: Time,
            /// From when on the code is refused.
            code_expires_at: Time,
        },
        /// The client fetched what came of it.
        #[serde(rename = "flow.redeemed")]
        Redeemed {
            /// Who is signed in.
            user: UserId,
            /// When.
            at: Time,
        },
        /// A passkey answered the question of this flow's id, which was asked without a note; there is no
        /// second answer.
        #[serde(rename = "flow.answered")]
        Answered {
            /// Whose passkey, where that is known.
            user: Option<UserId>,
            /// Whether the answer was good.
            accepted: bool,
            /// When.
            at: Time,
        },
    }
}

impl FlowEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Started { .. } => ("flow.started", "1.1"),
            Self::Returned { .. } => ("flow.returned", "1.0"),
            Self::Authenticated { .. } => ("flow.authenticated", "1.0"),
            Self::Redeemed { .. } => ("flow.redeemed", "1.0"),
            Self::Answered { .. } => ("flow.answered", "1.0"),
        }
    }
}

impl DomainEvent for FlowEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

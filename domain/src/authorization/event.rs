//! What can have happened to an authorization.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::catalogue::described;
use crate::client::RedirectUri;
use crate::flow::CodeChallenge;
use crate::{ClientId, Personal, Scopes, SessionId, Time, UserId};

described! {
    /// An event of an authorization's stream. Its id is the hash of the id that browsers see.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum AuthorizationEvent {
        /// A client asks for access; whom, is not known yet.
        #[serde(rename = "authorization.requested")]
        Requested {
            /// Who asks.
            client: ClientId,
            /// Where the code is to be sent.
            redirect_uri: RedirectUri,
            /// What the client wants.
            scopes: Scopes,
            /// What comes back to the client as it is.
            state: Option<Personal<String>>,
            /// What the ID token repeats.
            nonce: Option<Personal<String>>,
            /// For which service the tokens are to be (RFC 8707).
            resource: Option<String>,
            /// What the client proves when it redeems the code.
            challenge: CodeChallenge,
            /// When.
            requested_at: Time,
            /// From when on the request counts for nothing.
            expires_at: Time,
        },
        /// A user looked at the request: the decision is theirs.
        #[serde(rename = "authorization.seen")]
        Seen {
            /// Who.
            user: UserId,
            /// When.
            at: Time,
        },
        /// The user said yes, now or by an earlier consent; there is a code to redeem.
        #[serde(rename = "authorization.approved")]
        Approved {
            /// Who.
            user: UserId,
            /// When the user had signed in.
            authenticated_at: Time,
            /// When.
            at: Time,
            /// From when on the code is refused.
            code_expires_at: Time,
        },
        /// The user said no.
        #[serde(rename = "authorization.denied")]
        Denied {
            /// Who.
            user: UserId,
            /// When.
            at: Time,
        },
        /// The client redeemed the code.
        #[serde(rename = "authorization.code_redeemed")]
        CodeRedeemed {
            /// Who granted it.
            user: UserId,
            /// The session that it opened.
            session: SessionId,
            /// When.
            at: Time,
        },
    }
}

impl AuthorizationEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Requested { .. } => ("authorization.requested", "1.0"),
            Self::Seen { .. } => ("authorization.seen", "1.0"),
            Self::Approved { .. } => ("authorization.approved", "1.0"),
            Self::Denied { .. } => ("authorization.denied", "1.0"),
            Self::CodeRedeemed { .. } => ("authorization.code_redeemed", "1.0"),
        }
    }
}

impl DomainEvent for AuthorizationEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

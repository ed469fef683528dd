//! What may be asked of an authorization.

use crate::client::RedirectUri;
use crate::flow::CodeChallenge;
use crate::{ClientId, Scopes, SessionId, Time, UserId};

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub client: ClientId,
    /// Where the code is to be sent; one of the client's own addresses.
    pub redirect_uri: RedirectUri,
    /// What the client wants.
    pub scopes: Scopes,
    /// What comes back to the client as it is.
    pub state: Option<String>,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// For which service the tokens are to be (RFC 8707).
    pub resource: Option<String>,
    /// What the client proves when it redeems the code.
    pub challenge: CodeChallenge,
    /// The time of the decision.
    pub now: Time,
    /// From when on the request counts for nothing.
    pub expires_at: Time,
}

/// A command on an authorization.
#[derive(Debug, Clone)]
pub enum AuthorizationCommand {
    /// A client asks.
    Request(Box<Request>),
    /// A user looks at it, and is the one to decide from now on.
    See {
        /// Who.
        user: UserId,
        /// The time of the decision.
        now: Time,
    },
    /// The user says yes.
    Approve {
        /// Who.
        user: UserId,
        /// When the user signed in.
        authenticated_at: Time,
        /// The time of the decision.
        now: Time,
        /// From when on the code is refused.
        code_expires_at: Time,
    },
    /// The user says no.
    Deny {
        /// Who.
        user: UserId,
        /// The time of the decision.
        now: Time,
    },
    /// The client fetches what came of it.
    Redeem {
        /// Who comes.
        client: ClientId,
        /// Where the code was sent, where the client says so.
        redirect_uri: Option<String>,
        /// What the challenge was made of.
        verifier: String,
        /// The session that is opened.
        session: SessionId,
        /// The time of the decision.
        now: Time,
    },
}

//! What an ID token says (OpenID Connect Core, section 2).

use std::fmt;

use evident_domain::{ClientId, UserId};
use serde::Serialize;

/// The claims of an ID token, in the order in which they are written. What is `None` is left out. It names no
/// session and no role: nobody gets in with it.
#[derive(Clone, Serialize)]
pub struct IdTokenClaims {
    /// Who issues it.
    pub iss: String,
    /// Whom it is about.
    pub sub: UserId,
    /// For whom it is: the client.
    pub aud: ClientId,
    /// When it ends, in Unix seconds.
    pub exp: i64,
    /// When it was issued, in Unix seconds.
    pub iat: i64,
    /// What the client sent along when it asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When the user signed in, in Unix seconds.
    pub auth_time: i64,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether it was shown to be the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether it was shown to be the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A picture's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// What the user likes to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// When the account last changed, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// The client once more, as Supabase Auth has it.
    pub client_id: ClientId,
}

/// Personal data stay out of logs.
impl fmt::Debug for IdTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenClaims")
            .field("sub", &self.sub)
            .field("aud", &self.aud)
            .finish_non_exhaustive()
    }
}

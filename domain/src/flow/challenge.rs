//! What a client proves when it fetches the end of a flow (PKCE, RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Lengths of a challenge, in characters (RFC 7636, section 4.2).
const LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

/// How a challenge follows from its verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeMethod {
    /// It is its SHA-256, in base64url without padding.
    S256,
    /// It is the verifier itself.
    Plain,
}

/// A challenge. Whoever knows it cannot redeem the flow, unless its method is `plain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChallenge {
    /// How it was made.
    pub method: ChallengeMethod,
    /// What was made.
    pub value: String,
}

/// The text is no challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// Too short or too long.
    #[error("a code challenge has 43 to 128 characters")]
    Length,
    /// A character that is not allowed.
    #[error("a code challenge has letters, digits, hyphens, periods, underscores and tildes only")]
    Characters,
    /// No method of that name.
    #[error("the method of a code challenge is s256 or plain")]
    Method,
}

impl CodeChallenge {
    /// Reads a challenge and the name of its method, in either case.
    ///
    /// # Errors
    /// When one of them does not read.
    pub fn parse(value: &str, method: &str) -> Result<Self, ChallengeError> {
        if !LENGTHS.contains(&value.len()) {
            return Err(ChallengeError::Length);
        }
        if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)) {
            return Err(ChallengeError::Characters);
        }
        let method = match method.to_ascii_lowercase().as_str() {
            "s256" => ChallengeMethod::S256,
            "plain" => ChallengeMethod::Plain,
            _ => return Err(ChallengeError::Method),
        };
        Ok(Self { method, value: value.to_owned() })
    }

    /// Whether a verifier is the one, in a time that tells nothing.
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let made = match self.method {
            ChallengeMethod::S256 => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())),
            ChallengeMethod::Plain => verifier.to_owned(),
        };
        made.as_bytes().ct_eq(self.value.as_bytes()).into()
    }
}

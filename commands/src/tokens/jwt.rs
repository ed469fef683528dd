//! The compact form of a token, and everything that can be wrong with one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a presented token is refused. The texts are those of the Go library that clients know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not three parts between dots.
    #[error("token is malformed: token contains an invalid number of segments")]
    Segments,
    /// A part is no base64url.
    #[error("token is malformed: could not base64 decode {part}: illegal base64 data at input byte {at}")]
    Base64 {
        /// Which part.
        part: Part,
        /// Where it breaks.
        at: usize,
    },
    /// A part is no JSON of the right shape.
    #[error("token is malformed: could not JSON decode {0}")]
    Json(Part),
    /// The header names no algorithm.
    #[error("token is unverifiable: signing method (alg) is unspecified")]
    AlgorithmMissing,
    /// The header names an algorithm that does not exist.
    #[error("token is unverifiable: signing method (alg) is unavailable")]
    AlgorithmUnknown,
    /// The header names an algorithm that is not used here, `none` among them.
    #[error("token signature is invalid: signing method {0} is invalid")]
    AlgorithmRefused(String),
    /// No key fits the header.
    #[error(
        "token is unverifiable: error while executing keyfunc: unrecognized JWT kid {kid} for algorithm {alg}"
    )]
    KeyUnknown {
        /// The key's id, `<nil>` where none is named.
        kid: String,
        /// The algorithm.
        alg: String,
    },
    /// The named key belongs to another algorithm.
    #[error("token signature is invalid: key is of invalid type")]
    KeyMismatch,
    /// The signature is wrong.
    #[error("token signature is invalid: {}", signature_detail(*.0))]
    Signature(Algorithm),
    /// The token is over.
    #[error("token has invalid claims: token is expired")]
    Expired,
    /// The token's time has not come.
    #[error("token has invalid claims: token is not valid yet")]
    NotYetValid,
}

/// A part of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The header.
    Header,
    /// The claims.
    Claim,
    /// The signature.
    Signature,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Claim => "claim",
            Self::Signature => "signature",
        })
    }
}

/// Go's words for a wrong signature, by algorithm.
const fn signature_detail(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => "crypto/ecdsa: verification error",
        Algorithm::EdDSA => "ed25519: verification error",
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => "signature is invalid",
        _ => "crypto/rsa: verification error",
    }
}

/// What a token's header says, as far as anybody asks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Header {
    pub(super) alg: Option<Value>,
    pub(super) kid: Option<Value>,
}

impl Header {
    /// The named algorithm, where it is one that exists.
    pub(super) fn algorithm(&self) -> Result<&str, JwtError> {
        /// What the Go library knows; ES512 among them, which nobody here signs with.
        const KNOWN: [&str; 14] = [
            "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
            "ES384", "ES512", "EdDSA", "none",
        ];
        let name = self.alg.as_ref().and_then(Value::as_str).ok_or(JwtError::AlgorithmMissing)?;
        if KNOWN.contains(&name) { Ok(name) } else { Err(JwtError::AlgorithmUnknown) }
    }

    /// The named key.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_ref().and_then(Value::as_str)
    }

    /// No key fits.
    pub(super) fn unknown_key(&self, alg: &str) -> JwtError {
        let kid = match &self.kid {
            None => "<nil>".to_owned(),
            Some(Value::String(kid)) => kid.clone(),
            Some(other) => other.to_string(),
        };
        JwtError::KeyUnknown { kid, alg: alg.to_owned() }
    }
}

/// A token's text, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compact<'a> {
    /// What is signed: header and claims with the dot between them.
    pub(super) message: &'a str,
    pub(super) header: &'a str,
    pub(super) claims: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Compact<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, JwtError> {
        let (message, signature) = token.rsplit_once('.').ok_or(JwtError::Segments)?;
        let (header, claims) = message.split_once('.').ok_or(JwtError::Segments)?;
        if claims.contains('.') {
            return Err(JwtError::Segments);
        }
        Ok(Self { message, header, claims, signature })
    }
}

/// Decodes a part's base64url.
pub(super) fn decode(part: Part, text: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
            // Go names the place where the last, incomplete group starts.
            base64::DecodeError::InvalidLength(length) => length - length % 4,
            base64::DecodeError::InvalidPadding => text.find('=').unwrap_or(text.len()),
        };
        JwtError::Base64 { part, at }
    })
}

/// Decodes a part's JSON object.
pub(super) fn object<T: DeserializeOwned>(part: Part, text: &str) -> Result<T, JwtError> {
    let bytes = decode(part, text)?;
    // serde reads structs from arrays too, which is no token's shape.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(JwtError::Json(part));
    }
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Json(part))
}

//! The keys that sign access tokens, and those that verify them.
//!
//! Which key verifies a token: the configured key whose id the header names; the secret, where the header
//! names the secret's id; the secret again for HS256 whatever the id (old service keys carry none). Each
//! key is bound to one algorithm, so that no public key is ever taken for a shared secret, and `none` is
//! never an algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use p256::ecdsa::signature::Signer as _;
use serde::Serialize;
use serde_json::{Value, json};

use evident_domain::Time;

use super::claims::VerifiedClaims;
use super::jwk::{Jwk, Key, Private, algorithm_name};
use super::jwt::{Compact, Header, JwtError, Part, decode, object};

/// What the configuration says about keys.
#[derive(Clone, Copy, Default)]
pub struct KeySettings<'a> {
    /// The shared secret for HS256 (`GOTRUE_JWT_SECRET`), raw bytes of the text.
    pub secret: Option<&'a str>,
    /// The id of the shared secret (`GOTRUE_JWT_KEY_ID`).
    pub key_id: Option<&'a str>,
    /// A JSON array of private JWKs (`GOTRUE_JWT_KEYS`), one of which signs.
    pub keys: Option<&'a str>,
    /// The algorithms that are taken (`GOTRUE_JWT_VALID_METHODS`); empty: those of the keys.
    pub valid_methods: &'a [String],
}

/// Why the configured keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither a secret nor keys.
    #[error("a secret or keys are needed to sign access tokens")]
    Nothing,
    /// The secret is empty.
    #[error("the JWT secret is empty")]
    EmptySecret,
    /// The keys are no JSON array of JWKs. The text itself is secret, so only the place is told.
    #[error("the JWT keys are no JSON array of JWKs: line {line}, column {column}")]
    NotJson {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// No key has `sign` among its operations.
    #[error("no signing key found")]
    NoSigner,
    /// More than one key has.
    #[error("multiple signing keys detected, only 1 signing key is supported")]
    ManySigners,
    /// Two keys have the same id.
    #[error("two keys have the same kid {0}")]
    SameKid(String),
    /// The key that is to sign has no private part.
    #[error("the signing key has no private part")]
    NoPrivatePart,
    /// A key is broken.
    #[error("the key {kid} is invalid: {problem}")]
    Invalid {
        /// Which key.
        kid: String,
        /// What is wrong.
        problem: String,
    },
    /// A key of a kind that is not supported.
    #[error("the key {kid} is of an unsupported kind: {what}; use HS256, RS256, RS512, ES256 or EdDSA")]
    Unsupported {
        /// Which key.
        kid: String,
        /// What it is.
        what: String,
    },
    /// Signing failed.
    #[error("the token could not be signed")]
    Signing,
}

/// All keys, ready for use.
pub struct SigningKeys {
    signer: Private,
    algorithm: Algorithm,
    /// The header of every token that is signed here, encoded.
    header: String,
    /// What verifies these tokens.
    own: DecodingKey,
    /// Whether the signer's algorithm is among those that are taken.
    own_tokens_taken: bool,
    keys: Vec<Key>,
    secret: Option<DecodingKey>,
    secret_id: Option<String>,
    methods: Vec<String>,
    jwks: Value,
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct OwnHeader<'a> {
    alg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    typ: &'a str,
}

impl SigningKeys {
    /// Reads the configured keys.
    ///
    /// # Errors
    /// Says what is wrong with them, without showing them.
    pub fn load(settings: KeySettings<'_>) -> Result<Self, KeyError> {
        if settings.secret == Some("") {
            return Err(KeyError::EmptySecret);
        }
        let mut keys = parse(settings.keys)?;
        let secret = settings.secret.map(str::as_bytes);
        let (signer, own, algorithm, kid) = if keys.is_empty() {
            let secret = secret.ok_or(KeyError::Nothing)?;
            let signer = Private::Encoded(EncodingKey::from_secret(secret));
            let own = DecodingKey::from_secret(secret);
            (signer, own, Algorithm::HS256, settings.key_id.map(str::to_owned))
        } else {
            let key = only_signer(&mut keys)?;
            let signer = key.private.take().ok_or(KeyError::NoPrivatePart)?;
            (signer, key.public.clone(), key.algorithm, key.kid.clone())
        };
        // Only the signer's private part is ever needed.
        for key in &mut keys {
            key.private = None;
        }
        let mut methods = settings.valid_methods.to_vec();
        if methods.is_empty() {
            methods.push(algorithm_name(algorithm).to_owned());
            methods.extend(keys.iter().map(|key| algorithm_name(key.algorithm).to_owned()));
            methods.sort_unstable();
            methods.dedup();
        }
        // Listing `none` must not switch signatures off.
        methods.retain(|method| method != "none");
        let header = OwnHeader { alg: algorithm_name(algorithm), kid: kid.as_deref(), typ: "JWT" };
        let header = serde_json::to_vec(&header).map_err(|_| KeyError::Signing)?;
        let listed: Vec<_> = keys.iter().filter_map(|key| key.listed.clone()).collect();
        Ok(Self {
            signer,
            algorithm,
            header: URL_SAFE_NO_PAD.encode(header),
            own,
            own_tokens_taken: methods.iter().any(|method| method == algorithm_name(algorithm)),
            keys,
            secret: secret.map(DecodingKey::from_secret),
            secret_id: settings.key_id.map(str::to_owned),
            methods,
            jwks: json!({ "keys": listed }),
        })
    }

    /// The algorithm by which others can check what is signed here; none where only this server can.
    pub fn public_algorithm(&self) -> Option<&'static str> {
        match self.algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => None,
            asymmetric => Some(algorithm_name(asymmetric)),
        }
    }

    /// Signs a token.
    ///
    /// # Errors
    /// When the claims cannot be written as JSON, which those of this crate always can.
    pub fn sign<T: Serialize>(&self, claims: &T) -> Result<String, KeyError> {
        let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Signing)?;
        let mut token = String::with_capacity(self.header.len() + claims.len() * 4 / 3 + 352);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
        let signature = match &self.signer {
            Private::Encoded(key) => {
                crypto::sign(token.as_bytes(), key, self.algorithm).map_err(|_| KeyError::Signing)?
            }
            Private::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.try_sign(token.as_bytes()).map_err(|_| KeyError::Signing)?;
                URL_SAFE_NO_PAD.encode(signature.to_bytes())
            }
            Private::Ed25519(key) => {
                let signature = key.try_sign(token.as_bytes()).map_err(|_| KeyError::Signing)?;
                URL_SAFE_NO_PAD.encode(signature.to_bytes())
            }
        };
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }

    /// Verifies a token: signature, `exp` and `nbf`, without leeway. A later `iat`, `iss` and `aud` are
    /// nobody's business here.
    ///
    /// # Errors
    /// What is wrong with it, in the words of the Go library.
    pub fn verify(&self, token: &str, now: Time) -> Result<VerifiedClaims, JwtError> {
        let parts = Compact::split(token)?;
        // Nearly all tokens are our own and carry this very header, which need not be read again.
        let own = self.own_tokens_taken && parts.header == self.header;
        let header: Option<Header> = if own { None } else { Some(object(Part::Header, parts.header)?) };
        let claims: VerifiedClaims = object(Part::Claim, parts.claims)?;
        let (algorithm, key) = match &header {
            None => (self.algorithm, &self.own),
            Some(header) => self.key_for(header)?,
        };
        if !crypto::verify(parts.signature, parts.message.as_bytes(), key, algorithm).unwrap_or(false) {
            decode(Part::Signature, parts.signature)?;
            return Err(JwtError::Signature(algorithm));
        }
        let now = now.timestamp();
        if claims.exp.is_some_and(|exp| now >= exp) {
            return Err(JwtError::Expired);
        }
        if claims.nbf.is_some_and(|nbf| now < nbf) {
            return Err(JwtError::NotYetValid);
        }
        Ok(claims)
    }

    /// The public keys, as `/.well-known/jwks.json` shows them.
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// The key that verifies tokens of a header, and the algorithm it is for.
    fn key_for(&self, header: &Header) -> Result<(Algorithm, &DecodingKey), JwtError> {
        let name = header.algorithm()?;
        if !self.methods.iter().any(|method| method == name) {
            return Err(JwtError::AlgorithmRefused(name.to_owned()));
        }
        let fits = |algorithm, key| {
            if algorithm_name(algorithm) == name { Ok((algorithm, key)) } else { Err(JwtError::KeyMismatch) }
        };
        if let Some(kid) = header.kid() {
            if let Some(key) = self.keys.iter().find(|key| key.kid.as_deref() == Some(kid)) {
                return fits(key.algorithm, &key.public);
            }
            if let Some(secret) = &self.secret
                && self.secret_id.as_deref() == Some(kid)
            {
                return fits(Algorithm::HS256, secret);
            }
        }
        match &self.secret {
            Some(secret) if name == "HS256" => Ok((Algorithm::HS256, secret)),
            _ => Err(header.unknown_key(name)),
        }
    }
}

/// Reads the array of keys; none at all where nothing is configured.
fn parse(text: Option<&str>) -> Result<Vec<Key>, KeyError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Vec::new()) };
    let jwks: Vec<Jwk> = serde_json::from_str(text)
        .map_err(|error| KeyError::NotJson { line: error.line(), column: error.column() })?;
    let keys = jwks.iter().map(Jwk::ready).collect::<Result<Vec<_>, _>>()?;
    for (index, key) in keys.iter().enumerate() {
        if let Some(kid) = &key.kid
            && keys[..index].iter().any(|other| other.kid.as_ref() == Some(kid))
        {
            return Err(KeyError::SameKid(kid.clone()));
        }
    }
    Ok(keys)
}

/// The one key that signs.
fn only_signer(keys: &mut [Key]) -> Result<&mut Key, KeyError> {
    let mut signers = keys.iter_mut().filter(|key| key.signs);
    let signer = signers.next().ok_or(KeyError::NoSigner)?;
    if signers.next().is_some() { Err(KeyError::ManySigners) } else { Ok(signer) }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;

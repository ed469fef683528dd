//! Signing keys for tests, made for them and used nowhere else, and what tests do with key documents.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::JWT_SECRET;

/// A private key on P-256.
pub(crate) const ES256_KEY: &str = include_str!("../keys/es256.json");

/// A private RSA key of 2048 bits.
pub(crate) const RS256_KEY: &str = include_str!("../keys/rs256.json");

/// A private Ed25519 key.
pub(crate) const EDDSA_KEY: &str = include_str!("../keys/eddsa.json");

/// A value for `GOTRUE_JWT_KEYS`: the first key signs, the others only check, and so does the shared
/// secret.
pub(crate) fn key_set(signer: &str, others: &[&str]) -> String {
    let mut keys = vec![parse(signer)];
    for other in others {
        let mut key = parse(other);
        key["key_ops"] = json!(["verify"]);
        keys.push(key);
    }
    let secret = BASE64_URL_SAFE_NO_PAD.encode(JWT_SECRET);
    keys.push(json!({ "kty": "oct", "k": secret, "alg": "HS256", "kid": "secret-1", "key_ops": ["verify"] }));
    Value::Array(keys).to_string()
}

/// What the world may know of a key, as `jwks.json` shows it.
pub(crate) fn public_part(key: &str) -> Value {
    let mut key = parse(key);
    let fields = key.as_object_mut().unwrap();
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        fields.remove(private);
    }
    fields.insert("use".to_owned(), json!("sig"));
    fields.insert("key_ops".to_owned(), json!(["verify"]));
    key
}

/// A part of a token as JSON: 0 is the header, 1 the claims.
pub(crate) fn decode_part(token: &str, part: usize) -> Value {
    let text = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn parse(key: &str) -> Value {
    serde_json::from_str(key).unwrap()
}

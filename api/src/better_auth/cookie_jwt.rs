//! The copy of a session as a JWT: signed (RFC 7515, HS256) or enciphered (RFC 7516, `dir` with
//! A256CBC-HS512), as Better Auth's strategies `jwt` and `jwe` write it.

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockEncryptMut as _, KeyIvInit as _};
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use uuid::Uuid;

use super::cookies::CookieSigner;

/// What Better Auth salts the key with that enciphers sessions.
const SALT: &str = "better-auth-session";
/// Bytes of the half of the key that makes the tag, of the other half, and of the tag (RFC 7518, 5.2.5).
const HALF: usize = 32;

/// From when and until when a copy counts, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// When it was made.
    pub(super) from: i64,
    /// When it ends.
    pub(super) until: i64,
}

/// A signed JWT.
pub(super) fn signed(signer: &CookieSigner, mut claims: Map<String, Value>, span: Span) -> String {
    claims.extend([("iat".to_owned(), span.from.into()), ("exp".to_owned(), span.until.into())]);
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string()));
    let signature = URL_SAFE_NO_PAD.encode(signer.mac(&text));
    format!("{text}.{signature}")
}

/// An enciphered JWT; `random` is its id and makes it look like no other.
pub(super) fn enciphered(
    signer: &CookieSigner,
    mut claims: Map<String, Value>,
    span: Span,
    random: Random,
) -> Option<String> {
    claims.extend([
        ("iat".to_owned(), span.from.into()),
        ("exp".to_owned(), span.until.into()),
        ("jti".to_owned(), random.id.to_string().into()),
    ]);
    let key = signer.derived(SALT)?;
    let head = json!({ "alg": "dir", "enc": "A256CBC-HS512", "kid": thumbprint(&key[..]) });
    let head = URL_SAFE_NO_PAD.encode(head.to_string());
    let (mac_key, cipher_key) = key.split_at(HALF);
    let cipher = cbc::Encryptor::<Aes256>::new_from_slices(cipher_key, &random.vector).ok()?;
    let ciphertext = cipher.encrypt_padded_vec_mut::<Pkcs7>(Value::Object(claims).to_string().as_bytes());
    let mut mac = Hmac::<Sha512>::new_from_slice(mac_key).ok()?;
    for part in [head.as_bytes(), &random.vector, &ciphertext, &bits(&head)] {
        mac.update(part);
    }
    let tag = mac.finalize().into_bytes();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (vector, tag) = (text(&random.vector), text(tag.get(..HALF)?));
    Some(format!("{head}..{vector}.{}.{tag}", text(&ciphertext)))
}

/// What makes an enciphered JWT unlike any other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Random {
    /// Its id.
    pub(super) id: Uuid,
    /// Where the cipher begins.
    pub(super) vector: [u8; 16],
}

/// How many bits a text has, as the tag covers it.
fn bits(text: &str) -> [u8; 8] {
    u64::try_from(text.len()).unwrap_or_default().saturating_mul(8).to_be_bytes()
}

/// Which key it is (RFC 7638).
fn thumbprint(key: &[u8]) -> String {
    let jwk = format!(r#"{{"k":"{}","kty":"oct"}}"#, URL_SAFE_NO_PAD.encode(key));
    URL_SAFE_NO_PAD.encode(Sha256::digest(jwk))
}

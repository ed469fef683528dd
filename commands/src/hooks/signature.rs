//! Signatures of the Standard Webhooks specification: who is called can see that it was us, and when.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The lengths that a shared secret may have, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// One secret that requests are signed with.
pub struct WebhookSecret(Key);

enum Key {
    /// `v1`: HMAC-SHA256 under a shared secret.
    Shared(Zeroizing<Vec<u8>>),
    /// `v1a`: Ed25519; only the public half is with the other side.
    Private(Box<SigningKey>),
}

/// A text is no secret of that kind. What it holds is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretError {
    /// It begins with neither version.
    #[error(
        "a webhook secret has the form v1,whsec_<24 to 64 bytes in base64> or v1a,whsk_<key>:whpk_<key>; several are parted by |"
    )]
    Form,
    /// What follows is no base64.
    #[error("the part of a webhook secret after its prefix is not base64")]
    Base64,
    /// It is too short to be safe, or too long.
    #[error("a webhook secret has 24 to 64 bytes, a private key 32 or 64")]
    Length,
}

impl WebhookSecret {
    /// Reads `v1,whsec_…`, or `v1a,whsk_…:whpk_…` with the halves in either order.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let text = text.trim();
        if let Some(encoded) = text.strip_prefix("v1,whsec_") {
            let bytes = decode(encoded)?;
            return if SECRET_BYTES.contains(&bytes.len()) {
                Ok(Self(Key::Shared(bytes)))
            } else {
                Err(WebhookSecretError::Length)
            };
        }
        let halves = text.strip_prefix("v1a,").ok_or(WebhookSecretError::Form)?;
        let private = halves.split(':').find_map(|half| half.strip_prefix("whsk_"));
        let bytes = decode(private.ok_or(WebhookSecretError::Form)?)?;
        // Both lengths are about: the seed alone, and the seed with the public key after it.
        let seed = match bytes.len() {
            32 | 64 => bytes.first_chunk::<32>(),
            _ => None,
        };
        let seed = seed.ok_or(WebhookSecretError::Length)?;
        Ok(Self(Key::Private(Box::new(SigningKey::from_bytes(seed)))))
    }

    /// The signature, with its version before it.
    fn sign(&self, content: &[u8]) -> String {
        match &self.0 {
            Key::Shared(secret) => {
                // HMAC takes keys of any length, so this is never the empty text.
                let mac = Hmac::<Sha256>::new_from_slice(secret).map(|mac| mac.chain_update(content));
                mac.map(|mac| format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
                    .unwrap_or_default()
            }
            Key::Private(key) => format!("v1a,{}", STANDARD.encode(key.sign(content).to_bytes())),
        }
    }
}

fn decode(encoded: &str) -> Result<Zeroizing<Vec<u8>>, WebhookSecretError> {
    STANDARD.decode(encoded).map(Zeroizing::new).map_err(|_| WebhookSecretError::Base64)
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The header `webhook-signature`: a signature by each secret, parted by spaces, so that the other side
/// can change its secret without a gap. Nothing without secrets.
pub fn signatures(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    if secrets.is_empty() {
        return None;
    }
    let mut content = format!("{id}.{timestamp}.").into_bytes();
    content.extend_from_slice(body);
    Some(secrets.iter().map(|secret| secret.sign(&content)).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier as _};

    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let secret = WebhookSecret::parse("v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_recorded_call_of_supabase_auth_has_our_signature() {
        let secret = WebhookSecret::parse("v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let body = r#"{"metadata":{"uuid":"4db5109a-b543-44da-a4a4-23c99c439c58","time":"2026-11-21T02:44:22.793092444Z","name":"password-verification","ip_address":"127.0.0.1"},"user_id":"e4b9ff19-bce7-49b2-bf7f-49aa29133370","valid":false}"#;
        let signed =
            signatures(&[secret], "ced031f2-66d4-49d1-a1b8-f53da8d05c51", 1_795_229_062, body.as_bytes());
        assert_eq!(signed.as_deref(), Some("v1,Bvye1y024ov7mK9GtDNQBD0fC1F9umxnBYYas8RASWA="));
    }

    #[test]
    fn several_secrets_sign_side_by_side_and_none_signs_nothing() {
        let secret = || WebhookSecret::parse("v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let both = signatures(&[secret(), secret()], "a", 1, b"b").unwrap();
        let (first, second) = both.split_once(' ').unwrap();
        assert!(first == second && first.starts_with("v1,"));
        assert_eq!(signatures(&[], "a", 1, b"b"), None);
    }

    #[test]
    fn a_private_key_signs_for_its_public_half() {
        let encoded = STANDARD.encode([7; 32]);
        let secret = WebhookSecret::parse(&format!("v1a,whpk_AAAA:whsk_{encoded}")).unwrap();
        let signed = signatures(&[secret], "id", 5, b"body").unwrap();
        let bytes = STANDARD.decode(signed.strip_prefix("v1a,").unwrap()).unwrap();
        let public = SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert!(public.verify(b"id.5.body", &Signature::from_slice(&bytes).unwrap()).is_ok());
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        for (text, error) in [
            ("", WebhookSecretError::Form),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", WebhookSecretError::Form),
            ("v1,whsec_hush!", WebhookSecretError::Base64),
            ("v1,whsec_aHVzaA==", WebhookSecretError::Length),
            ("v1a,whpk_AAAA", WebhookSecretError::Form),
            ("v1a,whsk_aHVzaA==:whpk_AAAA", WebhookSecretError::Length),
        ] {
            let refused = WebhookSecret::parse(text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(!refused.to_string().contains("hush"));
        }
    }
}

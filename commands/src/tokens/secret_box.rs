//! Secrets of others that are needed in clear later on: enciphered under a key of the server.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evident_domain::ports::Entropy;
use uuid::Uuid;
use zeroize::Zeroizing;

/// In bytes, as AES-GCM wants it (NIST SP 800-38D).
const NONCE: usize = 12;

/// The text was not enciphered here, or for somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret cannot be opened")]
pub struct CannotOpen;

/// Enciphers and deciphers (AES-256-GCM). Each secret is bound to its owner.
pub struct SecretBox(Aes256Gcm);

impl std::fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBox(…)")
    }
}

impl SecretBox {
    /// A box under a key of the server.
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        Self(Aes256Gcm::new((&*key).into()))
    }

    /// Enciphers the secret of an owner.
    ///
    /// # Errors
    /// When it is longer than any cipher takes.
    pub fn seal(&self, entropy: &dyn Entropy, owner: Uuid, secret: &str) -> Result<String, CannotOpen> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: secret.as_bytes(), aad: owner.as_bytes() };
        let sealed = self.0.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| CannotOpen)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Deciphers the secret of an owner.
    ///
    /// # Errors
    /// When it is none.
    pub fn open(&self, owner: Uuid, sealed: &str) -> Result<Zeroizing<String>, CannotOpen> {
        let bytes = STANDARD.decode(sealed).map_err(|_| CannotOpen)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or(CannotOpen)?;
        let payload = Payload { msg: sealed, aad: owner.as_bytes() };
        let opened = self.0.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| CannotOpen)?;
        String::from_utf8(opened).map(Zeroizing::new).map_err(|_| CannotOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn a_secret_opens_for_its_owner_and_under_its_key_only() {
        let (own, other) = (SecretBox::new([1; 32]), SecretBox::new([2; 32]));
        let owner = Uuid::from_u128(1);
        let sealed = own.seal(&Fixed, owner, "shh").unwrap();
        assert!(!sealed.contains("shh"));
        assert_eq!(own.open(owner, &sealed).unwrap().as_str(), "shh");
        assert_eq!(own.open(Uuid::from_u128(2), &sealed), Err(CannotOpen));
        assert_eq!(other.open(owner, &sealed), Err(CannotOpen));
        for text in ["", "AAAA", "no base64!"] {
            assert_eq!(own.open(owner, text), Err(CannotOpen));
        }
    }
}

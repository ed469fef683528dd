//! What browsers and clients see of an OAuth authorization. The log has neither: the handle is stored as a
//! hash, the code follows from that under a key of the server.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use evident_domain::AuthorizationId;
use evident_domain::ports::Entropy;

use super::id_cipher::IdCipher;
use super::one_time::NotAToken;

/// Random bytes of a handle.
const BYTES: usize = 20;
/// Base32 in lower case (RFC 4648, section 6).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const CHARACTERS: usize = BYTES * 8 / 5;

/// Names an authorization in addresses: 32 characters that nobody guesses.
#[derive(Clone)]
pub struct AuthorizationHandle(Zeroizing<String>);

impl AuthorizationHandle {
    /// A fresh one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; CHARACTERS]);
        entropy.fill(bytes.as_mut_slice());
        // Five bits of each byte make a character.
        let characters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
        Self(Zeroizing::new(characters.collect()))
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the text has another shape.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        let shape = text.len() == CHARACTERS && text.bytes().all(|byte| ALPHABET.contains(&byte));
        if shape { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(NotAToken) }
    }

    /// The text for the address.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The authorization that it names: its hash. A plain one is enough: there are too many handles to try.
    pub fn id(&self) -> AuthorizationId {
        let digest = Sha256::digest(self.0.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        // Version 8: an id of the application's own making (RFC 9562, section 5.8).
        AuthorizationId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl fmt::Debug for AuthorizationHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationHandle(…)")
    }
}

/// Makes and reads authorization codes.
pub struct AuthorizationCodec(IdCipher);

impl fmt::Debug for AuthorizationCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationCodec(…)")
    }
}

impl AuthorizationCodec {
    /// A codec under a key of the server.
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        Self(IdCipher::new(&key, b"authorization codes"))
    }

    /// The code of an authorization, as a UUID, which is the form that clients know.
    pub fn code(&self, authorization: AuthorizationId) -> Uuid {
        self.0.code(authorization.0)
    }

    /// The authorization that a code would be of. Whether there is one, its stream tells.
    ///
    /// # Errors
    /// When the text is no UUID.
    pub fn authorization(&self, code: &str) -> Result<AuthorizationId, NotAToken> {
        let code = Uuid::try_parse(code).map_err(|_| NotAToken)?;
        Ok(AuthorizationId(self.0.id(code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            for (at, byte) in buffer.iter_mut().enumerate() {
                *byte = u8::try_from(at * 37 % 256).unwrap();
            }
        }
    }

    #[test]
    fn a_handle_has_32_characters_and_leads_to_one_id() {
        let handle = AuthorizationHandle::generate(&Counting);
        assert_eq!(handle.expose().len(), 32);
        let read = AuthorizationHandle::parse(handle.expose()).unwrap();
        assert_eq!(read.id(), handle.id());
        assert!(!format!("{handle:?}").contains(handle.expose()));
        for other in ["", "a", &"A".repeat(32), &"1".repeat(32), &"a".repeat(33), &"ä".repeat(16)] {
            assert_eq!(AuthorizationHandle::parse(other).unwrap_err(), NotAToken, "{other}");
        }
    }

    #[test]
    fn a_code_leads_to_its_authorization_only_with_the_key() {
        let (codec, other) = (AuthorizationCodec::new([7; 32]), AuthorizationCodec::new([8; 32]));
        let id = AuthorizationHandle::generate(&Counting).id();
        let code = codec.code(id);
        assert_ne!(code, id.0);
        assert_eq!(codec.authorization(&code.to_string()), Ok(id));
        assert_ne!(other.authorization(&code.to_string()), Ok(id));
        assert_eq!(codec.authorization("x"), Err(NotAToken));
    }
}

//! Random letters and digits: what devices show, and codes that people write down.

use std::fmt;

use evident_domain::TokenHash;
use evident_domain::ports::Entropy;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const CHARACTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 190 bits.
const DEVICE_LENGTH: usize = 32;
/// A code to write down: twice five characters, 59 bits.
const HALF_LENGTH: usize = 5;

/// Each character equally likely.
fn random(entropy: &dyn Entropy, length: usize) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    let mut bytes = Zeroizing::new([0; 64]);
    while text.len() < length {
        entropy.fill(bytes.as_mut_slice());
        // 248 is the last multiple of 62 in a byte: what lies above would favour the first characters.
        let fresh = bytes.iter().filter(|byte| **byte < 248);
        let missing = length - text.len();
        text.extend(fresh.map(|byte| char::from(CHARACTERS[usize::from(byte % 62)])).take(missing));
    }
    text
}

/// What a trusted device shows. Wiped on drop, never printed.
#[derive(Clone)]
pub struct DeviceToken(Zeroizing<String>);

impl DeviceToken {
    /// A fresh one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random(entropy, DEVICE_LENGTH))
    }

    /// Reads one; whether it is trusted is another question.
    pub fn parse(text: &str) -> Option<Self> {
        let shape = text.len() == DEVICE_LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric());
        shape.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text for the device.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored. A plain hash is enough: there are too many to try.
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex::encode(Sha256::digest(self.0.as_bytes())))
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken(…)")
    }
}

/// A code to write down: `Ab3xY-9kLmN`.
pub(crate) fn backup_code(entropy: &dyn Entropy) -> Zeroizing<String> {
    let letters = random(entropy, 2 * HALF_LENGTH);
    let (first, second) = letters.split_at(HALF_LENGTH);
    Zeroizing::new(format!("{first}-{second}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting(std::sync::Mutex<u8>);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            let mut next = self.0.lock().unwrap();
            for byte in buffer {
                *byte = *next;
                *next = next.wrapping_add(1);
            }
        }
    }

    #[test]
    fn devices_show_what_reads_back() {
        let token = DeviceToken::generate(&Counting(std::sync::Mutex::new(200)));
        assert_eq!(DeviceToken::parse(token.expose()).unwrap().hash(), token.hash());
        assert_eq!(format!("{token:?}"), "DeviceToken(…)");
        for text in ["", "short", &"-".repeat(32), &"a".repeat(33), &"ä".repeat(16)] {
            assert!(DeviceToken::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn codes_to_write_down_have_two_halves() {
        let code = backup_code(&Counting(std::sync::Mutex::new(0)));
        assert_eq!(code.as_str(), "01234-56789");
    }
}

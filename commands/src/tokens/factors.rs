//! What the server keeps of second factors and passkeys, and cannot keep as a hash: secrets of apps,
//! enciphered; and what authenticators are asked to sign, which is not kept at all but follows from the
//! question's id.

use aes::Aes256;
use aes::cipher::{BlockDecrypt as _, BlockEncrypt as _};
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use evident_domain::ports::Entropy;
use evident_domain::{Time, TotpSecret, UserId};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::mac::mac;

const NONCE_BYTES: usize = 12;
/// Bytes of a question's id that say whom it is for.
const TAG_BYTES: usize = 4;

/// What a passkey is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyPurpose {
    /// To become one.
    Registration,
    /// To sign in.
    Authentication,
}

impl PasskeyPurpose {
    const fn byte(self) -> u8 {
        match self {
            Self::Registration => 1,
            Self::Authentication => 2,
        }
    }
}

/// The keys under which that is done.
pub struct FactorKeys {
    secrets: Aes256Gcm,
    ids: Aes256,
    macs: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for FactorKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorKeys(…)")
    }
}

impl FactorKeys {
    /// Keys that follow from one of the server's.
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        let secrets = Zeroizing::new(mac(&key, &[b"secrets"]));
        let ids = Zeroizing::new(mac(&key, &[b"ids"]));
        Self {
            secrets: Aes256Gcm::new((&*secrets).into()),
            ids: Aes256::new((&*ids).into()),
            macs: Zeroizing::new(mac(&key, &[b"macs"])),
        }
    }

    /// Enciphers the secret of a user's app; none only where the cipher fails, which it does not.
    pub fn seal(&self, entropy: &dyn Entropy, user: UserId, secret: &str) -> Option<TotpSecret> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: secret.as_bytes(), aad: user.0.as_bytes() };
        let sealed = self.secrets.encrypt(Nonce::from_slice(&nonce), payload).ok()?;
        Some(TotpSecret(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// The secret of a user's app; none where it is another user's, or was enciphered under another key.
    pub fn open(&self, user: UserId, secret: &TotpSecret) -> Option<Zeroizing<String>> {
        let bytes = URL_SAFE_NO_PAD.decode(&secret.0).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: sealed, aad: user.0.as_bytes() };
        let opened = self.secrets.decrypt(Nonce::from_slice(nonce), payload).ok()?;
        String::from_utf8(opened).ok().map(Zeroizing::new)
    }

    /// What an authenticator is asked to sign, for the question of an id.
    pub fn challenge(&self, question: Uuid) -> [u8; 32] {
        mac(&self.macs, &[b"challenge\0", question.as_bytes()])
    }

    /// The id of a question to a passkey. It says for whom it is and how long it is good, so nothing is
    /// written before somebody answers.
    pub fn question(
        &self,
        entropy: &dyn Entropy,
        purpose: PasskeyPurpose,
        user: Option<UserId>,
        expires_at: Time,
    ) -> Uuid {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        bytes[0] = purpose.byte();
        let seconds = u32::try_from(expires_at.timestamp()).unwrap_or(u32::MAX);
        bytes[1..5].copy_from_slice(&seconds.to_be_bytes());
        bytes[5..5 + TAG_BYTES].copy_from_slice(&self.tag(user));
        let mut block = bytes.into();
        self.ids.encrypt_block(&mut block);
        Uuid::from_bytes(block.into())
    }

    /// Until when a question is good; none where it is no such question, or is for somebody else.
    pub fn good_until(&self, question: Uuid, purpose: PasskeyPurpose, user: Option<UserId>) -> Option<Time> {
        let mut block = question.into_bytes().into();
        self.ids.decrypt_block(&mut block);
        let bytes: [u8; 16] = block.into();
        let fits = bytes[0] == purpose.byte() && bytes[5..5 + TAG_BYTES] == self.tag(user);
        let seconds = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
        DateTime::from_timestamp(i64::from(seconds), 0).filter(|_| fits)
    }

    fn tag(&self, user: Option<UserId>) -> [u8; TAG_BYTES] {
        let mac = match user {
            Some(user) => mac(&self.macs, &[b"user\0", user.0.as_bytes()]),
            None => mac(&self.macs, &[b"anybody"]),
        };
        [mac[0], mac[1], mac[2], mac[3]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    const ANN: UserId = UserId(Uuid::from_u128(1));
    const BOB: UserId = UserId(Uuid::from_u128(2));

    #[test]
    fn a_secret_opens_for_its_user_under_its_key_only() {
        let (keys, others) = (FactorKeys::new([1; 32]), FactorKeys::new([2; 32]));
        let sealed = keys.seal(&Sevens, ANN, "SECRET").unwrap();
        assert!(!sealed.0.contains("SECRET"));
        assert_eq!(keys.open(ANN, &sealed).unwrap().as_str(), "SECRET");
        assert!(keys.open(BOB, &sealed).is_none());
        assert!(others.open(ANN, &sealed).is_none());
        assert!(keys.open(ANN, &TotpSecret("AA".to_owned())).is_none());
    }

    #[test]
    fn a_question_is_for_one_purpose_and_one_person() {
        let keys = FactorKeys::new([1; 32]);
        let until = DateTime::from_timestamp(1_795_000_300, 0).unwrap();
        let question = keys.question(&Sevens, PasskeyPurpose::Registration, Some(ANN), until);
        let good = |purpose, user| keys.good_until(question, purpose, user);
        assert_eq!(good(PasskeyPurpose::Registration, Some(ANN)), Some(until));
        assert_eq!(good(PasskeyPurpose::Registration, Some(BOB)), None);
        assert_eq!(good(PasskeyPurpose::Registration, None), None);
        assert_eq!(good(PasskeyPurpose::Authentication, Some(ANN)), None);
        assert_eq!(keys.good_until(Uuid::from_u128(7), PasskeyPurpose::Registration, Some(ANN)), None);
    }

    #[test]
    fn what_is_signed_follows_from_the_question_and_the_key() {
        let (keys, others) = (FactorKeys::new([1; 32]), FactorKeys::new([2; 32]));
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(keys.challenge(one), keys.challenge(one));
        assert_ne!(keys.challenge(one), keys.challenge(two));
        assert_ne!(keys.challenge(one), others.challenge(one));
    }
}

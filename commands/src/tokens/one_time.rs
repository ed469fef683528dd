//! Links and codes that go out by mail and text message, and the hashes that stay.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use evident_domain::ports::Entropy;
use evident_domain::{TokenHash, UserId};

use super::mac::mac;

/// A link's token in bytes: as hex it has the length of GoTrue's. It begins with the user's id, so that
/// its user is found without an index of tokens; what follows is secret.
const LINK_BYTES: usize = 28;
const USER_BYTES: usize = 16;
/// What GoTrue puts before the tokens of PKCE flows.
const PKCE_PREFIX: &str = "pkce_";
/// Code lengths that may be configured; anything else means six.
const CODE_LENGTHS: std::ops::RangeInclusive<usize> = 6..=10;
const CODE_LENGTH: usize = 6;
/// Longest code that is looked at.
const LONGEST_CODE: usize = 32;

/// The text has not the shape of a token or code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is malformed")]
pub struct NotAToken;

/// The secret in a link: 96 random bits after the user's id. Wiped on drop, never shown.
#[derive(Clone)]
pub struct LinkToken {
    text: Zeroizing<String>,
    user: UserId,
}

impl LinkToken {
    /// A fresh token.
    pub fn generate(entropy: &dyn Entropy, user: UserId) -> Self {
        let mut bytes = Zeroizing::new([0; LINK_BYTES]);
        let (head, secret) = bytes.split_at_mut(USER_BYTES);
        head.copy_from_slice(user.0.as_bytes());
        entropy.fill(secret);
        Self { text: Zeroizing::new(hex::encode(bytes.as_slice())), user }
    }

    /// Reads a token from a link, with or without the prefix `pkce_`.
    ///
    /// # Errors
    /// When it is not 56 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        let text = text.strip_prefix(PKCE_PREFIX).unwrap_or(text);
        let shape =
            text.len() == 2 * LINK_BYTES && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let user = text.get(..2 * USER_BYTES).filter(|_| shape).ok_or(NotAToken)?;
        let user = user.parse().map_err(|_| NotAToken)?;
        Ok(Self { text: Zeroizing::new(text.to_owned()), user })
    }

    /// Whom the token names. Only its hash proves that it is genuine.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The token of a link that a flow goes on with: clients know it by its prefix.
    #[must_use]
    pub fn of_flow(self) -> Self {
        let text = Zeroizing::new(format!("{PKCE_PREFIX}{}", self.secret()));
        Self { text, user: self.user }
    }

    fn secret(&self) -> &str {
        self.text.strip_prefix(PKCE_PREFIX).unwrap_or(&self.text)
    }

    /// The text for the link.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is stored. A plain hash is enough: there are too many tokens to try.
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex::encode(Sha256::digest(self.secret().as_bytes())))
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

/// A code that a person types. Wiped on drop, never shown.
#[derive(Clone)]
pub struct OneTimeCode(Zeroizing<String>);

impl OneTimeCode {
    /// A fresh code of 6 to 10 digits (six for any other length), each equally likely.
    pub fn generate(entropy: &dyn Entropy, length: usize) -> Self {
        let length = if CODE_LENGTHS.contains(&length) { length } else { CODE_LENGTH };
        let mut digits = Zeroizing::new(String::with_capacity(length));
        let mut bytes = Zeroizing::new([0; 16]);
        while digits.len() < length {
            entropy.fill(bytes.as_mut_slice());
            // 250 is the last multiple of ten in a byte: what lies above would favour low digits.
            let fresh = bytes.iter().filter(|byte| **byte < 250).map(|byte| char::from(b'0' + byte % 10));
            let missing = length - digits.len();
            digits.extend(fresh.take(missing));
        }
        Self(digits)
    }

    /// A code from the configuration, for the phone numbers of test suites.
    pub fn fixed(code: &str) -> Self {
        Self(Zeroizing::new(code.to_owned()))
    }

    /// Reads a code that somebody typed.
    ///
    /// # Errors
    /// When it is empty or longer than any code.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        if text.is_empty() || text.len() > LONGEST_CODE { Err(NotAToken) } else { Ok(Self::fixed(text)) }
    }

    /// The text for the message.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

/// The server's secret under which short things are hashed, so that a stolen database alone does not
/// allow to try them all.
#[derive(Clone)]
pub struct Pepper(Zeroizing<[u8; 32]>);

impl Pepper {
    /// A pepper; another one makes every stored hash useless.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// What is stored of a code. It holds for one user, whatever the code is for.
    pub fn code_hash(&self, user: UserId, code: &OneTimeCode) -> TokenHash {
        // The user's id has a fixed length, so the parts cannot run into each other.
        self.hash(&[b"code\0", user.0.as_bytes(), code.0.as_bytes()])
    }

    /// What is stored of a code that went to an address, for one state of one account or for nobody.
    pub fn address_code_hash(
        &self,
        address: &str,
        user: Option<UserId>,
        credentials: u64,
        code: &OneTimeCode,
    ) -> TokenHash {
        let user = user.map_or([0; 16], |user| *user.0.as_bytes());
        // No address and no code has a zero byte, and the rest has a fixed length.
        let credentials = credentials.to_be_bytes();
        self.hash(&[b"address code\0", &user, &credentials, address.as_bytes(), b"\0", code.0.as_bytes()])
    }

    /// What failed sign-ins are counted under: an address or number in its normalized form, known or not.
    pub fn account_hash(&self, identifier: &str) -> TokenHash {
        self.hash(&[b"account\0", identifier.as_bytes()])
    }

    /// Names the stream of an address or number that messages are asked for, in its normalized form.
    pub fn recipient_hash(&self, contact: &str) -> [u8; 16] {
        let digest = mac(&self.0, &[b"recipient\0", contact.as_bytes()]);
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        half
    }

    /// A one-way value that stands where a value of a user's stood, once the account is closed: 43
    /// letters, digits, `-` and `_`.
    pub fn pseudonym(&self, user: UserId, kind: &str, value: &str) -> String {
        let digest =
            mac(&self.0, &[b"pseudonym\0", user.0.as_bytes(), kind.as_bytes(), b"\0", value.as_bytes()]);
        URL_SAFE_NO_PAD.encode(digest)
    }

    fn hash(&self, parts: &[&[u8]]) -> TokenHash {
        TokenHash(hex::encode(mac(&self.0, parts)))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use uuid::Uuid;

    use super::*;

    /// Every byte in turn.
    #[derive(Debug, Default)]
    struct Turning(Mutex<u8>);

    impl Entropy for Turning {
        fn fill(&self, buffer: &mut [u8]) {
            let mut next = self.0.lock().unwrap();
            for byte in buffer {
                *byte = *next;
                *next = next.wrapping_add(1);
            }
        }
    }

    #[test]
    fn a_link_token_looks_like_gotrues_and_reads_back() {
        let user = UserId(Uuid::from_u128(7));
        let token = LinkToken::generate(&Turning::default(), user);
        assert_eq!(token.expose(), "00000000000000000000000000000007000102030405060708090a0b");
        assert_eq!(token.user(), user);
        let read = LinkToken::parse(token.expose()).unwrap();
        assert_eq!(read.hash(), token.hash());
        let pkce = LinkToken::parse(&format!("pkce_{}", token.expose())).unwrap();
        assert_eq!(pkce.hash(), token.hash());
        assert_eq!(token.hash().0, hex::encode(Sha256::digest(token.expose())));
        for text in ["", "pkce_", "abc", &"A".repeat(56), &"g".repeat(56), &"a".repeat(57), &"ä".repeat(28)]
        {
            assert_eq!(LinkToken::parse(text).err(), Some(NotAToken), "{text}");
        }
    }

    #[test]
    fn a_code_has_the_length_that_is_asked_for_within_bounds() {
        let entropy = Turning::default();
        for (asked, given) in [(6, 6), (8, 8), (10, 10), (5, 6), (11, 6), (0, 6), (usize::MAX, 6)] {
            let code = OneTimeCode::generate(&entropy, asked);
            assert_eq!(code.expose().len(), given);
            assert!(code.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }

    #[test]
    fn every_digit_is_equally_likely() {
        let entropy = Turning::default();
        let mut seen = [0; 10];
        // 125 codes of 10 digits use the 250 usable bytes exactly five times, save what a code leaves over.
        for _ in 0..8_000 {
            for digit in OneTimeCode::generate(&entropy, 10).expose().bytes() {
                seen[usize::from(digit - b'0')] += 1;
            }
        }
        assert!(seen.iter().all(|count| (7_700..8_300).contains(count)), "{seen:?}");
    }

    #[test]
    fn a_codes_hash_belongs_to_its_user_and_pepper() {
        let (one, two) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let (pepper, other) = (Pepper::new([1; 32]), Pepper::new([2; 32]));
        let code = OneTimeCode::parse("123456").unwrap();
        let hashes = [
            pepper.code_hash(one, &code),
            pepper.code_hash(two, &code),
            other.code_hash(one, &code),
            pepper.code_hash(one, &OneTimeCode::fixed("123457")),
            pepper.account_hash("ann@example.com"),
            other.account_hash("ann@example.com"),
            pepper.account_hash("bob@example.com"),
        ];
        assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), hashes.len());
        assert_eq!(pepper.code_hash(one, &OneTimeCode::fixed("123456")), hashes[0]);
        assert_eq!(hashes[0].0.len(), 64);
    }

    #[test]
    fn what_nobody_could_have_been_sent_is_no_code() {
        assert!(OneTimeCode::parse("").is_err());
        assert!(OneTimeCode::parse(&"1".repeat(33)).is_err());
    }

    #[test]
    fn secrets_are_never_shown() {
        let shown = format!(
            "{:?} {:?} {:?}",
            LinkToken::generate(&Turning::default(), UserId(Uuid::nil())),
            OneTimeCode::fixed("123456"),
            Pepper::new([1; 32])
        );
        assert_eq!(shown, "LinkToken(…) OneTimeCode(…) Pepper(…)");
    }
}

//! The token of a session as clients of cookies hold it: the session's id, and a MAC over it.
//!
//! It is derived, never stored: whoever may see their sessions sees the tokens too, and a stolen database
//! opens none. It is good for as long as the session is.

use std::fmt;

use evident_domain::SessionId;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::mac::mac;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 128 bits in base 62.
const ID_LENGTH: usize = 22;
/// Nearly 60 bits: whoever guesses has to ask the server each time.
const MAC_LENGTH: usize = 10;
/// What ten digits of base 62 count.
const MAC_RANGE: u64 = 62_u64.pow(10);

/// A session's token: 32 letters and digits. Wiped on drop, never shown.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// The text for the client.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// Makes tokens of sessions, and finds the session of a token.
#[derive(Clone)]
pub struct SessionTokenCodec(Zeroizing<[u8; 32]>);

impl SessionTokenCodec {
    /// Under a key of the server; another one makes every token useless.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The token of a session; always the same.
    pub fn issue(&self, session: SessionId) -> SessionToken {
        let digest = mac(&self.0, &[b"session\0", session.0.as_bytes()]);
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        let mut text = Zeroizing::new(String::with_capacity(ID_LENGTH + MAC_LENGTH));
        write(&mut text, session.0.as_u128(), ID_LENGTH);
        write(&mut text, u128::from(u64::from_be_bytes(head) % MAC_RANGE), MAC_LENGTH);
        SessionToken(text)
    }

    /// The session of a token that this server made; whether it still lives is another question.
    pub fn read(&self, token: &str) -> Option<SessionId> {
        if token.len() != ID_LENGTH + MAC_LENGTH || !token.is_ascii() {
            return None;
        }
        let session = SessionId(Uuid::from_u128(number(&token.as_bytes()[..ID_LENGTH])?));
        let good = self.issue(session);
        bool::from(good.expose().as_bytes().ct_eq(token.as_bytes())).then_some(session)
    }
}

impl fmt::Debug for SessionTokenCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionTokenCodec(…)")
    }
}

fn write(text: &mut String, mut number: u128, length: usize) {
    let mut digits = [b'0'; ID_LENGTH];
    for digit in digits[..length].iter_mut().rev() {
        *digit = DIGITS[usize::try_from(number % 62).unwrap_or_default()];
        number /= 62;
    }
    text.extend(digits[..length].iter().map(|digit| char::from(*digit)));
}

fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let value = DIGITS.iter().position(|known| known == digit)?;
        number.checked_mul(62)?.checked_add(u128::try_from(value).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_32_letters_and_digits_and_leads_to_its_session() {
        let codec = SessionTokenCodec::new([7; 32]);
        for id in [0, 1, 61, 62, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let session = SessionId(Uuid::from_u128(id));
            let token = codec.issue(session);
            assert_eq!(token.expose().len(), 32);
            assert!(token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert_eq!(codec.read(token.expose()), Some(session));
        }
    }

    #[test]
    fn a_token_of_another_key_or_with_another_letter_is_none() {
        let codec = SessionTokenCodec::new([7; 32]);
        let session = SessionId(Uuid::from_u128(77));
        assert_eq!(codec.read(SessionTokenCodec::new([8; 32]).issue(session).expose()), None);
        let good = codec.issue(session).expose().to_owned();
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] = if bad[at] == b'z' { b'0' } else { b'z' };
            assert_eq!(codec.read(std::str::from_utf8(&bad).unwrap()), None, "{at}");
        }
        for bad in ["", "abc", &"z".repeat(32), &"ä".repeat(16), &format!("{good}0"), &good[1..]] {
            assert_eq!(codec.read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let codec = SessionTokenCodec::new([7; 32]);
        let shown = format!("{codec:?} {:?}", codec.issue(SessionId(Uuid::nil())));
        assert_eq!(shown, "SessionTokenCodec(…) SessionToken(…)");
    }
}

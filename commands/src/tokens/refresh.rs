//! Refresh tokens in the wire form of GoTrue's version 2.
//!
//! A token names its session and its place in the session's row of tokens, and proves with a MAC that
//! this server wrote it. So nothing has to be stored to know a good one, and a forged one is refused
//! without a look at the database.
//!
//! The bytes: version 0, 16 of session id, the generation as LEB128, 16 of HMAC-SHA256 over all these,
//! 4 of SHA-256 over everything before; in base64url without padding.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use evident_domain::SessionId;

use super::mac::mac;

const VERSION: u8 = 0;
const HEAD: usize = 1 + 16;
const MAC: usize = 16;
const CHECKSUM: usize = 4;
/// A u64 in LEB128 takes up to ten bytes.
const LONGEST: usize = HEAD + 10 + MAC + CHECKSUM;
/// The length of GoTrue's version 1 tokens.
const V1_LENGTH: usize = 12;

/// A refresh token as a client holds it. Wiped on drop, never shown.
#[derive(Clone)]
pub struct RefreshToken(Zeroizing<String>);

impl RefreshToken {
    /// The text to hand out.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// What a genuine token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedRefreshToken {
    /// Whose it is.
    pub session: SessionId,
    /// Its number in the session; the first is 0.
    pub generation: u64,
}

/// Why a text is no genuine token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshTokenError {
    /// It does not even look like one.
    #[error("Refresh token is not valid")]
    Malformed,
    /// It looks like one, and this server never wrote it: a forgery, or a version 1 token.
    #[error("Refresh Token Not Found")]
    WellFormedUnknown,
}

/// Writes and reads refresh tokens under the server's key.
#[derive(Clone)]
pub struct RefreshTokenCodec {
    key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for RefreshTokenCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokenCodec(…)")
    }
}

impl RefreshTokenCodec {
    /// A codec under a key; another key makes every token unknown.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key) }
    }

    /// The token of a session's generation; the same again whenever it is asked for.
    pub fn issue(&self, session: SessionId, generation: u64) -> RefreshToken {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
        bytes.push(VERSION);
        bytes.extend_from_slice(session.0.as_bytes());
        push_leb128(&mut bytes, generation);
        let tag = self.tag(session, &bytes);
        bytes.extend_from_slice(&tag);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        RefreshToken(Zeroizing::new(URL_SAFE_NO_PAD.encode(&*bytes)))
    }

    /// Reads a token that a client presents.
    ///
    /// # Errors
    /// When it does not look like a token, or when this server did not write it.
    pub fn parse(&self, text: &str) -> Result<ParsedRefreshToken, RefreshTokenError> {
        if text.len() == V1_LENGTH && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(RefreshTokenError::WellFormedUnknown);
        }
        let bytes = decode(text)?;
        let (body, tag) = bytes.split_last_chunk::<MAC>().ok_or(RefreshTokenError::Malformed)?;
        let parsed = read(body).ok_or(RefreshTokenError::Malformed)?;
        if bool::from(self.tag(parsed.session, body).ct_eq(tag)) {
            Ok(parsed)
        } else {
            Err(RefreshTokenError::WellFormedUnknown)
        }
    }

    /// The MAC of a token's head under the session's own key, which is derived from the server's.
    fn tag(&self, session: SessionId, body: &[u8]) -> [u8; MAC] {
        let session_key =
            Zeroizing::new(mac(&self.key, &[b"refresh token of session ", session.0.as_bytes()]));
        let full = mac(&session_key, &[body]);
        let mut tag = [0; MAC];
        tag.copy_from_slice(&full[..MAC]);
        tag
    }
}

/// The bytes of a token up to its checksum, which holds.
fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, RefreshTokenError> {
    if text.len() > LONGEST.div_ceil(3) * 4 {
        return Err(RefreshTokenError::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| RefreshTokenError::Malformed)?;
    let mut bytes = Zeroizing::new(bytes);
    let (rest, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(RefreshTokenError::Malformed)?;
    if checksum(rest) != *sum {
        return Err(RefreshTokenError::Malformed);
    }
    let length = rest.len();
    bytes.truncate(length);
    Ok(bytes)
}

/// Version, session and generation, with nothing behind.
fn read(body: &[u8]) -> Option<ParsedRefreshToken> {
    let (head, counter) = body.split_first_chunk::<HEAD>()?;
    let (version, session) = head.split_first()?;
    if *version != VERSION {
        return None;
    }
    let session = SessionId(Uuid::from_slice(session).ok()?);
    Some(ParsedRefreshToken { session, generation: read_leb128(counter)? })
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(bytes);
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&digest[..CHECKSUM]);
    sum
}

/// Seven bits a byte, lowest first; the high bit says that more follow.
fn push_leb128(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0x7f);
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// The number that exactly these bytes stand for, where they are its shortest form.
fn read_leb128(bytes: &[u8]) -> Option<u64> {
    let (last, front) = bytes.split_last()?;
    if *last >= 0x80 || (*last == 0 && !front.is_empty()) || front.iter().any(|byte| *byte < 0x80) {
        return None;
    }
    bytes.iter().rev().try_fold(0u64, |number, byte| {
        // What would fall off the top is a number too large.
        (number.leading_zeros() >= 7).then(|| (number << 7) | u64::from(byte & 0x7f))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec() -> RefreshTokenCodec {
        RefreshTokenCodec::new([7; 32])
    }

    fn session() -> SessionId {
        SessionId(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef))
    }

    /// A token that is whole but for what was done to its bytes before the checksum.
    fn forged(change: impl FnOnce(&mut Vec<u8>)) -> String {
        let token = codec().issue(session(), 300);
        let mut bytes = URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
        bytes.truncate(bytes.len() - CHECKSUM);
        change(&mut bytes);
        let sum = checksum(&bytes);
        bytes.extend(sum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn a_token_names_its_session_and_generation() {
        for generation in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let token = codec().issue(session(), generation);
            assert_eq!(
                codec().parse(token.expose()),
                Ok(ParsedRefreshToken { session: session(), generation }),
                "{generation}"
            );
        }
    }

    #[test]
    fn the_bytes_are_those_of_gotrue_version_2() {
        let bytes = URL_SAFE_NO_PAD.decode(codec().issue(session(), 300).expose()).unwrap();
        assert_eq!(bytes.len(), 1 + 16 + 2 + 16 + 4);
        assert_eq!(bytes[0], 0);
        assert_eq!(&bytes[1..17], session().0.as_bytes());
        assert_eq!(bytes[17..19], [0xac, 0x02]);
        assert_eq!(bytes[35..], Sha256::digest(&bytes[..35])[..4]);
    }

    #[test]
    fn another_key_another_session_and_another_generation_are_unknown() {
        let token = codec().issue(session(), 300);
        let other = RefreshTokenCodec::new([8; 32]);
        assert_eq!(other.parse(token.expose()), Err(RefreshTokenError::WellFormedUnknown));
        for text in [forged(|b| b[5] ^= 1), forged(|b| b[17] ^= 1), forged(|b| b[20] ^= 1)] {
            assert_eq!(codec().parse(&text), Err(RefreshTokenError::WellFormedUnknown), "{text}");
        }
    }

    #[test]
    fn a_version_1_token_is_well_formed_and_unknown() {
        assert_eq!(codec().parse("aaaaaaaaaaaa"), Err(RefreshTokenError::WellFormedUnknown));
        assert_eq!(codec().parse("k7q2m9x0zzz1"), Err(RefreshTokenError::WellFormedUnknown));
    }

    #[test]
    fn everything_else_is_malformed() {
        let good = codec().issue(session(), 300).expose().to_owned();
        let overlong = |bytes: &mut Vec<u8>| {
            bytes[18] = 0x82;
            bytes.insert(19, 0);
        };
        let too_large = |bytes: &mut Vec<u8>| {
            bytes.splice(17..19, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]);
        };
        for text in [
            "no".to_owned(),
            String::new(),
            "AAAAAAAAAAAA".to_owned(),
            "aaaaaaaaaaa".to_owned(),
            "aaaaaaaaaaaaa".to_owned(),
            "ä".repeat(6),
            format!("{good}="),
            good[1..].to_owned(),
            good.to_uppercase(),
            "A".repeat(64),
            "A".repeat(100_000),
            forged(|b| b[0] = 1),
            forged(|b| b.truncate(17)),
            forged(|b| b.truncate(17 + 16)),
            forged(|b| b[18] |= 0x80),
            forged(overlong),
            forged(too_large),
        ] {
            assert_eq!(codec().parse(&text), Err(RefreshTokenError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(
            format!("{:?} {:?}", codec().issue(session(), 1), codec()),
            "RefreshToken(…) RefreshTokenCodec(…)"
        );
    }
}

//! Stored password hashes of every kind that is understood.
//!
//! Parsing a hash also bounds its cost, so that an imported row cannot keep a worker busy for minutes.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::Argon2Cost;

/// Base64 with or without padding: hashes come from many programs.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Most memory that checking one hash may take: 1 GiB.
const MAX_MEMORY_KIB: u32 = 1 << 20;
/// Most passes of an argon2 hash.
const MAX_PASSES: u32 = 20;
/// Most lanes of an argon2 hash, and most repetitions of a scrypt hash.
const MAX_LANES: u32 = 16;
/// Dearest bcrypt cost: about four seconds.
const MAX_BCRYPT_COST: u32 = 16;
/// Most rounds of PBKDF2.
const MAX_ROUNDS: u32 = 10_000_000;
/// Shortest and longest output that is compared, in bytes. Fewer could be met by chance.
const OUTPUT_BYTES: std::ops::RangeInclusive<usize> = 16..=128;
/// Longest hash that is looked at, in bytes.
const MAX_TEXT: usize = 1024;

/// A stored hash, parsed.
#[derive(Clone, PartialEq, Eq)]
pub enum HashFormat {
    /// `$argon2id$…`, `$argon2i$…`.
    Argon2(Argon2Hash),
    /// `$2a$…`, `$2b$…`, `$2y$…`.
    Bcrypt(BcryptHash),
    /// `hexsalt:hexkey`, as Better Auth writes it.
    BetterAuthScrypt(BetterAuthHash),
    /// `$fbscrypt$…`, an exported Firebase account.
    FirebaseScrypt(FirebaseHash),
    /// `$pbkdf2-sha256$…`, `$pbkdf2-sha512$…`.
    Pbkdf2(Pbkdf2Hash),
}

/// Why a text is no hash that can be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownHash {
    /// Nothing that is known starts like this.
    #[error("the password hash has an unknown format")]
    Format,
    /// It starts like a known format, but does not hold to it.
    #[error("the password hash is malformed")]
    Malformed,
    /// Checking it would take more memory or time than any sign-in should.
    #[error("the password hash costs too much to verify")]
    TooCostly,
}

/// An argon2 hash of version 19.
#[derive(Clone, PartialEq, Eq)]
pub struct Argon2Hash {
    pub(super) kind: Argon2Kind,
    pub(super) cost: Argon2Cost,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

/// Argon2d is not taken: it was never meant for passwords on shared machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argon2Kind {
    I,
    Id,
}

/// A bcrypt hash, as text.
#[derive(Clone, PartialEq, Eq)]
pub struct BcryptHash(pub(super) String);

/// Better Auth's scrypt: fixed parameters, the salt is its own hex text.
#[derive(Clone, PartialEq, Eq)]
pub struct BetterAuthHash {
    pub(super) salt: String,
    pub(super) key: Vec<u8>,
}

/// Firebase's scrypt: the derived key encrypts the project's signer key.
#[derive(Clone, PartialEq, Eq)]
pub struct FirebaseHash {
    pub(super) log_n: u8,
    pub(super) r: u32,
    pub(super) p: u32,
    /// Salt and salt separator, joined.
    pub(super) salt: Vec<u8>,
    pub(super) signer_key: Vec<u8>,
    pub(super) output: Vec<u8>,
}

/// PBKDF2 with HMAC.
#[derive(Clone, PartialEq, Eq)]
pub struct Pbkdf2Hash {
    pub(super) digest: Pbkdf2Digest,
    pub(super) rounds: u32,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

/// PBKDF2's hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pbkdf2Digest {
    Sha256,
    Sha512,
}

impl HashFormat {
    /// Reads a stored hash.
    ///
    /// # Errors
    /// Says why it cannot be verified. Importers show that to the administrator; at sign-in such a hash
    /// matches nothing.
    pub fn parse(text: &str) -> Result<Self, UnknownHash> {
        if text.len() > MAX_TEXT {
            return Err(UnknownHash::Malformed);
        }
        let Some(rest) = text.strip_prefix('$') else {
            return better_auth(text).map(Self::BetterAuthScrypt);
        };
        let (id, rest) = rest.split_once('$').ok_or(UnknownHash::Format)?;
        match id {
            "argon2id" => argon2(Argon2Kind::Id, rest).map(Self::Argon2),
            "argon2i" => argon2(Argon2Kind::I, rest).map(Self::Argon2),
            "2a" | "2b" | "2y" => bcrypt(text).map(Self::Bcrypt),
            "fbscrypt" => firebase(rest).map(Self::FirebaseScrypt),
            "pbkdf2-sha256" => pbkdf2(Pbkdf2Digest::Sha256, rest).map(Self::Pbkdf2),
            "pbkdf2-sha512" => pbkdf2(Pbkdf2Digest::Sha512, rest).map(Self::Pbkdf2),
            _ => Err(UnknownHash::Format),
        }
    }

    /// The format's name, for reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Argon2(Argon2Hash { kind: Argon2Kind::Id, .. }) => "argon2id",
            Self::Argon2(Argon2Hash { kind: Argon2Kind::I, .. }) => "argon2i",
            Self::Bcrypt(_) => "bcrypt",
            Self::BetterAuthScrypt(_) => "scrypt (Better Auth)",
            Self::FirebaseScrypt(_) => "scrypt (Firebase)",
            Self::Pbkdf2(_) => "pbkdf2",
        }
    }
}

/// A hash is a secret; `Debug` names its format only.
impl std::fmt::Debug for HashFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HashFormat({})", self.name())
    }
}

/// `v=19$m=..,t=..,p=..$salt$output`, in this order and with nothing else (RFC 9106, PHC string format).
fn argon2(kind: Argon2Kind, rest: &str) -> Result<Argon2Hash, UnknownHash> {
    let [version, cost, salt, output] = fields(rest, '$')?;
    if version != "v=19" {
        return Err(UnknownHash::Malformed);
    }
    let [memory, passes, lanes] = fields(cost, ',')?;
    let cost = Argon2Cost {
        memory_kib: number(memory, "m=")?,
        passes: number(passes, "t=")?,
        lanes: number(lanes, "p=")?,
    };
    if cost.memory_kib > MAX_MEMORY_KIB || cost.passes > MAX_PASSES || cost.lanes > MAX_LANES {
        return Err(UnknownHash::TooCostly);
    }
    let (salt, output) = (base64(salt)?, output_bytes(output)?);
    if argon2::Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(output.len())).is_err()
        || salt.len() < argon2::MIN_SALT_LEN
    {
        return Err(UnknownHash::Malformed);
    }
    Ok(Argon2Hash { kind, cost, salt, output })
}

fn bcrypt(text: &str) -> Result<BcryptHash, UnknownHash> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| UnknownHash::Malformed)?;
    match parts.get_cost() {
        0..4 => Err(UnknownHash::Malformed),
        4..=MAX_BCRYPT_COST => Ok(BcryptHash(text.to_owned())),
        _ => Err(UnknownHash::TooCostly),
    }
}

/// 32 hex digits of salt, a colon, 128 hex digits of key.
fn better_auth(text: &str) -> Result<BetterAuthHash, UnknownHash> {
    let (salt, key) = text.split_once(':').ok_or(UnknownHash::Format)?;
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    if salt.len() != 32 || key.len() != 128 || !is_hex(salt) {
        return Err(UnknownHash::Format);
    }
    let key = hex::decode(key).map_err(|_| UnknownHash::Malformed)?;
    Ok(BetterAuthHash { salt: salt.to_owned(), key })
}

/// `v=1,n=..,r=..,p=..,ss=..,sk=..$salt$output`.
fn firebase(rest: &str) -> Result<FirebaseHash, UnknownHash> {
    let [head, salt, output] = fields(rest, '$')?;
    let [version, log_n, r, p, separator, signer_key] = fields(head, ',')?;
    if version != "v=1" {
        return Err(UnknownHash::Malformed);
    }
    let log_n: u8 = number(log_n, "n=")?.try_into().map_err(|_| UnknownHash::TooCostly)?;
    let (r, p) = (number(r, "r=")?, number(p, "p=")?);
    // scrypt takes 128 * r * 2^n bytes.
    let memory = 1u64.checked_shl(log_n.into()).and_then(|n| n.checked_mul(u64::from(r))?.checked_mul(128));
    if p > MAX_LANES || memory.is_none_or(|bytes| bytes > u64::from(MAX_MEMORY_KIB) * 1024) {
        return Err(UnknownHash::TooCostly);
    }
    if scrypt::Params::new(log_n, r, p, 32).is_err() {
        return Err(UnknownHash::Malformed);
    }
    let mut salt = base64(salt)?;
    salt.extend(base64(separator.strip_prefix("ss=").ok_or(UnknownHash::Malformed)?)?);
    let signer_key = base64(signer_key.strip_prefix("sk=").ok_or(UnknownHash::Malformed)?)?;
    let output = output_bytes(output)?;
    if signer_key.len() != output.len() {
        return Err(UnknownHash::Malformed);
    }
    Ok(FirebaseHash { log_n, r, p, salt, signer_key, output })
}

/// The PHC form `i=..[,l=..]$salt$output`, or passlib's `rounds$salt$output`, which writes `.` for `+`.
fn pbkdf2(digest: Pbkdf2Digest, rest: &str) -> Result<Pbkdf2Hash, UnknownHash> {
    let [head, salt, output] = fields(rest, '$')?;
    let (rounds, length) = match head.split_once(',') {
        Some((rounds, length)) => (rounds, Some(number(length, "l=")?)),
        None => (head, None),
    };
    let rounds = number(rounds, if rounds.starts_with('i') { "i=" } else { "" })?;
    let salt = base64(&salt.replace('.', "+"))?;
    let output = output_bytes(&output.replace('.', "+"))?;
    if length.is_some_and(|length| usize::try_from(length).ok() != Some(output.len())) {
        return Err(UnknownHash::Malformed);
    }
    match rounds {
        0 => Err(UnknownHash::Malformed),
        1..=MAX_ROUNDS => Ok(Pbkdf2Hash { digest, rounds, salt, output }),
        _ => Err(UnknownHash::TooCostly),
    }
}

/// Splits into exactly as many fields as are asked for.
fn fields<const N: usize>(text: &str, separator: char) -> Result<[&str; N], UnknownHash> {
    let mut parts = text.split(separator);
    let mut fields = [""; N];
    for field in &mut fields {
        *field = parts.next().ok_or(UnknownHash::Malformed)?;
    }
    if parts.next().is_some() { Err(UnknownHash::Malformed) } else { Ok(fields) }
}

/// A decimal number behind its name; no sign, no leading zero.
fn number(field: &str, name: &str) -> Result<u32, UnknownHash> {
    let digits = field.strip_prefix(name).ok_or(UnknownHash::Malformed)?;
    if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(UnknownHash::Malformed);
    }
    digits.parse().map_err(|_| UnknownHash::TooCostly)
}

fn base64(text: &str) -> Result<Vec<u8>, UnknownHash> {
    BASE64.decode(text).map_err(|_| UnknownHash::Malformed)
}

fn output_bytes(text: &str) -> Result<Vec<u8>, UnknownHash> {
    base64(text).and_then(|output| {
        if OUTPUT_BYTES.contains(&output.len()) { Ok(output) } else { Err(UnknownHash::Malformed) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "c2FsdHNhbHRzYWx0";
    const OUT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn error(text: &str) -> UnknownHash {
        HashFormat::parse(text).unwrap_err()
    }

    #[test]
    fn every_format_is_known_by_its_shape() {
        for (text, name) in [
            (format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}${OUT}"), "argon2id"),
            (format!("$argon2i$v=19$m=4096,t=3,p=16${SALT}${OUT}"), "argon2i"),
            ("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy".to_owned(), "bcrypt"),
            ("$2y$04$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy".to_owned(), "bcrypt"),
            (format!("{}:{}", "0a".repeat(16), "b1".repeat(64)), "scrypt (Better Auth)"),
            (format!("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={OUT}=${SALT}${OUT}="), "scrypt (Firebase)"),
            (format!("$pbkdf2-sha256$i=600000,l=32${SALT}${OUT}"), "pbkdf2"),
            (format!("$pbkdf2-sha512$29000${SALT}${OUT}"), "pbkdf2"),
        ] {
            assert_eq!(HashFormat::parse(&text).map(|format| format.name()), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_nobody_writes_is_unknown() {
        for text in ["", "secret", "$", "$1$salt$hash", "$argon2d$v=19$m=64,t=1,p=1$x$y", "$2x$10$x", "a:b"] {
            assert_eq!(error(text), UnknownHash::Format, "{text}");
        }
    }

    #[test]
    fn a_hash_that_breaks_its_format_is_malformed() {
        for text in [
            format!("$argon2id$v=16$m=64,t=1,p=1${SALT}${OUT}"),
            format!("$argon2id$m=64,t=1,p=1${SALT}${OUT}"),
            format!("$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA${SALT}${OUT}"),
            format!("$argon2id$v=19$t=1,m=64,p=1${SALT}${OUT}"),
            format!("$argon2id$v=19$m=64,t=0,p=1${SALT}${OUT}"),
            format!("$argon2id$v=19$m=7,t=1,p=1${SALT}${OUT}"),
            format!("$argon2id$v=19$m=64,t=1,p=1$c2Fs${OUT}"),
            format!("$argon2id$v=19$m=64,t=1,p=1${SALT}$AAAA"),
            format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${OUT}$"),
            format!("$argon2id$v=19$m=+64,t=1,p=1${SALT}${OUT}"),
            "$2b$10$tooshort".to_owned(),
            "$2b$03$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy".to_owned(),
            format!("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA${SALT}${OUT}="),
            format!("$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk={OUT}=${SALT}${OUT}="),
            format!("$pbkdf2-sha256$i=0,l=32${SALT}${OUT}"),
            format!("$pbkdf2-sha256$i=1000,l=31${SALT}${OUT}"),
            format!("$pbkdf2-sha256$i=1000${SALT}$ä"),
            format!("$2b$10${}", "é".repeat(40)),
            format!("{}:{}", "0a".repeat(16), "zz".repeat(64)),
            "x".repeat(5000),
        ] {
            assert_eq!(error(&text), UnknownHash::Malformed, "{text}");
        }
    }

    #[test]
    fn a_hash_that_would_keep_a_worker_for_minutes_is_refused() {
        for text in [
            format!("$argon2id$v=19$m=1048577,t=1,p=1${SALT}${OUT}"),
            format!("$argon2id$v=19$m=64,t=21,p=1${SALT}${OUT}"),
            format!("$argon2id$v=19$m=1024,t=1,p=17${SALT}${OUT}"),
            format!("$argon2id$v=19$m=99999999999,t=1,p=1${SALT}${OUT}"),
            "$2b$17$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy".to_owned(),
            format!("$fbscrypt$v=1,n=24,r=8,p=1,ss=Bw==,sk={OUT}=${SALT}${OUT}="),
            format!("$fbscrypt$v=1,n=255,r=8,p=1,ss=Bw==,sk={OUT}=${SALT}${OUT}="),
            format!("$fbscrypt$v=1,n=14,r=4294967295,p=1,ss=Bw==,sk={OUT}=${SALT}${OUT}="),
            format!("$fbscrypt$v=1,n=14,r=8,p=17,ss=Bw==,sk={OUT}=${SALT}${OUT}="),
            format!("$pbkdf2-sha256$i=10000001${SALT}${OUT}"),
        ] {
            assert_eq!(error(&text), UnknownHash::TooCostly, "{text}");
        }
        assert!(HashFormat::parse(&format!("$argon2id$v=19$m=1048576,t=20,p=16${SALT}${OUT}")).is_ok());
    }
}

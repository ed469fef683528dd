//! Passwords: what is accepted, how it is hashed, how a stored hash is checked.
//!
//! - [`Password`] is a password on its way through memory; it is wiped when it is dropped.
//! - [`PasswordPolicy`] says whether a new password is good enough.
//! - [`HashFormat`] reads every kind of stored hash that is understood.
//! - [`Hasher`] does the heavy work on a few threads of its own.

mod argon;
mod foreign;
mod format;
mod leaked;
mod policy;
mod pool;
#[cfg(test)]
mod pool_tests;

pub use argon::Argon2Cost;
pub use format::{HashFormat, UnknownHash};
pub use leaked::LeakedPasswords;
pub use policy::{PasswordPolicy, Weakness, WeaknessReason};
pub use pool::{HashError, Hasher, HasherSettings, StartError, Verdict};

use std::fmt;

use zeroize::Zeroizing;

/// Longest password that is taken, in bytes (the limit of bcrypt, and with it of GoTrue).
pub const PASSWORD_MAX_BYTES: usize = 72;

/// Longest password that any setting allows, in UTF-16 units.
pub const PASSWORD_MAX_UNITS: usize = 1024;

/// How long passwords may be, by whoever's clients send them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PasswordLength {
    /// At most [`PASSWORD_MAX_BYTES`]; the least length is the policy's.
    #[default]
    Supabase,
    /// In UTF-16 units, as JavaScript counts letters.
    Units {
        /// The least.
        min: usize,
        /// The most.
        max: usize,
    },
}

/// A password has not the length that passwords have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    /// It is shorter.
    #[error("the password is too short")]
    TooShort,
    /// It is longer.
    #[error("the password is too long")]
    TooLong,
}

/// A password as its owner typed it. Wiped on drop, never shown.
#[derive(Clone, Default)]
pub struct Password(Zeroizing<String>);

/// The password is longer than [`PASSWORD_MAX_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Password cannot be longer than 72 characters")]
pub struct PasswordTooLong;

impl Password {
    /// Takes a password in.
    ///
    /// # Errors
    /// When it is longer than [`PASSWORD_MAX_BYTES`]; the text is wiped then too.
    pub fn parse(text: String) -> Result<Self, PasswordTooLong> {
        let text = Zeroizing::new(text);
        if text.len() > PASSWORD_MAX_BYTES { Err(PasswordTooLong) } else { Ok(Self(text)) }
    }

    /// Takes in a password of a length that is allowed.
    ///
    /// # Errors
    /// When it is shorter or longer; the text is wiped then too.
    pub fn within(text: String, length: PasswordLength) -> Result<Self, LengthError> {
        let text = Zeroizing::new(text);
        match length {
            PasswordLength::Supabase if text.len() > PASSWORD_MAX_BYTES => Err(LengthError::TooLong),
            PasswordLength::Supabase => Ok(Self(text)),
            PasswordLength::Units { min, max } => match text.encode_utf16().count() {
                count if count < min => Err(LengthError::TooShort),
                count if count > max.min(PASSWORD_MAX_UNITS) => Err(LengthError::TooLong),
                _ => Ok(Self(text)),
            },
        }
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, for hashing only.
    fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventy_two_bytes_are_taken_and_one_more_is_refused() {
        assert!(Password::parse("a".repeat(72)).is_ok());
        assert_eq!(Password::parse("a".repeat(73)).err(), Some(PasswordTooLong));
        // Bytes are counted, not letters.
        assert_eq!(Password::parse("ä".repeat(37)).err(), Some(PasswordTooLong));
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::parse("hunter2".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
    }
}

//! E-mail addresses and phone numbers, normalized once and for all.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest e-mail address that is taken, in bytes.
pub const EMAIL_MAX_BYTES: usize = 255;

/// An e-mail address in lower case, of the shape that HTML5 forms accept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// The text is empty.
    #[error("an e-mail address is required")]
    Missing,
    /// The text is longer than [`EMAIL_MAX_BYTES`].
    #[error("the e-mail address is too long")]
    TooLong,
    /// The text has another shape.
    #[error("the e-mail address has an invalid format")]
    Malformed,
}

impl Email {
    /// Reads and normalizes an address.
    ///
    /// # Errors
    /// Says what is wrong with the text. Surrounding spaces and letters outside ASCII are refused,
    /// a domain without a dot is fine.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        if text.is_empty() {
            return Err(EmailError::Missing);
        }
        if text.len() > EMAIL_MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let local_ok = !local.is_empty()
            && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
        let domain_ok = domain.split('.').all(is_label);
        if !(local_ok && domain_ok) {
            return Err(EmailError::Malformed);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Takes a text that is known to be normalized.
    pub(crate) fn known(normalized: &str) -> Self {
        Self(normalized.to_owned())
    }

    /// The normalized text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A label of a host name: 1 to 63 letters, digits and inner hyphens.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A phone number as E.164 digits, without the leading `+`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

/// The text is no E.164 phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the phone number is not in E.164 form")]
pub struct PhoneError;

impl Phone {
    /// Reads a number; spaces anywhere and one leading `+` are dropped.
    ///
    /// # Errors
    /// When what remains is not 2 to 15 digits that start with 1 to 9.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let compact: String = text.chars().filter(|c| *c != ' ').collect();
        let digits = compact.strip_prefix('+').unwrap_or(&compact);
        let shape = (2..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if shape { Ok(Self(digits.to_owned())) } else { Err(PhoneError) }
    }

    /// Takes digits that are known to be a number.
    pub(crate) fn known(digits: &str) -> Self {
        Self(digits.to_owned())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Personal data stay out of logs, so `Debug` shows none.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_folded_to_lower_case() {
        assert_eq!(Email::parse("Ann@Example.COM").map(|e| e.to_string()), Ok("ann@example.com".to_owned()));
        assert!(Email::parse("user@localhost").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(Email::parse(""), Err(EmailError::Missing));
        assert_eq!(Email::parse(&format!("{}@example.com", "a".repeat(250))), Err(EmailError::TooLong));
        for text in [
            "zoe@",
            "@example.com",
            "zoe",
            " zoe@example.com",
            "zoë@example.com",
            "a b@example.com",
            "zoe@example..com",
            "zoe@-example.com",
            "zoe@exa_mple.com",
            "a@b@c",
            "zoe\0@example.com",
        ] {
            assert_eq!(Email::parse(text), Err(EmailError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_digits_only() {
        assert_eq!(Phone::parse("+1 555 000 1111").map(|p| p.to_string()), Ok("15550001111".to_owned()));
        for text in ["", "+", "0155500", "1", "12345678901234567", "15550x", "++15550001111"] {
            assert_eq!(Phone::parse(text), Err(PhoneError), "{text:?}");
        }
    }
}

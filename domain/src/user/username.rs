//! Names by which people sign in.

use serde::{Deserialize, Serialize};

/// A name by which a person signs in, as it is compared: in lower case, unless the owner wants it as it was written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

/// Who somebody is stays out of logs.
impl std::fmt::Debug for Username {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Username(…)")
    }
}

/// Why a text is no name to sign in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// It is too short.
    #[error("the username is too short")]
    TooShort,
    /// It is too long.
    #[error("the username is too long")]
    TooLong,
    /// It has other characters than names may have.
    #[error("the username has characters that it may not have")]
    Malformed,
}

/// What names may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsernameRules {
    /// So many characters at least.
    pub min_length: usize,
    /// So many at most.
    pub max_length: usize,
    /// Characters that are allowed besides `a` to `z`, `A` to `Z` and `0` to `9`.
    pub extra_characters: String,
    /// In which form they are compared.
    pub form: UsernameForm,
}

/// In which form names are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UsernameForm {
    /// In lower case: `Hugo` and `hugo` are one.
    #[default]
    LowerCase,
    /// As they were written: `Hugo` and `hugo` are two.
    AsWritten,
}

/// What Better Auth takes.
impl Default for UsernameRules {
    fn default() -> Self {
        Self {
            min_length: 3,
            max_length: 30,
            extra_characters: "_.".to_owned(),
            form: UsernameForm::default(),
        }
    }
}

impl Username {
    /// Reads a name.
    ///
    /// # Errors
    /// When the rules do not have it.
    pub fn parse(text: &str, rules: &UsernameRules) -> Result<Self, UsernameError> {
        let length = text.chars().count();
        if length < rules.min_length {
            return Err(UsernameError::TooShort);
        }
        if length > rules.max_length {
            return Err(UsernameError::TooLong);
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || rules.extra_characters.contains(c)) {
            return Err(UsernameError::Malformed);
        }
        Ok(Self(match rules.form {
            UsernameForm::LowerCase => text.to_lowercase(),
            UsernameForm::AsWritten => text.to_owned(),
        }))
    }

    /// Takes a text that is known to be a name.
    pub(crate) fn known(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as it is compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_in_lower_case_and_have_few_characters() {
        let rules = UsernameRules::default();
        assert_eq!(Username::parse("Hugo_H.1", &rules), Ok(Username::known("hugo_h.1")));
        assert_eq!(Username::parse("h", &rules), Err(UsernameError::TooShort));
        assert_eq!(Username::parse(&"h".repeat(31), &rules), Err(UsernameError::TooLong));
        for text in ["hugo h", "hugö", "hugo@x", "hu\0go", "hugo-h"] {
            assert_eq!(Username::parse(text, &rules), Err(UsernameError::Malformed), "{text}");
        }
    }

    #[test]
    fn names_may_be_compared_as_they_are_written() {
        let rules = UsernameRules { form: UsernameForm::AsWritten, ..UsernameRules::default() };
        assert_eq!(Username::parse("Hugo_H", &rules), Ok(Username::known("Hugo_H")));
    }

    #[test]
    fn the_owner_may_allow_more() {
        let rules = UsernameRules { extra_characters: "-".to_owned(), ..UsernameRules::default() };
        assert!(Username::parse("hugo-h", &rules).is_ok());
        assert_eq!(Username::parse("hugo_h", &rules), Err(UsernameError::Malformed));
    }
}

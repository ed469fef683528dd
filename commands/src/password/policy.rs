//! What a new password must be.

use super::Password;

/// No setting lowers the minimum length below this.
const MIN_LENGTH_FLOOR: usize = 6;

/// The rules for new passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_length: usize,
    required: Vec<String>,
}

/// Why a password is too weak, in the words that clients show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Weakness {
    /// What is wrong, in the order of the message's sentences.
    pub reasons: Vec<WeaknessReason>,
    /// The sentences, joined by a space.
    pub message: String,
}

/// One thing that is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeaknessReason {
    /// Too short.
    Length,
    /// A required kind of character is missing.
    Characters,
    /// It stands in lists of leaked passwords.
    Pwned,
}

impl WeaknessReason {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Characters => "characters",
            Self::Pwned => "pwned",
        }
    }
}

impl Weakness {
    /// A password that stands in lists of leaked passwords, on top of what else is wrong with it.
    #[must_use]
    pub fn pwned(others: Option<Self>) -> Self {
        let mut weakness = others.unwrap_or_else(Self::none);
        weakness.add(
            WeaknessReason::Pwned,
            "Password is known to be weak and easy to guess, please choose a different one.",
        );
        weakness
    }

    fn none() -> Self {
        Self { reasons: Vec::new(), message: String::new() }
    }

    fn add(&mut self, reason: WeaknessReason, sentence: &str) {
        if !self.reasons.is_empty() {
            self.message.push(' ');
        }
        self.message.push_str(sentence);
        self.reasons.push(reason);
    }
}

impl PasswordPolicy {
    /// A minimum length in bytes (never below 6) and sets of characters, of each of which the password
    /// must hold at least one.
    pub fn new(min_length: usize, required: Vec<String>) -> Self {
        Self {
            min_length: min_length.max(MIN_LENGTH_FLOOR),
            required: required.into_iter().filter(|set| !set.is_empty()).collect(),
        }
    }

    /// Reads the sets from one setting: `abc:0123`, where `\:` stands for a colon inside a set.
    pub fn required_sets(setting: &str) -> Vec<String> {
        let mut sets = vec![String::new()];
        let mut letters = setting.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter == ':' {
                sets.push(String::new());
                continue;
            }
            let escaped = letter == '\\' && letters.next_if_eq(&':').is_some();
            if let Some(set) = sets.last_mut() {
                set.push(if escaped { ':' } else { letter });
            }
        }
        sets.retain(|set| !set.is_empty());
        sets
    }

    /// Whether a new password is good enough.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn check(&self, password: &Password) -> Result<(), Weakness> {
        let text = password.expose();
        let mut weakness = Weakness::none();
        if text.len() < self.min_length {
            weakness.add(
                WeaknessReason::Length,
                &format!("Password should be at least {} characters.", self.min_length),
            );
        }
        if self.required.iter().any(|set| !text.chars().any(|letter| set.contains(letter))) {
            weakness.add(
                WeaknessReason::Characters,
                &format!(
                    "Password should contain at least one character of each: {}.",
                    self.required.join(", ")
                ),
            );
        }
        if weakness.reasons.is_empty() { Ok(()) } else { Err(weakness) }
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self::new(MIN_LENGTH_FLOOR, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn six_bytes_are_the_floor_whatever_is_configured() {
        let policy = PasswordPolicy::new(3, Vec::new());
        assert_eq!(policy, PasswordPolicy::default());
        assert!(policy.check(&password("sixsix")).is_ok());
        let weakness = policy.check(&password("abc")).unwrap_err();
        assert_eq!(weakness.message, "Password should be at least 6 characters.");
        assert_eq!(weakness.reasons, [WeaknessReason::Length]);
    }

    #[test]
    fn length_counts_bytes() {
        assert!(PasswordPolicy::default().check(&password("äöü")).is_ok());
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let sets = PasswordPolicy::required_sets("abcdefghijklmnopqrstuvwxyz:0123456789");
        let policy = PasswordPolicy::new(10, sets);
        let weakness = policy.check(&password("short")).unwrap_err();
        assert_eq!(
            weakness.message,
            "Password should be at least 10 characters. Password should contain at least one character \
             of each: abcdefghijklmnopqrstuvwxyz, 0123456789."
        );
        assert_eq!(weakness.reasons.iter().map(|r| r.as_str()).collect::<Vec<_>>(), ["length", "characters"]);
        assert!(policy.check(&password("long3nough")).is_ok());

        let pwned = Weakness::pwned(Some(weakness));
        assert!(
            pwned.message.ends_with(
                ". Password is known to be weak and easy to guess, please choose a different one."
            )
        );
        assert_eq!(pwned.reasons.last(), Some(&WeaknessReason::Pwned));
    }

    #[test]
    fn an_escaped_colon_belongs_to_its_set_and_empty_sets_ask_nothing() {
        assert_eq!(PasswordPolicy::required_sets(r"abc:\::!\x::"), ["abc", ":", r"!\x"]);
        assert!(PasswordPolicy::required_sets("").is_empty());
    }
}

//! What a provider tells of somebody, in one form for all of them. All of it is a stranger's word.

use evident_domain::{Email, Metadata};
use serde_json::{Map, Value};

/// The longest text that is taken over from a provider, in bytes.
const LONGEST_TEXT: usize = 4096;
/// The longest name that a provider may have for somebody, in bytes (OpenID Connect asks for 255).
const LONGEST_SUBJECT: usize = 512;
/// The most that is taken over in all, in bytes of JSON.
const LARGEST: usize = 65_536;
/// The most addresses that are looked at.
const MOST_ADDRESSES: usize = 50;

/// What a provider tells does not make a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It does not say who it is.
    #[error("the provider does not tell who the user is")]
    NoSubject,
    /// It tells more than anybody needs.
    #[error("the provider tells too much")]
    TooMuch,
    /// Something that has to be there is missing or has another type.
    #[error("the provider's answer has another shape than it should")]
    Malformed,
}

/// An address that a provider tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The address.
    pub(super) email: Email,
    /// Whether the provider vouches for it.
    pub(super) verified: bool,
    /// Whether it is the one to write to.
    pub(super) primary: bool,
}

/// What a provider tells of somebody.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    subject: String,
    addresses: Vec<Address>,
    claims: Map<String, Value>,
}

impl Profile {
    /// Somebody whom the provider calls so. `issuer` is where that name counts.
    ///
    /// # Errors
    /// When the name is missing, too long or holds control characters.
    pub(super) fn new(issuer: &str, subject: Option<&str>) -> Result<Self, ProfileError> {
        let fits = |text: &&str| {
            !text.is_empty() && text.len() <= LONGEST_SUBJECT && !text.chars().any(char::is_control)
        };
        let subject = subject.filter(fits).ok_or(ProfileError::NoSubject)?;
        let profile = Self { subject: subject.to_owned(), addresses: Vec::new(), claims: Map::new() };
        Ok(profile.told("iss", issuer).told("sub", subject))
    }

    /// With the name under the key where older clients look.
    #[must_use]
    pub(super) fn with_provider_id(self) -> Self {
        let subject = self.subject.clone();
        self.told("provider_id", &subject)
    }

    /// With a text under a key, unless it is empty.
    #[must_use]
    pub(super) fn with(self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.told(key, text),
            None => self,
        }
    }

    fn told(mut self, key: &str, text: &str) -> Self {
        if !text.is_empty() {
            self.claims.insert(key.to_owned(), Value::String(cut(text)));
        }
        self
    }

    /// With the same text under several keys.
    #[must_use]
    pub(super) fn with_all(self, keys: &[&str], text: Option<&str>) -> Self {
        keys.iter().fold(self, |profile, key| profile.with(key, text))
    }

    /// With any value under a key, unless it is empty.
    #[must_use]
    pub(super) fn with_value(mut self, key: &str, value: Option<&Value>) -> Self {
        if let Some(value) = value.filter(|value| !is_empty(value)) {
            self.claims.insert(key.to_owned(), clean(value));
        }
        self
    }

    /// With claims of the provider's own.
    #[must_use]
    pub(super) fn with_custom<'v>(
        mut self,
        claims: impl IntoIterator<Item = (&'v str, Option<&'v Value>)>,
    ) -> Self {
        let custom: Map<_, _> = claims
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), clean(value?))))
            .filter(|(_, value)| !value.is_null())
            .collect();
        if !custom.is_empty() {
            self.claims.insert("custom_claims".to_owned(), Value::Object(custom));
        }
        self
    }

    /// With an address. One that does not read is left out.
    #[must_use]
    pub(super) fn with_address(mut self, email: Option<&str>, verified: bool, primary: bool) -> Self {
        if let Some(Ok(email)) = email.map(Email::parse)
            && self.addresses.len() < MOST_ADDRESSES
        {
            self.addresses.push(Address { email, verified, primary });
        }
        self
    }

    /// What the provider calls the user.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    /// The addresses, the primary one first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        let primary = self.primary();
        primary.into_iter().chain(self.addresses.iter().filter(move |a| Some(*a) != primary))
    }

    /// The address to write to: the one the provider calls primary, else the last it tells.
    pub(super) fn primary(&self) -> Option<&Address> {
        self.addresses.iter().find(|address| address.primary).or(self.addresses.last())
    }

    /// What is kept of it.
    ///
    /// # Errors
    /// When it is too much.
    pub(super) fn metadata(&self) -> Result<Metadata, ProfileError> {
        let mut claims = self.claims.clone();
        claims.remove("email");
        if let Some(address) = self.primary() {
            claims.insert("email".to_owned(), address.email.as_str().into());
        }
        let verified = self.primary().is_some_and(|address| address.verified);
        claims.insert("email_verified".to_owned(), verified.into());
        claims.insert("phone_verified".to_owned(), false.into());
        let metadata = Metadata(claims);
        let size = serde_json::to_string(&metadata).map_or(usize::MAX, |text| text.len());
        if size > LARGEST { Err(ProfileError::TooMuch) } else { Ok(metadata) }
    }
}

/// A text without what databases do not take, and not too long.
fn cut(text: &str) -> String {
    let text = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() };
    match text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= LONGEST_TEXT).last() {
        Some((at, c)) => text[..at + c.len_utf8()].to_owned(),
        None => text,
    }
}

fn clean(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(cut(text)),
        Value::Array(values) => Value::Array(values.iter().map(clean).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (cut(key), clean(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_subject_is_a_short_text_without_control_characters() {
        let long = "x".repeat(513);
        for subject in [None, Some(""), Some("a\0b"), Some("a\nb"), Some(long.as_str())] {
            assert_eq!(Profile::new("https://p", subject), Err(ProfileError::NoSubject), "{subject:?}");
        }
    }

    #[test]
    fn addresses_that_do_not_read_are_left_out_and_the_primary_one_counts() {
        let profile = Profile::new("https://p", Some("1"))
            .unwrap()
            .with_address(Some("not an address"), true, true)
            .with_address(Some("A@Example.com"), false, false)
            .with_address(Some("b@example.com"), true, true)
            .with_address(Some("c@example.com"), false, false);
        let all: Vec<_> = profile.addresses().map(|address| address.email.as_str()).collect();
        assert_eq!(all, ["b@example.com", "a@example.com", "c@example.com"]);
        let metadata = json!(profile.metadata().unwrap());
        assert_eq!(
            (&metadata["email"], &metadata["email_verified"]),
            (&json!("b@example.com"), &json!(true))
        );
    }

    #[test]
    fn long_texts_are_cut_nul_is_replaced_and_too_much_is_refused() {
        let long = "ä".repeat(5000);
        let profile = Profile::new("https://p", Some("1")).unwrap().with("name", Some(&long));
        let metadata = profile.metadata().unwrap();
        assert_eq!(metadata.text("name").map(str::len), Some(4096));
        let profile = profile.with("nickname", Some("a\0b"));
        assert_eq!(profile.metadata().unwrap().text("nickname"), Some("a\u{fffd}b"));
        let much: Vec<String> = (0..50).map(|n| format!("{n}{}", "x".repeat(4000))).collect();
        let profile = profile.with_value("groups", Some(&json!(much)));
        assert_eq!(profile.metadata(), Err(ProfileError::TooMuch));
    }

    #[test]
    fn empty_values_are_left_out() {
        let profile = Profile::new("https://p", Some("1"))
            .unwrap()
            .with("name", Some(""))
            .with("picture", None)
            .with_value("aud", Some(&json!([])))
            .with_custom([("a", None), ("b", Some(&Value::Null))]);
        assert_eq!(
            json!(profile.metadata().unwrap()),
            json!({"iss": "https://p", "sub": "1", "email_verified": false, "phone_verified": false})
        );
    }
}

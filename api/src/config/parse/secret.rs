//! Secrets and keys. Their values appear nowhere, in problems neither.

use evident_commands::settings::Secret;
use evident_commands::tokens::{KeySettings, SigningKeys};
use evident_eventstore::MasterKey;

use super::collection::items;
use super::{Kind, Named, Problem, Raw};

/// A secret text. Spaces around it are part of it.
pub(in crate::config) struct SecretText;

impl Named for SecretText {
    const NAME: &'static str = "secret";
    const SECRET: bool = true;
}

impl Kind<Secret> for SecretText {
    fn parse(raw: &Raw) -> Result<Option<Secret>, Problem> {
        match raw {
            Raw::Text(text) => Ok(Some(Secret::new(text))),
            Raw::List(_) | Raw::Pairs(_) => Err(Problem::new("is more than one value")),
        }
    }

    fn show(_: &Secret) -> String {
        String::new()
    }
}

/// Secrets, parted by `|`.
pub(in crate::config) struct Secrets;

impl Named for Secrets {
    const NAME: &'static str = "list, parted by a bar";
    const SECRET: bool = true;
}

impl Kind<Vec<Secret>> for Secrets {
    fn parse(raw: &Raw) -> Result<Option<Vec<Secret>>, Problem> {
        let texts = items(raw, |text| text.split('|').map(str::to_owned).collect())?;
        Ok(Some(texts.into_iter().map(Secret::new).collect()))
    }

    fn show(_: &Vec<Secret>) -> String {
        String::new()
    }
}

/// Private keys as a JSON array (RFC 7517), tried out when they are read.
pub(in crate::config) struct KeySet;

impl Named for KeySet {
    const NAME: &'static str = "JSON array of JWKs";
    const SECRET: bool = true;
}

impl Kind<Secret> for KeySet {
    fn parse(raw: &Raw) -> Result<Option<Secret>, Problem> {
        let text = raw.text()?;
        SigningKeys::load(KeySettings { keys: Some(text), ..KeySettings::default() })
            .map_err(|error| Problem::new(format!("cannot be used ({error})")))?;
        Ok(Some(Secret::new(text)))
    }

    fn show(_: &Secret) -> String {
        String::new()
    }
}

/// The master key: 32 bytes in base64.
pub(in crate::config) struct Base64Key;

impl Named for Base64Key {
    const NAME: &'static str = "32 bytes in base64";
    const SECRET: bool = true;
}

impl Kind<MasterKey> for Base64Key {
    fn parse(raw: &Raw) -> Result<Option<MasterKey>, Problem> {
        MasterKey::from_base64(raw.text()?)
            .map(Some)
            .map_err(|_| Problem::new("is not 32 bytes in base64 (make one with: openssl rand -base64 32)"))
    }

    fn show(_: &MasterKey) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    fn problem(keys: &str) -> String {
        KeySet::parse(&text(keys)).unwrap_err().0
    }

    #[test]
    fn exactly_one_key_signs() {
        let key = |kid: &str, ops: &str| {
            format!(
                r#"{{"kty":"oct","alg":"HS256","kid":"{kid}","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMw","key_ops":[{ops}]}}"#
            )
        };
        assert!(KeySet::parse(&text(&format!("[{}]", key("a", r#""sign","verify""#)))).is_ok());
        let none = format!("[{}]", key("a", r#""verify""#));
        assert_eq!(problem(&none), "cannot be used (no signing key found)");
        let two = format!("[{},{}]", key("a", r#""sign""#), key("b", r#""sign""#));
        assert!(problem(&two).contains("multiple signing keys detected"), "{}", problem(&two));
        assert!(!problem("[{\"k\":\"hush\"").contains("hush"));
    }

    #[test]
    fn a_master_key_is_32_bytes() {
        assert!(Base64Key::parse(&text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")).is_ok());
        assert!(Base64Key::parse(&text("c2hvcnQ=")).is_err());
    }
}

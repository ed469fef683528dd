//! A secret of the configuration.

use std::fmt;

use zeroize::Zeroizing;

/// A text that nobody may see: wiped from memory on drop, never shown by `Debug`.
///
/// It has no `==`, so that nobody compares secrets in a time that tells about them.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_not_shown() {
        let shown = format!("{:?}", Secret::new("open sesame"));
        assert_eq!(shown, "Secret(…)");
    }
}

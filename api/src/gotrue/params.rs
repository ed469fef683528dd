//! The query of a request.

use url::form_urlencoded;

/// The parameters, in their order. Bytes that are no UTF-8 read as the replacement character.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query.
    pub fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// All values of a key.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_keys_counts() {
        let params = Params::parse("a=1&a=2&b=%20x+y&c&=d");
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(params.get("b"), Some(" x y"));
        assert_eq!(params.get("c"), Some(""));
        assert_eq!(params.get("d"), None);
    }

    #[test]
    fn broken_escapes_and_bytes_do_no_harm() {
        assert_eq!(Params::parse("a=%ff%fe").get("a"), Some("\u{fffd}\u{fffd}"));
        assert_eq!(Params::parse("a=%zz%").get("a"), Some("%zz%"));
    }
}

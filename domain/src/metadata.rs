//! Free-form JSON objects that applications attach to a user.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON object; keys are kept in alphabetical order.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(pub Map<String, Value>);

impl Metadata {
    /// The object with one key more, or with another value under it.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Applies a patch at the top level: a `null` removes the key, anything else replaces the value
    /// whole, nested objects too.
    #[must_use]
    pub fn merged(mut self, patch: &Self) -> Self {
        for (key, value) in &patch.0 {
            if value.is_null() {
                self.0.remove(key);
            } else {
                self.0.insert(key.clone(), value.clone());
            }
        }
        self
    }

    /// Puts each value of a patch into its key, `null` too.
    #[must_use]
    pub fn overlaid(mut self, patch: &Self) -> Self {
        self.0.extend(patch.0.iter().map(|(key, value)| (key.clone(), value.clone())));
        self
    }

    /// Whether no key is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }
}

/// Applications put names and addresses there, so `Debug` shows only how much there is.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metadata({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_in_alphabetical_order_and_numbers_come_back_as_they_were() {
        let text = r#"{"a":-0.0,"b":5e-324,"c":18446744073709551615,"d":1.7976931348623157e+308}"#;
        let read: Metadata = serde_json::from_str(text).unwrap();
        assert_eq!(json!(read).to_string(), text, "{read:?}");
        let unordered = Metadata::default().with("z", 1).with("b", 2).with("a", 3);
        assert_eq!(json!(unordered).to_string(), r#"{"a":3,"b":2,"z":1}"#);
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", Metadata::default().with("name", "Ann")), "Metadata(1 keys)");
    }

    #[test]
    fn a_patch_merges_at_the_top_level_and_null_removes() {
        let old: Metadata = serde_json::from_value(json!({"a": 1, "b": {"c": 1, "d": 2}, "e": 3})).unwrap();
        let patch = serde_json::from_value(json!({"a": null, "b": {"c": 5}, "f": [null]})).unwrap();
        assert_eq!(json!(old.merged(&patch)), json!({"b": {"c": 5}, "e": 3, "f": [null]}));
    }
}

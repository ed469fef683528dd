//! Fields that the owner adds to what accounts and sessions have (Better Auth's `additionalFields`).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use evident_domain::Metadata;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The fields, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldTable(pub BTreeMap<String, FieldRule>);

/// What the owner says of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldRule {
    /// What may stand in it.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether something has to stand in it.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether clients may set it.
    #[serde(default = "yes")]
    pub input: bool,
    /// Whether clients are shown it.
    #[serde(default = "yes")]
    pub returned: bool,
    /// What stands in it where nothing was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<Value>,
}

const fn yes() -> bool {
    true
}

/// What may stand in a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldKind {
    /// Something of a kind.
    Of(FieldType),
    /// One of these texts.
    OneOf(Vec<String>),
}

/// A kind of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldType {
    /// A text.
    #[serde(rename = "string")]
    Text,
    /// A number.
    #[serde(rename = "number")]
    Number,
    /// True or false.
    #[serde(rename = "boolean")]
    Flag,
    /// A moment or a day (RFC 3339); it is kept as a moment.
    #[serde(rename = "date")]
    Date,
    /// Anything.
    #[serde(rename = "json")]
    Json,
    /// A list of texts.
    #[serde(rename = "string[]")]
    Texts,
    /// A list of numbers.
    #[serde(rename = "number[]")]
    Numbers,
}

/// Why something cannot stand in a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldRefusal {
    /// Clients do not set it.
    #[error("{0} is not set by clients")]
    NotAllowed(String),
    /// Something has to stand in it.
    #[error("{0} is required")]
    Required(String),
    /// It is of another kind.
    #[error("{name} is no {expected}")]
    Mistyped {
        /// The field.
        name: String,
        /// The kind that it has to be, as JavaScript calls it.
        expected: &'static str,
    },
    /// It is none of these.
    #[error("{name} is none of those that it may be")]
    Unlisted {
        /// The field.
        name: String,
        /// What it may be.
        listed: Vec<String>,
    },
}

impl FieldRule {
    /// What is kept of a value; none where it cannot stand there.
    fn read(&self, value: &Value) -> Option<Value> {
        let good = match (&self.kind, value) {
            (FieldKind::OneOf(listed), Value::String(text)) => listed.contains(text),
            (FieldKind::Of(FieldType::Date), _) => return value.as_str().and_then(moment).map(Value::String),
            (FieldKind::Of(FieldType::Text), _) => value.is_string(),
            (FieldKind::Of(FieldType::Number), _) => value.is_number(),
            (FieldKind::Of(FieldType::Flag), _) => value.is_boolean(),
            (FieldKind::Of(FieldType::Json), _) => true,
            (FieldKind::Of(FieldType::Texts), Value::Array(items)) => items.iter().all(Value::is_string),
            (FieldKind::Of(FieldType::Numbers), Value::Array(items)) => items.iter().all(Value::is_number),
            (FieldKind::OneOf(_) | FieldKind::Of(FieldType::Texts | FieldType::Numbers), _) => false,
        };
        good.then(|| value.clone())
    }

    fn refusal(&self, name: &str) -> FieldRefusal {
        let name = name.to_owned();
        let expected = match &self.kind {
            FieldKind::OneOf(listed) => return FieldRefusal::Unlisted { name, listed: listed.clone() },
            FieldKind::Of(FieldType::Text) => "string",
            FieldKind::Of(FieldType::Number) => "number",
            FieldKind::Of(FieldType::Flag) => "boolean",
            FieldKind::Of(FieldType::Date) => "date",
            FieldKind::Of(FieldType::Json) => "object",
            FieldKind::Of(FieldType::Texts | FieldType::Numbers) => "array",
        };
        FieldRefusal::Mistyped { name, expected }
    }

    /// What stands in the field where nothing was set.
    fn unset(&self) -> Value {
        self.default_value.as_ref().and_then(|value| self.read(value)).unwrap_or_default()
    }
}

/// A moment as JavaScript writes it.
fn moment(text: &str) -> Option<String> {
    let day = |text: &str| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(day.and_time(NaiveTime::MIN).and_utc())
    };
    let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.with_timezone(&Utc)).ok();
    Some(moment.or_else(|| day(text))?.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl FieldTable {
    /// Whether there are no such fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What of the given may be kept; fields that nobody declared are left out.
    ///
    /// # Errors
    /// The first value that cannot stand where it is to stand.
    pub fn admit(&self, given: &Map<String, Value>) -> Result<Metadata, FieldRefusal> {
        let own = |(name, rule): (&String, &FieldRule)| {
            let refused = !rule.input && given.get(name).is_some_and(|value| !value.is_null());
            refused.then(|| FieldRefusal::NotAllowed(name.clone()))
        };
        if let Some(refusal) = self.0.iter().find_map(own) {
            return Err(refusal);
        }
        let mut admitted = self.admit_all(given)?;
        admitted.0.retain(|name, _| self.0.get(name).is_some_and(|rule| rule.input));
        Ok(admitted)
    }

    /// The same, of somebody who sets also what clients do not.
    ///
    /// # Errors
    /// The first value that cannot stand where it is to stand.
    pub fn admit_all(&self, given: &Map<String, Value>) -> Result<Metadata, FieldRefusal> {
        let mut admitted = Metadata::default();
        for (name, rule) in &self.0 {
            let Some(value) = given.get(name) else { continue };
            match value {
                Value::Null if !rule.input => {}
                Value::Null if rule.required => return Err(FieldRefusal::Required(name.clone())),
                Value::Null => admitted = admitted.with(name, Value::Null),
                _ => {
                    let value = rule.read(value).ok_or_else(|| rule.refusal(name))?;
                    admitted = admitted.with(name, value);
                }
            }
        }
        Ok(admitted)
    }

    /// The same, of something new: what has to be there is missed.
    ///
    /// # Errors
    /// As [`FieldTable::admit`], and the first field that is missing.
    pub fn admit_new(&self, given: &Map<String, Value>) -> Result<Metadata, FieldRefusal> {
        let admitted = self.admit(given)?;
        let missing = self.0.iter().find(|(name, rule)| {
            rule.required && rule.input && rule.default_value.is_none() && !admitted.0.contains_key(*name)
        });
        missing.map_or(Ok(admitted), |(name, _)| Err(FieldRefusal::Required(name.clone())))
    }

    /// What clients are shown. What was kept under other rules and does not fit any more is not.
    pub fn shown<'a>(&self, kept: impl Fn(&str, &FieldRule) -> Option<&'a Value>) -> Map<String, Value> {
        let shown = self.0.iter().filter(|(_, rule)| rule.returned);
        let value = |name: &str, rule: &FieldRule| match kept(name, rule) {
            Some(Value::Null) => Value::Null,
            Some(value) => rule.read(value).unwrap_or_else(|| rule.unset()),
            None => rule.unset(),
        };
        shown.map(|(name, rule)| (name.clone(), value(name, rule))).collect()
    }

    /// The first field whose default cannot stand in it.
    pub fn bad_default(&self) -> Option<&str> {
        let bad = |rule: &FieldRule| {
            let given = rule.default_value.as_ref().filter(|value| !value.is_null());
            given.is_some_and(|value| rule.read(value).is_none())
        };
        self.0.iter().find(|(_, rule)| bad(rule)).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(declared: Value) -> FieldTable {
        serde_json::from_value(declared).unwrap()
    }

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_fits_is_kept_and_what_nobody_declared_is_left_out() {
        let fields = table(json!({
            "theme": { "type": ["dark", "light"], "required": false },
            "seen": { "type": "date" },
            "tags": { "type": "string[]" },
            "size": { "type": "number", "required": false },
            "more": { "type": "json" },
        }));
        let given = map(
            json!({ "theme": null, "seen": "2026-11-21", "tags": ["a"], "size": 1.5, "more": [{}], "userId": "x" }),
        );
        let kept = fields.admit(&given).unwrap();
        let seen = "2026-11-21T00:00:00.000Z";
        assert_eq!(
            json!(kept),
            json!({ "theme": null, "seen": seen, "tags": ["a"], "size": 1.5, "more": [{}] })
        );
        let refused = |given| fields.admit(&map(given)).unwrap_err();
        let mistyped = |name: &str, expected| FieldRefusal::Mistyped { name: name.to_owned(), expected };
        assert_eq!(refused(json!({ "seen": "yesterday" })), mistyped("seen", "date"));
        assert_eq!(refused(json!({ "tags": ["a", 1] })), mistyped("tags", "array"));
        assert_eq!(refused(json!({ "size": "1" })), mistyped("size", "number"));
        assert_eq!(refused(json!({ "seen": null })), FieldRefusal::Required("seen".to_owned()));
        let listed = vec!["dark".to_owned(), "light".to_owned()];
        let unlisted = FieldRefusal::Unlisted { name: "theme".to_owned(), listed };
        assert_eq!(refused(json!({ "theme": "pink" })), unlisted);
    }

    #[test]
    fn what_clients_do_not_set_is_refused_unless_it_says_nothing() {
        let fields = table(json!({ "plan": { "type": "string", "input": false, "defaultValue": "free" } }));
        let refused = fields.admit(&map(json!({ "plan": "gold" })));
        assert_eq!(refused, Err(FieldRefusal::NotAllowed("plan".to_owned())));
        assert_eq!(fields.admit_new(&map(json!({ "plan": null }))), Ok(Metadata::default()));
    }

    #[test]
    fn of_something_new_is_missed_what_has_to_be_there() {
        let fields = table(json!({
            "language": { "type": "string" },
            "size": { "type": "number", "defaultValue": 12 },
        }));
        let missing = fields.admit_new(&map(json!({ "size": 1 })));
        assert_eq!(missing, Err(FieldRefusal::Required("language".to_owned())));
        assert!(fields.admit_new(&map(json!({ "language": "de" }))).is_ok());
    }

    #[test]
    fn what_fits_no_more_is_shown_as_what_was_never_set() {
        let fields = table(json!({
            "size": { "type": "number", "defaultValue": 12 },
            "secret": { "type": "string", "returned": false },
            "theme": { "type": "string", "required": false },
        }));
        let kept = map(json!({ "size": "large", "secret": "x" }));
        let shown = fields.shown(|name, _| kept.get(name));
        assert_eq!(Value::Object(shown), json!({ "size": 12, "theme": null }));
        let nothing = map(json!({ "size": null }));
        let shown = fields.shown(|name, _| nothing.get(name));
        assert_eq!(shown["size"], Value::Null, "nothing was set on purpose");
    }

    #[test]
    fn declarations_are_read_strictly() {
        for bad in [json!({ "a": { "type": "text" } }), json!({ "a": { "type": "string", "unique": true } })]
        {
            assert!(serde_json::from_value::<FieldTable>(bad.clone()).is_err(), "{bad}");
        }
        assert_eq!(table(json!({ "a": { "type": "number", "defaultValue": "1" } })).bad_default(), Some("a"));
    }
}

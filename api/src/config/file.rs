//! `evident.toml`: its values by key.

use std::collections::HashMap;

use toml::{Table, Value};

use super::parse::Raw;
use super::table::{self, Setting};
use super::{ConfigError, ConfigFile};

/// The values of the file, and the names of their keys in error lines.
type Values = HashMap<&'static str, (String, Raw)>;

/// Keys that are less alike than this are not suggested.
const ALIKE: f64 = 0.75;

/// Reads the file. Every key must be known.
pub(super) fn values(file: &ConfigFile) -> Result<Values, ConfigError> {
    let table: Table = file.text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start.min(file.text.len()));
        ConfigError::Syntax {
            path: file.path.clone(),
            line: file.text.get(..start).unwrap_or_default().matches('\n').count() + 1,
            // Some messages have several lines.
            problem: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        }
    })?;
    let mut values = Values::new();
    collect(file, "", &table, &mut values)?;
    Ok(values)
}

fn collect(file: &ConfigFile, prefix: &str, table: &Table, values: &mut Values) -> Result<(), ConfigError> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let shown = format!("{}: {key}", file.path);
        match (table::find(&key), value) {
            (Some(setting), value) => {
                let raw = raw(value).ok_or_else(|| nested(shown.clone(), setting))?;
                values.insert(setting.key, (shown, raw));
            }
            (None, Value::Table(inner)) if is_section(&key) => collect(file, &key, inner, values)?,
            (None, _) => {
                return Err(ConfigError::UnknownKey { key: shown, suggestion: nearest(&key) });
            }
        }
    }
    Ok(())
}

fn is_section(key: &str) -> bool {
    table::settings().any(|setting| setting.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

fn nested(key: String, setting: &Setting) -> ConfigError {
    ConfigError::Value {
        key,
        problem: "the value is nested deeper than any setting".to_owned(),
        example: setting.example,
    }
}

/// The value as text, list or pairs; none when it is nested deeper.
fn raw(value: &Value) -> Option<Raw> {
    match value {
        Value::Array(items) => items.iter().map(plain).collect::<Option<_>>().map(Raw::List),
        Value::Table(table) => {
            let mut pairs = Vec::new();
            for (name, value) in table {
                match value {
                    Value::Array(items) => {
                        for item in items {
                            pairs.push((name.clone(), plain(item)?));
                        }
                    }
                    single => pairs.push((name.clone(), plain(single)?)),
                }
            }
            Some(Raw::Pairs(pairs))
        }
        single => plain(single).map(Raw::Text),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Datetime(time) => Some(time.to_string()),
        Value::Array(_) | Value::Table(_) => None,
    }
}

/// The key that somebody may have meant.
pub(super) fn nearest(key: &str) -> Option<&'static str> {
    most_alike(key, table::settings().map(|setting| setting.key))
}

/// The name that is most like the written one, if one is alike.
pub(super) fn most_alike<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::normalized_damerau_levenshtein(written, name), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

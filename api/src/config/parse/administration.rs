//! Administrators of users: who they are, and what roles grant.

use std::collections::BTreeMap;

use evident_commands::settings::FieldTable;
use evident_domain::access::Permissions;
use evident_domain::{Email, UserId};

use super::collection::items;
use super::{Kind, Named, Problem, Raw};

/// Ids of users, parted by commas.
pub(in crate::config) struct UserIds;

impl Named for UserIds {
    const NAME: &'static str = "list of ids";
}

impl Kind<Vec<UserId>> for UserIds {
    fn parse(raw: &Raw) -> Result<Option<Vec<UserId>>, Problem> {
        let texts = items(raw, |text| text.split(',').map(str::to_owned).collect())?;
        let ids: Result<Vec<UserId>, _> = texts.iter().map(|text| text.parse()).collect();
        ids.map(Some).map_err(|_| Problem::new("has something that is no id (a UUID)"))
    }

    fn show(value: &Vec<UserId>) -> String {
        value.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Addresses, parted by commas.
pub(in crate::config) struct Emails;

impl Named for Emails {
    const NAME: &'static str = "list of addresses";
}

impl Kind<Vec<Email>> for Emails {
    fn parse(raw: &Raw) -> Result<Option<Vec<Email>>, Problem> {
        let texts = items(raw, |text| text.split(',').map(str::to_owned).collect())?;
        let emails: Result<Vec<Email>, _> = texts.iter().map(|text| Email::parse(text)).collect();
        emails.map(Some).map_err(|_| Problem::new("has something that is no e-mail address"))
    }

    fn show(value: &Vec<Email>) -> String {
        value.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// What roles grant, as a JSON object: `{"support":{"user":["list","get"]}}`.
pub(in crate::config) struct RoleTable;

impl Named for RoleTable {
    const NAME: &'static str = "JSON object";
}

impl Kind<BTreeMap<String, Permissions>> for RoleTable {
    fn parse(raw: &Raw) -> Result<Option<BTreeMap<String, Permissions>>, Problem> {
        let table = serde_json::from_str(raw.text()?);
        table.map(Some).map_err(|_| Problem::new("is no JSON object of roles with lists of actions"))
    }

    fn show(value: &BTreeMap<String, Permissions>) -> String {
        serde_json::to_string(value).unwrap_or_default()
    }
}

/// Fields that the owner adds, as a JSON object: `{"theme":{"type":"string","required":false}}`.
pub(in crate::config) struct Fields;

impl Named for Fields {
    const NAME: &'static str = "JSON object of fields";
}

impl Kind<FieldTable> for Fields {
    fn parse(raw: &Raw) -> Result<Option<FieldTable>, Problem> {
        let table: FieldTable = serde_json::from_str(raw.text()?).map_err(|_| {
            Problem::new(
                "is no JSON object of fields with type, required, input, returned and defaultValue; types are \
                 string, number, boolean, date, json, string[], number[] and lists of texts",
            )
        })?;
        let letters = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let is_name = |name: &str| !name.is_empty() && name.len() <= 64 && letters(name);
        if let Some(name) = table.0.keys().find(|name| !is_name(name) || name.starts_with(char::is_numeric)) {
            return Err(Problem::new(format!("has {name:?}, which is no name of a field")));
        }
        if let Some(name) = table.bad_default() {
            return Err(Problem::new(format!("has a default that {name:?} cannot hold")));
        }
        Ok(Some(table))
    }

    fn show(value: &FieldTable) -> String {
        if value.is_empty() { String::new() } else { serde_json::to_string(value).unwrap_or_default() }
    }
}

//! Lists and maps.

use std::collections::BTreeMap;

use evident_commands::messages::RedirectPolicy;
use evident_commands::password::PasswordPolicy;
use evident_domain::Phone;
use evident_domain::organization::Permissions;

use super::{Kind, Named, Problem, Raw};

/// A list of texts; commas part it where it is written as one text.
pub(in crate::config) struct List;

impl Named for List {
    const NAME: &'static str = "list";
}

impl Kind<Vec<String>> for List {
    fn parse(raw: &Raw) -> Result<Option<Vec<String>>, Problem> {
        items(raw, |text| text.split(',').map(str::to_owned).collect()).map(Some)
    }

    fn show(value: &Vec<String>) -> String {
        value.join(",")
    }
}

/// Patterns of addresses: a list in which the commas of `{a,b}` do not part.
pub(in crate::config) struct Patterns;

impl Named for Patterns {
    const NAME: &'static str = "list";
}

impl Kind<Vec<String>> for Patterns {
    fn parse(raw: &Raw) -> Result<Option<Vec<String>>, Problem> {
        items(raw, RedirectPolicy::split).map(Some)
    }

    fn show(value: &Vec<String>) -> String {
        value.join(",")
    }
}

/// Sets of characters, parted by colons: `abc:0123`; `\:` is a colon of a set.
pub(in crate::config) struct CharacterSets;

impl Named for CharacterSets {
    const NAME: &'static str = "sets, parted by `:`";
}

impl Kind<Vec<String>> for CharacterSets {
    fn parse(raw: &Raw) -> Result<Option<Vec<String>>, Problem> {
        Ok(Some(match raw {
            Raw::Text(text) => PasswordPolicy::required_sets(text),
            Raw::List(sets) => sets.iter().filter(|set| !set.is_empty()).cloned().collect(),
            Raw::Pairs(_) => return Err(Problem::new("is no list")),
        }))
    }

    fn show(value: &Vec<String>) -> String {
        value.iter().map(|set| set.replace(':', "\\:")).collect::<Vec<_>>().join(":")
    }
}

/// Phone numbers and their fixed codes: `15005550009:123456,15005550010=654321`.
pub(in crate::config) struct TestCodes;

impl Named for TestCodes {
    const NAME: &'static str = "map";
    const SECRET: bool = true;
}

impl Kind<BTreeMap<String, String>> for TestCodes {
    fn parse(raw: &Raw) -> Result<Option<BTreeMap<String, String>>, Problem> {
        let pairs = match raw {
            Raw::Pairs(pairs) => pairs.clone(),
            Raw::Text(_) | Raw::List(_) => items(raw, |text| text.split(',').map(str::to_owned).collect())?
                .iter()
                .map(|pair| {
                    let (number, code) = pair.split_once([':', '='])?;
                    Some((number.trim().to_owned(), code.trim().to_owned()))
                })
                .collect::<Option<_>>()
                .ok_or_else(|| Problem::new("is no list of numbers and codes"))?,
        };
        let mut codes = BTreeMap::new();
        for (number, code) in pairs {
            let number = Phone::parse(&number).map_err(|_| Problem::new("names what is no phone number"))?;
            if code.is_empty() || !code.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Problem::new("names a code that is not made of digits"));
            }
            codes.insert(number.as_str().to_owned(), code);
        }
        Ok(Some(codes))
    }

    fn show(value: &BTreeMap<String, String>) -> String {
        value.iter().map(|(number, code)| format!("{number}:{code}")).collect::<Vec<_>>().join(",")
    }
}

/// Headers of mails as a JSON object: `{"X-Tag":["a","b"]}`.
pub(in crate::config) struct JsonHeaders;

impl Named for JsonHeaders {
    const NAME: &'static str = "JSON object of lists";
}

impl Kind<Vec<(String, String)>> for JsonHeaders {
    fn parse(raw: &Raw) -> Result<Option<Vec<(String, String)>>, Problem> {
        let text = match raw {
            Raw::Pairs(pairs) => return Ok(Some(pairs.clone())),
            Raw::Text(_) | Raw::List(_) => raw.text()?,
        };
        let headers: BTreeMap<String, Vec<String>> =
            serde_json::from_str(text).map_err(|_| Problem::new("is no JSON object of lists of texts"))?;
        let pair = |(name, values): (String, Vec<String>)| {
            values.into_iter().map(move |value| (name.clone(), value)).collect::<Vec<_>>()
        };
        Ok(Some(headers.into_iter().flat_map(pair).collect()))
    }

    fn show(value: &Vec<(String, String)>) -> String {
        let mut headers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, text) in value {
            headers.entry(name).or_default().push(text);
        }
        if headers.is_empty() { String::new() } else { serde_json::to_string(&headers).unwrap_or_default() }
    }
}

/// What may be done, as a JSON object: `{"project":["create","share"]}`.
pub(in crate::config) struct JsonPermissions;

impl Named for JsonPermissions {
    const NAME: &'static str = "JSON object of lists";
}

impl Kind<Permissions> for JsonPermissions {
    fn parse(raw: &Raw) -> Result<Option<Permissions>, Problem> {
        if let Raw::Pairs(pairs) = raw {
            let mut permissions = Permissions::default();
            for (resource, action) in pairs {
                permissions.0.entry(resource.clone()).or_default().insert(action.clone());
            }
            return Ok(Some(permissions));
        }
        let problem = |_| Problem::new("is no JSON object of lists of texts");
        serde_json::from_str(raw.text()?).map(Some).map_err(problem)
    }

    fn show(value: &Permissions) -> String {
        if value.0.is_empty() { String::new() } else { serde_json::to_string(value).unwrap_or_default() }
    }
}

/// What roles may do, as a JSON object: `{"guide":{"project":["share"]}}`.
pub(in crate::config) struct JsonRoles;

impl Named for JsonRoles {
    const NAME: &'static str = "JSON object of permissions";
}

impl Kind<BTreeMap<String, Permissions>> for JsonRoles {
    fn parse(raw: &Raw) -> Result<Option<BTreeMap<String, Permissions>>, Problem> {
        let problem = |_| Problem::new("is no JSON object of roles and their permissions");
        let roles: BTreeMap<String, Permissions> = serde_json::from_str(raw.text()?).map_err(problem)?;
        match roles.keys().find(|name| name.trim().is_empty() || name.contains(',')) {
            Some(_) => Err(Problem::new("names a role with a comma, or without a name")),
            None => Ok(Some(roles)),
        }
    }

    fn show(value: &BTreeMap<String, Permissions>) -> String {
        if value.is_empty() { String::new() } else { serde_json::to_string(value).unwrap_or_default() }
    }
}

/// The items of a list, without spaces around them and without empty ones.
pub(super) fn items(raw: &Raw, split: impl Fn(&str) -> Vec<String>) -> Result<Vec<String>, Problem> {
    let items = match raw {
        Raw::Text(text) => split(text),
        Raw::List(items) => items.clone(),
        Raw::Pairs(_) => return Err(Problem::new("is no list")),
    };
    Ok(items.iter().map(|item| item.trim()).filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn lists_are_parted_by_commas_and_tolerate_spaces() {
        let expected = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(List::parse(&text(" a, b ,,")), Ok(Some(expected)));
    }

    #[test]
    fn the_commas_of_alternatives_do_not_part_patterns() {
        let expected = vec!["https://{a,b}.example.com/**".to_owned(), "myapp://x".to_owned()];
        assert_eq!(Patterns::parse(&text("https://{a,b}.example.com/**,myapp://x")), Ok(Some(expected)));
    }

    #[test]
    fn character_sets_know_an_escaped_colon() {
        let sets = CharacterSets::parse(&text(r"abc:0\:1")).unwrap().unwrap();
        assert_eq!(sets, ["abc", "0:1"]);
        assert_eq!(CharacterSets::show(&sets), r"abc:0\:1");
    }

    #[test]
    fn test_codes_are_numbers_and_digits() {
        let codes = TestCodes::parse(&text("+1 500 5550009:123456, 15005550010=654321")).unwrap().unwrap();
        assert_eq!(codes["15005550009"], "123456");
        assert_eq!(codes["15005550010"], "654321");
        for bad in ["15005550009", "phone:123456", "15005550009:code", "15005550009:"] {
            assert!(TestCodes::parse(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_and_permissions_are_json_objects() {
        let text_of = r#"{"project":["create","share"]}"#;
        let permissions = JsonPermissions::parse(&text(text_of)).unwrap().unwrap();
        assert_eq!(permissions, Permissions::of(&[("project", &["create", "share"])]));
        assert_eq!(JsonPermissions::show(&permissions), text_of);
        let text_of = r#"{"guide":{"project":["share"]}}"#;
        let roles = JsonRoles::parse(&text(text_of)).unwrap().unwrap();
        assert_eq!(JsonRoles::show(&roles), text_of);
        for bad in ["guide", "[]", r#"{"a,b":{}}"#, r#"{"a":["x"]}"#] {
            assert!(JsonRoles::parse(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn mail_headers_are_a_json_object() {
        let headers = JsonHeaders::parse(&text(r#"{"X-Tag":["a","$messageType"]}"#)).unwrap().unwrap();
        let pair = |value: &str| ("X-Tag".to_owned(), value.to_owned());
        assert_eq!(headers, [pair("a"), pair("$messageType")]);
        assert!(JsonHeaders::parse(&text("X-Tag: a")).is_err());
    }
}

//! `GET /admin/list-users`

use evident_commands::{Comparison, Condition, Direction, ListUsers, UserField};
use serde_json::{Value, json};

use super::super::call::{Answer, Call, Reply};
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::LIST;

/// Users on a page, where nobody says.
const PAGE: u32 = 100;
/// Users on a page at most.
const LONGEST_PAGE: u32 = 1_000;

const FIELDS: &[(&str, UserField)] = &[
    ("id", UserField::Id),
    ("name", UserField::Name),
    ("email", UserField::Email),
    ("emailVerified", UserField::EmailVerified),
    ("createdAt", UserField::CreatedAt),
    ("updatedAt", UserField::UpdatedAt),
    ("twoFactorEnabled", UserField::TwoFactorEnabled),
    ("username", UserField::Username),
    ("displayUsername", UserField::DisplayUsername),
    ("isAnonymous", UserField::IsAnonymous),
    ("phoneNumber", UserField::PhoneNumber),
    ("phoneNumberVerified", UserField::PhoneNumberVerified),
    ("role", UserField::Role),
    ("banned", UserField::Banned),
    ("banReason", UserField::BanReason),
    ("banExpires", UserField::BanExpires),
];

const COMPARISONS: &[(&str, Comparison)] = &[
    ("eq", Comparison::Equal),
    ("ne", Comparison::NotEqual),
    ("lt", Comparison::Less),
    ("lte", Comparison::LessOrEqual),
    ("gt", Comparison::Greater),
    ("gte", Comparison::GreaterOrEqual),
    ("in", Comparison::In),
    ("not_in", Comparison::NotIn),
    ("contains", Comparison::Contains),
    ("starts_with", Comparison::StartsWith),
    ("ends_with", Comparison::EndsWith),
];

const SEARCHED: &[(&str, UserField)] = &[("email", UserField::Email), ("name", UserField::Name)];
const SEARCHES: &[(&str, Comparison)] = &[
    ("contains", Comparison::Contains),
    ("starts_with", Comparison::StartsWith),
    ("ends_with", Comparison::EndsWith),
];
const DIRECTIONS: &[(&str, Direction)] = &[("asc", Direction::Ascending), ("desc", Direction::Descending)];

pub(super) fn routes(table: Table) -> Table {
    table.get("/admin/list-users", list_users)
}

/// A page of users: searched, narrowed and sorted. A field that there is not finds nobody.
async fn list_users(call: Call) -> Reply {
    let mut problems = Vec::new();
    let search_field = choice(&call, "searchField", SEARCHED, &mut problems);
    let search = choice(&call, "searchOperator", SEARCHES, &mut problems);
    let direction = choice(&call, "sortDirection", DIRECTIONS, &mut problems);
    let comparison = choice(&call, "filterOperator", COMPARISONS, &mut problems);
    if !problems.is_empty() {
        return Err(BetterAuthError::validation(problems.join("; ")));
    }
    call.administrator(LIST).await?;
    let nobody = || Answer::json(&json!({ "users": [], "total": 0 }));
    let mut conditions = Vec::new();
    if let Some(text) = call.params.get("searchValue").filter(|text| !text.is_empty()) {
        conditions.push(Condition {
            field: search_field.unwrap_or(UserField::Email),
            comparison: search.unwrap_or(Comparison::Contains),
            values: vec![text.to_owned()],
        });
    }
    let values: Vec<String> = call.params.all("filterValue").map(str::to_owned).collect();
    if !values.is_empty() {
        let name = call.params.get("filterField").unwrap_or("email");
        let Some(field) = named(FIELDS, name) else { return nobody() };
        let comparison = comparison.unwrap_or(Comparison::Equal);
        conditions.push(Condition { field, comparison, values: listed(comparison, values) });
    }
    let sort = match call.params.get("sortBy").filter(|name| !name.is_empty()) {
        None => None,
        Some(name) => {
            let Some(field) = named(FIELDS, name) else { return nobody() };
            Some((field, direction.unwrap_or(Direction::Ascending)))
        }
    };
    let number = |name| call.params.get(name).and_then(whole).filter(|number| *number > 0);
    let (limit, offset) = (number("limit"), number("offset"));
    let shown = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(PAGE);
    let list = ListUsers {
        conditions,
        sort,
        offset: offset.unwrap_or_default(),
        limit: if limit.is_some() { shown.min(LONGEST_PAGE) } else { PAGE },
    };
    let page = call.app.commands().list_users(list).await?;
    let users: Vec<_> = page.users.iter().map(|view| UserDocument::of(&call.app, view)).collect();
    let mut body = json!({ "users": users, "total": page.total });
    for (name, value) in [("limit", limit), ("offset", offset)] {
        if let Some(value) = value {
            body[name] = Value::from(value);
        }
    }
    Answer::json(&body)
}

fn named<T: Copy>(choices: &[(&str, T)], name: &str) -> Option<T> {
    choices.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// One of several words, or a problem.
fn choice<T: Copy>(call: &Call, name: &str, choices: &[(&str, T)], problems: &mut Vec<String>) -> Option<T> {
    let given = call.params.get(name)?;
    let found = named(choices, given);
    if found.is_none() {
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let expected = words.join("|");
        problems.push(format!("[query.{name}] Invalid option: expected one of {expected}"));
    }
    found
}

/// Several values come as several parameters, or in one with commas.
fn listed(comparison: Comparison, values: Vec<String>) -> Vec<String> {
    match comparison {
        Comparison::In | Comparison::NotIn if values.len() == 1 => {
            values.iter().flat_map(|value| value.split(',')).map(|part| part.trim().to_owned()).collect()
        }
        _ => values,
    }
}

/// A number as scripts read it.
fn whole(text: &str) -> Option<u64> {
    let number: f64 = text.trim().parse().ok()?;
    // What is larger skips everybody all the same.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded before")]
    let bounded = number.clamp(0.0, 9e15) as u64;
    number.is_finite().then_some(bounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_scripts_read_them() {
        for (text, number) in [("10", Some(10)), (" 7 ", Some(7)), ("1e2", Some(100)), ("-3", Some(0))] {
            assert_eq!(whole(text), number, "{text}");
        }
        for text in ["", "x", "NaN", "inf", "1e999"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn several_values_may_stand_in_one_text() {
        let values = |text: &str| vec![text.to_owned()];
        assert_eq!(listed(Comparison::In, values("a, b")), ["a", "b"]);
        assert_eq!(listed(Comparison::Equal, values("a, b")), ["a, b"]);
    }
}

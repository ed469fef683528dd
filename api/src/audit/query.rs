//! What requests ask for: filters and cursors. What does not read is refused by the parameter's name, and so
//! is a parameter that there is not, lest a misspelled filter show everything.

use std::str::FromStr;

use evident_domain::{Actor, Position, Subject, Surface, Time};
use evident_projections::views::log::{LogCursor, LogFilter, Order, types_like};

use super::error::AuditError;
use crate::gotrue::params::Params;

/// How many entries a page has where nothing is said.
const USUAL_PAGE: usize = 100;
/// The longest page.
const LONGEST_PAGE: u64 = 1_000;
/// The longest text that is searched, in bytes.
const LONGEST_TEXT: usize = 256;
/// The most words of it.
const MOST_WORDS: usize = 8;
/// The longest label of an actor, in bytes.
const LONGEST_LABEL: usize = 512;

/// The parameters of filters.
const FILTERS: &[&str] = &[
    "type",
    "subject",
    "actor",
    "organization",
    "session",
    "user",
    "ip",
    "from",
    "to",
    "request_id",
    "surface",
    "q",
];
/// The parameters of pages.
const PAGES: &[&str] = &["after", "before", "limit", "order"];

/// The filter and the page of a request.
pub(super) fn page(params: &Params) -> Result<(LogFilter, LogCursor), AuditError> {
    known(params, &[FILTERS, PAGES])?;
    Ok((filter(params)?, cursor(params)?))
}

/// A moment, and which accounts of then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// The moment.
    pub(super) at: Time,
    /// Only those that began behind this position.
    pub(super) after: Position,
    /// How many are looked at.
    pub(super) limit: usize,
}

/// The moment of a request.
pub(super) fn moment(params: &Params) -> Result<Moment, AuditError> {
    known(params, &[&["at", "after", "limit"]])?;
    let at = time(params, "at")?.ok_or_else(|| AuditError::parameter("at", "is missing: which moment?"))?;
    let LogCursor { after, limit, .. } = cursor(params)?;
    Ok(Moment { at, after, limit })
}

/// The filter of a request whose pages are none; `more` are its other parameters.
pub(super) fn stream(params: &Params, more: &[&str]) -> Result<LogFilter, AuditError> {
    known(params, &[FILTERS, more])?;
    filter(params)
}

fn known(params: &Params, lists: &[&[&str]]) -> Result<(), AuditError> {
    let known = |name: &str| lists.iter().any(|list| list.contains(&name));
    match params.iter().find(|(name, _)| !known(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let name: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
            Err(AuditError::parameter(&name, "is no parameter of this path"))
        }
    }
}

fn filter(params: &Params) -> Result<LogFilter, AuditError> {
    Ok(LogFilter {
        types: types(params)?,
        subject: one(params, "subject", "is no user:<id>, organization:<id> or period:<YYYY-MM>", subject)?,
        actor: one(params, "actor", "is no user:<id>, admin:<role>, operator, visitor or system", actor)?,
        stream: None,
        organization: id(params, "organization")?,
        session: id(params, "session")?,
        user: id(params, "user")?,
        about: None,
        ip: one(params, "ip", "is no IP address", |text| text.parse().ok())?,
        from: time(params, "from")?,
        to: time(params, "to")?,
        request: id(params, "request_id")?,
        surface: one(params, "surface", "is none of gotrue, better_auth, ops, cli, internal", |text| {
            Surface::from_name(text)
        })?,
        words: words(params)?,
    })
}

/// The value of a parameter that may stand once. An empty one is no value: it might be a slip.
fn only<'a>(params: &'a Params, name: &str) -> Result<Option<&'a str>, AuditError> {
    let mut values = params.all(name);
    let first = values.next();
    if values.next().is_some() {
        return Err(AuditError::parameter(name, "may stand once"));
    }
    if first == Some("") {
        return Err(AuditError::parameter(name, "is empty"));
    }
    Ok(first)
}

fn one<T>(
    params: &Params,
    name: &str,
    problem: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, AuditError> {
    let Some(text) = only(params, name)? else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| AuditError::parameter(name, problem))
}

fn id<T: FromStr>(params: &Params, name: &str) -> Result<Option<T>, AuditError> {
    one(params, name, "is no UUID", |text| text.parse().ok())
}

fn time(params: &Params, name: &str) -> Result<Option<Time>, AuditError> {
    let problem = "is no time as 2026-11-21T10:00:00Z";
    one(params, name, problem, |text| {
        // A plus in a query is a blank where it is not escaped.
        let time = Time::from_str(&text.replace(' ', "+")).ok()?;
        // Years beyond these are no times of events.
        (0..=253_402_300_799).contains(&time.timestamp()).then_some(time)
    })
}

fn subject(text: &str) -> Option<Subject> {
    let subject: Subject = text.parse().ok()?;
    match &subject {
        Subject::Period(period) if period.len() > 16 => None,
        Subject::Period(period) if !period.bytes().all(|b| b.is_ascii_digit() || b == b'-') => None,
        Subject::User(_)
        | Subject::Organization(_)
        | Subject::Invitation(_)
        | Subject::Server
        | Subject::Period(_) => Some(subject),
    }
}

fn actor(text: &str) -> Option<String> {
    let fits = text.len() <= LONGEST_LABEL && !text.chars().any(char::is_control);
    Actor::from_label(text).filter(|_| fits).map(|actor| actor.label())
}

/// Types, each given by itself or with others between commas; `user.*` is all that begin so.
fn types(params: &Params) -> Result<Option<Vec<String>>, AuditError> {
    let mut wanted: Option<Vec<String>> = None;
    for text in params.all("type").flat_map(|value| value.split(',')) {
        let whole = !text.ends_with('*') || text.ends_with(".*");
        let found = if whole { types_like(text) } else { Vec::new() };
        if found.is_empty() {
            let shown: String = text.chars().filter(|letter| !letter.is_control()).take(64).collect();
            let problem = format!("has {shown:?}, which is no type of event, as user.banned and user.* are");
            return Err(AuditError::parameter("type", &problem));
        }
        let wanted = wanted.get_or_insert_default();
        for name in found {
            if !wanted.iter().any(|known| known == name) {
                wanted.push(name.to_owned());
            }
        }
    }
    Ok(wanted)
}

fn words(params: &Params) -> Result<Vec<String>, AuditError> {
    let Some(text) = only(params, "q")? else { return Ok(Vec::new()) };
    if text.len() > LONGEST_TEXT || text.chars().any(|letter| letter == '\0') {
        return Err(AuditError::parameter("q", "is longer than 256 bytes, or has a NUL"));
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    match words.len() {
        0 => Err(AuditError::parameter("q", "is empty")),
        1..=MOST_WORDS => Ok(words),
        _ => Err(AuditError::parameter("q", "has more than 8 words")),
    }
}

fn cursor(params: &Params) -> Result<LogCursor, AuditError> {
    let after = number(params, "after")?.unwrap_or(0);
    let before = number(params, "before")?.unwrap_or(i64::MAX.unsigned_abs());
    let order = one(params, "order", "is neither asc nor desc", |text| match text {
        "asc" => Some(Order::OldestFirst),
        "desc" => Some(Order::NewestFirst),
        _ => None,
    })?;
    let limit = number(params, "limit")?;
    if limit.is_some_and(|limit| !(1..=LONGEST_PAGE).contains(&limit)) {
        return Err(AuditError::parameter("limit", "is no number from 1 to 1000"));
    }
    Ok(LogCursor {
        after: Position(after),
        before: Position(before),
        // Who goes on from a position wants what comes behind it.
        order: order.unwrap_or(if params.get("after").is_some() {
            Order::OldestFirst
        } else {
            Order::NewestFirst
        }),
        limit: limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL_PAGE),
    })
}

fn number(params: &Params, name: &str) -> Result<Option<u64>, AuditError> {
    only(params, name)?.map(|text| position(name, text)).transpose()
}

/// A position, or a count.
pub(super) fn position(name: &str, text: &str) -> Result<u64, AuditError> {
    // Beyond this no log goes, nor a column of a database.
    let fits = |number: &u64| i64::try_from(*number).is_ok();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(fits).filter(|_| plain);
    number.ok_or_else(|| AuditError::parameter(name, "is no whole number from 0 to 9223372036854775807"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(LogFilter, LogCursor), String> {
        page(&Params::parse(query)).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn only_plain_numbers_are_positions() {
        assert_eq!(position("n", "9223372036854775807").unwrap(), i64::MAX.unsigned_abs());
        for odd in ["", "-1", "+1", "1.0", " 1", "0x1", "9223372036854775808", "99999999999999999999", "١"] {
            let error = position("after", odd).unwrap_err();
            assert!(error.message().starts_with("`after` "), "{odd}");
        }
    }

    #[test]
    fn types_are_names_and_prefixes_of_names() {
        let types = |query: &str| read(query).map(|(filter, _)| filter.types);
        assert_eq!(types(""), Ok(None));
        let two = vec!["user.banned".to_owned(), "user.unbanned".to_owned()];
        assert_eq!(types("type=user.banned&type=user.unbanned,user.banned"), Ok(Some(two)));
        let sessions = types("type=session.*").unwrap().unwrap();
        assert!(sessions.len() > 5 && sessions.iter().all(|name| name.starts_with("session.")));
        for odd in
            ["type=", "type=user", "type=user.", "type=.*", "type=us.*", "type=user.%25", "type=user.banned,"]
        {
            assert!(types(odd).unwrap_err().starts_with("`type` "), "{odd}");
        }
    }

    #[test]
    fn a_parameter_that_does_not_read_is_named() {
        for (query, name) in [
            ("subject=ada", "subject"),
            ("subject=period:%27", "subject"),
            ("actor=nobody", "actor"),
            ("actor=admin:%00", "actor"),
            ("organization=1", "organization"),
            ("session=", "session"),
            ("user=a&user=b", "user"),
            ("ip=300.1.1.1", "ip"),
            ("ip=10.0.0.0/8", "ip"),
            ("from=yesterday", "from"),
            ("to=%2B262142-12-31T23:59:59Z", "to"),
            ("request_id=x", "request_id"),
            ("surface=web", "surface"),
            ("q=", "q"),
            ("q=%20", "q"),
            ("q=a%20b%20c%20d%20e%20f%20g%20h%20i", "q"),
            ("q=a%00", "q"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("after=-1", "after"),
            ("before=x", "before"),
            ("order=up", "order"),
            ("colour=blue", "colour"),
        ] {
            let message = read(query).unwrap_err();
            assert!(message.starts_with(&format!("`{name}` ")), "{query}: {message}");
        }
    }

    #[test]
    fn pages_begin_at_the_newest_or_go_on_from_a_position() {
        let order = |query: &str| read(query).unwrap().1.order;
        assert_eq!(order(""), Order::NewestFirst);
        assert_eq!(order("before=7"), Order::NewestFirst);
        assert_eq!(order("after=7"), Order::OldestFirst);
        assert_eq!(order("after=7&order=desc"), Order::NewestFirst);
        let (filter, cursor) = read("q=User.Banned%20%25_&from=2026-11-21T10:00:00+01:00").unwrap();
        assert_eq!(filter.words, ["user.banned", "%_"]);
        assert_eq!(filter.from, Some("2026-11-21T09:00:00Z".parse().unwrap()));
        assert_eq!(cursor.limit, 100);
    }
}

//! The copy of session and user in the cookie `session_data`, as Better Auth's strategies write it. What
//! stands before an application reads it (`getCookieCache`). This server does not: it knows as fast what is so now,
//! and what was ended or banned is over at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use evident_domain::SessionId;
use serde::Serialize;
use serde_json::{Map, Value};

use super::app::App;
use super::cookie_jwt::{self, Random, Span};
use super::document::{SessionDocument, UserDocument};
use super::session::SESSION_DATA_COOKIE;
use crate::config::better_auth::CookieCacheStrategy;

/// The longest text that browsers keep in a cookie beside its name and attributes, in bytes (RFC 6265, 6.1).
const LONGEST: usize = 3_800;
/// So many parts a longer text has at most: servers refuse requests with more in their head.
const MOST_PARTS: usize = 4;
/// So long a copy counts that the browser forgets when it is closed, in seconds.
const FORGOTTEN: u64 = 60;

/// What is copied, in the order in which it is signed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Copied<'a> {
    session: SessionDocument,
    user: UserDocument,
    updated_at: i64,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Signed<'a> {
    session: Copied<'a>,
    expires_at: i64,
    signature: String,
}

/// The cookies of a copy, by name, and how long the browser keeps them.
pub(super) type Parts = (Vec<(String, String)>, Option<u64>);

/// The copy of a session that counts; none where none is sent, or where it would be longer than cookies may be.
pub(super) async fn copy(app: &App, session: SessionId, forgotten: bool) -> Option<Parts> {
    let settings = &app.options().session.cookie_cache;
    if !settings.enabled {
        return None;
    }
    let caller = app.commands().session_holder(session).await.ok()?;
    let row = caller.session.as_ref()?;
    let (now, age) = (app.now(), settings.max_age.as_secs());
    let copied = Copied {
        session: SessionDocument::of(app, row),
        user: UserDocument::of(app, &caller.view),
        updated_at: now.timestamp_millis(),
        version: &settings.version,
        expires_at: None,
    };
    let after = |seconds: u64| now.checked_add_signed(TimeDelta::try_seconds(i64::try_from(seconds).ok()?)?);
    let span = Span { from: now.timestamp(), until: after(age)?.timestamp() };
    let text = match settings.strategy {
        CookieCacheStrategy::Compact => {
            compact(app, copied, after(if forgotten { FORGOTTEN } else { age })?.timestamp_millis())
        }
        CookieCacheStrategy::Jwt => Some(cookie_jwt::signed(app.signer(), claims(&copied)?, span)),
        CookieCacheStrategy::Jwe => {
            let mut vector = [0; 16];
            app.commands().entropy().fill(&mut vector);
            let random = Random { id: app.commands().entropy().uuid(), vector };
            cookie_jwt::enciphered(app.signer(), claims(&copied)?, span, random)
        }
    }?;
    Some((parted(text)?, (!forgotten).then_some(age)))
}

/// A text as cookies: one, or numbered ones that readers join.
fn parted(text: String) -> Option<Vec<(String, String)>> {
    if text.len() <= LONGEST {
        return Some(vec![(SESSION_DATA_COOKIE.to_owned(), text)]);
    }
    let parts = text.as_bytes().chunks(LONGEST).map(|part| String::from_utf8_lossy(part).into_owned());
    let parts: Vec<_> =
        parts.enumerate().map(|(n, part)| (format!("{SESSION_DATA_COOKIE}.{n}"), part)).collect();
    (parts.len() <= MOST_PARTS).then_some(parts)
}

fn claims(copied: &Copied<'_>) -> Option<Map<String, Value>> {
    match serde_json::to_value(copied).ok()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

/// The form that is signed as JavaScript writes it again; none where it would write something otherwise.
fn compact(app: &App, mut copied: Copied<'_>, expires_at: i64) -> Option<String> {
    let added = copied.session.fields.values().chain(copied.user.fields.values());
    if !added.into_iter().all(is_written_alike) {
        return None;
    }
    copied.expires_at = Some(expires_at);
    let signature = URL_SAFE_NO_PAD.encode(app.signer().mac(&serde_json::to_string(&copied).ok()?));
    copied.expires_at = None;
    let text = serde_json::to_string(&Signed { session: copied, expires_at, signature }).ok()?;
    Some(URL_SAFE_NO_PAD.encode(text))
}

/// Whether JavaScript writes a value as it read it: of numbers it changes the form, and of keys that are
/// numbers the order.
fn is_written_alike(value: &Value) -> bool {
    const MOST: f64 = 9_007_199_254_740_991.0;
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => {
            let text = number.to_string();
            let plain = !text.contains('e') && !text.ends_with(".0") && text != "-0";
            plain && number.as_f64().is_some_and(|number| number.abs() <= MOST)
        }
        Value::Array(items) => items.iter().all(is_written_alike),
        Value::Object(object) => object.iter().all(|(key, value)| {
            !key.starts_with(|c: char| c.is_ascii_digit()) && key != "__proto__" && is_written_alike(value)
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_text_is_parted_and_one_that_is_too_long_is_none() {
        assert_eq!(parted("a".repeat(LONGEST)).unwrap()[0].0, "session_data");
        let parts = parted("a".repeat(LONGEST) + "b").unwrap();
        assert_eq!((parts.len(), parts[1].clone()), (2, ("session_data.1".to_owned(), "b".to_owned())));
        assert_eq!(parted("a".repeat(MOST_PARTS * LONGEST + 1)), None);
    }

    #[test]
    fn javascript_writes_some_numbers_and_keys_otherwise() {
        for alike in [json!([1, -2.5, "1.0", null]), json!({ "a": { "b": 9_007_199_254_740_991_i64 } })] {
            assert!(is_written_alike(&alike), "{alike}");
        }
        for other in
            [json!(1.0), json!(1e-7), json!([u64::MAX]), json!({ "2": 1 }), json!({ "__proto__": 1 })]
        {
            assert!(!is_written_alike(&other), "{other}");
        }
    }
}

//! The copy of session and user in the cookie `session_data`, as Better Auth's `compact` strategy writes it. What
//! stands before an application reads it (`getCookieCache`). This server does not: it knows as fast what is so now,
//! and what was ended or banned is over at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use evident_domain::SessionId;
use serde::Serialize;

use super::app::App;
use super::document::{SessionDocument, UserDocument};

/// The longest text that browsers keep in a cookie beside its name and attributes, in bytes (RFC 6265, 6.1).
const LONGEST: usize = 3_800;
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

/// The copy of a session that counts, and how long the browser keeps it; none where none is sent, or where it
/// would be longer than a cookie may be.
pub(super) async fn copy(app: &App, session: SessionId, forgotten: bool) -> Option<(String, Option<u64>)> {
    let settings = &app.options().session.cookie_cache;
    if !settings.enabled {
        return None;
    }
    let caller = app.commands().session_holder(session).await.ok()?;
    let row = caller.session.as_ref()?;
    let (now, age) = (app.now(), settings.max_age.as_secs());
    let counts = TimeDelta::try_seconds(i64::try_from(if forgotten { FORGOTTEN } else { age }).ok()?)?;
    let expires_at = now.checked_add_signed(counts)?.timestamp_millis();
    let mut copied = Copied {
        session: SessionDocument::of(app, row),
        user: UserDocument::of(app, &caller.view),
        updated_at: now.timestamp_millis(),
        version: &settings.version,
        expires_at: Some(expires_at),
    };
    let signature = URL_SAFE_NO_PAD.encode(app.signer().mac(&serde_json::to_string(&copied).ok()?));
    copied.expires_at = None;
    let text = serde_json::to_string(&Signed { session: copied, expires_at, signature }).ok()?;
    let text = URL_SAFE_NO_PAD.encode(text);
    (text.len() <= LONGEST).then_some((text, (!forgotten).then_some(age)))
}

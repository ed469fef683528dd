//! `GET /audit/events/{position}`: one event.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use evident_domain::Position;

use super::access::AuditorCaller;
use super::app::App;
use super::entry::EntryDocument;
use super::error::AuditError;
use super::reply;
use super::routes::{for_auditors, get};
use crate::http::routes::Router;

/// The family's routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/events/{position}", for_auditors(get(show)))
}

async fn show(
    State(app): State<App>,
    _: AuditorCaller,
    Path(position): Path<String>,
) -> Result<Response<Body>, AuditError> {
    let position = number("position", &position)?;
    // Keys that another node has destroyed are let go of first.
    app.commands().catch_up().await?;
    let events = app.store().at(&[Position(position)]).await?;
    let event = events.first().ok_or_else(|| AuditError::not_found("there is no event at this position"))?;
    reply::json(&EntryDocument::of(event))
}

/// A position, or a count.
pub(super) fn number(name: &str, text: &str) -> Result<u64, AuditError> {
    // Beyond this no log goes, nor a column of a database.
    let fits = |number: &u64| i64::try_from(*number).is_ok();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(fits).filter(|_| plain);
    number.ok_or_else(|| AuditError::parameter(name, "is no whole number from 0 to 9223372036854775807"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_positions() {
        assert_eq!(number("n", "9223372036854775807").unwrap(), i64::MAX.unsigned_abs());
        for odd in ["", "-1", "+1", "1.0", " 1", "0x1", "9223372036854775808", "99999999999999999999", "١"] {
            let error = number("after", odd).unwrap_err();
            assert!(error.message().starts_with("`after` "), "{odd}");
        }
    }
}

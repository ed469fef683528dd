//! `GET /audit/events` and `GET /audit/events/{position}`.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::Response;
use evident_domain::Position;
use evident_projections::views::log::{self, LogCursor, LogFilter};
use serde::Serialize;

use super::access::LogReader;
use super::app::App;
use super::entry::EntryDocument;
use super::error::AuditError;
use super::query;
use super::reply;
use super::routes::{for_auditors, get};
use crate::gotrue::params::Params;
use crate::http::routes::Router;

/// The family's routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/events", for_auditors(get(list)))
        .route("/events/{position}", for_auditors(get(show)))
}

/// A page of the log.
#[derive(Debug, Serialize)]
struct PageDocument {
    entries: Vec<EntryDocument>,
    /// What to give as `after` (oldest first) or `before` (newest first) for the next page; none at the end.
    next: Option<Position>,
    /// The log's last position before the page was read.
    head: Position,
}

async fn list(
    State(app): State<App>,
    _: LogReader,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, AuditError> {
    let (filter, cursor) = query::page(&Params::parse(query.as_deref().unwrap_or_default()))?;
    page(&app, &filter, &cursor).await
}

/// A page of what passes a filter.
pub(super) async fn page(
    app: &App,
    filter: &LogFilter,
    cursor: &LogCursor,
) -> Result<Response<Body>, AuditError> {
    // Keys that another node has destroyed are let go of first.
    let head = app.commands().catch_up().await?;
    let found = log::page(app.store(), filter, cursor).await?;
    let entries = log::entries(app.store(), found.items).await?;
    let entries = entries.into_iter().map(EntryDocument::of).collect();
    reply::json(&PageDocument { entries, next: found.next, head })
}

async fn show(
    State(app): State<App>,
    _: LogReader,
    position: Result<Path<String>, PathRejection>,
) -> Result<Response<Body>, AuditError> {
    let Ok(Path(position)) = position else { return Err(not_there()) };
    let position = query::position("position", &position)?;
    app.commands().catch_up().await?;
    let items = log::items_at(app.store(), &[Position(position)]).await?;
    let entry = log::entries(app.store(), items).await?.pop().ok_or_else(not_there)?;
    reply::json(&EntryDocument::of(entry))
}

fn not_there() -> AuditError {
    AuditError::not_found("there is no event at this position")
}

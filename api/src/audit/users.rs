//! `GET /audit/users?at=TIME`: who could sign in at a moment.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Response;
use evident_domain::{Position, UserId};
use evident_projections::views::log::{self, Standing};
use serde::Serialize;

use super::access::LogReader;
use super::app::App;
use super::error::AuditError;
use super::routes::{for_auditors, get};
use super::{query, reply};
use crate::gotrue::params::Params;
use crate::http::routes::Router;

/// The family's routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/users", for_auditors(get(list)))
}

#[derive(Debug, Serialize)]
struct PageDocument {
    users: Vec<UserDocument>,
    /// What to give as `after` for the next page; none at the end.
    next: Option<Position>,
}

#[derive(Debug, Serialize)]
struct UserDocument {
    user: UserId,
    name: String,
    /// The position of the event that began the account.
    since: Position,
    /// The position of the last event that had a say.
    decided_by: Position,
    password: bool,
    providers: Vec<String>,
}

async fn list(
    State(app): State<App>,
    _: LogReader,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, AuditError> {
    let moment = query::moment(&Params::parse(query.as_deref().unwrap_or_default()))?;
    app.commands().catch_up().await?;
    let (found, next) = log::standings(app.store(), moment.at, moment.after, moment.limit).await?;
    let users = found.into_iter().filter(|standing| standing.could_sign_in).map(UserDocument::of).collect();
    reply::json(&PageDocument { users, next })
}

impl UserDocument {
    fn of(standing: Standing) -> Self {
        Self {
            user: standing.user,
            name: standing.name,
            since: standing.since,
            decided_by: standing.decided,
            password: standing.password,
            providers: standing.providers,
        }
    }
}

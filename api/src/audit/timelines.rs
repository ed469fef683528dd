//! `GET /audit/users/{id}/timeline` and `GET /audit/organizations/{id}/timeline`: everything that is about
//! one person or organization, whichever stream tells it.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::Response;
use evident_domain::{OrganizationId, UserId};
use uuid::Uuid;

use super::access::LogReader;
use super::app::App;
use super::error::AuditError;
use super::routes::{for_auditors, get};
use super::{events, query};
use crate::gotrue::params::Params;
use crate::http::routes::Router;

/// The family's routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/users/{id}/timeline", for_auditors(get(of_user)))
        .route("/organizations/{id}/timeline", for_auditors(get(of_organization)))
}

async fn of_user(
    State(app): State<App>,
    _: LogReader,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, AuditError> {
    let id = UserId(read_id(id)?);
    let (mut filter, cursor) = query::page(&Params::parse(query.as_deref().unwrap_or_default()))?;
    filter.about = Some(id);
    events::page(&app, &filter, &cursor).await
}

async fn of_organization(
    State(app): State<App>,
    _: LogReader,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, AuditError> {
    let id = OrganizationId(read_id(id)?);
    let (mut filter, cursor) = query::page(&Params::parse(query.as_deref().unwrap_or_default()))?;
    if filter.organization.is_some_and(|other| other != id) {
        return Err(AuditError::parameter("organization", "is another than that of the path"));
    }
    filter.organization = Some(id);
    events::page(&app, &filter, &cursor).await
}

fn read_id(id: Result<Path<String>, PathRejection>) -> Result<Uuid, AuditError> {
    let id = id.ok().and_then(|Path(id)| Uuid::try_parse(&id).ok());
    id.ok_or_else(|| AuditError::parameter("id", "is no UUID"))
}

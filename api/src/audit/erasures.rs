//! `GET /audit/erasures/{subject}`: that a person was forgotten, signed.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use evident_commands::{CertificateError, erasure_certificate};
use evident_domain::{Subject, UserId};

use super::access::AuditorCaller;
use super::app::App;
use super::error::AuditError;
use super::routes::{for_auditors, get};
use crate::http::routes::Router;

/// The family's routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/erasures/{subject}", for_auditors(get(certificate)))
}

async fn certificate(
    State(app): State<App>,
    _: AuditorCaller,
    Path(subject): Path<String>,
) -> Result<Response<Body>, AuditError> {
    let user = user(&subject)
        .ok_or_else(|| AuditError::parameter("subject", "is no `user:<id>`, nor the id of a user"))?;
    let note = erasure_certificate(app.checkpoints(), user).await?;
    let mut response = Response::new(Body::from(note));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    Ok(response)
}

fn user(subject: &str) -> Option<UserId> {
    match subject.parse() {
        Ok(Subject::User(user)) => Some(user),
        _ => subject.parse().ok(),
    }
}

impl From<CertificateError> for AuditError {
    fn from(error: CertificateError) -> Self {
        match error {
            CertificateError::NotErased => Self::not_found(error.to_string()),
            CertificateError::Incomplete(_) => {
                Self::new(StatusCode::CONFLICT, "erasure_incomplete", error.to_string())
            }
            CertificateError::Store(error) => error.into(),
            CertificateError::Sign(_)
            | CertificateError::Tree(_)
            | CertificateError::Note(_)
            | CertificateError::Encode(_) => Self::internal(&error),
        }
    }
}

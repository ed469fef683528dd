//! Errors: `{"error": {"code": …, "message": …}}`. What happened inside is for the server's own log and
//! never leaves the server.

use std::borrow::Cow;
use std::error::Error;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use evident_commands::Failure;
use evident_eventstore::{DatabaseError, StoreError};
use serde::Serialize;

use crate::http::guard::Fault;

/// Seconds that clients wait before they try an overloaded server again.
const OVERLOADED_RETRY: HeaderValue = HeaderValue::from_static("1");

/// An answer that is an error.
#[derive(Debug, Clone)]
pub struct AuditError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
}

impl AuditError {
    /// An error with a status, a word for programs and a message for people.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400: a parameter does not read.
    pub fn parameter(name: &str, problem: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", format!("`{name}` {problem}"))
    }

    /// 401: nobody known.
    pub fn unauthorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 403: somebody known who may not.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 503: the server has too much to do, or is going down.
    pub fn overloaded() -> Self {
        let message = "the server is too busy; try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
    }

    /// 500: what it was is written to the server's log, here and now.
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = cause, "the log could not be read");
        let message = "something failed here; the server's log tells more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<StoreError> for AuditError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TimedOut | StoreError::Stopped => Self::overloaded(),
            StoreError::Database(_)
            | StoreError::Codec(_)
            | StoreError::Vault(_)
            | StoreError::Seal(_)
            | StoreError::Frontier(_)
            | StoreError::OutcomeUnknown
            | StoreError::Panicked => Self::internal(&error),
        }
    }
}

impl From<DatabaseError> for AuditError {
    fn from(error: DatabaseError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<Failure> for AuditError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Overloaded => Self::overloaded(),
            Failure::Store(error) => error.into(),
            Failure::Hook(_) | Failure::LeakCheck | Failure::Recipient(_) | Failure::Internal(_) => {
                Self::internal(&failure)
            }
        }
    }
}

impl From<Fault> for AuditError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TimedOut => {
                let message = "the answer took too long; ask for less at once";
                Self::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", message)
            }
            Fault::Panicked => {
                let message = "something failed here; the server's log tells more";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
            }
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    error: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    code: &'a str,
    message: &'a str,
}

impl IntoResponse for AuditError {
    fn into_response(self) -> Response<Body> {
        let document = Document { error: Details { code: self.code, message: &self.message } };
        // Two texts always write.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, super::reply::JSON);
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, OVERLOADED_RETRY);
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn wire(error: AuditError) -> (u16, String) {
        let (parts, body) = error.into_response().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_error_names_what_is_wrong_and_nothing_of_the_inside() {
        assert_eq!(
            wire(AuditError::parameter("limit", "is no number")).await,
            (400, r#"{"error":{"code":"invalid_parameter","message":"`limit` is no number"}}"#.to_owned())
        );
        let (status, body) = wire(AuditError::from(StoreError::Panicked)).await;
        assert_eq!(status, 500);
        assert!(!body.contains("projection"), "{body}");
        assert_eq!(wire(AuditError::from(Failure::Overloaded)).await.0, 503);
        assert_eq!(wire(AuditError::from(Fault::TimedOut)).await.0, 504);
    }
}

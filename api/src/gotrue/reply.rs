//! Answers that went well.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use evident_commands::Grant;
use serde::Serialize;

use super::document::SessionDocument;
use super::error::GotrueError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const USER_ID: HeaderName = HeaderName::from_static("sb-auth-user-id");
const SESSION_ID: HeaderName = HeaderName::from_static("sb-auth-session-id");
const COUNTER: HeaderName = HeaderName::from_static("sb-auth-refresh-token-counter");

/// A document takes about so many bytes.
const USUAL_SIZE: usize = 1_536;

/// 200 with a document.
///
/// # Errors
/// When the document does not write, which ours always do.
pub(super) fn json(document: &impl Serialize) -> Result<Response<Body>, GotrueError> {
    let mut bytes = Vec::with_capacity(USUAL_SIZE);
    serde_json::to_writer(&mut bytes, document).map_err(GotrueError::internal)?;
    Ok(json_bytes(bytes))
}

/// 200 with `{}`.
pub(super) fn empty_object() -> Response<Body> {
    json_bytes("{}")
}

/// 200 with a document that is written already.
pub(super) fn json_bytes(bytes: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(bytes.into());
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// 204.
pub(super) fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// 200 with a session, and the headers that name it.
///
/// # Errors
/// As [`json`].
pub(super) fn session(grant: &Grant, document: &SessionDocument<'_>) -> Result<Response<Body>, GotrueError> {
    let mut response = json(document)?;
    name_session(response.headers_mut(), grant);
    Ok(response)
}

/// The headers that name a session.
pub(super) fn name_session(headers: &mut HeaderMap, grant: &Grant) {
    for (name, value) in [
        (USER_ID, grant.user.view.user.id.to_string()),
        (SESSION_ID, grant.session.to_string()),
        (COUNTER, grant.generation.to_string()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

//! Answers that went well.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use serde::Serialize;

use super::error::AuditError;

/// What JSON is called.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// 200 with a document. Nobody may store it: the edge says so where nothing else does.
///
/// # Errors
/// When the document does not write, which ours always do.
pub(super) fn json(document: &impl Serialize) -> Result<Response<Body>, AuditError> {
    let bytes = serde_json::to_vec(document).map_err(|error| AuditError::internal(&error))?;
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    Ok(response)
}

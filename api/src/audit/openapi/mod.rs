//! The `OpenAPI` 3.1 document of the surface: `GET /audit/openapi.json`.
//!
//! Each group of operations is a table in a file of its own, in the words of [`crate::http::openapi`];
//! [`documents`] has what they share. A test sees to it that no route is without its operation.

mod documents;
mod proofs;
mod reading;
#[cfg(test)]
mod tests;

use axum::body::{Body, Bytes};
use axum::http::{Response, header};
use utoipa::openapi::OpenApi;

use super::app::App;
use super::reply;
use super::routes::{get, public};
use crate::http::openapi::has_route;
use crate::http::openapi::render::{Surface, Writer, bearer};
use crate::http::openapi::table::Operation;
use crate::http::routes::{Entry, Router};

/// What the groups are called, and what is in them.
const GROUPS: &[(&str, &[Operation])] = &[("Reading", reading::OPERATIONS), ("Proofs", proofs::OPERATIONS)];

/// The document of these routes.
pub(super) fn routes(described: &[Entry]) -> Router<App> {
    // Plain data always writes.
    let bytes = Bytes::from(describe(described).to_json().unwrap_or_default());
    let show = async move || {
        let mut response = Response::new(Body::from(bytes.clone()));
        response.headers_mut().insert(header::CONTENT_TYPE, reply::JSON);
        response
    };
    Router::new().route("/openapi.json", public(get(show)))
}

fn describe(routes: &[Entry]) -> OpenApi {
    let mut writer = Writer::new(surface());
    for (group, operations) in GROUPS {
        for operation in operations.iter().filter(|operation| has_route(routes, operation, operation.path)) {
            writer.add(group, operation);
        }
    }
    writer.finish()
}

fn surface() -> Surface {
    let auditor = bearer("A token with an auditor's role: `evident audit token`.", Some("JWT"));
    Surface {
        description: "Reading the log of events.",
        servers: vec![super::BASE_PATH.to_owned()],
        documents: documents::DOCUMENTS,
        bare_refusals: &[],
        users: Vec::new(),
        administrators: vec![("auditor", auditor)],
        clients: Vec::new(),
    }
}

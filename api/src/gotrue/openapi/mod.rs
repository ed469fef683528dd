//! The `OpenAPI` 3.1 document of the protocol.
//!
//! Each group of operations is a table in a file of its own, in the words of [`table`]; [`documents`] has
//! what they share, and [`render`] makes `OpenAPI` of it. What has no route is left out, so that the document
//! never promises more than the server does; tests see to it that no route is without its operation.

mod admin;
mod discovery;
mod documents;
mod external;
mod factors;
mod oauth;
mod own;
mod page;
mod providers;
mod render;
mod sign_in;
mod table;
#[cfg(test)]
mod tests;

use utoipa::openapi::OpenApi;

use crate::http::routes::Entry;
use table::Operation;

pub(super) use page::{document, page};

/// What the groups are called, and what is in them.
const GROUPS: &[(&str, &[Operation])] = &[
    ("Signing in", sign_in::OPERATIONS),
    ("Own account", own::OPERATIONS),
    ("Factors and passkeys", factors::OPERATIONS),
    ("External providers", external::OPERATIONS),
    ("OAuth server", oauth::OPERATIONS),
    ("Administration", admin::OPERATIONS),
    ("Administration of providers", providers::OPERATIONS),
    ("Discovery", discovery::OPERATIONS),
];

/// The document of what these routes serve.
fn describe(routes: &[Entry]) -> OpenApi {
    let mut writer = render::Writer::new();
    for (group, operations) in GROUPS {
        for operation in *operations {
            if has_route(routes, operation, operation.path) {
                writer.add(group, operation);
            }
            if let Some(path) = operation.first_spelling().filter(|path| has_route(routes, operation, path)) {
                writer.add_alias(group, operation, &path);
            }
        }
    }
    writer.finish()
}

fn has_route(routes: &[Entry], operation: &Operation, path: &str) -> bool {
    let method = render::method_name(&operation.method);
    let mut entries = routes.iter().filter(|entry| entry.path == path);
    entries.any(|entry| entry.methods.iter().any(|found| found.as_str() == method))
}

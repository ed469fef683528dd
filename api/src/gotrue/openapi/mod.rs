//! The `OpenAPI` 3.1 document of the protocol.
//!
//! Each group of operations is a table in a file of its own, in the words of [`crate::http::openapi`];
//! [`documents`] has what they share. What has no route is left out, so that the document
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
mod sign_in;
#[cfg(test)]
mod tests;

use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use crate::http::openapi::has_route;
use crate::http::openapi::render::{Surface, Writer, bearer};
use crate::http::openapi::table::Operation;
use crate::http::routes::Entry;

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
    let mut writer = Writer::new(surface());
    for (group, operations) in GROUPS {
        for operation in *operations {
            if has_route(routes, operation, operation.path) {
                writer.add(group, operation);
            }
            if let Some(path) = first_spelling(operation).filter(|path| has_route(routes, operation, path)) {
                writer.add_alias(group, operation, &path);
            }
        }
    }
    writer.finish()
}

/// The path as the documents that came first spell it, in the singular, where they do.
fn first_spelling(operation: &Operation) -> Option<String> {
    let rest = operation.path.strip_prefix("/admin/users/")?;
    Some(format!("/admin/user/{rest}"))
}

fn surface() -> Surface {
    let token = |about| bearer(about, Some("JWT"));
    Surface {
        description: "The Supabase Auth (GoTrue) protocol as this server speaks it.",
        servers: vec!["/".to_owned(), "/auth/v1".to_owned()],
        documents: documents::DOCUMENTS,
        bare_refusals: &[],
        users: vec![("user", token("A user's access token."))],
        administrators: vec![("administrator", token("A token with an administrator's role."))],
        clients: vec![("client", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)))],
    }
}

//! The `OpenAPI` 3.1 document of the surface, where Better Auth's own plugin for it has it:
//! `GET /open-api/generate-schema`.
//!
//! Each group of operations is a table in a file of its own, in the words of [`crate::http::openapi`];
//! [`documents`] has what they share. What has no route is left out; a test sees to it that no route is
//! without its operation.

mod admin;
mod core;
mod documents;
mod organization;
mod teams;
#[cfg(test)]
mod tests;
mod two_factor;
mod ways_in;

use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use crate::http::openapi::has_route;
use crate::http::openapi::render::{Surface, Writer, bearer};
use crate::http::openapi::table::Operation;
use crate::http::routes::Entry;

/// What the groups are called, and what is in them.
const GROUPS: &[(&str, &[Operation])] = &[
    ("Core", core::OPERATIONS),
    ("Two-factor", two_factor::OPERATIONS),
    ("Other ways in", ways_in::OPERATIONS),
    ("Admin", admin::OPERATIONS),
    ("Organization", organization::OPERATIONS),
    ("Teams and roles", teams::OPERATIONS),
];

/// The document of what these routes serve, below a base path; the session's cookie has this name.
pub(super) fn describe(routes: &[Entry], base_path: &str, cookie: &str) -> OpenApi {
    let mut writer = Writer::new(surface(base_path, cookie));
    for (group, operations) in GROUPS {
        for operation in *operations {
            if has_route(routes, operation, operation.path) {
                writer.add(group, operation);
            }
        }
    }
    writer.finish()
}

fn surface(base_path: &str, cookie: &str) -> Surface {
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(cookie, "The session's signed cookie."));
    let schemes = vec![
        ("cookie", SecurityScheme::ApiKey(cookie)),
        ("bearer", bearer("The session's token, as the header `set-auth-token` has it.", None)),
    ];
    Surface {
        description: "The Better Auth protocol as this server speaks it.",
        servers: vec![base_path.to_owned()],
        documents: documents::DOCUMENTS,
        bare_refusals: &[401, 404],
        administrators: schemes.clone(),
        users: schemes,
        clients: Vec::new(),
    }
}

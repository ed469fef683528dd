//! What the server says of itself.

use utoipa::openapi::path::HttpMethod::Get;

use crate::http::openapi::table::Answer::{Json, Scim};
use crate::http::openapi::table::Shape::{Fields, List, Named, Object, Text};
use crate::http::openapi::table::{Answer, Operation, operation};

/// A filter is refused in SCIM's dress.
const NO_FILTERS: (u16, Answer) =
    (403, Scim(Fields(&[("schemas", List(&Text)), ("detail", Text), ("status", Text)])));

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Get, "/health", "health", "Whether it is well").answers(&[(200, Json(Named("Health")))]),
    operation(Get, "/settings", "settings", "What is switched on").answers(&[(200, Json(Named("Settings")))]),
    operation(Get, "/.well-known/jwks.json", "keys", "The keys that check its tokens (RFC 7517)")
        .answers(&[(200, Json(Named("Keys")))]),
    operation(
        Get,
        "/.well-known/openid-configuration",
        "openidConfiguration",
        "Where its endpoints are (OpenID Connect Discovery)",
    )
    .answers(&[(200, Json(Named("Discovery")))]),
    operation(
        Get,
        "/.well-known/oauth-authorization-server",
        "oauthServerMetadata",
        "Where its endpoints are (RFC 8414)",
    )
    .answers(&[(200, Json(Named("Discovery")))])
    .refuses(&[404]),
    operation(Get, "/scim/v2/ServiceProviderConfig", "scimConfiguration", "What its SCIM can do (RFC 7643)")
        .answers(&[(200, Scim(Object))])
        .refuses(&[404]),
    operation(Get, "/scim/v2/ResourceTypes", "scimResourceTypes", "Which resources its SCIM has")
        .query(&[("filter?", Text)])
        .answers(&[(200, Scim(Named("ScimList"))), NO_FILTERS])
        .refuses(&[404]),
    operation(Get, "/scim/v2/Schemas", "scimSchemas", "Which schemas its SCIM has")
        .query(&[("filter?", Text)])
        .answers(&[(200, Scim(Named("ScimList"))), NO_FILTERS])
        .refuses(&[404]),
];

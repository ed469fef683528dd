//! What administrators do with providers: single sign-on, custom OAuth and OpenID Connect.

use utoipa::openapi::path::HttpMethod::{Delete, Get, Post, Put};

use crate::http::openapi::table::Answer::{Empty, Json};
use crate::http::openapi::table::Auth::Admin;
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Fields, List, Named, Object, Text, Word};
use crate::http::openapi::table::{Field, Operation, operation};

const SSO_PROVIDER: &[Field] = &[
    ("type?", Word(&["saml"])),
    ("metadata_url?", Text),
    ("metadata_xml?", Text),
    ("domains?", List(&Text)),
    ("attribute_mapping?", Object),
    ("name_id_format?", Text),
    ("resource_id?", Text),
    ("disabled?", Bool),
];

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Get, "/admin/sso/providers", "listSsoProviders", "Lists the providers of single sign-on")
        .by(Admin)
        .query(&[("resource_id?", Text), ("resource_id_prefix?", Text)])
        .answers(&[(200, Json(Fields(&[("items", List(&Named("SsoProvider")))])))])
        .refuses(&[401, 403]),
    operation(Post, "/admin/sso/providers", "createSsoProvider", "Adds a provider of single sign-on")
        .by(Admin)
        .body(Body::Json(Fields(SSO_PROVIDER)))
        .answers(&[(201, Json(Named("SsoProvider")))])
        .refuses(&[400, 401, 403, 413, 422]),
    operation(Get, "/admin/sso/providers/{idp_id}", "showSsoProvider", "Shows a provider of single sign-on")
        .by(Admin)
        .answers(&[(200, Json(Named("SsoProvider")))])
        .refuses(&[401, 403, 404]),
    operation(
        Put,
        "/admin/sso/providers/{idp_id}",
        "changeSsoProvider",
        "Changes a provider of single sign-on",
    )
    .by(Admin)
    .body(Body::Json(Fields(SSO_PROVIDER)))
    .answers(&[(200, Json(Named("SsoProvider")))])
    .refuses(&[400, 401, 403, 404, 413, 422]),
    operation(
        Delete,
        "/admin/sso/providers/{idp_id}",
        "deleteSsoProvider",
        "Removes a provider of single sign-on",
    )
    .by(Admin)
    .answers(&[(200, Json(Named("SsoProvider")))])
    .refuses(&[401, 403, 404]),
    operation(Get, "/admin/custom-providers", "listCustomProviders", "Lists custom providers")
        .by(Admin)
        .query(&[("type?", Word(&["oauth2", "oidc"]))])
        .answers(&[(200, Json(Fields(&[("providers", List(&Named("CustomProvider")))])))])
        .refuses(&[400, 401, 403, 404]),
    operation(Post, "/admin/custom-providers", "createCustomProvider", "Adds a custom provider")
        .by(Admin)
        .body(Body::Json(Fields(&[
            ("provider_type", Word(&["oauth2", "oidc"])),
            ("identifier", Text),
            ("name", Text),
            ("client_id", Text),
            ("client_secret", Text),
            ("acceptable_client_ids?", List(&Text)),
            ("scopes?", List(&Text)),
            ("pkce_enabled?", Bool),
            ("attribute_mapping?", Object),
            ("custom_claims_allowlist?", List(&Text)),
            ("authorization_params?", Object),
            ("enabled?", Bool),
            ("email_optional?", Bool),
            ("issuer?", Text),
            ("discovery_url?", Text),
            ("skip_nonce_check?", Bool),
            ("authorization_url?", Text),
            ("token_url?", Text),
            ("userinfo_url?", Text),
            ("jwks_uri?", Text),
        ])))
        .answers(&[(201, Json(Named("CustomProvider")))])
        .refuses(&[400, 401, 403, 404, 413]),
    operation(Get, "/admin/custom-providers/{identifier}", "showCustomProvider", "Shows a custom provider")
        .by(Admin)
        .answers(&[(200, Json(Named("CustomProvider")))])
        .refuses(&[401, 403, 404]),
    operation(
        Put,
        "/admin/custom-providers/{identifier}",
        "changeCustomProvider",
        "Changes a custom provider",
    )
    .by(Admin)
    .body(Body::Json(Fields(&[
        ("name?", Text),
        ("client_id?", Text),
        ("client_secret?", Text),
        ("acceptable_client_ids?", List(&Text)),
        ("scopes?", List(&Text)),
        ("pkce_enabled?", Bool),
        ("attribute_mapping?", Object),
        ("custom_claims_allowlist?", List(&Text)),
        ("authorization_params?", Object),
        ("enabled?", Bool),
        ("email_optional?", Bool),
        ("issuer?", Text),
        ("discovery_url?", Text),
        ("skip_nonce_check?", Bool),
        ("authorization_url?", Text),
        ("token_url?", Text),
        ("userinfo_url?", Text),
        ("jwks_uri?", Text),
    ])))
    .answers(&[(200, Json(Named("CustomProvider")))])
    .refuses(&[400, 401, 403, 404, 413]),
    operation(
        Delete,
        "/admin/custom-providers/{identifier}",
        "deleteCustomProvider",
        "Removes a custom provider",
    )
    .by(Admin)
    .answers(&[(204, Empty)])
    .refuses(&[401, 403, 404]),
];

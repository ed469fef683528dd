//! Signing in through others: OAuth and OpenID Connect providers, single sign-on.

use utoipa::openapi::path::HttpMethod::{Get, Post};

use crate::http::openapi::table::Answer::{Json, Redirect, Xml};
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Fields, Named, Text, Uuid, Word};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Get, "/authorize", "authorize", "Sends on to a provider")
        .query(&[
            ("provider", Text),
            ("scopes?", Text),
            ("redirect_to?", Text),
            ("code_challenge?", Text),
            ("code_challenge_method?", Word(&["s256", "plain"])),
            ("invite_token?", Text),
        ])
        .answers(&[(302, Redirect)])
        .refuses(&[400, 404]),
    operation(Get, "/callback", "callback", "Takes the provider's answer")
        .query(&[
            ("state", Uuid),
            ("code?", Text),
            ("error?", Text),
            ("error_description?", Text),
            ("oauth_token?", Text),
            ("oauth_verifier?", Text),
        ])
        .answers(&[(302, Redirect), (303, Redirect)]),
    operation(Post, "/callback", "callbackForm", "Takes the provider's answer as a form")
        .body(Body::Form(Fields(&[("state?", Text), ("code?", Text), ("user?", Text), ("error?", Text)])))
        .answers(&[(302, Redirect), (303, Redirect)])
        .refuses(&[400, 413]),
    operation(Post, "/sso", "beginSso", "Sends on to a company's identity provider")
        .body(Body::Json(Fields(&[
            ("provider_id?", Uuid),
            ("domain?", Text),
            ("redirect_to?", Text),
            ("skip_http_redirect?", Bool),
            ("code_challenge?", Text),
            ("code_challenge_method?", Text),
            ("gotrue_meta_security?", Named("Captcha")),
        ])))
        .answers(&[(303, Redirect), (200, Json(Named("Url")))])
        .refuses(&[400, 404, 413, 429]),
    operation(
        Get,
        "/sso/saml/metadata",
        "samlMetadata",
        "What identity providers need to know of this server",
    )
    .query(&[("download?", Text)])
    .answers(&[(200, Xml)])
    .refuses(&[404]),
    operation(Post, "/sso/saml/acs", "samlAssertion", "Takes an identity provider's assertion")
        .body(Body::Form(Fields(&[("SAMLResponse?", Text), ("RelayState?", Text), ("SAMLart?", Text)])))
        .answers(&[(302, Redirect), (303, Redirect)])
        .refuses(&[400, 404, 413, 429]),
];

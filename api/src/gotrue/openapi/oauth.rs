//! The OAuth 2.1 server: other applications sign their users in here.

use utoipa::openapi::path::HttpMethod::{Delete, Get, Post, Put};

use crate::http::openapi::table::Answer::{Empty, Json, Redirect};
use crate::http::openapi::table::Auth::{Admin, Client, User};
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Either, Fields, List, Named, Text, Uuid, Word};
use crate::http::openapi::table::{Field, Operation, operation};

const NEW_CLIENT: &[Field] = &[
    ("redirect_uris", List(&Text)),
    ("client_name?", Text),
    ("client_uri?", Text),
    ("logo_uri?", Text),
    ("grant_types?", List(&Word(&["authorization_code", "refresh_token"]))),
    ("client_type?", Word(&["public", "confidential"])),
    ("token_endpoint_auth_method?", Word(&["none", "client_secret_basic", "client_secret_post"])),
];

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Get, "/oauth/authorize", "oauthAuthorize", "Where an application sends its users")
        .query(&[
            ("client_id", Uuid),
            ("redirect_uri", Text),
            ("response_type?", Text),
            ("scope?", Text),
            ("state?", Text),
            ("code_challenge", Text),
            ("code_challenge_method", Word(&["S256", "plain"])),
            ("resource?", Text),
            ("nonce?", Text),
        ])
        .answers(&[(302, Redirect)])
        .refuses(&[400, 404]),
    operation(
        Get,
        "/oauth/authorizations/{authorization_id}",
        "showAuthorization",
        "What an application asks for",
    )
    .by(User)
    .answers(&[(200, Json(Either(&[Named("Authorization"), Named("Redirection")])))])
    .refuses(&[400, 401, 403, 404]),
    operation(
        Post,
        "/oauth/authorizations/{authorization_id}/consent",
        "consent",
        "Lets the application in, or does not",
    )
    .by(User)
    .body(Body::Json(Fields(&[("action", Word(&["approve", "deny"]))])))
    .answers(&[(200, Json(Named("Redirection")))])
    .refuses(&[400, 401, 403, 404, 413]),
    operation(Post, "/oauth/token", "oauthToken", "Exchanges a code or a refresh token for tokens")
        .by(Client)
        .body(Body::FormOrJson(Fields(&[
            ("grant_type", Word(&["authorization_code", "refresh_token"])),
            ("code?", Text),
            ("redirect_uri?", Text),
            ("code_verifier?", Text),
            ("refresh_token?", Text),
            ("client_id?", Text),
            ("client_secret?", Text),
            ("resource?", Text),
        ])))
        .answers(&[(200, Json(Named("OAuthTokens")))])
        .refuses(&[400, 404, 413]),
    operation(Get, "/oauth/userinfo", "userInfo", "Who the token is about")
        .by(User)
        .answers(&[(200, Json(Named("UserInfo")))])
        .refuses(&[400, 401, 403, 404]),
    operation(Post, "/oauth/clients/register", "registerClient", "Registers an application (RFC 7591)")
        .body(Body::Json(Fields(NEW_CLIENT)))
        .answers(&[(201, Json(Named("OAuthClient")))])
        .refuses(&[400, 403, 404, 413, 429]),
    operation(Get, "/admin/oauth/clients", "listClients", "Lists applications")
        .by(Admin)
        .query(&[("page?", Text), ("per_page?", Text)])
        .answers(&[(200, Json(Fields(&[("clients?", List(&Named("OAuthClient")))])))])
        .refuses(&[401, 403, 404]),
    operation(Post, "/admin/oauth/clients", "createClient", "Adds an application")
        .by(Admin)
        .body(Body::Json(Fields(NEW_CLIENT)))
        .answers(&[(201, Json(Named("OAuthClient")))])
        .refuses(&[400, 401, 403, 404, 413]),
    operation(Get, "/admin/oauth/clients/{client_id}", "showClient", "Shows an application")
        .by(Admin)
        .answers(&[(200, Json(Named("OAuthClient")))])
        .refuses(&[400, 401, 403, 404]),
    operation(Put, "/admin/oauth/clients/{client_id}", "changeClient", "Changes an application")
        .by(Admin)
        .body(Body::Json(Fields(&[
            ("redirect_uris?", List(&Text)),
            ("client_name?", Text),
            ("client_uri?", Text),
            ("logo_uri?", Text),
            ("grant_types?", List(&Word(&["authorization_code", "refresh_token"]))),
            ("token_endpoint_auth_method?", Word(&["none", "client_secret_basic", "client_secret_post"])),
        ])))
        .answers(&[(200, Json(Named("OAuthClient")))])
        .refuses(&[400, 401, 403, 404, 413]),
    operation(Delete, "/admin/oauth/clients/{client_id}", "deleteClient", "Removes an application")
        .by(Admin)
        .answers(&[(204, Empty)])
        .refuses(&[400, 401, 403, 404]),
    operation(
        Post,
        "/admin/oauth/clients/{client_id}/regenerate_secret",
        "regenerateSecret",
        "Gives an application another secret",
    )
    .by(Admin)
    .answers(&[(200, Json(Named("OAuthClient")))])
    .refuses(&[400, 401, 403, 404]),
];

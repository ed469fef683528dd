//! What users do with their own account and session.

use utoipa::openapi::path::HttpMethod::{Delete, Get, Post, Put};

use crate::http::openapi::table::Answer::{Empty, Json, Redirect};
use crate::http::openapi::table::Auth::User;
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Email, Fields, List, Named, Object, Text, Uuid, Word};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Get, "/user", "showUser", "Shows the caller")
        .by(User)
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403]),
    operation(Put, "/user", "changeUser", "Changes the caller: address, number, password, data")
        .by(User)
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[
            ("email?", Email),
            ("phone?", Text),
            ("password?", Text),
            ("current_password?", Text),
            ("nonce?", Text),
            ("data?", Object),
            ("app_metadata?", Object),
            ("channel?", Word(&["sms", "whatsapp"])),
            ("code_challenge?", Text),
            ("code_challenge_method?", Word(&["s256", "plain"])),
        ])))
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403, 413, 422, 429]),
    operation(Post, "/logout", "signOut", "Ends this session, the others, or all")
        .by(User)
        .query(&[("scope?", Word(&["global", "local", "others"]))])
        .answers(&[(204, Empty)])
        .refuses(&[400, 401, 403]),
    operation(Get, "/reauthenticate", "reauthenticate", "Sends a nonce with which a password may be changed")
        .by(User)
        .answers(&[(200, Json(Named("Sent")))])
        .refuses(&[400, 401, 403, 422, 429]),
    operation(Get, "/user/identities/authorize", "linkIdentity", "Begins to link an account elsewhere")
        .by(User)
        .query(&[
            ("provider", Text),
            ("redirect_to?", Text),
            ("scopes?", Text),
            ("code_challenge?", Text),
            ("code_challenge_method?", Text),
            ("skip_http_redirect?", Text),
        ])
        .answers(&[(302, Redirect), (200, Json(Named("Url")))])
        .refuses(&[400, 401, 403, 404]),
    operation(Delete, "/user/identities/{identity_id}", "unlinkIdentity", "Removes a linked account")
        .by(User)
        .answers(&[(200, Json(Named("Empty")))])
        .refuses(&[400, 401, 403, 404, 422]),
    operation(Get, "/user/oauth/grants", "listGrants", "Lists the applications that the caller let in")
        .by(User)
        .answers(&[(200, Json(List(&Named("Grant"))))])
        .refuses(&[400, 401, 403, 404]),
    operation(Delete, "/user/oauth/grants", "revokeGrant", "Shuts an application out again")
        .by(User)
        .query(&[("client_id", Uuid)])
        .answers(&[(204, Empty)])
        .refuses(&[400, 401, 403, 404]),
];

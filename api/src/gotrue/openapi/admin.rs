//! What administrators do with accounts.

use utoipa::openapi::path::HttpMethod::{Delete, Get, Post, Put};

use crate::http::openapi::table::Answer::{Empty, Json};
use crate::http::openapi::table::Auth::Admin;
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Email, Fields, Integer, List, Named, Object, Text, Word};
use crate::http::openapi::table::{Field, Operation, operation};

const CHANGED_USER: &[Field] = &[
    ("email?", Email),
    ("phone?", Text),
    ("password?", Text),
    ("email_confirm?", Bool),
    ("phone_confirm?", Bool),
    ("user_metadata?", Object),
    ("app_metadata?", Object),
    ("role?", Text),
    ("ban_duration?", Text),
];

const NEW_USER: &[Field] = &[
    ("email?", Email),
    ("phone?", Text),
    ("password?", Text),
    ("password_hash?", Text),
    ("email_confirm?", Bool),
    ("phone_confirm?", Bool),
    ("user_metadata?", Object),
    ("app_metadata?", Object),
    ("role?", Text),
    ("aud?", Text),
    ("ban_duration?", Text),
];

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Get, "/admin/users", "listUsers", "Lists accounts, newest first")
        .by(Admin)
        .query(&[
            ("page?", Integer),
            ("per_page?", Integer),
            ("filter?", Text),
            ("sort?", Text),
            ("limit?", Integer),
            ("cursor?", Text),
        ])
        .answers(&[(200, Json(Named("UserList")))])
        .refuses(&[400, 401, 403]),
    operation(Post, "/admin/users", "createUser", "Makes an account")
        .by(Admin)
        .body(Body::Json(Fields(&[
            ("email?", Email),
            ("phone?", Text),
            ("password?", Text),
            ("password_hash?", Text),
            ("email_confirm?", Bool),
            ("phone_confirm?", Bool),
            ("user_metadata?", Object),
            ("app_metadata?", Object),
            ("role?", Text),
            ("aud?", Text),
            ("ban_duration?", Text),
            ("id?", Text),
        ])))
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403, 413, 422]),
    operation(Get, "/admin/users/{user_id}", "showUserById", "Shows an account")
        .by(Admin)
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[401, 403, 404]),
    operation(Put, "/admin/users/{user_id}", "changeUserById", "Changes an account, or bans it")
        .by(Admin)
        .body(Body::Json(Fields(CHANGED_USER)))
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403, 404, 413, 422]),
    operation(Delete, "/admin/users/{user_id}", "deleteUser", "Erases an account, or closes it")
        .by(Admin)
        .body(Body::OptionalJson(Fields(&[("should_soft_delete?", Bool)])))
        .answers(&[(200, Json(Named("Empty")))])
        .refuses(&[400, 401, 403, 404, 413]),
    operation(Post, "/admin/users/{user_id}", "createUserAt", "Makes an account with a chosen id")
        .by(Admin)
        .body(Body::Json(Fields(NEW_USER)))
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403, 404, 413, 422]),
    operation(Post, "/invite", "invite", "Invites an address")
        .by(Admin)
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[("email", Email), ("data?", Object)])))
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403, 413, 422, 429]),
    operation(Post, "/admin/generate_link", "generateLink", "Makes a link without sending it")
        .by(Admin)
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[
            (
                "type",
                Word(&[
                    "signup",
                    "magiclink",
                    "recovery",
                    "invite",
                    "email_change_current",
                    "email_change_new",
                ]),
            ),
            ("email", Email),
            ("new_email?", Email),
            ("password?", Text),
            ("data?", Object),
            ("redirect_to?", Text),
        ])))
        .answers(&[(200, Json(Named("GeneratedLink")))])
        .refuses(&[400, 401, 403, 404, 413, 422]),
    operation(Get, "/admin/audit", "listAudit", "What happened, newest first")
        .by(Admin)
        .query(&[("page?", Integer), ("per_page?", Integer), ("query?", Text)])
        .answers(&[(200, Json(List(&Named("AuditEntry"))))])
        .refuses(&[400, 401, 403]),
    operation(Get, "/admin/users/{user_id}/factors", "listFactorsOfUser", "Lists an account's factors")
        .by(Admin)
        .answers(&[(200, Json(List(&Named("Factor"))))])
        .refuses(&[401, 403, 404]),
    operation(
        Put,
        "/admin/users/{user_id}/factors/{factor_id}",
        "changeFactorOfUser",
        "Changes an account's factor",
    )
    .by(Admin)
    .body(Body::Json(Fields(&[("friendly_name?", Text), ("phone?", Text)])))
    .answers(&[(200, Json(Named("Factor")))])
    .refuses(&[400, 401, 403, 404, 413]),
    operation(
        Delete,
        "/admin/users/{user_id}/factors/{factor_id}",
        "deleteFactorOfUser",
        "Removes an account's factor",
    )
    .by(Admin)
    .answers(&[(200, Json(Named("Factor")))])
    .refuses(&[401, 403, 404]),
    operation(Get, "/admin/users/{user_id}/passkeys", "listPasskeysOfUser", "Lists an account's passkeys")
        .by(Admin)
        .answers(&[(200, Json(List(&Named("Passkey"))))])
        .refuses(&[401, 403, 404]),
    operation(
        Delete,
        "/admin/users/{user_id}/passkeys/{passkey_id}",
        "deletePasskeyOfUser",
        "Removes an account's passkey",
    )
    .by(Admin)
    .answers(&[(204, Empty)])
    .refuses(&[401, 403, 404]),
];

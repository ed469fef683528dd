//! Administration.

use utoipa::openapi::path::HttpMethod::{Get, Post};

use crate::http::openapi::table::Answer::Json;
use crate::http::openapi::table::Auth::{Admin, MaybeUser, User};
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{
    Bool, Either, Fields, Integer, List, Named, Number, Object, Text, Word,
};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/admin/set-role", "adminSetRole", "Admin set role")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text), ("role", Either(&[Text, List(&Text)]))])))
        .answers(&[(200, Json(Fields(&[("user", Named("User"))])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/create-user", "adminCreateUser", "Admin create user")
        .by(Admin)
        .body(Body::Json(Fields(&[
            ("email", Text),
            ("password", Text),
            ("name", Text),
            ("role?", Either(&[Text, List(&Text)])),
            ("data?", Object),
        ])))
        .answers(&[(200, Json(Fields(&[("user", Named("User"))])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/admin/list-users", "adminListUsers", "Admin list users")
        .by(Admin)
        .query(&[
            ("searchValue?", Text),
            ("searchField?", Word(&["email", "name"])),
            ("searchOperator?", Word(&["contains", "starts_with", "ends_with"])),
            ("limit?", Number),
            ("offset?", Number),
            ("sortBy?", Text),
            ("sortDirection?", Word(&["asc", "desc"])),
            ("filterField?", Text),
            ("filterValue?", Text),
            ("filterOperator?", Word(&["eq", "ne", "lt", "lte", "gt", "gte", "contains"])),
        ])
        .answers(&[(
            200,
            Json(Fields(&[
                ("users", List(&Named("User"))),
                ("total?", Integer),
                ("limit?", Integer),
                ("offset?", Integer),
            ])),
        )])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/admin/list-user-sessions", "adminListUserSessions", "Admin list user sessions")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text)])))
        .answers(&[(200, Json(Fields(&[("sessions", List(&Named("Session")))])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/ban-user", "adminBanUser", "Admin ban user")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text), ("banReason?", Text), ("banExpiresIn?", Number)])))
        .answers(&[(200, Json(Fields(&[("user", Named("User"))])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/unban-user", "adminUnbanUser", "Admin unban user")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text)])))
        .answers(&[(200, Json(Fields(&[("user", Named("User"))])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/impersonate-user", "adminImpersonateUser", "Admin impersonate user")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text)])))
        .answers(&[(200, Json(Named("SignedIn")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/stop-impersonating", "adminStopImpersonating", "Admin stop impersonating")
        .by(User)
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Named("SignedIn")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/revoke-user-session", "adminRevokeUserSession", "Admin revoke user session")
        .by(Admin)
        .body(Body::Json(Fields(&[("sessionToken", Text)])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/revoke-user-sessions", "adminRevokeUserSessions", "Admin revoke user sessions")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text)])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/remove-user", "adminRemoveUser", "Admin remove user")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text)])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/set-user-password", "adminSetUserPassword", "Admin set user password")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text), ("newPassword", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/admin/has-permission", "adminHasPermission", "Admin has permission")
        .by(MaybeUser)
        .body(Body::OptionalJson(Fields(&[
            ("permissions?", Object),
            ("permission?", Object),
            ("userId?", Text),
            ("role?", Text),
        ])))
        .answers(&[(200, Json(Named("Permitted")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/admin/get-user", "adminGetUser", "Admin get user")
        .by(Admin)
        .query(&[("id", Text)])
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/admin/update-user", "adminUpdateUser", "Admin update user")
        .by(Admin)
        .body(Body::Json(Fields(&[("userId", Text), ("data", Object)])))
        .answers(&[(200, Json(Named("User")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
];

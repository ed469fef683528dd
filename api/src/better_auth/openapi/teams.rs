//! Teams, and roles of an organization's own.

use utoipa::openapi::path::HttpMethod::{Get, Post};

use crate::http::openapi::table::Answer::Json;
use crate::http::openapi::table::Auth::User;
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Fields, List, Named, Nullable, Object, Text};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/organization/create-team", "organizationCreateTeam", "Organization create team")
        .by(User)
        .body(Body::Json(Fields(&[("name", Text), ("organizationId?", Text)])))
        .answers(&[(200, Json(Named("Team")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/remove-team", "organizationRemoveTeam", "Organization remove team")
        .by(User)
        .body(Body::Json(Fields(&[("teamId", Text), ("organizationId?", Text)])))
        .answers(&[(200, Json(Fields(&[("message?", Text)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/update-team", "organizationUpdateTeam", "Organization update team")
        .by(User)
        .body(Body::Json(Fields(&[("teamId", Text), ("data", Object)])))
        .answers(&[(200, Json(Named("Team")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/organization/list-teams", "organizationListTeams", "Organization list teams")
        .by(User)
        .query(&[("organizationId?", Text)])
        .answers(&[(200, Json(List(&Named("Team"))))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(
        Post,
        "/organization/set-active-team",
        "organizationSetActiveTeam",
        "Organization set active team",
    )
    .by(User)
    .body(Body::OptionalJson(Fields(&[("teamId?", Nullable(&Text))])))
    .answers(&[(200, Json(Nullable(&Named("Team"))))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Get,
        "/organization/list-user-teams",
        "organizationListUserTeams",
        "Organization list user teams",
    )
    .by(User)
    .query(&[("userId?", Text), ("organizationId?", Text)])
    .answers(&[(200, Json(List(&Named("Team"))))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(
        Get,
        "/organization/list-team-members",
        "organizationListTeamMembers",
        "Organization list team members",
    )
    .by(User)
    .query(&[("teamId?", Text)])
    .answers(&[(200, Json(List(&Named("TeamMember"))))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(
        Post,
        "/organization/add-team-member",
        "organizationAddTeamMember",
        "Organization add team member",
    )
    .by(User)
    .body(Body::Json(Fields(&[("teamId", Text), ("userId", Text), ("organizationId?", Text)])))
    .answers(&[(200, Json(Named("TeamMember")))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/organization/remove-team-member",
        "organizationRemoveTeamMember",
        "Organization remove team member",
    )
    .by(User)
    .body(Body::Json(Fields(&[("teamId", Text), ("userId", Text), ("organizationId?", Text)])))
    .answers(&[(200, Json(Fields(&[("message?", Text)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/create-role", "organizationCreateRole", "Organization create role")
        .by(User)
        .body(Body::Json(Fields(&[
            ("role", Text),
            ("permission", Object),
            ("organizationId?", Text),
            ("additionalFields?", Object),
        ])))
        .answers(&[(200, Json(Object))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/delete-role", "organizationDeleteRole", "Organization delete role")
        .by(User)
        .body(Body::OptionalJson(Fields(&[
            ("roleName?", Text),
            ("roleId?", Text),
            ("organizationId?", Text),
        ])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/organization/list-roles", "organizationListRoles", "Organization list roles")
        .by(User)
        .query(&[("organizationId?", Text)])
        .answers(&[(200, Json(List(&Named("Role"))))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Get, "/organization/get-role", "organizationGetRole", "Organization get role")
        .by(User)
        .query(&[("roleName?", Text), ("roleId?", Text), ("organizationId?", Text)])
        .answers(&[(200, Json(Named("Role")))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/organization/update-role", "organizationUpdateRole", "Organization update role")
        .by(User)
        .body(Body::Json(Fields(&[
            ("roleName?", Text),
            ("roleId?", Text),
            ("organizationId?", Text),
            ("data", Object),
        ])))
        .answers(&[(200, Json(Object))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
];

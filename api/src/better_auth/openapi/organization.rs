//! Organizations, members, invitations.

use utoipa::openapi::path::HttpMethod::{Get, Post};

use crate::http::openapi::table::Answer::{Empty, Json};
use crate::http::openapi::table::Auth::User;
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{
    Bool, Either, Fields, Integer, List, Named, Nullable, Number, Object, Text, Word,
};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/organization/create", "organizationCreate", "Organization create")
        .by(User)
        .body(Body::Json(Fields(&[
            ("name", Text),
            ("slug", Text),
            ("logo?", Text),
            ("metadata?", Object),
            ("keepCurrentActiveOrganization?", Bool),
            ("userId?", Text),
        ])))
        .answers(&[(200, Json(Named("Organization")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/check-slug", "organizationCheckSlug", "Organization check slug")
        .by(User)
        .body(Body::Json(Fields(&[("slug", Text)])))
        .answers(&[(200, Json(Named("Status")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/update", "organizationUpdate", "Organization update")
        .by(User)
        .body(Body::Json(Fields(&[("data", Object), ("organizationId?", Text)])))
        .answers(&[(200, Json(Named("Organization")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/delete", "organizationDelete", "Organization delete")
        .by(User)
        .body(Body::Json(Fields(&[("organizationId", Text)])))
        .answers(&[(200, Json(Named("Organization")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/organization/set-active", "organizationSetActive", "Organization set active")
        .by(User)
        .body(Body::OptionalJson(Fields(&[
            ("organizationId?", Nullable(&Text)),
            ("organizationSlug?", Text),
        ])))
        .answers(&[(200, Json(Nullable(&Named("Organization"))))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Get,
        "/organization/get-full-organization",
        "organizationGetFullOrganization",
        "Organization get full organization",
    )
    .by(User)
    .query(&[("organizationId?", Text), ("organizationSlug?", Text), ("membersLimit?", Number)])
    .answers(&[(200, Json(Nullable(&Named("Organization"))))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(Get, "/organization/list", "organizationList", "Organization list")
        .by(User)
        .answers(&[(200, Json(List(&Named("Organization"))))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/organization/invite-member", "organizationInviteMember", "Organization invite member")
        .by(User)
        .body(Body::Json(Fields(&[
            ("email", Text),
            ("role", Either(&[Text, List(&Text)])),
            ("organizationId?", Text),
            ("resend?", Bool),
            ("teamId?", Either(&[Text, List(&Text)])),
        ])))
        // Without any role it carries nothing.
        .answers(&[(200, Json(Named("Invitation"))), (400, Empty)])
        .refuses(&[401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/organization/cancel-invitation",
        "organizationCancelInvitation",
        "Organization cancel invitation",
    )
    .by(User)
    .body(Body::Json(Fields(&[("invitationId", Text)])))
    .answers(&[(200, Json(Named("Invitation")))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/organization/accept-invitation",
        "organizationAcceptInvitation",
        "Organization accept invitation",
    )
    .by(User)
    .body(Body::Json(Fields(&[("invitationId", Text)])))
    .answers(&[(200, Json(Object))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Get,
        "/organization/get-invitation",
        "organizationGetInvitation",
        "Organization get invitation",
    )
    .by(User)
    .query(&[("id", Text)])
    .answers(&[(200, Json(Named("Invitation")))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(
        Post,
        "/organization/reject-invitation",
        "organizationRejectInvitation",
        "Organization reject invitation",
    )
    .by(User)
    .body(Body::Json(Fields(&[("invitationId", Text)])))
    .answers(&[(200, Json(Object))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Get,
        "/organization/list-invitations",
        "organizationListInvitations",
        "Organization list invitations",
    )
    .by(User)
    .query(&[("organizationId?", Text)])
    .answers(&[(200, Json(List(&Named("Invitation"))))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/organization/remove-member", "organizationRemoveMember", "Organization remove member")
        .by(User)
        .body(Body::Json(Fields(&[("memberIdOrEmail", Text), ("organizationId?", Text)])))
        .answers(&[(200, Json(Object))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/organization/update-member-role",
        "organizationUpdateMemberRole",
        "Organization update member role",
    )
    .by(User)
    .body(Body::Json(Fields(&[
        ("memberId", Text),
        ("role", Either(&[Text, List(&Text)])),
        ("organizationId?", Text),
    ])))
    // Without any role it carries nothing.
    .answers(&[(200, Json(Named("Member"))), (400, Empty)])
    .refuses(&[401, 403, 404, 413, 415, 422, 429]),
    operation(
        Get,
        "/organization/get-active-member",
        "organizationGetActiveMember",
        "Organization get active member",
    )
    .by(User)
    .answers(&[(200, Json(Named("Member")))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/organization/leave", "organizationLeave", "Organization leave")
        .by(User)
        .body(Body::Json(Fields(&[("organizationId", Text)])))
        .answers(&[(200, Json(Named("Member")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/organization/has-permission",
        "organizationHasPermission",
        "Organization has permission",
    )
    .by(User)
    .body(Body::OptionalJson(Fields(&[
        ("permissions?", Object),
        ("permission?", Object),
        ("organizationId?", Text),
    ])))
    .answers(&[(200, Json(Named("Permitted")))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Get,
        "/organization/get-organization",
        "organizationGetOrganization",
        "Organization get organization",
    )
    .by(User)
    .query(&[("organizationId?", Text), ("organizationSlug?", Text)])
    .answers(&[(200, Json(Nullable(&Named("Organization"))))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(Get, "/organization/list-members", "organizationListMembers", "Organization list members")
        .by(User)
        .query(&[
            ("limit?", Number),
            ("offset?", Number),
            ("sortBy?", Text),
            ("sortDirection?", Word(&["asc", "desc"])),
            ("filterField?", Text),
            ("filterValue?", Text),
            ("filterOperator?", Text),
            ("organizationId?", Text),
            ("organizationSlug?", Text),
        ])
        .answers(&[(200, Json(Fields(&[("members", List(&Named("Member"))), ("total", Integer)])))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(
        Get,
        "/organization/get-active-member-role",
        "organizationGetActiveMemberRole",
        "Organization get active member role",
    )
    .by(User)
    .query(&[("userId?", Text), ("organizationId?", Text), ("organizationSlug?", Text)])
    .answers(&[(200, Json(Fields(&[("role", Text)])))])
    .refuses(&[400, 401, 403, 404, 429]),
    operation(
        Get,
        "/organization/list-user-invitations",
        "organizationListUserInvitations",
        "Organization list user invitations",
    )
    .by(User)
    .query(&[("email?", Text)])
    .answers(&[(200, Json(List(&Named("Invitation"))))])
    .refuses(&[400, 401, 403, 404, 429]),
];

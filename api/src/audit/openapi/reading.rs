//! Reading events.

use utoipa::openapi::path::HttpMethod::Get;

use super::documents::SURFACES;
use crate::http::openapi::table::Answer::{EventStream, Json};
use crate::http::openapi::table::Auth::Admin;
use crate::http::openapi::table::Shape::{
    Bool, Fields, Integer, List, Named, Nullable, Text, Time, Uuid, Word,
};
use crate::http::openapi::table::{Field, Operation, operation};

/// Filters, and which part of what passes them.
const PAGE: &[Field] = &[
    ("type?", List(&Text)),
    ("subject?", Text),
    ("actor?", Text),
    ("organization?", Uuid),
    ("session?", Uuid),
    ("user?", Uuid),
    ("ip?", Text),
    ("from?", Time),
    ("to?", Time),
    ("request_id?", Uuid),
    ("surface?", Word(SURFACES)),
    ("q?", Text),
    ("after?", Integer),
    ("before?", Integer),
    ("limit?", Integer),
    ("order?", Word(&["asc", "desc"])),
];

/// Filters, and where to begin.
const STREAM: &[Field] = &[
    ("type?", List(&Text)),
    ("subject?", Text),
    ("actor?", Text),
    ("organization?", Uuid),
    ("session?", Uuid),
    ("user?", Uuid),
    ("ip?", Text),
    ("from?", Time),
    ("to?", Time),
    ("request_id?", Uuid),
    ("surface?", Word(SURFACES)),
    ("q?", Text),
    ("after?", Integer),
];

/// Accounts of a moment.
const USERS: &[Field] = &[
    (
        "users",
        List(&Fields(&[
            ("user", Uuid),
            ("name", Text),
            ("since", Integer),
            ("decided_by", Integer),
            ("password", Bool),
            ("providers", List(&Text)),
        ])),
    ),
    ("next", Nullable(&Integer)),
];

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Get, "/events", "listEvents", "A page of the log; every filter that is given has to hold")
        .by(Admin)
        .query(PAGE)
        .answers(&[(200, Json(Named("Page")))])
        .refuses(&[400, 401, 403]),
    operation(Get, "/events/{position}", "showEvent", "One event, by its position in the log")
        .by(Admin)
        .answers(&[(200, Json(Named("Entry")))])
        .refuses(&[400, 401, 403, 404]),
    operation(Get, "/users/{id}/timeline", "userTimeline", "All that happened to one person")
        .by(Admin)
        .query(PAGE)
        .answers(&[(200, Json(Named("Page")))])
        .refuses(&[400, 401, 403]),
    operation(
        Get,
        "/organizations/{id}/timeline",
        "organizationTimeline",
        "All that happened to an organization",
    )
    .by(Admin)
    .query(PAGE)
    .answers(&[(200, Json(Named("Page")))])
    .refuses(&[400, 401, 403]),
    operation(
        Get,
        "/users",
        "usersAt",
        "The accounts that could sign in at a moment, in the order of their beginnings",
    )
    .by(Admin)
    .query(&[("at", Time), ("after?", Integer), ("limit?", Integer)])
    .answers(&[(200, Json(Fields(USERS)))])
    .refuses(&[400, 401, 403]),
    operation(Get, "/stream", "followLog", "The log as it grows; goes on behind `Last-Event-ID`")
        .by(Admin)
        .query(STREAM)
        .answers(&[(200, EventStream)])
        .refuses(&[400, 401, 403]),
];

//! The documents that several operations share.

use crate::http::openapi::table::Field;
use crate::http::openapi::table::Shape::{
    self, Bool, Fields, Integer, List, Named, Nullable, Object, Text, Time, Uuid, Word,
};

/// Name and shape of each.
pub(super) const DOCUMENTS: &[(&str, Shape)] = &[
    ("Entry", Fields(ENTRY)),
    ("Actor", Fields(ACTOR)),
    ("Error", Fields(&[("error", Fields(&[("code", Text), ("message", Text)]))])),
];

const ENTRY: &[Field] = &[
    ("position", Integer),
    ("id", Uuid),
    ("type", Text),
    ("version", Text),
    ("stream", Text),
    ("sequence", Integer),
    ("occurred_at", Time),
    ("actor", Named("Actor")),
    ("subject", Nullable(&Text)),
    ("cause", Fields(&[("request_id", Uuid), ("event", Nullable(&Uuid))])),
    (
        "provenance",
        Fields(&[
            ("surface", Word(&["gotrue", "better_auth", "ops", "cli", "internal"])),
            ("client", Nullable(&Text)),
            ("ip", Nullable(&Text)),
            ("user_agent", Nullable(&Text)),
        ]),
    ),
    ("data", Object),
    ("dropped?", Bool),
    ("erased", List(&Text)),
];

const ACTOR: &[Field] = &[
    ("label", Text),
    ("kind", Word(&["user", "impersonator", "admin", "operator", "visitor", "system"])),
    ("role?", Text),
    ("user?", Uuid),
    ("impersonator?", Uuid),
];

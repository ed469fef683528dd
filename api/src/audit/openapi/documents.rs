//! The documents that several operations share.

use crate::http::openapi::table::Field;
use crate::http::openapi::table::Shape::{
    self, Anything, Bool, Fields, Integer, List, Named, Nullable, Object, Text, Time, Uuid, Word,
};

/// Name and shape of each.
pub(super) const DOCUMENTS: &[(&str, Shape)] = &[
    ("Entry", Fields(ENTRY)),
    ("Page", Fields(&[("entries", List(&Named("Entry"))), ("next", Nullable(&Integer)), ("head", Integer)])),
    ("Actor", Fields(ACTOR)),
    ("Log", Fields(LOG)),
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
    ("summary", Text),
    ("actor", Named("Actor")),
    ("subject", Nullable(&Text)),
    ("cause", Nullable(&Fields(&[("request_id", Uuid), ("event", Nullable(&Uuid))]))),
    ("provenance", Nullable(&Fields(PROVENANCE))),
    ("change", List(&Fields(&[("field", Text), ("before?", Anything), ("after?", Anything)]))),
    ("data", Nullable(&Object)),
    ("dropped?", Bool),
    ("erased", List(&Text)),
];

const PROVENANCE: &[Field] = &[
    ("surface", Word(SURFACES)),
    ("client", Nullable(&Text)),
    ("ip", Nullable(&Text)),
    ("user_agent", Nullable(&Text)),
];

/// The doors through which requests come.
pub(super) const SURFACES: &[&str] = &["gotrue", "better_auth", "ops", "cli", "internal"];

const LOG: &[Field] = &[
    ("origin", Text),
    ("key", Text),
    ("former_keys", List(&Text)),
    ("minimum_index", Integer),
    ("retention_policy", Nullable(&Text)),
];

const ACTOR: &[Field] = &[
    ("label", Text),
    ("kind", Word(&["user", "impersonator", "admin", "operator", "visitor", "system", "unknown"])),
    ("role?", Text),
    ("user?", Uuid),
    ("impersonator?", Uuid),
];

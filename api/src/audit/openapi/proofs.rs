//! Proofs.

use utoipa::openapi::path::HttpMethod::Get;

use crate::http::openapi::table::Answer::{Bytes, Json, Plain};
use crate::http::openapi::table::Auth::Admin;
use crate::http::openapi::table::Shape::{Integer, Named};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(
        Get,
        "/log",
        "describeLog",
        "The log's name, its verifier key, and from which entry on it is handed out",
    )
    .by(Admin)
    .answers(&[(200, Json(Named("Log")))])
    .refuses(&[401, 403]),
    operation(Get, "/checkpoint", "getCheckpoint", "The newest signed checkpoint (C2SP tlog-checkpoint)")
        .by(Admin)
        .answers(&[(200, Plain)])
        .refuses(&[401, 403]),
    operation(Get, "/tile/{*path}", "getTile", "A tile or an entry bundle (C2SP tlog-tiles)")
        .by(Admin)
        .answers(&[(200, Bytes)])
        .refuses(&[401, 403, 404, 410]),
    operation(
        Get,
        "/proof/inclusion",
        "proveInclusion",
        "The proof (C2SP tlog-proof) that an event is in the log, by the newest checkpoint or one of a size",
    )
    .by(Admin)
    .query(&[("position", Integer), ("size?", Integer)])
    .answers(&[(200, Plain)])
    .refuses(&[400, 401, 403, 404]),
    operation(
        Get,
        "/proof/consistency",
        "proveConsistency",
        "The proof that the log of one size begins with that of a smaller one: hashes, a line of base64 each",
    )
    .by(Admin)
    .query(&[("from", Integer), ("to", Integer)])
    .answers(&[(200, Plain)])
    .refuses(&[400, 401, 403, 404]),
    operation(
        Get,
        "/erasures/{subject}",
        "certifyErasure",
        "The certificate of an erasure: a signed note (C2SP signed-note) with a line of JSON",
    )
    .by(Admin)
    .answers(&[(200, Plain)])
    .refuses(&[400, 401, 403, 404, 409]),
];

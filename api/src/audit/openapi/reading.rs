//! Reading events.

use utoipa::openapi::path::HttpMethod::Get;

use crate::http::openapi::table::Answer::Json;
use crate::http::openapi::table::Auth::Admin;
use crate::http::openapi::table::Shape::Named;
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] =
    &[operation(Get, "/events/{position}", "showEvent", "One event, by its position in the log")
        .by(Admin)
        .answers(&[(200, Json(Named("Entry")))])
        .refuses(&[400, 401, 403, 404])];

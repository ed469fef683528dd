//! `POST /organization/has-permission`

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::codes;
use super::refusal::Words;
use super::{or_refused, organization, organization_of_body, permissions};
use crate::better_auth::call::{Answer, Call, Reply};
use crate::better_auth::error::BetterAuthError;
use crate::better_auth::routes::Table;

const ASK: Words = Words {
    stranger: (StatusCode::UNAUTHORIZED, codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION),
    forbidden: (StatusCode::UNAUTHORIZED, codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION),
};

pub(super) fn routes(table: Table) -> Table {
    table.post("/organization/has-permission", has_permission)
}

/// Whether the caller may do something where they act.
async fn has_permission(call: Call) -> Reply {
    let mut fields = call.fields();
    let named = organization_of_body(&mut fields);
    let (new, old) = (fields.raw("permissions"), fields.raw("permission"));
    fields.finish()?;
    let wanted = match (new, old) {
        (Some(value), None) | (None, Some(value)) => permissions(value),
        (Some(_), Some(_)) | (None, None) => None,
    };
    let wanted = wanted.ok_or_else(|| BetterAuthError::validation("[body] Invalid input"))?;
    let session = call.session().await?;
    let organization = organization(named.as_deref(), &session);
    let organization = organization.ok_or_else(|| codes::NO_ACTIVE_ORGANIZATION.bad_request())?;
    let may = call.app.commands().member_may(session.user(), organization, &wanted).await;
    let may = or_refused(may, &ASK)?;
    // The older field is no longer heard: to it the answer is no.
    Answer::json(&json!({ "error": Value::Null, "success": may && new.is_some() }))
}

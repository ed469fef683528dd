//! `/organization/create-role`, `/update-role`, `/delete-role`, `/list-roles`, `/get-role`

use axum::http::StatusCode;
use evident_commands::organizations::{OrganizationError, OrganizationFailure, Permissions, RoleName};
use serde_json::json;

use super::codes::{self, Code};
use super::refusal::Words;
use super::{caller, id, or_refused, organization, organization_of_body, permissions, switched_off};
use crate::better_auth::body::Fields;
use crate::better_auth::call::{Answer, Call, Reply};
use crate::better_auth::document::OrganizationRoleDocument;
use crate::better_auth::error::BetterAuthError;
use crate::better_auth::routes::Table;

const fn words(forbidden: Code) -> Words {
    Words {
        stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION),
        forbidden: (StatusCode::FORBIDDEN, forbidden),
    }
}

const CREATE: Words = words(codes::YOU_ARE_NOT_ALLOWED_TO_CREATE_A_ROLE);
const UPDATE: Words = words(codes::YOU_ARE_NOT_ALLOWED_TO_UPDATE_A_ROLE);
const DELETE: Words = words(codes::YOU_ARE_NOT_ALLOWED_TO_DELETE_A_ROLE);
const LIST: Words = words(codes::YOU_ARE_NOT_ALLOWED_TO_LIST_A_ROLE);
const READ: Words = words(codes::YOU_ARE_NOT_ALLOWED_TO_READ_A_ROLE);

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/organization/create-role", create)
        .post("/organization/update-role", update)
        .post("/organization/delete-role", delete)
        .get("/organization/list-roles", list)
        .get("/organization/get-role", look)
}

fn no_active() -> BetterAuthError {
    codes::NO_ACTIVE_ORGANIZATION.bad_request()
}

/// Permissions of a body.
fn granted(fields: &mut Fields<'_>, name: &str) -> Option<Permissions> {
    let found = fields.raw(name).and_then(permissions);
    if found.is_none() && fields.raw(name).is_some() {
        fields.problem(name, "Invalid input");
    }
    found
}

/// The role that is named; the name counts before the id.
fn named(name: Option<String>, by_id: Option<String>) -> Result<RoleName, BetterAuthError> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    match (filled(name), filled(by_id)) {
        (Some(name), _) => Ok(RoleName::Name(name)),
        (None, Some(text)) => Ok(RoleName::Id(id(&text))),
        (None, None) => Err(BetterAuthError::validation("[body] Invalid input")),
    }
}

/// Makes a role.
async fn create(call: Call) -> Reply {
    if !call.has_own_roles() {
        return Ok(switched_off());
    }
    let mut fields = call.fields();
    let organization_id = organization_of_body(&mut fields);
    let role = fields.text("role");
    let permissions = granted(&mut fields, "permission");
    if fields.raw("permission").is_none() {
        fields.problem("permission", "Invalid input: expected record, received undefined");
    }
    fields.finish()?;
    let permissions = permissions.unwrap_or_default();
    let session = call.session().await?;
    let organization = organization(organization_id.as_deref(), &session);
    let organization =
        organization.ok_or_else(|| codes::YOU_MUST_BE_IN_AN_ORGANIZATION_TO_CREATE_A_ROLE.bad_request())?;
    let (context, caller) = (call.context(session.actor()), caller(&session));
    let statements = permissions.clone();
    let row = call.app.commands().create_role(&context, caller, organization, &role, permissions).await;
    let row = row.map_err(|failure| taken(failure, &CREATE))?;
    let data = OrganizationRoleDocument::of(&row);
    Answer::json(&json!({ "success": true, "roleData": data, "statements": statements }))
}

/// A name of the server's own is as taken as another.
fn taken(failure: OrganizationFailure, words: &Words) -> BetterAuthError {
    match failure {
        OrganizationFailure::Organization(OrganizationError::RolePredefined) => {
            codes::ROLE_NAME_IS_ALREADY_TAKEN.bad_request()
        }
        other => words.of(other),
    }
}

/// Changes a role.
async fn update(call: Call) -> Reply {
    if !call.has_own_roles() {
        return Ok(switched_off());
    }
    let mut fields = call.fields();
    let organization_id = organization_of_body(&mut fields);
    let data = match fields.raw("data") {
        Some(data) if data.is_object() => data,
        _ => fields.missing_object("data"),
    };
    let mut inner = Fields::inside(data, "data");
    let permissions = granted(&mut inner, "permission");
    let new_name = inner.maybe_text("roleName");
    fields.take_in(inner);
    let (name, by_id) = (fields.maybe_text("roleName"), fields.maybe_text("roleId"));
    fields.finish()?;
    let role = named(name, by_id)?;
    let session = call.session().await?;
    let organization = organization(organization_id.as_deref(), &session).ok_or_else(no_active)?;
    let (context, caller) = (call.context(session.actor()), caller(&session));
    let change = (new_name, permissions);
    let row = call.app.commands().change_role(&context, caller, organization, role, change).await;
    let row = row.map_err(|failure| taken(failure, &UPDATE))?;
    Answer::json(&json!({ "success": true, "roleData": OrganizationRoleDocument::of(&row) }))
}

/// Removes a role.
async fn delete(call: Call) -> Reply {
    if !call.has_own_roles() {
        return Ok(switched_off());
    }
    let mut fields = call.fields();
    let organization_id = organization_of_body(&mut fields);
    let (name, by_id) = (fields.maybe_text("roleName"), fields.maybe_text("roleId"));
    fields.finish()?;
    let role = named(name, by_id)?;
    let session = call.session().await?;
    let organization = organization(organization_id.as_deref(), &session).ok_or_else(no_active)?;
    let (context, caller) = (call.context(session.actor()), caller(&session));
    let done = call.app.commands().delete_role(&context, caller, organization, role).await;
    or_refused(done, &DELETE)?;
    Answer::success()
}

/// The roles of an organization's own.
async fn list(call: Call) -> Reply {
    if !call.has_own_roles() {
        return Ok(switched_off());
    }
    let session = call.session().await?;
    let organization = organization(call.params.get("organizationId"), &session).ok_or_else(no_active)?;
    let rows = call.app.commands().organization_roles(session.user(), organization).await;
    let rows = or_refused(rows, &LIST)?;
    Answer::json(&rows.iter().map(OrganizationRoleDocument::of).collect::<Vec<_>>())
}

/// One of them.
async fn look(call: Call) -> Reply {
    if !call.has_own_roles() {
        return Ok(switched_off());
    }
    let param = |name: &str| call.params.get(name).map(str::to_owned);
    let role = named(param("roleName"), param("roleId"))
        .map_err(|_| BetterAuthError::validation("[query] Invalid input"))?;
    let session = call.session().await?;
    let organization = organization(call.params.get("organizationId"), &session).ok_or_else(no_active)?;
    let row = call.app.commands().organization_role(session.user(), organization, &role).await;
    Answer::json(&OrganizationRoleDocument::of(&or_refused(row, &READ)?))
}

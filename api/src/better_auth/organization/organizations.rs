//! `POST /organization/create`, `/check-slug`, `/update`, `/delete`, `GET /organization/list`

use axum::http::StatusCode;
use evident_commands::organizations::{CreateOrganization, OrganizationFailure, UpdateOrganization};
use serde_json::json;

use super::codes;
use super::refusal::{Words, deletion_disabled};
use super::{caller, id, or_refused, organization, organization_of_body};
use crate::better_auth::body::Fields;
use crate::better_auth::call::{Answer, Call, Reply};
use crate::better_auth::document::{MemberDocument, OrganizationDocument};
use crate::better_auth::error::BetterAuthError;
use crate::better_auth::routes::Table;

const UPDATE: Words = Words {
    stranger: (StatusCode::BAD_REQUEST, codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION),
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION),
};
const DELETE: Words = Words {
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION),
    ..UPDATE
};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/organization/create", create)
        .post("/organization/check-slug", check_slug)
        .post("/organization/update", update)
        .post("/organization/delete", delete)
        .get("/organization/list", list)
}

/// A text that may be missing, but not empty.
fn filled(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let text = fields.maybe_text(name);
    if text.as_deref() == Some("") {
        fields.problem(name, "Too small: expected string to have >=1 characters");
    }
    text
}

/// A text that has to be there and is not empty.
fn required(fields: &mut Fields<'_>, name: &str) -> String {
    match fields.raw(name) {
        Some(value) if value.is_string() => filled(fields, name).unwrap_or_default(),
        _ => fields.text(name),
    }
}

/// Makes an organization, which is the caller's.
async fn create(call: Call) -> Reply {
    let mut fields = call.fields();
    let name = required(&mut fields, "name");
    let slug = required(&mut fields, "slug");
    let logo = fields.nullable_text("logo").flatten();
    let metadata = fields.maybe_record("metadata");
    let keep_active = fields.maybe_flag("keepCurrentActiveOrganization") == Some(true);
    fields.finish()?;
    let session = call.session().await.map_err(BetterAuthError::bare)?;
    let wanted = CreateOrganization { name, slug, logo, metadata, keep_active };
    let context = call.context(session.actor());
    let created = call.app.commands().create_organization(&context, caller(&session), wanted).await;
    let created = created.map_err(|failure| match failure {
        OrganizationFailure::SlugTaken => codes::ORGANIZATION_ALREADY_EXISTS.bad_request(),
        other => UPDATE.of(other),
    })?;
    let mut document = json!(OrganizationDocument::changed(&created.organization));
    document["members"] = json!([MemberDocument::of(&created.member)]);
    Answer::json(&document)
}

/// Whether nobody has a slug.
async fn check_slug(call: Call) -> Reply {
    let mut fields = call.fields();
    let slug = fields.text("slug");
    fields.finish()?;
    call.session().await?;
    or_refused(call.app.commands().check_slug(&slug).await, &UPDATE)?;
    Answer::status()
}

/// Changes what is known of an organization.
async fn update(call: Call) -> Reply {
    let mut fields = call.fields();
    let data = match fields.raw("data") {
        Some(data) if data.is_object() => data,
        _ => fields.missing_object("data"),
    };
    let named = organization_of_body(&mut fields);
    let mut inner = Fields::inside(data, "data");
    let wanted = UpdateOrganization {
        name: filled(&mut inner, "name"),
        slug: filled(&mut inner, "slug"),
        logo: inner.nullable_text("logo"),
        metadata: inner.maybe_record("metadata"),
    };
    fields.take_in(inner);
    fields.finish()?;
    let session = call.find_session().await?;
    let session = session
        .ok_or_else(|| BetterAuthError::unauthorized("USER_NOT_FOUND", "User not found").without_code())?;
    let id = organization(named.as_deref(), &session);
    let id = id.ok_or_else(|| codes::ORGANIZATION_NOT_FOUND.bad_request())?;
    let context = call.context(session.actor());
    let changed = call.app.commands().update_organization(&context, caller(&session), id, wanted).await;
    Answer::json(&OrganizationDocument::changed(&or_refused(changed, &UPDATE)?))
}

/// Ends an organization.
async fn delete(call: Call) -> Reply {
    let mut fields = call.fields();
    let named = fields.text("organizationId");
    fields.finish()?;
    if !call.app.settings().organizations.deletion {
        return Err(deletion_disabled());
    }
    let session = call.session().await.map_err(BetterAuthError::bare)?;
    if named.is_empty() {
        return Err(codes::ORGANIZATION_NOT_FOUND.bad_request());
    }
    let context = call.context(session.actor());
    let ended = call.app.commands().delete_organization(&context, caller(&session), id(&named)).await;
    Answer::json(&OrganizationDocument::of(&or_refused(ended, &DELETE)?))
}

/// The organizations that the caller belongs to.
async fn list(call: Call) -> Reply {
    let session = call.session().await?;
    let rows = or_refused(call.app.commands().own_organizations(session.user()).await, &UPDATE)?;
    Answer::json(&rows.iter().map(OrganizationDocument::of).collect::<Vec<_>>())
}

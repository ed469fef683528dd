//! `POST /organization/set-active`, `GET /organization/get-full-organization`, `/get-organization`

use axum::http::StatusCode;
use evident_commands::organizations::{
    ActiveOrganization, OrganizationError, OrganizationFailure, OrganizationName, OrganizationRow,
};
use serde_json::{Value, json};

use super::codes;
use super::refusal::Words;
use super::{caller, id, or_refused};
use crate::better_auth::call::{Answer, Call, Reply};
use crate::better_auth::document::{InvitationDocument, MemberDocument, OrganizationDocument, TeamDocument};
use crate::better_auth::error::BetterAuthError;
use crate::better_auth::routes::Table;
use crate::better_auth::session::SessionCaller;

pub(super) const STRANGERS: Words = Words {
    stranger: (StatusCode::FORBIDDEN, codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION),
    forbidden: (StatusCode::FORBIDDEN, codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION),
};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/organization/set-active", set_active)
        .get("/organization/get-full-organization", full)
        .get("/organization/get-organization", alone)
}

/// Where the caller acts from now on.
async fn set_active(call: Call) -> Reply {
    let mut fields = call.fields();
    let by_id = fields.nullable_text("organizationId");
    let slug = fields.maybe_text("organizationSlug").filter(|slug| !slug.is_empty());
    fields.finish()?;
    let session = call.session().await?;
    let current = session.session().organization;
    let wanted = match (by_id, slug, current) {
        (Some(None), _, None) => return Answer::json(&Value::Null),
        (Some(None), _, Some(_)) => ActiveOrganization::Nowhere,
        (Some(Some(text)), _, _) if !text.is_empty() => {
            ActiveOrganization::In(OrganizationName::Id(id(&text)))
        }
        (_, Some(slug), _) => ActiveOrganization::In(OrganizationName::Slug(slug)),
        (_, None, Some(current)) => ActiveOrganization::In(OrganizationName::Id(current)),
        (_, None, None) => return Answer::json(&Value::Null),
    };
    let is_slug = matches!(wanted, ActiveOrganization::In(OrganizationName::Slug(_)));
    let context = call.context(session.actor());
    let found = call.app.commands().set_active_organization(&context, caller(&session), wanted).await;
    let found = match found {
        Err(OrganizationFailure::Organization(OrganizationError::NotFound)) if is_slug => {
            return Err(codes::ORGANIZATION_NOT_FOUND.bad_request());
        }
        found => or_refused(found, &STRANGERS)?,
    };
    call.keep_session(session.session_id());
    Answer::json(&found.as_ref().map(OrganizationDocument::of))
}

/// The organization that the request names, else the one in which the caller acts; none where there is
/// neither.
async fn looked_at(call: &Call, session: &SessionCaller) -> Result<Option<OrganizationRow>, BetterAuthError> {
    let param = |name| call.params.get(name).filter(|text| !text.is_empty());
    let current = session.session().organization;
    let name = match (param("organizationSlug"), param("organizationId"), current) {
        (Some(slug), _, _) => OrganizationName::Slug(slug.to_owned()),
        (None, Some(text), _) => OrganizationName::Id(id(text)),
        (None, None, Some(current)) => OrganizationName::Id(current),
        (None, None, None) => return Ok(None),
    };
    let commands = call.app.commands();
    let found = commands.own_organization(session.user(), &name).await;
    match found {
        Err(OrganizationFailure::Organization(OrganizationError::NotFound)) => {
            Err(codes::ORGANIZATION_NOT_FOUND.bad_request())
        }
        Err(OrganizationFailure::Organization(OrganizationError::NotAMember))
            if current.is_some_and(|current| name == OrganizationName::Id(current)) =>
        {
            // Whoever was removed acts there no longer.
            let context = call.context(session.actor());
            let nowhere = ActiveOrganization::Nowhere;
            or_refused(
                commands.set_active_organization(&context, caller(session), nowhere).await,
                &STRANGERS,
            )?;
            Err(codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION.forbidden())
        }
        found => or_refused(found, &STRANGERS).map(Some),
    }
}

/// An organization with its members and invitations.
async fn full(call: Call) -> Reply {
    let session = call.session().await?;
    let Some(row) = looked_at(&call, &session).await? else { return Answer::json(&Value::Null) };
    let (commands, user) = (call.app.commands(), session.user());
    let most = call.app.settings().organizations.members;
    let limit = call.params.get("membersLimit").and_then(|text| text.parse().ok());
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(most).min(most);
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let members = or_refused(commands.members(row.id, limit).await, &STRANGERS)?;
    let invitations = or_refused(commands.invitations(user, row.id).await, &STRANGERS)?;
    let with_teams = call.has_teams();
    let invitations: Vec<_> = invitations.iter().map(|row| InvitationDocument::of(row, with_teams)).collect();
    let mut document = json!(OrganizationDocument::of(&row));
    document["invitations"] = json!(invitations);
    document["members"] = json!(members.iter().map(MemberDocument::with_user).collect::<Vec<_>>());
    if with_teams {
        let teams = or_refused(commands.teams(user, row.id).await, &STRANGERS)?;
        document["teams"] = json!(teams.iter().map(TeamDocument::of).collect::<Vec<_>>());
    }
    Answer::json(&document)
}

/// An organization alone.
async fn alone(call: Call) -> Reply {
    let session = call.session().await?;
    let row = looked_at(&call, &session).await?;
    Answer::json(&row.as_ref().map(OrganizationDocument::of))
}

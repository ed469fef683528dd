//! `POST /organization/remove-member`, `/update-member-role`, `/leave`, `GET /organization/list-members`,
//! `/get-active-member`, `/get-active-member-role`

use axum::http::StatusCode;
use chrono::DateTime;
use evident_commands::organizations::{
    Comparison, FilterValue, MemberField, MemberFilter, MemberName, MemberQuery, OrganizationError,
    OrganizationFailure, OrganizationName, Roles,
};
use evident_domain::OrganizationId;
use evident_projections::views::Direction;
use serde_json::json;

use super::codes;
use super::refusal::Words;
use super::{caller, id, one_or_several, or_refused, organization, organization_of_body};
use crate::better_auth::call::{Answer, Call, Reply};
use crate::better_auth::document::MemberDocument;
use crate::better_auth::error::BetterAuthError;
use crate::better_auth::routes::Table;
use crate::better_auth::session::SessionCaller;

const REMOVE: Words = Words {
    stranger: (StatusCode::BAD_REQUEST, codes::MEMBER_NOT_FOUND),
    forbidden: (StatusCode::UNAUTHORIZED, codes::YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER),
};
const UPDATE: Words =
    Words { forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER), ..REMOVE };
const LIST: Words =
    Words { stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION), ..UPDATE };

/// The members on a page at most, where the owner allows fewer in all.
const LONGEST_PAGE: usize = 1_000;

const FIELDS: [(&str, MemberField); 5] = [
    ("id", MemberField::Id),
    ("organizationId", MemberField::Organization),
    ("userId", MemberField::User),
    ("role", MemberField::Role),
    ("createdAt", MemberField::CreatedAt),
];

const COMPARISONS: [(&str, Comparison); 11] = [
    ("eq", Comparison::Equal),
    ("ne", Comparison::NotEqual),
    ("lt", Comparison::Less),
    ("lte", Comparison::LessOrEqual),
    ("gt", Comparison::Greater),
    ("gte", Comparison::GreaterOrEqual),
    ("in", Comparison::In),
    ("not_in", Comparison::NotIn),
    ("contains", Comparison::Contains),
    ("starts_with", Comparison::StartsWith),
    ("ends_with", Comparison::EndsWith),
];

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/organization/remove-member", remove)
        .post("/organization/update-member-role", change_roles)
        .post("/organization/leave", leave)
        .get("/organization/list-members", list)
        .get("/organization/get-active-member", active)
        .get("/organization/get-active-member-role", role)
}

fn no_active() -> BetterAuthError {
    codes::NO_ACTIVE_ORGANIZATION.bad_request()
}

/// Removes a member.
async fn remove(call: Call) -> Reply {
    let mut fields = call.fields();
    let named = fields.text("memberIdOrEmail");
    let organization_id = organization_of_body(&mut fields);
    fields.finish()?;
    let session = call.session().await?;
    let organization = organization(organization_id.as_deref(), &session).ok_or_else(no_active)?;
    let by_email = named.contains('@');
    let member = if by_email { MemberName::Email(named) } else { MemberName::Id(id(&named)) };
    let context = call.context(session.actor());
    let removed = call.app.commands().remove_member(&context, caller(&session), organization, member).await;
    let removed = or_refused(removed, &REMOVE)?;
    let member =
        if by_email { MemberDocument::with_user(&removed) } else { MemberDocument::of(&removed.member) };
    Answer::json(&json!({ "member": member }))
}

/// Gives a member other roles.
async fn change_roles(call: Call) -> Reply {
    let mut fields = call.fields();
    let roles = one_or_several(&mut fields, "role");
    if roles.is_none() && fields.raw("role").is_none() {
        fields.problem("role", "Invalid input");
    }
    let member = fields.text("memberId");
    let named = organization_of_body(&mut fields);
    fields.finish()?;
    let session = call.session().await?;
    let roles = roles.unwrap_or_default();
    let roles = Roles::parse(roles.iter().map(String::as_str));
    let roles = roles.map_err(|error| UPDATE.of(error.into()))?;
    let organization = organization(named.as_deref(), &session).ok_or_else(no_active)?;
    let (context, member) = (call.context(session.actor()), id(&member));
    let commands = call.app.commands();
    let row = commands.change_member_roles(&context, caller(&session), organization, member, roles).await;
    let row = row.map_err(|failure| match failure {
        OrganizationFailure::Organization(OrganizationError::LastOwner) => {
            codes::YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER.bad_request()
        }
        other => UPDATE.of(other),
    })?;
    Answer::json(&MemberDocument::of(&row))
}

/// The caller goes.
async fn leave(call: Call) -> Reply {
    let mut fields = call.fields();
    let named = fields.text("organizationId");
    fields.finish()?;
    let session = call.session().await?;
    let context = call.context(session.actor());
    let left = call.app.commands().leave_organization(&context, caller(&session), id(&named)).await;
    Answer::json(&MemberDocument::with_user(&or_refused(left, &REMOVE)?))
}

/// The organization that a query names by slug or id, else the one in which the caller acts.
async fn organization_of_query(
    call: &Call,
    session: &SessionCaller,
) -> Result<OrganizationId, BetterAuthError> {
    if let Some(slug) = call.params.get("organizationSlug").filter(|slug| !slug.is_empty()) {
        let name = OrganizationName::Slug(slug.to_owned());
        let row = call.app.commands().own_organization(session.user(), &name).await;
        return match row {
            Err(OrganizationFailure::Organization(OrganizationError::NotFound)) => {
                Err(codes::ORGANIZATION_NOT_FOUND.bad_request())
            }
            row => or_refused(row, &LIST).map(|row| row.id),
        };
    }
    organization(call.params.get("organizationId"), session).ok_or_else(no_active)
}

/// One of several names in the query; the words are those of the clients' own checks.
fn choice<T: Copy>(call: &Call, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, BetterAuthError> {
    let Some(text) = call.params.get(name) else { return Ok(None) };
    let found = choices.iter().find(|(known, _)| *known == text).map(|(_, choice)| *choice);
    found.map(Some).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let problem = format!("[query.{name}] Invalid option: expected one of {}", names.join("|"));
        BetterAuthError::validation(problem)
    })
}

fn filter(call: &Call) -> Result<Option<MemberFilter>, BetterAuthError> {
    let comparison = choice(call, "filterOperator", &COMPARISONS)?.unwrap_or(Comparison::Equal);
    if call.params.get("filterField").is_none_or(str::is_empty) {
        return Ok(None);
    }
    let Some(field) = choice(call, "filterField", &FIELDS)? else { return Ok(None) };
    let text = call.params.get("filterValue").unwrap_or_default();
    let value = match field {
        MemberField::CreatedAt => {
            let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc());
            let problem = |_| BetterAuthError::validation("[query.filterValue] Invalid input: expected date");
            FilterValue::Time(moment.map_err(problem)?)
        }
        _ => FilterValue::Text(text.to_owned()),
    };
    Ok(Some(MemberFilter { field, comparison, value }))
}

/// A page of the members.
async fn list(call: Call) -> Reply {
    let directions = [("asc", Direction::Ascending), ("desc", Direction::Descending)];
    let direction = choice(&call, "sortDirection", &directions)?.unwrap_or(Direction::Ascending);
    let filter = filter(&call)?;
    let by = if call.params.get("sortBy").is_some_and(|by| !by.is_empty()) {
        choice(&call, "sortBy", &FIELDS)?
    } else {
        None
    };
    let session = call.session().await?;
    let organization = organization_of_query(&call, &session).await?;
    let number = |name| call.params.get(name).and_then(|text| text.parse::<u64>().ok());
    let most = call.app.settings().organizations.members;
    let limit = number("limit").filter(|limit| *limit > 0).and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(most).min(most.max(LONGEST_PAGE));
    let query = MemberQuery {
        filter,
        sort: by.map(|field| (field, direction)),
        offset: number("offset").unwrap_or_default(),
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    let page = call.app.commands().members_page(session.user(), organization, &query).await;
    let page = or_refused(page, &LIST)?;
    let members: Vec<_> = page.members.iter().map(MemberDocument::with_user).collect();
    Answer::json(&json!({ "members": members, "total": page.total }))
}

/// Who the caller is where they act.
async fn active(call: Call) -> Reply {
    let session = call.session().await?;
    let organization = session.session().organization.ok_or_else(no_active)?;
    let member = call.app.commands().membership(session.user(), organization).await;
    Answer::json(&MemberDocument::with_user(&or_refused(member, &REMOVE)?))
}

/// The roles of the caller, or of another member.
async fn role(call: Call) -> Reply {
    let session = call.session().await?;
    let organization = organization_of_query(&call, &session).await?;
    let commands = call.app.commands();
    let mut member = or_refused(commands.membership(session.user(), organization).await, &LIST)?;
    if let Some(other) = call.params.get("userId").filter(|text| !text.is_empty()) {
        member = or_refused(commands.membership(id(other), organization).await, &LIST)?;
    }
    Answer::json(&json!({ "role": member.member.role }))
}

//! `/organization/create-team`, `/update-team`, `/remove-team`, `/list-teams`, `/set-active-team`,
//! `/list-user-teams`, `/list-team-members`, `/add-team-member`, `/remove-team-member`

use axum::http::StatusCode;
use evident_commands::organizations::{OrganizationError, OrganizationFailure, TeamRow};
use evident_domain::UserId;
use serde_json::{Value, json};

use super::codes;
use super::refusal::Words;
use super::{caller, id, or_refused, organization, organization_of_body, switched_off};
use crate::better_auth::body::Fields;
use crate::better_auth::call::{Answer, Call, Reply};
use crate::better_auth::document::{TeamDocument, TeamMemberDocument};
use crate::better_auth::error::BetterAuthError;
use crate::better_auth::routes::Table;

const CREATE: Words = Words {
    stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION),
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_CREATE_TEAMS_IN_THIS_ORGANIZATION),
};
const UPDATE: Words = Words {
    stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_TEAM),
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_TEAM),
};
const REMOVE: Words = Words {
    stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_TEAM),
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_DELETE_TEAMS_IN_THIS_ORGANIZATION),
};
const LIST: Words = Words {
    stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_ACCESS_THIS_ORGANIZATION),
    ..UPDATE
};
const LIST_OF_USER: Words = Words {
    stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION),
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER),
};
const ADD_MEMBER: Words = Words {
    stranger: (StatusCode::BAD_REQUEST, codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION),
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_TEAM_MEMBER),
};
const REMOVE_MEMBER: Words = Words {
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_REMOVE_A_TEAM_MEMBER),
    ..ADD_MEMBER
};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/organization/create-team", create)
        .post("/organization/update-team", rename)
        .post("/organization/remove-team", remove)
        .get("/organization/list-teams", list)
        .post("/organization/set-active-team", set_active)
        .get("/organization/list-user-teams", list_of_user)
        .get("/organization/list-team-members", list_members)
        .post("/organization/add-team-member", add_member)
        .post("/organization/remove-team-member", remove_member)
}

fn no_active() -> BetterAuthError {
    codes::NO_ACTIVE_ORGANIZATION.bad_request()
}

fn documents(rows: &[TeamRow]) -> Reply {
    Answer::json(&rows.iter().map(TeamDocument::of).collect::<Vec<_>>())
}

/// Makes a team.
async fn create(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let mut fields = call.fields();
    let name = fields.text("name");
    let named = organization_of_body(&mut fields);
    fields.finish()?;
    let session = call.session().await.map_err(BetterAuthError::bare)?;
    let organization = organization(named.as_deref(), &session).ok_or_else(no_active)?;
    let context = call.context(session.actor());
    let team = call.app.commands().create_team(&context, caller(&session), organization, name).await;
    Answer::json(&TeamDocument::of(&or_refused(team, &CREATE)?))
}

/// Gives a team another name.
async fn rename(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let mut fields = call.fields();
    let team = fields.text("teamId");
    let data = match fields.raw("data") {
        Some(data) if data.is_object() => data,
        _ => fields.missing_object("data"),
    };
    let mut inner = Fields::inside(data, "data");
    let name = inner.maybe_text("name");
    let named = organization_of_body(&mut inner);
    fields.take_in(inner);
    fields.finish()?;
    let session = call.session().await?;
    let organization = organization(named.as_deref(), &session).ok_or_else(no_active)?;
    let (context, team) = (call.context(session.actor()), id(&team));
    let row = call.app.commands().rename_team(&context, caller(&session), organization, team, name).await;
    Answer::json(&TeamDocument::of(&or_refused(row, &UPDATE)?))
}

/// Removes a team.
async fn remove(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let mut fields = call.fields();
    let team = fields.text("teamId");
    let named = organization_of_body(&mut fields);
    fields.finish()?;
    let session = match call.find_session().await? {
        Some(session) => session,
        None if named.is_none_or(|named| named.is_empty()) => return Err(no_active()),
        None => return Err(BetterAuthError::signed_out().bare()),
    };
    let organization = organization(named.as_deref(), &session).ok_or_else(no_active)?;
    let (context, team) = (call.context(session.actor()), id(&team));
    let removed = call.app.commands().remove_team(&context, caller(&session), organization, team).await;
    or_refused(removed, &REMOVE)?;
    Answer::json(&json!({ "message": "Team removed successfully." }))
}

/// The teams of an organization.
async fn list(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let session = call.session().await?;
    let organization = organization(call.params.get("organizationId"), &session).ok_or_else(no_active)?;
    documents(&or_refused(call.app.commands().teams(session.user(), organization).await, &LIST)?)
}

/// The team in which the caller acts from now on.
async fn set_active(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let mut fields = call.fields();
    let wanted = fields.nullable_text("teamId");
    fields.finish()?;
    let session = call.session().await?;
    let current = session.session().team;
    let team = match (wanted, current) {
        (Some(None), Some(_)) => None,
        (Some(Some(text)), _) if !text.is_empty() => Some(id(&text)),
        (None | Some(Some(_)), Some(current)) => Some(current),
        (_, None) => return Answer::json(&Value::Null),
    };
    let organization = match (session.session().organization, team) {
        (Some(organization), _) => organization,
        (None, Some(_)) => return Err(no_active()),
        (None, None) => id(""),
    };
    let context = call.context(session.actor());
    let row = call.app.commands().set_active_team(&context, caller(&session), organization, team).await;
    let row = row.map_err(|failure| match failure {
        OrganizationFailure::Organization(OrganizationError::NotInTeam) => {
            codes::USER_IS_NOT_A_MEMBER_OF_THE_TEAM.forbidden()
        }
        other => UPDATE.of(other),
    })?;
    call.keep_session(session.session_id());
    Answer::json(&row.as_ref().map(TeamDocument::of))
}

/// The teams that the caller, or another member, is in.
async fn list_of_user(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let session = call.session().await?;
    let user = session.user();
    let named = call.params.get("organizationId").filter(|text| !text.is_empty());
    let other = call.params.get("userId").filter(|text| !text.is_empty()).map(id::<UserId>);
    let commands = call.app.commands();
    let teams = match other.filter(|other| *other != user) {
        None => commands.own_teams(user, named.map(id)).await,
        Some(other) => {
            let organization = organization(named, &session).ok_or_else(no_active)?;
            commands.teams_of_member(user, organization, other).await
        }
    };
    let teams = teams.map_err(|failure| match failure {
        OrganizationFailure::Organization(OrganizationError::MemberNotFound) => {
            codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION.bad_request()
        }
        other => LIST_OF_USER.of(other),
    })?;
    documents(&teams)
}

/// Who is in a team that the caller is in.
async fn list_members(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let session = call.session().await?;
    let named = call.params.get("teamId").filter(|text| !text.is_empty()).map(id);
    let team = named.or(session.session().team);
    let team = team.ok_or_else(|| codes::YOU_DO_NOT_HAVE_AN_ACTIVE_TEAM.bad_request())?;
    let rows = or_refused(call.app.commands().members_of_team(session.user(), team).await, &LIST)?;
    Answer::json(&rows.iter().map(TeamMemberDocument::of).collect::<Vec<_>>())
}

/// Puts a member into a team.
async fn add_member(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let place = place(&call)?;
    let session = call.session().await?;
    let organization = organization(place.organization.as_deref(), &session).ok_or_else(no_active)?;
    let (context, caller) = (call.context(session.actor()), caller(&session));
    let (team, user) = (id(&place.team), id(&place.user));
    let row = call.app.commands().add_team_member(&context, caller, organization, team, user).await;
    Answer::json(&TeamMemberDocument::of(&row.map_err(|failure| of_place(failure, &ADD_MEMBER))?))
}

/// Takes a member out of a team.
async fn remove_member(call: Call) -> Reply {
    if !call.has_teams() {
        return Ok(switched_off());
    }
    let place = place(&call)?;
    let session = call.session().await?;
    let organization = organization(place.organization.as_deref(), &session).ok_or_else(no_active)?;
    let (context, caller) = (call.context(session.actor()), caller(&session));
    let (team, user) = (id(&place.team), id(&place.user));
    let done = call.app.commands().remove_team_member(&context, caller, organization, team, user).await;
    done.map_err(|failure| of_place(failure, &REMOVE_MEMBER))?;
    Answer::json(&json!({ "message": "Team member removed successfully." }))
}

/// Whose place in which team.
struct Place {
    team: String,
    user: String,
    organization: Option<String>,
}

fn place(call: &Call) -> Result<Place, BetterAuthError> {
    let mut fields = call.fields();
    let place = Place {
        team: fields.text("teamId"),
        user: fields.text("userId"),
        organization: organization_of_body(&mut fields),
    };
    fields.finish()?;
    Ok(place)
}

fn of_place(failure: OrganizationFailure, words: &Words) -> BetterAuthError {
    match failure {
        OrganizationFailure::Organization(OrganizationError::MemberNotFound) => {
            codes::USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION.bad_request()
        }
        other => words.of(other),
    }
}

//! `POST /organization/invite-member`, `/accept-invitation`, `/reject-invitation`, `/cancel-invitation`,
//! `GET /organization/get-invitation`, `/list-invitations`, `/list-user-invitations`

use axum::http::StatusCode;
use evident_commands::organizations::{InviteMember, Looker, OrganizationError, OrganizationFailure};
use serde_json::{Value, json};

use super::codes;
use super::refusal::Words;
use super::{caller, id, one_or_several, or_refused, organization, organization_of_body};
use crate::better_auth::body::is_email;
use crate::better_auth::call::{Answer, Call, Reply};
use crate::better_auth::document::{InvitationDocument, MemberDocument};
use crate::better_auth::error::BetterAuthError;
use crate::better_auth::routes::Table;
use crate::better_auth::session::SessionCaller;

const INVITE: Words = Words {
    stranger: (StatusCode::BAD_REQUEST, codes::MEMBER_NOT_FOUND),
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION),
};
const CANCEL: Words = Words {
    forbidden: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION),
    ..INVITE
};
const ANSWER: Words = Words { stranger: (StatusCode::BAD_REQUEST, codes::ORGANIZATION_NOT_FOUND), ..INVITE };

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/organization/invite-member", invite)
        .post("/organization/accept-invitation", accept)
        .post("/organization/reject-invitation", reject)
        .post("/organization/cancel-invitation", cancel)
        .get("/organization/get-invitation", look)
        .get("/organization/list-invitations", list)
        .get("/organization/list-user-invitations", list_own)
}

/// Invites somebody.
async fn invite(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let roles = one_or_several(&mut fields, "role");
    if roles.is_none() && fields.raw("role").is_none() {
        fields.problem("role", "Invalid input");
    }
    let named = organization_of_body(&mut fields);
    let resend = fields.maybe_flag("resend") == Some(true);
    let teams = one_or_several(&mut fields, "teamId").unwrap_or_default();
    fields.finish()?;
    let session = call.session().await?;
    let organization = organization(named.as_deref(), &session);
    let organization = organization.ok_or_else(|| codes::ORGANIZATION_NOT_FOUND.bad_request())?;
    if !is_email(&email) {
        return Err(BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email"));
    }
    let request = InviteMember {
        organization,
        email,
        roles: roles.unwrap_or_default(),
        teams: teams.iter().map(|team| id(team)).collect(),
        resend,
    };
    let context = call.context(session.actor());
    let row = call.app.commands().invite_member(&context, caller(&session), request).await;
    let row = row.map_err(|failure| match failure {
        // Here the error has no code.
        unknown @ OrganizationFailure::UnknownRoles(_) => INVITE.of(unknown).without_code(),
        other => INVITE.of(other),
    })?;
    Answer::json(&InvitationDocument::of(&row, call.has_teams()))
}

/// Says yes.
async fn accept(call: Call) -> Reply {
    let (named, session) = answered(&call).await?;
    let context = call.context(session.actor());
    let done = call.app.commands().accept_invitation(&context, caller(&session), id(&named)).await;
    let done = or_refused(done, &ANSWER)?;
    if done.in_team {
        call.keep_session(session.session_id());
    }
    Answer::json(&json!({
        "invitation": InvitationDocument::of(&done.invitation, call.has_teams()),
        "member": MemberDocument::of(&done.member),
    }))
}

/// Says no.
async fn reject(call: Call) -> Reply {
    let (named, session) = answered(&call).await?;
    let context = call.context(session.actor());
    let row = call.app.commands().reject_invitation(&context, caller(&session), id(&named)).await;
    let row = row.map_err(|failure| match failure {
        OrganizationFailure::Organization(OrganizationError::InvitationNotFound) => {
            BetterAuthError::bad_request(codes::INVITATION_NOT_FOUND.code, "Invitation not found!")
        }
        other => ANSWER.of(other),
    })?;
    let invitation = InvitationDocument::of(&row, call.has_teams());
    Answer::json(&json!({ "invitation": invitation, "member": Value::Null }))
}

/// Takes an invitation back.
async fn cancel(call: Call) -> Reply {
    let (named, session) = answered(&call).await?;
    let context = call.context(session.actor());
    let row = call.app.commands().cancel_invitation(&context, caller(&session), id(&named)).await;
    Answer::json(&InvitationDocument::of(&or_refused(row, &CANCEL)?, call.has_teams()))
}

/// The invitation that a body names, and who is signed in.
async fn answered(call: &Call) -> Result<(String, SessionCaller), BetterAuthError> {
    let mut fields = call.fields();
    let named = fields.text("invitationId");
    fields.finish()?;
    Ok((named, call.session().await?))
}

fn looker(session: &SessionCaller) -> Looker {
    let user = &session.view().user;
    Looker { email: user.email.clone(), verified: user.email_confirmed_at.is_some() }
}

/// An open invitation, for whom it is.
async fn look(call: Call) -> Reply {
    let named = call.required_param("id")?;
    let session = call.find_session().await?;
    let session = session.ok_or_else(|| {
        BetterAuthError::unauthorized("NOT_AUTHENTICATED", "Not authenticated").without_code()
    })?;
    let found = call.app.commands().own_invitation(&looker(&session), id(named)).await;
    let (found, inviter) = found.map_err(|failure| match failure {
        OrganizationFailure::Organization(OrganizationError::InvitationNotFound) => {
            let code = codes::INVITATION_NOT_FOUND.code;
            BetterAuthError::bad_request(code, "Invitation not found!").without_code()
        }
        other => ANSWER.of(other),
    })?;
    Answer::json(&InvitationDocument::to_recipient(&found, &inviter, call.has_teams()))
}

/// All invitations of an organization, open or not.
async fn list(call: Call) -> Reply {
    let session = call.session().await?;
    let organization = organization(call.params.get("organizationId"), &session);
    let organization = organization.ok_or_else(|| {
        BetterAuthError::bad_request("ORGANIZATION_ID_IS_REQUIRED", "Organization ID is required")
            .without_code()
    })?;
    let rows = call.app.commands().invitations(session.user(), organization).await;
    let strangers = Words {
        stranger: (StatusCode::FORBIDDEN, codes::YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION),
        ..INVITE
    };
    let rows = rows.map_err(|failure| match failure {
        stranger @ OrganizationFailure::Organization(_) => strangers.of(stranger).without_code(),
        other => strangers.of(other),
    })?;
    let with_teams = call.has_teams();
    Answer::json(&rows.iter().map(|row| InvitationDocument::of(row, with_teams)).collect::<Vec<_>>())
}

/// What waits for the caller's answer.
async fn list_own(call: Call) -> Reply {
    let refused = |message: &'static str| BetterAuthError::bad_request("", message).without_code();
    let session = call.find_session().await?;
    if call.params.get("email").is_some_and(|email| !email.is_empty()) {
        return Err(refused("User email cannot be passed for client side API calls."));
    }
    let session = session.ok_or_else(|| refused("Missing session headers, or email query parameter."))?;
    let found = call.app.commands().own_invitations(&looker(&session)).await;
    let found = found.map_err(|failure| match failure {
        OrganizationFailure::Organization(OrganizationError::AddressNotVerified) => {
            codes::EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION.forbidden()
        }
        other => ANSWER.of(other),
    })?;
    let with_teams = call.has_teams();
    Answer::json(&found.iter().map(|it| InvitationDocument::of_list(it, with_teams)).collect::<Vec<_>>())
}

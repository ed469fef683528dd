//! Refusals of the use cases in the protocol's words. What endpoints call differently they say themselves.

use axum::http::StatusCode;
use evident_commands::organizations::{OrganizationError, OrganizationFailure};

use super::codes::{self, Code};
use crate::better_auth::error::BetterAuthError;

/// What an endpoint says to strangers, and to members who may not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// To who does not belong to the organization, or names none that there is.
    pub stranger: (StatusCode, Code),
    /// To members whose roles do not grant it.
    pub forbidden: (StatusCode, Code),
}

impl Words {
    /// What a use case's refusal is called here.
    pub(super) fn of(&self, failure: OrganizationFailure) -> BetterAuthError {
        match failure {
            OrganizationFailure::Organization(error) => self.of_rule(error),
            OrganizationFailure::CreationForbidden => {
                codes::YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_ORGANIZATION.forbidden()
            }
            OrganizationFailure::OrganizationLimit => {
                codes::YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_ORGANIZATIONS.forbidden()
            }
            OrganizationFailure::DeletionDisabled => deletion_disabled(),
            OrganizationFailure::SlugTaken => codes::ORGANIZATION_SLUG_ALREADY_TAKEN.bad_request(),
            OrganizationFailure::BadName(field) => {
                BetterAuthError::validation(format!("[body.{field}] Invalid input"))
            }
            OrganizationFailure::NoRole(_) => {
                BetterAuthError::bad_request("BAD_REQUEST", "Bad Request").bare()
            }
            OrganizationFailure::UnknownRoles(names) => unknown_roles(&names),
            OrganizationFailure::Email(_) => BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email"),
            OrganizationFailure::TooSoon(wait) => BetterAuthError::too_soon(wait),
            OrganizationFailure::TeamIsActive => codes::YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_TEAM.forbidden(),
            OrganizationFailure::NoAccount | OrganizationFailure::Session(_) => BetterAuthError::signed_out(),
            OrganizationFailure::Failure(failure) => failure.into(),
        }
    }

    fn of_rule(&self, error: OrganizationError) -> BetterAuthError {
        match error {
            OrganizationError::NotFound | OrganizationError::NotAMember => {
                let (status, code) = self.stranger;
                code.refused(status)
            }
            OrganizationError::Forbidden => {
                let (status, code) = self.forbidden;
                code.refused(status)
            }
            // Ids are drawn at random.
            OrganizationError::AlreadyExists => BetterAuthError::internal(error),
            OrganizationError::RoleForbidden => {
                codes::YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE.forbidden()
            }
            OrganizationError::RoleNotFound => codes::ROLE_NOT_FOUND.bad_request(),
            OrganizationError::MemberNotFound => codes::MEMBER_NOT_FOUND.bad_request(),
            OrganizationError::AlreadyAMember => {
                codes::USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION.bad_request()
            }
            OrganizationError::MemberLimit => codes::ORGANIZATION_MEMBERSHIP_LIMIT_REACHED.forbidden(),
            OrganizationError::LastOwner => {
                codes::YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER.bad_request()
            }
            OrganizationError::AlreadyInvited => {
                codes::USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION.bad_request()
            }
            OrganizationError::InvitationLimit => codes::INVITATION_LIMIT_REACHED.forbidden(),
            OrganizationError::InvitationNotFound => codes::INVITATION_NOT_FOUND.bad_request(),
            OrganizationError::NotTheRecipient => {
                codes::YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION.forbidden()
            }
            OrganizationError::AddressNotVerified => {
                codes::EMAIL_VERIFICATION_REQUIRED_BEFORE_ACCEPTING_OR_REJECTING_INVITATION.forbidden()
            }
            OrganizationError::InviterGone => {
                codes::INVITER_IS_NO_LONGER_A_MEMBER_OF_THE_ORGANIZATION.bad_request()
            }
            OrganizationError::TeamNotFound => codes::TEAM_NOT_FOUND.bad_request(),
            OrganizationError::TeamLimit => codes::YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_TEAMS.bad_request(),
            OrganizationError::LastTeam => codes::UNABLE_TO_REMOVE_LAST_TEAM.bad_request(),
            OrganizationError::TeamMemberLimit => codes::TEAM_MEMBER_LIMIT_REACHED.forbidden(),
            OrganizationError::NotInTeam => codes::USER_IS_NOT_A_MEMBER_OF_THE_TEAM.bad_request(),
            OrganizationError::RoleNameTaken => codes::ROLE_NAME_IS_ALREADY_TAKEN.bad_request(),
            OrganizationError::RolePredefined => codes::CANNOT_DELETE_A_PRE_DEFINED_ROLE.bad_request(),
            OrganizationError::RoleInUse => codes::ROLE_IS_ASSIGNED_TO_MEMBERS.bad_request(),
            OrganizationError::RoleLimit => codes::TOO_MANY_ROLES.bad_request(),
            OrganizationError::PermissionsInvalid => codes::INVALID_RESOURCE.bad_request(),
        }
    }
}

/// 404: nobody ends an organization here.
pub(super) fn deletion_disabled() -> BetterAuthError {
    BetterAuthError::not_found("ORGANIZATION_DELETION_DISABLED", "Organization deletion is disabled")
}

/// 400: these are no roles.
fn unknown_roles(names: &[String]) -> BetterAuthError {
    let message = format!("{}: {}", codes::ROLE_NOT_FOUND.code, names.join(", "));
    BetterAuthError::bad_request(codes::ROLE_NOT_FOUND.code, message)
}

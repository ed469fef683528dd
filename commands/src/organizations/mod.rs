//! Organizations: people who belong together, what they may do there, and how others come in.
//!
//! Every change is one command on the organization; what it asks of others (an account, a session, a
//! mail) is part of the same unit of work, so that it happens with it or not at all.

mod active;
mod answer;
mod create;
mod forget;
mod invite;
mod look;
mod members;
mod roles;
mod teams;
mod update;

pub use active::{ActiveOrganization, SetActiveOrganization, SetActiveTeam};
pub use answer::{AcceptInvitation, Answered, CancelInvitation, RejectInvitation};
pub use create::{CreateOrganization, CreatedOrganization};
pub use invite::InviteMember;
pub use look::Looker;
pub use members::{ChangeMemberRoles, LeaveOrganization, MemberName, RemoveMember, Removed};
pub use roles::{ChangeRole, CreateRole, DeleteRole, RoleName};
pub use teams::{AddTeamMember, CreateTeam, RemoveTeam, RemoveTeamMember, RenameTeam};
pub use update::{DeleteOrganization, UpdateOrganization};

pub use evident_domain::organization::{
    AccessControl, NoRole, OrganizationError, Permissions, Roles, Update as OrganizationChange,
};
pub use evident_projections::folds::{
    InvitationRow, InvitationStatus, MemberRow, OrganizationRoleRow, OrganizationRow, TeamMemberRow, TeamRow,
};
pub use evident_projections::views::{
    Comparison, FilterValue, MemberField, MemberFilter, MemberPage, MemberQuery, MemberView,
    OrganizationName, Person, UserInvitation,
};

use evident_domain::contact::EmailError;
use evident_domain::organization::{
    Action, Active, By, Organization, OrganizationCommand, OrganizationEvent, Policy,
};
use evident_domain::recipient::AskedTooSoon;
use evident_domain::session::SessionError;
use evident_domain::{OrganizationId, SessionId, UserId};

use crate::Commands;
use crate::execute::Failure;
use crate::unit::Unit;

/// Longest slug, name of a role or of a team, in bytes: they stand in indexes and lists.
const LONGEST_NAME: usize = 255;

/// Who asks, and in which session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganizationCaller {
    /// The user.
    pub user: UserId,
    /// The session, which remembers where its user acts.
    pub session: SessionId,
}

/// Why an organization is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OrganizationFailure {
    /// Users make no organizations here.
    #[error("users may not make organizations")]
    CreationForbidden,
    /// The user belongs to as many as one may.
    #[error("the user belongs to as many organizations as one may")]
    OrganizationLimit,
    /// Organizations are not ended here.
    #[error("organizations cannot be deleted")]
    DeletionDisabled,
    /// Another organization is called so.
    #[error("the slug is taken")]
    SlugTaken,
    /// A name that nobody could be called by: empty, too long, with commas or control characters.
    #[error("{0:?} is no name")]
    BadName(&'static str),
    /// A text with no role in it.
    #[error(transparent)]
    NoRole(#[from] NoRole),
    /// These are no roles.
    #[error("there are no roles called {}", .0.join(", "))]
    UnknownRoles(Vec<String>),
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// Enough invitations went to the address for now.
    #[error(transparent)]
    TooSoon(#[from] AskedTooSoon),
    /// Nobody removes the team in which they act.
    #[error("the team is active")]
    TeamIsActive,
    /// The caller's account is gone.
    #[error("the account does not exist")]
    NoAccount,
    /// The organization refuses.
    #[error(transparent)]
    Organization(#[from] OrganizationError),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Gives an organization a command.
    async fn tell_organization<E>(
        &self,
        unit: &mut Unit<'_>,
        by: By,
        id: OrganizationId,
        action: Action,
    ) -> Result<Vec<OrganizationEvent>, E>
    where
        E: From<OrganizationError> + From<Failure>,
    {
        let command = OrganizationCommand { by, policy: self.organization_policy(), action };
        unit.tell::<Organization, E>(id.0, command).await
    }

    fn organization_policy(&self) -> std::sync::Arc<Policy> {
        self.settings().organizations.policy()
    }

    /// As [`Commands::tell_organization`], for a command that gives roles: those that are none are named.
    async fn tell_with_roles(
        &self,
        unit: &mut Unit<'_>,
        by: By,
        id: OrganizationId,
        action: Action,
        roles: &Roles,
    ) -> Result<Vec<OrganizationEvent>, OrganizationFailure> {
        let told = self.tell_organization::<OrganizationFailure>(unit, by, id, action).await;
        let Err(OrganizationFailure::Organization(OrganizationError::RoleNotFound)) = told else {
            return told;
        };
        let access = self.settings().organizations.access();
        let own = unit.read::<Organization>(id.0).await?.active().map(Active::own_roles).unwrap_or_default();
        let known = |role: &str| access.roles.contains_key(role) || own.contains_key(role);
        let unknown = roles.iter().filter(|role| !known(role)).map(str::to_owned).collect();
        Err(OrganizationFailure::UnknownRoles(unknown))
    }
}

/// A name as it may be kept. `what` says which it is.
fn name(text: &str, what: &'static str) -> Result<String, OrganizationFailure> {
    let is_fine = !text.is_empty() && text.len() <= LONGEST_NAME && !text.chars().any(char::is_control);
    if is_fine { Ok(text.to_owned()) } else { Err(OrganizationFailure::BadName(what)) }
}

//! The queries that reads need: plain SQL on the projections' tables, each one round trip.

mod accounts;
mod audit;
mod directory;
pub mod log;
mod oauth;
mod organizations;
mod page;
mod person;
mod providers;
mod sessions;
mod sso_providers;
mod users;

pub use accounts::{erased_subjects, sign_in_failures};
pub use audit::{AuditEntry, AuditPage, AuditQuery, AuditScope, audit_page};
pub(crate) use directory::{Asked, Compared, end_of_beginning};
pub use directory::{Condition, DirectoryQuery, UserField, directory};
pub use oauth::{GrantView, grants_of, oauth_client, oauth_clients};
pub use organizations::{
    Comparison, FilterValue, MemberField, MemberFilter, MemberPage, MemberQuery, MemberView,
    OrganizationName, Person, UserInvitation, invitation, invitation_with_organization, invitations,
    invitations_of_person, member, member_named, members, members_page, memberships, organization,
    organization_roles, organizations_of, orphaned_invitations, pending_invitations_to, team, team_members,
    teams, teams_of_user,
};
pub use page::{Direction, PageQuery, UserPage, page, page_after};
pub use person::{RowsOfPerson, rows_of_person};
pub use providers::{provider, providers};
pub use sessions::{SessionView, impersonations_by, live_sessions, session, session_with_user, sessions_of};
pub use sso_providers::{SsoProviderName, sso_provider, sso_providers};
pub use users::{UserView, owner_of_verified, user, who_asked_for};

use std::fmt::Write as _;

use evident_eventstore::Table;

/// `u.id, u.aud, …`
fn columns(alias: &str, table: &Table) -> String {
    let mut list = String::new();
    for column in table.columns {
        let comma = if list.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(list, "{comma}{alias}.{}", column.name);
    }
    list
}

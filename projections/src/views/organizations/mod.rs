//! Organizations and what they have.

mod invitations;
mod members;
mod teams;

pub use invitations::{
    UserInvitation, invitation, invitation_with_organization, invitations, invitations_of_person,
    orphaned_invitations, pending_invitations_to,
};
pub use members::{
    Comparison, FilterValue, MemberField, MemberFilter, MemberPage, MemberQuery, MemberView, Person, member,
    member_named, members, members_page,
};
pub use teams::{organization_roles, team, team_members, teams, teams_of_user};

use std::sync::LazyLock;

use evident_domain::{OrganizationId, UserId};
use evident_eventstore::{Database, DatabaseError, Row, Value};

use super::columns;
use crate::cells;
use crate::fold::Fold;
use crate::folds::OrganizationRow;

/// What names one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganizationName {
    /// Its id.
    Id(OrganizationId),
    /// Its slug.
    Slug(String),
}

static ALL: LazyLock<String> =
    LazyLock::new(|| format!("select {} from organizations o", columns("o", &OrganizationRow::TABLE)));

static OF_USER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {} from members m join organizations o on o.id = m.organization_id where m.user_id = $1 \
         order by m.created_at, m.id",
        columns("o", &OrganizationRow::TABLE)
    )
});

/// The organization of a name.
///
/// # Errors
/// When the database fails.
pub async fn organization(
    database: &Database,
    name: &OrganizationName,
) -> Result<Option<OrganizationRow>, DatabaseError> {
    let (column, value) = match name {
        OrganizationName::Id(id) => ("id", id.to_string().into()),
        // PostgreSQL takes no NUL, and no slug has one.
        OrganizationName::Slug(slug) => ("slug", cells::text(slug)),
    };
    let sql = format!("{} where o.{column} = $1", *ALL);
    OrganizationRow::from_rows(database.query(&sql, &[value]).await?)
}

/// The organizations that a user belongs to, in the order in which they joined.
///
/// # Errors
/// When the database fails.
pub async fn organizations_of(
    database: &Database,
    user: UserId,
) -> Result<Vec<OrganizationRow>, DatabaseError> {
    let rows = database.query(&OF_USER, &[user.to_string().into()]).await?;
    rows.into_iter().map(OrganizationRow::from_row).collect()
}

/// The ids of the organizations that a user belongs to.
///
/// # Errors
/// When the database fails.
pub async fn memberships(database: &Database, user: UserId) -> Result<Vec<OrganizationId>, DatabaseError> {
    let sql = "select organization_id from members where user_id = $1 order by created_at, id";
    let rows = database.query(sql, &[user.to_string().into()]).await?;
    rows.iter().map(|row| id(row, 0, "members")).collect()
}

/// An id in a row.
fn id<T: std::str::FromStr>(row: &Row, at: usize, table: &str) -> Result<T, DatabaseError> {
    let text = row.get(at).and_then(Value::as_text);
    let damaged = || DatabaseError::Unexpected { table: table.to_owned(), column: "id" };
    text.and_then(|text| text.parse().ok()).ok_or_else(damaged)
}

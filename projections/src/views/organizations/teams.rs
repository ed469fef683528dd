//! Teams, who is in them, and roles of an organization's own.

use std::sync::LazyLock;

use evident_domain::{OrganizationId, TeamId, UserId};
use evident_eventstore::{Database, DatabaseError};

use crate::folds::{OrganizationRoleRow, Part, TeamMemberRow, TeamRow};
use crate::views::columns;

static TEAMS: LazyLock<String> =
    LazyLock::new(|| format!("select {} from teams t", columns("t", &TeamRow::TABLE)));

static OF_USER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {} from team_members m join teams t on t.id = m.team_id where m.user_id = $1 \
         order by m.created_at, m.id",
        columns("t", &TeamRow::TABLE)
    )
});

/// The team of an id.
///
/// # Errors
/// When the database fails.
pub async fn team(database: &Database, id: TeamId) -> Result<Option<TeamRow>, DatabaseError> {
    let sql = format!("{} where t.id = $1", *TEAMS);
    let rows = database.query(&sql, &[id.to_string().into()]).await?;
    rows.into_iter().next().map(TeamRow::from_row).transpose()
}

/// The teams of an organization, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn teams(database: &Database, organization: OrganizationId) -> Result<Vec<TeamRow>, DatabaseError> {
    let sql = format!("{} where t.organization_id = $1 order by t.created_at, t.id", *TEAMS);
    let rows = database.query(&sql, &[organization.to_string().into()]).await?;
    rows.into_iter().map(TeamRow::from_row).collect()
}

/// The teams that a user is in, wherever, in the order in which they joined.
///
/// # Errors
/// When the database fails.
pub async fn teams_of_user(database: &Database, user: UserId) -> Result<Vec<TeamRow>, DatabaseError> {
    let rows = database.query(&OF_USER, &[user.to_string().into()]).await?;
    rows.into_iter().map(TeamRow::from_row).collect()
}

/// Who is in a team, in the order in which they joined.
///
/// # Errors
/// When the database fails.
pub async fn team_members(database: &Database, team: TeamId) -> Result<Vec<TeamMemberRow>, DatabaseError> {
    let columns = columns("m", &TeamMemberRow::TABLE);
    let sql =
        format!("select {columns} from team_members m where m.team_id = $1 order by m.created_at, m.id");
    let rows = database.query(&sql, &[team.to_string().into()]).await?;
    rows.into_iter().map(TeamMemberRow::from_row).collect()
}

/// The roles of an organization's own, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn organization_roles(
    database: &Database,
    organization: OrganizationId,
) -> Result<Vec<OrganizationRoleRow>, DatabaseError> {
    let columns = columns("r", &OrganizationRoleRow::TABLE);
    let sql = format!(
        "select {columns} from organization_roles r where r.organization_id = $1 order by r.created_at, r.id"
    );
    let rows = database.query(&sql, &[organization.to_string().into()]).await?;
    rows.into_iter().map(OrganizationRoleRow::from_row).collect()
}

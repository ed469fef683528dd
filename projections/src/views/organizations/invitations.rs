//! Invitations.

use std::sync::LazyLock;

use evident_domain::{InvitationId, OrganizationId, Position, UserId};
use evident_eventstore::{Database, DatabaseError, Row, Value};

use super::id;
use crate::fold::Fold;
use crate::folds::{InvitationRow, OrganizationRow, Part};
use crate::views::columns;

/// An invitation, and where it leads.
#[derive(Debug, Clone, PartialEq)]
pub struct UserInvitation {
    /// The invitation.
    pub invitation: InvitationRow,
    /// The organization.
    pub organization: OrganizationRow,
}

static ALL: LazyLock<String> =
    LazyLock::new(|| format!("select {} from invitations i", columns("i", &InvitationRow::TABLE)));

static WITH_ORGANIZATION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {}, {} from invitations i join organizations o on o.id = i.organization_id",
        columns("i", &InvitationRow::TABLE),
        columns("o", &OrganizationRow::TABLE)
    )
});

fn read(mut row: Row) -> Result<UserInvitation, DatabaseError> {
    let organization = row.split_off(InvitationRow::TABLE.columns.len());
    Ok(UserInvitation {
        invitation: InvitationRow::from_row(row)?,
        organization: OrganizationRow::from_row(organization)?,
    })
}

/// The invitation of an id.
///
/// # Errors
/// When the database fails.
pub async fn invitation(
    database: &Database,
    id: InvitationId,
) -> Result<Option<InvitationRow>, DatabaseError> {
    let sql = format!("{} where i.id = $1", *ALL);
    let rows = database.query(&sql, &[id.to_string().into()]).await?;
    rows.into_iter().next().map(InvitationRow::from_row).transpose()
}

/// The invitation of an id, and where it leads.
///
/// # Errors
/// When the database fails.
pub async fn invitation_with_organization(
    database: &Database,
    id: InvitationId,
) -> Result<Option<UserInvitation>, DatabaseError> {
    let sql = format!("{} where i.id = $1", *WITH_ORGANIZATION);
    database.query(&sql, &[id.to_string().into()]).await?.into_iter().next().map(read).transpose()
}

/// All invitations of an organization, open or not, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn invitations(
    database: &Database,
    organization: OrganizationId,
) -> Result<Vec<InvitationRow>, DatabaseError> {
    let sql = format!("{} where i.organization_id = $1 order by i.created_at, i.id", *ALL);
    let rows = database.query(&sql, &[organization.to_string().into()]).await?;
    rows.into_iter().map(InvitationRow::from_row).collect()
}

/// The invitations of an address that nobody has answered, oldest first, expired ones among them.
///
/// # Errors
/// When the database fails.
pub async fn pending_invitations_to(
    database: &Database,
    email: &str,
) -> Result<Vec<UserInvitation>, DatabaseError> {
    let sql = format!(
        "{} where i.email = $1 and i.status = 'pending' order by i.created_at, i.id",
        *WITH_ORGANIZATION
    );
    database.query(&sql, &[email.into()]).await?.into_iter().map(read).collect()
}

/// The invitations by which a person is known somewhere, open or not: those that are known to be theirs,
/// and those of their address.
///
/// # Errors
/// When the database fails.
pub async fn invitations_of_person(
    database: &Database,
    user: UserId,
    email: Option<&str>,
) -> Result<Vec<(OrganizationId, InvitationId)>, DatabaseError> {
    let sql = "select organization_id, id from invitations where user_id = $1 \
               union select organization_id, id from invitations where email = $2 \
               order by organization_id, id";
    let email = email.map_or(Value::Null, Value::from);
    let rows = database.query(sql, &[user.to_string().into(), email]).await?;
    rows.iter().map(|row| Ok((id(row, 0, "invitations")?, id(row, 1, "invitations")?))).collect()
}

/// Events that invited somebody without an account, and whose organization is gone: the next after a position.
///
/// # Errors
/// When the database fails.
pub async fn orphaned_invitations(
    database: &Database,
    after: Position,
) -> Result<Vec<Position>, DatabaseError> {
    let sql = "select e.position from events e where e.event_type = 'organization.member_invited' \
               and e.position > $1 and e.subject like 'invitation:%' \
               and not exists (select 1 from organizations o where o.id = e.aggregate_id) \
               order by e.position limit 500";
    let after = i64::try_from(after.0).unwrap_or(i64::MAX);
    let rows = database.query(sql, &[after.into()]).await?;
    let read = |row: &evident_eventstore::Row| u64::try_from(row.first()?.as_int()?).ok();
    Ok(rows.iter().filter_map(read).map(Position).collect())
}

//! A user with everything that the user's document shows.

use std::sync::LazyLock;

use evident_domain::UserId;
use evident_eventstore::{Database, DatabaseError, Row, Value};

use super::columns;
use crate::fold::Fold;
use crate::folds::{Identities, IdentityRow, UserRow};

/// A user and how providers know them.
#[derive(Debug, Clone, PartialEq)]
pub struct UserView {
    /// The user.
    pub user: UserRow,
    /// The identities, oldest first.
    pub identities: Vec<IdentityRow>,
}

/// `u.*, i.*` by name.
pub(super) static COLUMNS: LazyLock<String> =
    LazyLock::new(|| format!("{}, {}", columns("u", &UserRow::TABLE), columns("i", &Identities::TABLE)));

static BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {} from users u left join identities i on i.user_id = u.id \
         where u.id = $1 order by i.position",
        *COLUMNS
    )
});

/// More identities with one address are not looked at.
static BY_IDENTITY_EMAIL: LazyLock<String> = LazyLock::new(|| {
    let columns = columns("i", &Identities::TABLE);
    format!("select {columns} from identities i where i.email = $1 order by i.position limit 20")
});

/// The user of an id: one indexed read.
///
/// # Errors
/// When the database fails.
pub async fn user(database: &Database, id: UserId) -> Result<Option<UserView>, DatabaseError> {
    let rows = database.query(&BY_ID, &[id.to_string().into()]).await?;
    Ok(gather(rows)?.into_iter().next())
}

/// Who asked for an address or number that is not theirs yet, those who asked last first.
///
/// # Errors
/// When the database fails.
pub async fn who_asked_for(
    database: &Database,
    contact: &str,
    limit: u32,
) -> Result<Vec<UserId>, DatabaseError> {
    let sql =
        "select id from users where new_email = $1 or new_phone = $1 order by updated_at desc, id limit $2";
    let rows = database.query(sql, &[contact.into(), i64::from(limit).into()]).await?;
    let id = |row: &Row| row.first().and_then(Value::as_text).and_then(|id| id.parse().ok());
    let damaged = || DatabaseError::Unexpected { table: "users".to_owned(), column: "id" };
    rows.iter().map(|row| id(row).ok_or_else(damaged)).collect()
}

/// Who has an identity with an address that its provider vouches for; of several, who linked it first.
///
/// # Errors
/// When the database fails.
pub async fn owner_of_verified(database: &Database, email: &str) -> Result<Option<UserId>, DatabaseError> {
    let rows = database.query(&BY_IDENTITY_EMAIL, &[email.into()]).await?;
    let identities = rows.into_iter().map(IdentityRow::from_row).collect::<Result<Vec<_>, _>>()?;
    let verified = |row: &&IdentityRow| row.data().0.get("email_verified") == Some(&true.into());
    Ok(identities.iter().find(verified).map(|row| row.user_id))
}

/// Reads rows of a user and one identity each, or none. Rows of a user stand together.
pub(super) fn gather(rows: Vec<Row>) -> Result<Vec<UserView>, DatabaseError> {
    let mut views: Vec<UserView> = Vec::new();
    let mut last = None;
    for mut row in rows {
        let identity = row.split_off(UserRow::TABLE.columns.len());
        if last.as_ref() != row.first() {
            last = row.first().cloned();
            views.push(UserView { user: UserRow::from_row(row)?, identities: Vec::new() });
        }
        if let (Some(view), Some(Value::Text(_))) = (views.last_mut(), identity.first()) {
            view.identities.push(IdentityRow::from_row(identity)?);
        }
    }
    Ok(views)
}

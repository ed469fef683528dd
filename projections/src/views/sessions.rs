//! Sessions, alone and with their user.

use std::sync::LazyLock;

use evident_domain::{SessionId, UserId};
use evident_eventstore::{Database, DatabaseError};

use super::columns;
use super::users::{self, UserView};
use crate::fold::Fold;
use crate::folds::SessionRow;

/// A live session, its user, and the user's identities.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionView {
    /// The session.
    pub session: SessionRow,
    /// Whose it is.
    pub user: UserView,
}

static BY_ID: LazyLock<String> =
    LazyLock::new(|| format!("select {} from sessions s where s.id = $1", columns("s", &SessionRow::TABLE)));

static WITH_USER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {}, {} from sessions s join users u on u.id = s.user_id \
         left join identities i on i.user_id = u.id where s.id = $1 order by i.position",
        columns("s", &SessionRow::TABLE),
        *users::COLUMNS
    )
});

static OF_USER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {} from sessions s where s.user_id = $1 order by s.created_at, s.id",
        columns("s", &SessionRow::TABLE)
    )
});

/// The session of an id, if it lives.
///
/// # Errors
/// When the database fails.
pub async fn session(database: &Database, id: SessionId) -> Result<Option<SessionRow>, DatabaseError> {
    let rows = database.query(&BY_ID, &[id.to_string().into()]).await?;
    rows.into_iter().next().map(SessionRow::from_row).transpose()
}

/// The session of an id with its user, if it lives: all that a request with an access token needs, in
/// one read.
///
/// # Errors
/// When the database fails.
pub async fn session_with_user(
    database: &Database,
    id: SessionId,
) -> Result<Option<SessionView>, DatabaseError> {
    let mut rows = database.query(&WITH_USER, &[id.to_string().into()]).await?;
    let width = SessionRow::TABLE.columns.len();
    let users: Vec<_> = rows.iter_mut().map(|row| row.split_off(width)).collect();
    let (Some(session), Some(user)) = (rows.into_iter().next(), users::gather(users)?.into_iter().next())
    else {
        return Ok(None);
    };
    Ok(Some(SessionView { session: SessionRow::from_row(session)?, user }))
}

/// A user's live sessions, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn sessions_of(database: &Database, user: UserId) -> Result<Vec<SessionRow>, DatabaseError> {
    let rows = database.query(&OF_USER, &[user.to_string().into()]).await?;
    rows.into_iter().map(SessionRow::from_row).collect()
}

/// The ids of a user's live sessions, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn live_sessions(database: &Database, user: UserId) -> Result<Vec<SessionId>, DatabaseError> {
    Ok(sessions_of(database, user).await?.into_iter().map(|session| session.id).collect())
}

/// The live sessions in which an administrator acts in somebody's name.
///
/// # Errors
/// When the database fails.
pub async fn impersonations_by(
    database: &Database,
    administrator: UserId,
) -> Result<Vec<SessionId>, DatabaseError> {
    let sql = "select id from sessions where impersonator = $1 order by id";
    let rows = database.query(sql, &[administrator.to_string().into()]).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_text()?.parse().ok()).collect())
}

//! OAuth clients, and what users granted to them.

use std::sync::LazyLock;

use evident_domain::{ClientId, UserId};
use evident_eventstore::{Database, DatabaseError};

use super::columns;
use crate::fold::Fold;
use crate::folds::{ClientRow, ConsentRow, Consents};

/// What a user granted, and to whom.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantView {
    /// What.
    pub consent: ConsentRow,
    /// To whom.
    pub client: ClientRow,
}

static CLIENT: LazyLock<String> = LazyLock::new(|| {
    format!("select {} from oauth_clients c where c.id = $1", columns("c", &ClientRow::TABLE))
});

static CLIENTS: LazyLock<String> = LazyLock::new(|| {
    format!("select {} from oauth_clients c order by c.position desc", columns("c", &ClientRow::TABLE))
});

static GRANTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {}, {} from oauth_consents g join oauth_clients c on c.id = g.client_id \
         where g.user_id = $1 order by g.granted_at desc, g.id",
        columns("g", &Consents::TABLE),
        columns("c", &ClientRow::TABLE)
    )
});

/// The OAuth client of an id, if it is known.
///
/// # Errors
/// When the database fails.
pub async fn oauth_client(database: &Database, id: ClientId) -> Result<Option<ClientRow>, DatabaseError> {
    let rows = database.query(&CLIENT, &[id.to_string().into()]).await?;
    rows.into_iter().next().map(ClientRow::from_row).transpose()
}

/// All OAuth clients, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn oauth_clients(database: &Database) -> Result<Vec<ClientRow>, DatabaseError> {
    database.query(&CLIENTS, &[]).await?.into_iter().map(ClientRow::from_row).collect()
}

/// What a user granted to clients that are known, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn grants_of(database: &Database, user: UserId) -> Result<Vec<GrantView>, DatabaseError> {
    let rows = database.query(&GRANTS, &[user.to_string().into()]).await?;
    let width = Consents::TABLE.columns.len();
    let read = |mut row: evident_eventstore::Row| {
        let client = row.split_off(width);
        Ok(GrantView { consent: ConsentRow::from_row(row)?, client: ClientRow::from_row(client)? })
    };
    rows.into_iter().map(read).collect()
}

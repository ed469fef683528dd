//! Providers that administrators registered.

use std::sync::LazyLock;

use evident_domain::provider::ProviderKind;
use evident_eventstore::{Database, DatabaseError};

use super::columns;
use crate::fold::Fold;
use crate::folds::ProviderRow;

static ALL: LazyLock<String> =
    LazyLock::new(|| format!("select {} from providers p", columns("p", &ProviderRow::TABLE)));

/// All of them, or those of one kind, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn providers(
    database: &Database,
    kind: Option<ProviderKind>,
) -> Result<Vec<ProviderRow>, DatabaseError> {
    let order = "order by p.created_at, p.id";
    let rows = match kind {
        Some(kind) => {
            let sql = format!("{} where p.provider_type = $1 {order}", *ALL);
            database.query(&sql, &[kind.as_str().into()]).await?
        }
        None => database.query(&format!("{} {order}", *ALL), &[]).await?,
    };
    rows.into_iter().map(ProviderRow::from_row).collect()
}

/// The one of an identifier: one indexed read.
///
/// # Errors
/// When the database fails.
pub async fn provider(database: &Database, identifier: &str) -> Result<Option<ProviderRow>, DatabaseError> {
    let sql = format!("{} where p.identifier = $1", *ALL);
    let rows = database.query(&sql, &[identifier.into()]).await?;
    rows.into_iter().next().map(ProviderRow::from_row).transpose()
}

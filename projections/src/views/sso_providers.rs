//! Identity providers of organizations.

use std::sync::LazyLock;

use evident_domain::SsoProviderId;
use evident_eventstore::{Database, DatabaseError, Value};

use super::columns;
use crate::fold::Fold;
use crate::folds::SsoProviderRow;

/// What names one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SsoProviderName {
    /// Its id.
    Id(SsoProviderId),
    /// What the application calls it.
    Resource(String),
}

static ALL: LazyLock<String> =
    LazyLock::new(|| format!("select {} from sso_providers p", columns("p", &SsoProviderRow::TABLE)));

/// The provider of a name.
///
/// # Errors
/// When the database fails.
pub async fn sso_provider(
    database: &Database,
    name: &SsoProviderName,
) -> Result<Option<SsoProviderRow>, DatabaseError> {
    let (column, value) = match name {
        SsoProviderName::Id(id) => ("id", id.to_string()),
        SsoProviderName::Resource(resource) => ("resource_id", resource.clone()),
    };
    let sql = format!("{} where p.{column} = $1", *ALL);
    SsoProviderRow::from_rows(database.query(&sql, &[value.into()]).await?)
}

/// All providers, oldest first: those that the application calls so, or by a name that begins so.
///
/// # Errors
/// When the database fails.
pub async fn sso_providers(
    database: &Database,
    resource_id: Option<&str>,
    prefix: Option<&str>,
) -> Result<Vec<SsoProviderRow>, DatabaseError> {
    let (mut conditions, mut params) = (Vec::new(), Vec::<Value>::new());
    if let Some(resource_id) = resource_id {
        params.push(resource_id.into());
        conditions.push(format!("p.resource_id = ${}", params.len()));
    }
    if let Some(prefix) = prefix {
        params.push(prefix.into());
        let at = params.len();
        conditions.push(format!("substr(p.resource_id, 1, length(${at})) = ${at}"));
    }
    let filter =
        if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) };
    let sql = format!("{}{filter} order by p.created_at, p.id", *ALL);
    database.query(&sql, &params).await?.into_iter().map(SsoProviderRow::from_row).collect()
}

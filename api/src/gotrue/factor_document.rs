//! The JSON document of a second factor.

use evident_commands::FactorRow;
use evident_domain::FactorId;
use serde::Serialize;
use uuid::Uuid;

use super::time::Rfc3339;

/// A second factor. What an authenticator answered last is left out: it holds the address that it came from.
#[derive(Serialize)]
pub(super) struct FactorDocument<'a> {
    id: FactorId,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    friendly_name: &'a str,
    factor_type: &'static str,
    phone: &'a str,
    last_challenged_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_authn_aaguid: Option<Uuid>,
}

impl<'a> FactorDocument<'a> {
    pub(super) fn of(row: &'a FactorRow) -> Self {
        Self {
            id: row.id,
            created_at: Rfc3339(row.created_at),
            updated_at: Rfc3339(row.updated_at),
            status: if row.verified { "verified" } else { "unverified" },
            friendly_name: &row.name,
            factor_type: row.kind.as_str(),
            phone: row.phone.as_deref().unwrap_or_default(),
            last_challenged_at: row.last_challenged_at.map(Rfc3339),
            web_authn_aaguid: row.aaguid,
        }
    }
}

//! `/organization/…`: organizations, their members, invitations, teams and roles.

mod active;
mod codes;
mod invitations;
mod members;
mod organizations;
mod permission;
mod refusal;
mod roles;
mod teams;

use evident_commands::organizations::{OrganizationCaller, OrganizationFailure, Permissions};
use evident_domain::OrganizationId;
use serde_json::Value;
use uuid::Uuid;

use super::body::Fields;
use super::call::{Answer, Call, not_there};
use super::error::BetterAuthError;
use super::routes::Table;
use super::session::SessionCaller;

pub(super) fn routes(table: Table) -> Table {
    let families: [fn(Table) -> Table; 7] = [
        organizations::routes,
        active::routes,
        invitations::routes,
        members::routes,
        permission::routes,
        teams::routes,
        roles::routes,
    ];
    families.into_iter().fold(table, |table, family| family(table))
}

/// An id as clients write it. What is none names nothing: no id is nil.
fn id<T: From<Uuid>>(text: &str) -> T {
    T::from(Uuid::try_parse(text).unwrap_or_default())
}

/// Who asks, as use cases know them.
fn caller(session: &SessionCaller) -> OrganizationCaller {
    OrganizationCaller { user: session.user(), session: session.session_id() }
}

/// The organization that the request names, else the one in which the caller acts.
fn organization(named: Option<&str>, session: &SessionCaller) -> Option<OrganizationId> {
    named.filter(|text| !text.is_empty()).map(id).or(session.session().organization)
}

/// The same of the body.
fn organization_of_body(fields: &mut Fields<'_>) -> Option<String> {
    fields.maybe_text("organizationId")
}

/// Texts that are one or several.
fn one_or_several(fields: &mut Fields<'_>, name: &str) -> Option<Vec<String>> {
    match fields.raw(name) {
        Some(Value::String(text)) => Some(vec![text.clone()]),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        Some(_) => {
            fields.problem(name, "Invalid input");
            None
        }
        None => None,
    }
}

/// Permissions as clients write them; none where they are something else.
fn permissions(value: &Value) -> Option<Permissions> {
    serde_json::from_value(value.clone()).ok()
}

/// What came of it, or a refusal in an endpoint's words.
fn or_refused<T>(
    result: Result<T, OrganizationFailure>,
    words: &refusal::Words,
) -> Result<T, BetterAuthError> {
    result.map_err(|failure| words.of(failure))
}

/// 404, as for a path that there is not: the owner has switched it off.
fn switched_off() -> Answer {
    Answer::raw(not_there())
}

impl Call {
    fn has_teams(&self) -> bool {
        self.app.settings().organizations.teams.enabled
    }

    fn has_own_roles(&self) -> bool {
        self.app.settings().organizations.own_roles.enabled
    }
}

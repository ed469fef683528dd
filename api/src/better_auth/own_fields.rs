//! Fields that the owner adds to accounts and sessions: what of a body stands in them, and what is wrong with
//! it, in the words that clients know.

use evident_commands::settings::{FieldRefusal, FieldTable};
use evident_domain::Metadata;
use serde_json::{Map, Value};

use super::body;
use super::error::BetterAuthError;
use super::sign_up::field_not_allowed;

/// Why a value cannot stand in a field; `given` is what came.
pub(super) fn refusal(error: FieldRefusal, given: &Map<String, Value>) -> BetterAuthError {
    match error {
        FieldRefusal::NotAllowed(name) => field_not_allowed(&name),
        FieldRefusal::Required(name) => {
            BetterAuthError::bad_request("MISSING_FIELD", format!("{name} is required"))
        }
        FieldRefusal::Mistyped { name, expected } => {
            let received = body::kind(given.get(&name));
            let problem = format!("Invalid input: expected {expected}, received {received}");
            BetterAuthError::validation(format!("[body.{name}] {problem}"))
        }
        FieldRefusal::Unlisted { name, listed } => {
            let listed: Vec<String> = listed.into_iter().map(|text| Value::from(text).to_string()).collect();
            let problem = format!("Invalid option: expected one of {}", listed.join("|"));
            BetterAuthError::validation(format!("[body.{name}] {problem}"))
        }
    }
}

/// What of a body a person keeps with their account.
pub(super) fn of_person(table: &FieldTable, body: &Value, new: bool) -> Result<Metadata, BetterAuthError> {
    let nothing = Map::new();
    let given = body.as_object().unwrap_or(&nothing);
    let admitted = if new { table.admit_new(given) } else { table.admit(given) };
    admitted.map_err(|error| refusal(error, given))
}

/// What of an administrator's words is kept with an account: in the metadata of its user, and in those of the
/// application, where clients do not set it.
pub(super) fn of_administrator(
    table: &FieldTable,
    given: &Map<String, Value>,
) -> Result<(Metadata, Metadata), BetterAuthError> {
    let admitted = table.admit_all(given).map_err(|error| refusal(error, given))?;
    let clients_set = |name: &String| table.0.get(name).is_some_and(|rule| rule.input);
    let (own, application) = admitted.0.into_iter().partition(|(name, _)| clients_set(name));
    Ok((Metadata(own), Metadata(application)))
}

/// The fields of an account, as they are shown.
pub(super) fn of_account(
    table: &FieldTable,
    user_metadata: &Metadata,
    app_metadata: &Metadata,
) -> Map<String, Value> {
    table.shown(|name, rule| if rule.input { user_metadata } else { app_metadata }.0.get(name))
}

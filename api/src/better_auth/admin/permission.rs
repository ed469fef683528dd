//! `POST /admin/has-permission`

use std::collections::{BTreeMap, BTreeSet};

use evident_domain::access::Permissions;
use serde_json::{Value, json};

use super::super::call::{Answer, Call, Reply};
use super::super::error::BetterAuthError;
use super::super::routes::Table;

pub(super) fn routes(table: Table) -> Table {
    table.post("/admin/has-permission", has_permission)
}

/// Whether the caller may do something. For whom else it is asked plays no part: a caller hears of
/// themselves only.
async fn has_permission(call: Call) -> Reply {
    let fields = call.fields();
    let both = [fields.raw("permissions"), fields.raw("permission")];
    let invalid = || BetterAuthError::validation("[body] Invalid input");
    let given = match both {
        [Some(_), Some(_)] | [None, None] => return Err(invalid()),
        [Some(given), None] | [None, Some(given)] => given,
    };
    let wanted = permissions(given).ok_or_else(invalid)?;
    fields.finish()?;
    let caller = call.find_session().await?.ok_or_else(|| BetterAuthError::signed_out().bare())?;
    let success = call.app.commands().may_administer(&caller.view().user, &wanted);
    Answer::json(&json!({ "error": null, "success": success }))
}

/// `{"user":["ban"]}`
fn permissions(value: &Value) -> Option<Permissions> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (resource, actions) in value.as_object()? {
        let actions: Option<BTreeSet<_>> =
            actions.as_array()?.iter().map(|action| action.as_str().map(str::to_owned)).collect();
        wanted.insert(resource.clone(), actions?);
    }
    Some(Permissions(wanted))
}

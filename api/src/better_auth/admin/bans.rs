//! Keeping users out, and letting them in again.

use std::time::Duration;

use evident_commands::{AdministerUser, BanChange};
use serde_json::json;

use super::super::call::{Answer, Call, Reply};
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::{BAN, id_text, refusal, user_id};

/// A ban of a hundred years is as good as one for ever.
const LONGEST: f64 = 3_155_760_000.0;

pub(super) fn routes(table: Table) -> Table {
    table.post("/admin/ban-user", ban_user).post("/admin/unban-user", unban_user)
}

/// Keeps a user out for a time or for ever, and ends their sessions.
async fn ban_user(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    let reason = fields.maybe_text("banReason");
    let seconds = fields.maybe_number("banExpiresIn");
    fields.finish()?;
    let administrator = call.administrator(BAN).await?;
    let settings = &call.app.settings().plugins.administration;
    if id == administrator.caller.user().to_string() {
        return Err(not_yourself());
    }
    let given = seconds.filter(|seconds| *seconds > 0.0 && *seconds < LONGEST).map(Duration::from_secs_f64);
    let lasts = match seconds {
        Some(seconds) if seconds >= LONGEST => None,
        _ => given.or(settings.default_ban),
    };
    let ban = BanChange::Ban {
        until: lasts.map(|lasts| call.app.now() + lasts),
        reason: Some(reason.unwrap_or_else(|| settings.default_ban_reason.clone())),
    };
    let change = AdministerUser { ban: Some(ban), ..AdministerUser::default() };
    let context = call.context(administrator.actor);
    let user = user_id(&id)?;
    let view = call.app.commands().administer_user(&context, user, change).await.map_err(refusal)?;
    Answer::json(&json!({ "user": UserDocument::of(&call.app, &view) }))
}

/// Lets a user in again.
async fn unban_user(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    fields.finish()?;
    let administrator = call.administrator(BAN).await?;
    let change = AdministerUser { ban: Some(BanChange::Lift), ..AdministerUser::default() };
    let context = call.context(administrator.actor);
    let user = user_id(&id)?;
    let view = call.app.commands().administer_user(&context, user, change).await.map_err(refusal)?;
    Answer::json(&json!({ "user": UserDocument::of(&call.app, &view) }))
}

pub(super) fn not_yourself() -> BetterAuthError {
    BetterAuthError::bad_request("YOU_CANNOT_BAN_YOURSELF", "You cannot ban yourself")
}

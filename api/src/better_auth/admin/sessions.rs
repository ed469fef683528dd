//! Sessions of users, and acting in somebody's name.

use evident_commands::{EndSession, ImpersonateError, SignOut, SignOutError, SignOutScope};
use evident_domain::SessionId;
use evident_domain::access::Permissions;
use evident_domain::session::RevocationReason;
use serde_json::json;

use super::super::call::{Answer, Call, Reply};
use super::super::document::{SessionDocument, UserDocument};
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::super::session::{DONT_REMEMBER_COOKIE, SESSION_COOKIE};
use super::{IMPERSONATE, LIST_SESSIONS, REVOKE_SESSIONS, id_text, user_id, user_not_found};

/// The cookie that keeps an administrator's own session while they act for somebody:
/// `<token>:<"true" where the browser forgets it>`.
const ADMIN_COOKIE: &str = "admin_session";

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/admin/list-user-sessions", list_user_sessions)
        .post("/admin/revoke-user-session", revoke_user_session)
        .post("/admin/revoke-user-sessions", revoke_user_sessions)
        .post("/admin/impersonate-user", impersonate_user)
        .post("/admin/stop-impersonating", stop_impersonating)
}

/// A user's sessions, with the tokens by which the administrator ends one.
async fn list_user_sessions(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    fields.finish()?;
    call.administrator(LIST_SESSIONS).await?;
    let rows = match id.parse() {
        Ok(user) => call.app.commands().sessions_of(user).await?,
        Err(_) => Vec::new(),
    };
    let sessions: Vec<_> = rows.iter().map(|row| SessionDocument::of(&call.app, row)).collect();
    Answer::json(&json!({ "sessions": sessions }))
}

/// Ends one session; of one that there is not, nothing is told.
async fn revoke_user_session(call: Call) -> Reply {
    let mut fields = call.fields();
    let token = fields.text("sessionToken");
    fields.finish()?;
    let administrator = call.administrator(REVOKE_SESSIONS).await?;
    let commands = call.app.commands();
    let Some(session) = commands.session_tokens().read(&token) else { return Answer::success() };
    if let Some(user) = commands.owner_of_session(session).await? {
        let case = EndSession { user, session, reason: RevocationReason::SignedOutElsewhere };
        commands.execute(&call.context(administrator.actor), &case).await?;
    }
    Answer::success()
}

/// Ends all sessions of a user.
async fn revoke_user_sessions(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    fields.finish()?;
    let administrator = call.administrator(REVOKE_SESSIONS).await?;
    let Ok(user) = id.parse() else { return Answer::success() };
    let case = SignOut { user, session: None, scope: SignOutScope::Global };
    match call.app.commands().execute(&call.context(administrator.actor), &case).await {
        Ok(()) | Err(SignOutError::Session(_)) => Answer::success(),
        Err(SignOutError::Failure(failure)) => Err(failure.into()),
    }
}

/// Opens a session in which the administrator acts for somebody; their own waits in a cookie.
async fn impersonate_user(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    fields.finish()?;
    let administrator = call.administrator(IMPERSONATE).await?;
    let (app, caller) = (&call.app, &administrator.caller);
    let commands = app.commands();
    let even = Permissions::of(&[("user", &["impersonate-admins"])]);
    let even = commands.may_administer(&caller.view().user, &even);
    let context = call.context(administrator.actor.clone());
    let grant = commands.impersonate(&context, caller.user(), user_id(&id)?, even).await;
    let grant = grant.map_err(impersonation_refusal)?;
    let own = commands.session_tokens().issue(caller.session_id());
    let forgotten = if call.is_forgotten() { "true" } else { "" };
    call.close_session();
    let age = app.options().session.expires_in.as_secs();
    call.set_cookie(ADMIN_COOKIE, format!("{}:{forgotten}", own.expose()), Some(age));
    call.open_session(grant.session, false);
    shown(&call, grant.session).await
}

fn impersonation_refusal(error: ImpersonateError) -> BetterAuthError {
    match error {
        ImpersonateError::Banned => BetterAuthError::banned(),
        ImpersonateError::Administrator => {
            BetterAuthError::forbidden("YOU_CANNOT_IMPERSONATE_ADMINS", "You cannot impersonate admins")
        }
        ImpersonateError::User(_) | ImpersonateError::Session(_) => user_not_found(),
        ImpersonateError::Failure(failure) => failure.into(),
    }
}

/// Ends the acting, and gives the administrator their own session back.
async fn stop_impersonating(call: Call) -> Reply {
    let caller = call.find_session().await?.ok_or_else(BetterAuthError::signed_out)?;
    let Some(administrator) = caller.session().impersonator else {
        let message = "You are not impersonating anyone";
        return Err(BetterAuthError::bad_request("", message).without_code());
    };
    let lost = || {
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        BetterAuthError::new(status, "", "Failed to find admin session").without_code()
    };
    let commands = call.app.commands();
    let cookie = call.cookie(ADMIN_COOKIE).ok_or_else(lost)?;
    let (token, forgotten) = cookie.rsplit_once(':').unwrap_or((&cookie, ""));
    let own = commands.session_tokens().read(token).ok_or_else(lost)?;
    let holder = commands.session_holder(own).await.map_err(|_| lost())?;
    if holder.view.user.id != administrator {
        return Err(lost());
    }
    let reason = RevocationReason::SignedOut;
    let case = EndSession { user: caller.user(), session: caller.session_id(), reason };
    let actor = evident_domain::Actor::User { id: administrator };
    commands.execute(&call.context(actor), &case).await?;
    let age = call.app.options().session.expires_in.as_secs();
    let remembered = forgotten != "true";
    call.set_cookie(SESSION_COOKIE, token, remembered.then_some(age));
    if remembered {
        call.clear_cookie(DONT_REMEMBER_COOKIE);
    } else {
        call.set_cookie(DONT_REMEMBER_COOKIE, "true", None);
    }
    call.clear_cookie(ADMIN_COOKIE);
    call.cache_session(own, remembered);
    shown(&call, own).await
}

/// A session and its user.
async fn shown(call: &Call, session: SessionId) -> Reply {
    let holder = call.app.commands().session_holder(session).await;
    let holder = holder.map_err(|_| BetterAuthError::signed_out())?;
    let row = holder.session.as_ref().ok_or_else(BetterAuthError::signed_out)?;
    let session = SessionDocument::of(&call.app, row);
    let user = UserDocument::of(&call.app, &holder.view);
    Answer::json(&json!({ "session": session, "user": user }))
}

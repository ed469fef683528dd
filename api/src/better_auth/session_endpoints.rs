//! `GET` and `POST /get-session`, `POST /sign-out`, and the lists: `GET /list-sessions`, `POST /revoke-session`,
//! `/revoke-sessions`, `/revoke-other-sessions`, `/update-session`

use axum::http::StatusCode;
use evident_commands::{EndSession, SessionFieldsError, SignOut, SignOutError, SignOutScope};
use evident_domain::session::{RevocationReason, SessionError};
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Reply};
use super::document::{SessionDocument, UserDocument};
use super::error::BetterAuthError;
use super::own_fields;
use super::routes::Table;
use super::session::SessionCaller;

pub(super) fn routes(table: Table) -> Table {
    table
        .get("/get-session", get_session)
        .post("/get-session", move_session)
        .post("/sign-out", sign_out)
        .get("/list-sessions", list)
        .post("/revoke-session", revoke)
        .post("/revoke-sessions", revoke_all)
        .post("/revoke-other-sessions", revoke_others)
        .post("/update-session", update)
}

/// Whoever is signed in, and their session; `null` where nobody is. Where the end moves by POST alone, it is told
/// whether it is time to ask so.
async fn get_session(call: Call) -> Reply {
    let deferred = call.app.options().session.refresh_deferred;
    let found = if deferred { call.read_session().await? } else { call.find_session().await? };
    let Some(caller) = found else { return Answer::json(&Value::Null) };
    call.cache_session(caller.session_id(), !call.is_forgotten());
    let mut answer = shown(&call, &caller);
    if deferred {
        answer["needsRefresh"] = call.moves_on(&caller).into();
    }
    Answer::json(&answer)
}

fn shown(call: &Call, caller: &SessionCaller) -> Value {
    let session = SessionDocument::of(&call.app, caller.session());
    let user = UserDocument::of(&call.app, caller.view());
    json!({ "session": session, "user": user })
}

/// Reads the session and moves its end, where reading alone does not.
async fn move_session(call: Call) -> Reply {
    if !call.app.options().session.refresh_deferred {
        let message = "POST method requires deferSessionRefresh to be enabled in session config";
        let code = "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED";
        return Err(BetterAuthError::new(StatusCode::METHOD_NOT_ALLOWED, code, message));
    }
    let Some(caller) = call.find_session().await? else { return Answer::json(&Value::Null) };
    call.cache_session(caller.session_id(), !call.is_forgotten());
    Answer::json(&shown(&call, &caller))
}

/// Ends the session, if there is one; the browser forgets it in any case.
async fn sign_out(call: Call) -> Reply {
    if let Some(caller) = call.find_session().await? {
        let reason = RevocationReason::SignedOut;
        let case = EndSession { user: caller.user(), session: caller.session_id(), reason };
        let context = call.context(caller.actor());
        call.app.commands().execute(&context, &case).await?;
    }
    call.close_session();
    Answer::success()
}

/// The sessions of whoever asks, oldest first. Those of an administrator in their name are not shown.
async fn list(call: Call) -> Reply {
    let caller = call.fresh_session().await?;
    let sessions = call.app.commands().sessions_of(caller.user()).await?;
    let own = sessions.iter().filter(|session| session.impersonator.is_none());
    let documents: Vec<_> = own.map(|session| SessionDocument::of(&call.app, session)).collect();
    Answer::json(&documents)
}

/// Ends one of the caller's own sessions. Whether there was one is not told.
async fn revoke(call: Call) -> Reply {
    let mut fields = call.fields();
    let token = fields.text("token");
    fields.finish()?;
    let caller = call.session().await?;
    if let Some(session) = call.app.commands().session_tokens().read(&token) {
        let reason = RevocationReason::SignedOutElsewhere;
        let case = EndSession { user: caller.user(), session, reason };
        call.app.commands().execute(&call.context(caller.actor()), &case).await?;
    }
    Answer::status()
}

/// Ends all sessions of the caller, this one too; the browser finds out with the next request.
async fn revoke_all(call: Call) -> Reply {
    end(&call, SignOutScope::Global).await
}

/// Ends all sessions of the caller but this one.
async fn revoke_others(call: Call) -> Reply {
    end(&call, SignOutScope::Others).await
}

async fn end(call: &Call, scope: SignOutScope) -> Reply {
    call.fields().finish()?;
    let caller = call.session().await?;
    let case = SignOut { user: caller.user(), session: Some(caller.session_id()), scope };
    match call.app.commands().execute(&call.context(caller.actor()), &case).await {
        Ok(()) => Answer::status(),
        Err(SignOutError::Failure(failure)) => Err(failure.into()),
        Err(SignOutError::Session(error)) => Err(BetterAuthError::internal(error)),
    }
}

/// Keeps something of the application's with the session, in the fields that the owner declared.
async fn update(call: Call) -> Reply {
    call.fields().finish()?;
    let caller = call.session().await?;
    let nothing = Map::new();
    let given = call.body.as_object().unwrap_or(&nothing);
    let context = call.context(caller.actor());
    match call.app.commands().change_session_fields(&context, caller.session_id(), given).await {
        Ok(()) => {}
        Err(SessionFieldsError::Nothing) => {
            return Err(BetterAuthError::bad_request("", "No fields to update").without_code());
        }
        Err(SessionFieldsError::Field(error)) => return Err(own_fields::refusal(error, given)),
        Err(SessionFieldsError::Session(SessionError::FieldsTooLarge)) => {
            let message = "The fields of the session are too large";
            return Err(BetterAuthError::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message));
        }
        Err(SessionFieldsError::Session(_)) => {
            call.close_session();
            return Err(BetterAuthError::signed_out());
        }
        Err(SessionFieldsError::Failure(failure)) => return Err(failure.into()),
    }
    let changed = call.read_session().await?.ok_or_else(BetterAuthError::signed_out)?;
    call.keep_session(changed.session_id());
    Answer::json(&json!({ "session": SessionDocument::of(&call.app, changed.session()) }))
}

//! `GET /get-session`, `POST /sign-out`

use axum::http::StatusCode;
use evident_commands::EndSession;
use evident_domain::session::RevocationReason;
use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::document::{SessionDocument, UserDocument};
use super::error::BetterAuthError;
use super::routes::Table;

pub(super) fn routes(table: Table) -> Table {
    table.get("/get-session", get_session).post("/get-session", deferred).post("/sign-out", sign_out)
}

/// Whoever is signed in, and their session; `null` where nobody is.
async fn get_session(call: Call) -> Reply {
    let Some(caller) = call.find_session().await? else { return Answer::json(&Value::Null) };
    let session = SessionDocument::of(&call.app, caller.session());
    let user = UserDocument::of(&call.app, caller.view());
    Answer::json(&json!({ "session": session, "user": user }))
}

/// Reading moves the end of the session already.
async fn deferred(_: Call) -> Reply {
    let message = "POST method requires deferSessionRefresh to be enabled in session config";
    let code = "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED";
    Err(BetterAuthError::new(StatusCode::METHOD_NOT_ALLOWED, code, message))
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

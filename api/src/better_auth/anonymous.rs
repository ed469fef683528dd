//! `POST /sign-in/anonymous`, `POST /delete-anonymous-user`, and what becomes of somebody unknown who becomes
//! somebody.

use evident_commands::{AnonymousError, DeleteUserError, Deletion};
use evident_domain::{Actor, Metadata, UserId};
use serde_json::json;

use super::call::{Answer, Call, Reply};
use super::document::UserDocument;
use super::error::BetterAuthError;
use super::routes::Table;

pub(super) fn routes(table: Table) -> Table {
    table.post("/sign-in/anonymous", sign_in).post("/delete-anonymous-user", delete)
}

/// A session for nobody known.
async fn sign_in(call: Call) -> Reply {
    if let Some(caller) = call.find_session().await?
        && caller.view().user.is_anonymous
    {
        return Err(BetterAuthError::bad_request(
            "ANONYMOUS_USERS_CANNOT_SIGN_IN_AGAIN_ANONYMOUSLY",
            "Anonymous users cannot sign in again anonymously",
        ));
    }
    let (app, context) = (&call.app, call.context(Actor::Visitor));
    let data = Metadata::default().with("name", app.settings().plugins.anonymous.name.as_str());
    let aud = app.settings().tokens.default_aud.clone();
    let grant = app.commands().sign_up_anonymously(&context, aud, data, app.session_terms(true)).await;
    let grant = grant.map_err(refusal)?;
    let token = call.open_session(grant.session, true);
    Answer::json(&json!({ "token": token, "user": UserDocument::of(app, &grant.user.view) }))
}

fn refusal(error: AnonymousError) -> BetterAuthError {
    match error {
        AnonymousError::Disabled | AnonymousError::AnonymousDisabled => {
            BetterAuthError::bad_request("ANONYMOUS_SIGN_IN_DISABLED", "Anonymous sign-in is not enabled")
        }
        AnonymousError::User(_) | AnonymousError::Session(_) => {
            BetterAuthError::bad_request("COULD_NOT_CREATE_SESSION", "Could not create session")
        }
        AnonymousError::Failure(failure) => failure.into(),
    }
}

/// Somebody unknown deletes themselves.
async fn delete(call: Call) -> Reply {
    let caller = call.session().await?;
    if !call.app.settings().plugins.anonymous.may_delete {
        return Err(BetterAuthError::bad_request(
            "DELETE_ANONYMOUS_USER_DISABLED",
            "Deleting anonymous users is disabled",
        ));
    }
    if !caller.view().user.is_anonymous {
        return Err(BetterAuthError::forbidden("USER_IS_NOT_ANONYMOUS", "User is not anonymous"));
    }
    let context = call.context(caller.actor());
    match call.app.commands().delete_user(&context, caller.user(), Deletion::Erase).await {
        Ok(()) => {}
        Err(DeleteUserError::Held(_)) => return Err(BetterAuthError::held()),
        Err(DeleteUserError::Organization(_)) => return Err(BetterAuthError::only_owner()),
        Err(DeleteUserError::Failure(failure)) => return Err(failure.into()),
        Err(DeleteUserError::User(_) | DeleteUserError::Session(_)) => {
            return Err(BetterAuthError::signed_out());
        }
    }
    call.close_session();
    Answer::success()
}

/// Whoever was unknown in this browser and signs in as somebody leaves the account of nobody behind; it goes.
pub(super) async fn become_known(call: &Call, user: UserId) -> Result<(), BetterAuthError> {
    if call.app.settings().plugins.anonymous.kept_after_linking {
        return Ok(());
    }
    let Some(before) = call.peek_session().await? else { return Ok(()) };
    if !before.view().user.is_anonymous || before.user() == user {
        return Ok(());
    }
    let context = call.context(before.actor());
    match call.app.commands().delete_user(&context, before.user(), Deletion::Erase).await {
        // Somebody else was faster; an organization keeps its only owner, known or not; and what is held stays.
        Ok(())
        | Err(
            DeleteUserError::User(_)
            | DeleteUserError::Session(_)
            | DeleteUserError::Held(_)
            | DeleteUserError::Organization(_),
        ) => Ok(()),
        Err(DeleteUserError::Failure(failure)) => Err(failure.into()),
    }
}

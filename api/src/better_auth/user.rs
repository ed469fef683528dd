//! The account: `POST /update-user`, `POST /delete-user`, `GET /delete-user/callback`

use std::time::Duration;

use evident_commands::{DeleteUserError, Deletion, RequestDeletionError, UpdateUser, UpdateUserError};
use evident_domain::Metadata;
use evident_domain::user::UserError;
use serde_json::{Value, json};

use super::SessionCaller;
use super::call::{Answer, Call, Reply};
use super::error::BetterAuthError;
use super::links;
use super::own_fields;
use super::password::{no_credentials, proof_refusal};
use super::routes::Table;
use super::sign_up::{PROTECTED, field_not_allowed};
use super::username;

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/update-user", update)
        .post("/delete-user", delete)
        .get("/delete-user/callback", delete_by_link)
}

/// Another name or picture.
async fn update(call: Call) -> Reply {
    let mut fields = call.fields();
    let name = fields.maybe_text("name");
    let image = fields.nullable_text("image");
    let username = fields.maybe_text("username");
    let display_username = fields.maybe_text("displayUsername");
    let email = fields.raw("email").is_some();
    let protected = PROTECTED.into_iter().find(|name| fields.raw(name).is_some());
    fields.finish()?;
    let caller = call.session().await?;
    if email {
        return Err(BetterAuthError::bad_request("EMAIL_CAN_NOT_BE_UPDATED", "Email can not be updated"));
    }
    if let Some(field) = protected {
        return Err(field_not_allowed(field));
    }
    let mut patch = Metadata::default();
    if let Some(name) = name {
        patch = patch.with("name", name);
    }
    if let Some(image) = image {
        if image.is_none() {
            // Whichever protocol brought it, it is gone.
            patch = patch.with("avatar_url", Value::Null).with("picture", Value::Null);
        }
        patch = patch.with("image", image);
    }
    let added = own_fields::of_person(&call.app.settings().plugins.user_fields, &call.body, false)?;
    let patch = patch.overlaid(&added);
    let names = username::changed(&call, username.as_deref(), display_username)?;
    if patch.is_empty() && names.is_empty() {
        return Err(BetterAuthError::bad_request("", "No fields to update").without_code());
    }
    if !names.is_empty() {
        let context = call.context(caller.actor());
        let done = call.app.commands().change_names(&context, caller.user(), names).await;
        done.map_err(username::refusal)?;
    }
    if !patch.is_empty() {
        change(&call, &caller, patch).await?;
    }
    call.keep_session(caller.session_id());
    Answer::status()
}

async fn change(call: &Call, caller: &SessionCaller, patch: Metadata) -> Result<(), BetterAuthError> {
    let wanted = UpdateUser {
        user: caller.user(),
        session: Some(caller.session_id()),
        email: None,
        phone: None,
        password: None,
        current_password: None,
        nonce: None,
        data: Some(patch),
        app_metadata: None,
        challenge: None,
        redirect_to: None,
        channel: evident_commands::messages::SmsChannel::default(),
    };
    match call.app.commands().update_user(&call.context(caller.actor()), wanted).await {
        Ok(_) => Ok(()),
        Err(UpdateUserError::User(_) | UpdateUserError::Session(_)) => Err(BetterAuthError::signed_out()),
        Err(UpdateUserError::Failure(failure)) => Err(failure.into()),
        Err(error) => Err(BetterAuthError::internal(error)),
    }
}

/// Deletes the account: for the password, for the token of a mail, or in a fresh session.
async fn delete(call: Call) -> Reply {
    let mut fields = call.fields();
    let callback = fields.maybe_text("callbackURL");
    let password = fields.maybe_text("password").map(zeroize::Zeroizing::new);
    let token = fields.maybe_text("token");
    fields.finish()?;
    let caller = call.session().await?;
    let options = &call.app.options().account;
    if !options.delete_user {
        return Err(BetterAuthError::not_found("NOT_FOUND", "Not found").bare());
    }
    let context = call.context(caller.actor());
    let commands = call.app.commands();
    if let Some(password) = &password {
        let proven = commands.prove_password(&context, caller.user(), password).await;
        proven.map_err(|error| proof_refusal(error, no_credentials()))?;
    }
    if let Some(token) = token {
        commands.delete_user_by_link(&context, caller.user(), &token).await.map_err(refusal)?;
        return deleted(&call);
    }
    if options.delete_user_confirmation {
        let form = links::deletion(&call.app, callback.as_deref());
        commands.request_deletion(&context, caller.user(), form).await.map_err(mail_refusal)?;
        return Answer::json(&json!({ "success": true, "message": "Verification email sent" }));
    }
    if password.is_none() && !call.is_fresh(&caller) {
        let message = "Session expired. Re-authenticate to perform this action.";
        return Err(BetterAuthError::bad_request("SESSION_EXPIRED", message));
    }
    commands.delete_user(&context, caller.user(), Deletion::Erase).await.map_err(refusal)?;
    deleted(&call)
}

fn deleted(call: &Call) -> Reply {
    call.close_session();
    Answer::json(&json!({ "success": true, "message": "User deleted" }))
}

/// The link of the mail: only whoever is signed in to that account deletes it.
async fn delete_by_link(call: Call) -> Reply {
    let token = call.required_param("token")?;
    let callback = call.params.get("callbackURL").filter(|url| !url.is_empty());
    if !call.app.options().account.delete_user {
        return Err(BetterAuthError::not_found("NOT_FOUND", "Not found"));
    }
    let Some(caller) = call.find_session().await? else {
        return Err(BetterAuthError::not_found("FAILED_TO_GET_USER_INFO", "Failed to get user info"));
    };
    let context = call.context(caller.actor());
    call.app.commands().delete_user_by_link(&context, caller.user(), token).await.map_err(refusal)?;
    match callback {
        Some(place) => {
            call.close_session();
            Answer::redirect(place)
        }
        None => deleted(&call),
    }
}

fn refusal(error: DeleteUserError) -> BetterAuthError {
    match error {
        DeleteUserError::User(UserError::TokenInvalid) => {
            BetterAuthError::not_found("INVALID_TOKEN", "Invalid token")
        }
        DeleteUserError::Organization(_) => BetterAuthError::bad_request(
            "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER",
            "You cannot leave the organization as the only owner",
        ),
        DeleteUserError::Held(_) => BetterAuthError::held(),
        DeleteUserError::User(_) => BetterAuthError::signed_out(),
        DeleteUserError::Session(error) => BetterAuthError::internal(error),
        DeleteUserError::Failure(failure) => failure.into(),
    }
}

fn mail_refusal(error: RequestDeletionError) -> BetterAuthError {
    match error {
        RequestDeletionError::NoAddress => {
            BetterAuthError::bad_request("USER_EMAIL_NOT_FOUND", "User email not found")
        }
        RequestDeletionError::User(UserError::TooSoon { seconds }) => {
            BetterAuthError::too_many_requests(Duration::from_secs(seconds))
        }
        RequestDeletionError::TooSoon(error) => BetterAuthError::too_soon(error),
        RequestDeletionError::User(_) => BetterAuthError::signed_out(),
        RequestDeletionError::Failure(failure) => failure.into(),
    }
}

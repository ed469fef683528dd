//! `/admin/…`: administrators of users.

mod bans;
mod list;
mod permission;
mod sessions;
mod users;

use evident_commands::AdministerUserError;
use evident_domain::access::{Permissions, Roles};
use evident_domain::attempt::AdminRefusal;
use evident_domain::user::UserError;
use evident_domain::{Actor, UserId};
use serde_json::Value;

use super::body::Fields;
use super::call::Call;
use super::error::BetterAuthError;
use super::routes::Table;
use super::session::SessionCaller;
use super::username;

pub(super) fn routes(table: Table) -> Table {
    let table = users::routes(table);
    let table = list::routes(table);
    let table = bans::routes(table);
    permission::routes(sessions::routes(table))
}

/// What an administrator wants to do, and what is said where they may not.
#[derive(Debug, Clone, Copy)]
struct Right {
    resource: &'static str,
    action: &'static str,
    code: &'static str,
    message: &'static str,
}

const fn right(
    resource: &'static str,
    action: &'static str,
    code: &'static str,
    message: &'static str,
) -> Right {
    Right { resource, action, code, message }
}

const SET_ROLE: Right = right(
    "user",
    "set-role",
    "YOU_ARE_NOT_ALLOWED_TO_CHANGE_USERS_ROLE",
    "You are not allowed to change users role",
);
const CREATE: Right =
    right("user", "create", "YOU_ARE_NOT_ALLOWED_TO_CREATE_USERS", "You are not allowed to create users");
const LIST: Right =
    right("user", "list", "YOU_ARE_NOT_ALLOWED_TO_LIST_USERS", "You are not allowed to list users");
const GET: Right = right("user", "get", "YOU_ARE_NOT_ALLOWED_TO_GET_USER", "You are not allowed to get user");
const UPDATE: Right =
    right("user", "update", "YOU_ARE_NOT_ALLOWED_TO_UPDATE_USERS", "You are not allowed to update users");
const SET_EMAIL: Right = right(
    "user",
    "set-email",
    "YOU_ARE_NOT_ALLOWED_TO_SET_USERS_EMAIL",
    "You are not allowed to update users email",
);
const BAN: Right =
    right("user", "ban", "YOU_ARE_NOT_ALLOWED_TO_BAN_USERS", "You are not allowed to ban users");
const IMPERSONATE: Right = right(
    "user",
    "impersonate",
    "YOU_ARE_NOT_ALLOWED_TO_IMPERSONATE_USERS",
    "You are not allowed to impersonate users",
);
const DELETE: Right =
    right("user", "delete", "YOU_ARE_NOT_ALLOWED_TO_DELETE_USERS", "You are not allowed to delete users");
const SET_PASSWORD: Right = right(
    "user",
    "set-password",
    "YOU_ARE_NOT_ALLOWED_TO_SET_USERS_PASSWORD",
    "You are not allowed to set users password",
);
const LIST_SESSIONS: Right = right(
    "session",
    "list",
    "YOU_ARE_NOT_ALLOWED_TO_LIST_USERS_SESSIONS",
    "You are not allowed to list users sessions",
);
const REVOKE_SESSIONS: Right = right(
    "session",
    "revoke",
    "YOU_ARE_NOT_ALLOWED_TO_REVOKE_USERS_SESSIONS",
    "You are not allowed to revoke users sessions",
);

/// An administrator who is signed in.
#[derive(Debug)]
struct Administrator {
    caller: SessionCaller,
    actor: Actor,
}

impl Call {
    /// Whoever is signed in and may do something; that somebody may not is noted.
    async fn administrator(&self, right: Right) -> Result<Administrator, BetterAuthError> {
        let caller = self.find_session().await?.ok_or_else(|| BetterAuthError::signed_out().bare())?;
        let role = self.app.commands().admin_roles_of(&caller.view().user).to_string();
        let administrator = Administrator { actor: Actor::Admin { role, id: Some(caller.user()) }, caller };
        self.demand(&administrator, right).await?;
        Ok(administrator)
    }

    /// The same for something more.
    async fn demand(&self, administrator: &Administrator, right: Right) -> Result<(), BetterAuthError> {
        let wanted = Permissions::of(&[(right.resource, &[right.action])]);
        let commands = self.app.commands();
        if commands.may_administer(&administrator.caller.view().user, &wanted) {
            return Ok(());
        }
        let operation = format!("{}.{}", right.resource, right.action);
        let context = self.context(administrator.caller.actor());
        match commands.note_admin_denied(&context, operation, AdminRefusal::NotAdmin).await {
            Ok(()) => Err(BetterAuthError::forbidden(right.code, right.message)),
            Err(evident_commands::NoteError::Failure(failure)) => Err(failure.into()),
        }
    }
}

/// An id of a user. Ids that are none belong to nobody.
fn user_id(text: &str) -> Result<UserId, BetterAuthError> {
    text.parse().map_err(|_| user_not_found())
}

/// The text of an id: numbers are taken as their text.
fn id_text(fields: &mut Fields<'_>, name: &str) -> String {
    match fields.raw(name) {
        Some(Value::Number(number)) => number.to_string(),
        _ => fields.text(name),
    }
}

fn user_not_found() -> BetterAuthError {
    BetterAuthError::not_found("USER_NOT_FOUND", "User not found")
}

/// Roles as they were given: a text with commas, or a list.
fn roles(value: &Value) -> Result<Roles, BetterAuthError> {
    let invalid = || BetterAuthError::bad_request("INVALID_ROLE_TYPE", "Invalid role type");
    match value {
        Value::String(text) => Roles::parse([text.as_str()]).map_err(|_| invalid()),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Roles::parse(texts.ok_or_else(invalid)?).map_err(|_| invalid())
        }
        _ => Err(invalid()),
    }
}

/// Roles that the owner knows.
fn known_roles(call: &Call, value: &Value) -> Result<Roles, BetterAuthError> {
    let roles = roles(value)?;
    if call.app.settings().plugins.administration.knows(&roles) {
        return Ok(roles);
    }
    Err(BetterAuthError::bad_request(
        "YOU_ARE_NOT_ALLOWED_TO_SET_NON_EXISTENT_VALUE",
        "You are not allowed to set a non-existent role value",
    ))
}

fn refusal(error: AdministerUserError) -> BetterAuthError {
    match error {
        AdministerUserError::Weak(weakness) => super::sign_up::weakness_refusal(weakness),
        AdministerUserError::Email(_) => BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email"),
        AdministerUserError::Phone(_) => {
            BetterAuthError::bad_request("INVALID_PHONE_NUMBER", "Invalid phone number")
        }
        AdministerUserError::EmailTaken => email_taken(),
        AdministerUserError::PhoneTaken => {
            BetterAuthError::bad_request("PHONE_NUMBER_EXIST", "Phone number already exists")
        }
        AdministerUserError::Name(error) => username::refusal(error),
        AdministerUserError::User(UserError::NotFound) => user_not_found(),
        AdministerUserError::User(_) | AdministerUserError::Session(_) => {
            BetterAuthError::bad_request("FAILED_TO_UPDATE_USER", "Failed to update user")
        }
        AdministerUserError::Failure(failure) => failure.into(),
    }
}

fn email_taken() -> BetterAuthError {
    BetterAuthError::bad_request(
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
        "User already exists. Use another email.",
    )
}

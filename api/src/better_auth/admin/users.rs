//! Accounts: making, showing, changing and removing them.

use evident_commands::password::Password;
use evident_commands::{
    AdministerUser, BanChange, CreateUser, CreateUserError, DeleteUserError, Deletion, NameChange,
};
use evident_domain::{Metadata, Time};
use serde_json::{Map, Value, json};

use super::super::call::{Answer, Call, Reply};
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::own_fields;
use super::super::routes::Table;
use super::super::sign_up::{length_refusal, password_length};
use super::super::username;
use super::{
    BAN, CREATE, DELETE, GET, SET_EMAIL, SET_PASSWORD, SET_ROLE, UPDATE, email_taken, id_text, known_roles,
    refusal, user_id, user_not_found,
};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/admin/set-role", set_role)
        .post("/admin/create-user", create_user)
        .get("/admin/get-user", get_user)
        .post("/admin/update-user", update_user)
        .post("/admin/remove-user", remove_user)
        .post("/admin/set-user-password", set_user_password)
}

/// Gives a user other roles.
async fn set_role(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    let role = fields.raw("role").cloned();
    if !matches!(role, Some(Value::String(_) | Value::Array(_))) {
        fields.problem("role", "Invalid input");
    }
    fields.finish()?;
    let administrator = call.administrator(SET_ROLE).await?;
    let roles = known_roles(&call, &role.unwrap_or_default())?;
    let change = AdministerUser { admin_roles: Some(roles), ..AdministerUser::default() };
    let context = call.context(administrator.actor);
    let user = user_id(&id)?;
    let view = call.app.commands().administer_user(&context, user, change).await.map_err(refusal)?;
    Answer::json(&json!({ "user": UserDocument::of(&call.app, &view) }))
}

/// Makes an account; nobody is signed in.
async fn create_user(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let password = fields.maybe_text("password").filter(|password| !password.is_empty());
    let name = fields.text("name");
    let role = fields.raw("role").cloned();
    let data = fields.maybe_object("data").cloned().unwrap_or_default();
    fields.finish()?;
    let administrator = call.administrator(CREATE).await?;
    let role = role.or_else(|| data.get("role").cloned());
    let admin_roles = match &role {
        None => None,
        Some(role) => {
            call.demand(&administrator, SET_ROLE).await?;
            Some(known_roles(&call, role)?)
        }
    };
    if touches_ban(&data) {
        call.demand(&administrator, BAN).await?;
    }
    let given = Given::read(&call, &data)?;
    let password = password
        .map(|password| Password::within(password, password_length(&call)))
        .transpose()
        .map_err(length_refusal)?;
    let metadata = Metadata::default().with("name", name).merged(&given.metadata);
    let wanted = CreateUser {
        email: Some(email),
        phone: given.phone,
        password,
        email_confirm: given.email_verified == Some(true),
        phone_confirm: given.phone_verified == Some(true),
        user_metadata: Some(metadata),
        app_metadata: given.app_metadata,
        ban: given.ban,
        admin_roles,
        names: given.names,
        ..CreateUser::default()
    };
    let context = call.context(administrator.actor);
    let view = call.app.commands().create_user(&context, wanted).await.map_err(creation_refusal)?;
    Answer::json(&json!({ "user": UserDocument::of(&call.app, &view) }))
}

fn creation_refusal(error: CreateUserError) -> BetterAuthError {
    match error {
        CreateUserError::EmailTaken => email_taken(),
        CreateUserError::PhoneTaken => {
            BetterAuthError::bad_request("PHONE_NUMBER_EXIST", "Phone number already exists")
        }
        CreateUserError::Email(_) | CreateUserError::NoContact => {
            BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email")
        }
        CreateUserError::Phone(_) => {
            BetterAuthError::bad_request("INVALID_PHONE_NUMBER", "Invalid phone number")
        }
        CreateUserError::Name(error) => username::refusal(error),
        CreateUserError::Failure(failure) => failure.into(),
        _ => BetterAuthError::bad_request("FAILED_TO_CREATE_USER", "Failed to create user"),
    }
}

/// One account.
async fn get_user(call: Call) -> Reply {
    let id = call.required_param("id")?.to_owned();
    call.administrator(GET).await?;
    let view = call.app.commands().user_view(user_id(&id)?).await?;
    let view = view.filter(|view| view.user.deleted_at.is_none()).ok_or_else(user_not_found)?;
    Answer::json(&UserDocument::of(&call.app, &view))
}

/// Changes an account; the answer is the account itself.
async fn update_user(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    let data = fields.maybe_object("data").cloned();
    if data.is_none() && fields.raw("data").is_none() {
        fields.problem("data", "Invalid input: expected record, received undefined");
    }
    fields.finish()?;
    let data = data.unwrap_or_default();
    let administrator = call.administrator(UPDATE).await?;
    if data.is_empty() {
        return Err(BetterAuthError::bad_request("NO_DATA_TO_UPDATE", "No data to update"));
    }
    if data.contains_key("password") {
        return Err(BetterAuthError::bad_request(
            "PASSWORD_CANNOT_BE_UPDATED_VIA_UPDATE_USER",
            "Password cannot be updated through update-user. Use the set-user-password endpoint instead",
        ));
    }
    let admin_roles = match data.get("role") {
        None => None,
        Some(role) => {
            call.demand(&administrator, SET_ROLE).await?;
            Some(known_roles(&call, role)?)
        }
    };
    if touches_ban(&data) {
        call.demand(&administrator, BAN).await?;
        if data.get("banned") == Some(&Value::Bool(true)) && id == administrator.caller.user().to_string() {
            return Err(super::bans::not_yourself());
        }
    }
    if data.contains_key("email") || data.contains_key("emailVerified") {
        call.demand(&administrator, SET_EMAIL).await?;
    }
    let given = Given::read(&call, &data)?;
    let user = user_id(&id)?;
    let change = AdministerUser {
        email: given.email,
        phone: given.phone,
        email_confirm: given.email_verified == Some(true),
        phone_confirm: given.phone_verified == Some(true),
        user_metadata: Some(given.metadata),
        app_metadata: given.app_metadata,
        ban: given.ban,
        admin_roles,
        names: given.names,
        ..AdministerUser::default()
    };
    let context = call.context(administrator.actor);
    let view = call.app.commands().administer_user(&context, user, change).await.map_err(refusal)?;
    Answer::json(&UserDocument::of(&call.app, &view))
}

/// Forgets a person.
async fn remove_user(call: Call) -> Reply {
    let mut fields = call.fields();
    let id = id_text(&mut fields, "userId");
    fields.finish()?;
    let administrator = call.administrator(DELETE).await?;
    if id == administrator.caller.user().to_string() {
        return Err(BetterAuthError::bad_request("YOU_CANNOT_REMOVE_YOURSELF", "You cannot remove yourself"));
    }
    let context = call.context(administrator.actor);
    match call.app.commands().delete_user(&context, user_id(&id)?, Deletion::Erase).await {
        Ok(()) => Answer::success(),
        Err(DeleteUserError::Held(_)) => Err(BetterAuthError::held()),
        Err(DeleteUserError::Organization(_)) => Err(BetterAuthError::only_owner()),
        Err(DeleteUserError::Failure(failure)) => Err(failure.into()),
        Err(DeleteUserError::User(_) | DeleteUserError::Session(_)) => Err(user_not_found()),
    }
}

/// Sets a password; the user is signed out everywhere.
async fn set_user_password(call: Call) -> Reply {
    let mut fields = call.fields();
    let password = fields.text("newPassword");
    let id = id_text(&mut fields, "userId");
    fields.finish()?;
    let administrator = call.administrator(SET_PASSWORD).await?;
    let password = Password::within(password, password_length(&call)).map_err(length_refusal)?;
    let change = AdministerUser { password: Some(password), ..AdministerUser::default() };
    let context = call.context(administrator.actor);
    call.app.commands().administer_user(&context, user_id(&id)?, change).await.map_err(refusal)?;
    Answer::status()
}

fn touches_ban(data: &Map<String, Value>) -> bool {
    ["banned", "banReason", "banExpires"].iter().any(|key| data.contains_key(*key))
}

/// Fields of an account as an administrator writes them.
#[derive(Debug, Default)]
struct Given {
    email: Option<String>,
    email_verified: Option<bool>,
    phone: Option<String>,
    phone_verified: Option<bool>,
    names: NameChange,
    metadata: Metadata,
    app_metadata: Option<Metadata>,
    ban: Option<BanChange>,
}

impl Given {
    fn read(call: &Call, data: &Map<String, Value>) -> Result<Self, BetterAuthError> {
        let text = |key: &str| match data.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(mistyped(key)),
        };
        let flag = |key: &str| match data.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(mistyped(key)),
        };
        let mut metadata = Metadata::default();
        for key in ["name", "image"] {
            match data.get(key) {
                None => {}
                Some(value @ (Value::String(_) | Value::Null)) => {
                    metadata = metadata.with(key, value.clone());
                }
                Some(_) => return Err(mistyped(key)),
            }
        }
        let (own, application) =
            own_fields::of_administrator(&call.app.settings().plugins.user_fields, data)?;
        let metadata = metadata.overlaid(&own);
        let wanted = text("username")?.filter(|name| !name.is_empty());
        let username = wanted.as_deref().map(|name| call.app.commands().username(name)).transpose();
        let username = username.map_err(|error| username::refusal(error.into()))?;
        let names = NameChange { username, display_username: text("displayUsername")?.or(wanted) };
        let ban = match flag("banned")? {
            Some(false) => Some(BanChange::Lift),
            Some(true) => Some(BanChange::Ban { until: expiry(data)?, reason: text("banReason")? }),
            None => None,
        };
        Ok(Self {
            email: text("email")?.map(|email| email.to_lowercase()),
            email_verified: flag("emailVerified")?,
            phone: text("phoneNumber")?,
            phone_verified: flag("phoneNumberVerified")?,
            names,
            metadata,
            app_metadata: (!application.is_empty()).then_some(application),
            ban,
        })
    }
}

fn expiry(data: &Map<String, Value>) -> Result<Option<Time>, BetterAuthError> {
    match data.get("banExpires") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| mistyped("banExpires")),
        Some(Value::Number(millis)) => {
            let time = millis.as_i64().and_then(Time::from_timestamp_millis);
            time.map(Some).ok_or_else(|| mistyped("banExpires"))
        }
        Some(_) => Err(mistyped("banExpires")),
    }
}

fn mistyped(key: &str) -> BetterAuthError {
    BetterAuthError::validation(format!("[body.data.{key}] Invalid input"))
}

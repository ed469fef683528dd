//! `/admin/users` and `/admin/users/{user_id}`: what administrators do with accounts.

use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Response, StatusCode};
use evident_commands::password::Password;
use evident_commands::{
    AdministerUser, AdministerUserError, BanChange, CreateUser, CreateUserError, DeleteUserError, Deletion,
    UserView,
};
use evident_domain::UserId;
use evident_domain::organization::OrganizationError;
use evident_domain::user::UserError;
use evident_projections::views::{self, PageQuery};
use uuid::Uuid;

use super::access::AdminCaller;
use super::app::App;
use super::body::Body;
use super::document::{UserDocument, UserListDocument};
use super::duration;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::pagination::Paging;
use super::reply;

type Answer = Result<Response<HttpBody>, GotrueError>;

/// The id in a path, if it is one.
type UserPath = Result<Path<String>, PathRejection>;

/// A page of the users of an audience.
pub(super) async fn list(State(app): State<App>, _: AdminCaller, incoming: Incoming) -> Answer {
    let paging = Paging::read(&incoming.params)?;
    let filter = incoming.params.get("filter").filter(|filter| !filter.is_empty());
    let query = PageQuery {
        aud: incoming.aud(&app),
        filter: filter.map(str::to_owned),
        direction: paging.direction,
        offset: paging.offset(),
        limit: paging.per_page,
    };
    let page = views::page(app.commands().store().database(), &query).await.map_err(GotrueError::internal)?;
    let mut response = reply::json(&UserListDocument::of(&page.users, &query.aud))?;
    paging.head(response.headers_mut(), &incoming, page.total);
    Ok(response)
}

/// Makes a user.
pub(super) async fn create(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    request: Request,
) -> Answer {
    let mut body = Body::read(request, app.body_limit(), "AdminUserParams").await?;
    let id = match body.text_or_empty("id")?.as_str() {
        "" => None,
        text => Some(
            Uuid::try_parse(text)
                .map_err(|_| GotrueError::validation("ID must conform to the uuid v4 format"))?,
        ),
    };
    create_with(&app, &admin, &incoming, id, body).await
}

/// Makes a user with the id of the path.
pub(super) async fn create_at(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    path: UserPath,
    request: Request,
) -> Answer {
    let id = user_id(path)?;
    let body = Body::read(request, app.body_limit(), "AdminUserParams").await?;
    create_with(&app, &admin, &incoming, Some(id.0), body).await
}

async fn create_with(
    app: &App,
    admin: &AdminCaller,
    incoming: &Incoming,
    id: Option<Uuid>,
    mut body: Body,
) -> Answer {
    let aud = body.text("aud")?.filter(|aud| !aud.is_empty());
    let wanted = CreateUser {
        id,
        email: body.text("email")?,
        phone: body.text("phone")?,
        password: password(&mut body)?,
        password_hash: body.text("password_hash")?,
        email_confirm: body.flag("email_confirm")?,
        phone_confirm: body.flag("phone_confirm")?,
        user_metadata: body.object("user_metadata")?,
        app_metadata: body.object("app_metadata")?,
        role: body.text("role")?,
        aud: Some(aud.unwrap_or_else(|| incoming.aud(app))),
        ban: ban(app, &mut body)?,
        ..CreateUser::default()
    };
    let context = incoming.context(admin.actor());
    let created = app.commands().create_user(&context, wanted).await.map_err(creation_refusal)?;
    reply::json(&UserDocument::of(&created))
}

/// Shows a user.
pub(super) async fn show(State(app): State<App>, _: AdminCaller, path: UserPath) -> Answer {
    let view = existing(&app, user_id(path)?).await?;
    reply::json(&UserDocument::of(&view))
}

/// Changes a user.
pub(super) async fn change(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    path: UserPath,
    request: Request,
) -> Answer {
    let id = existing(&app, user_id(path)?).await?.user.id;
    let mut body = Body::read(request, app.body_limit(), "AdminUserParams").await?;
    let wanted = AdministerUser {
        email: body.text("email")?,
        phone: body.text("phone")?,
        password: password(&mut body)?,
        email_confirm: body.flag("email_confirm")?,
        phone_confirm: body.flag("phone_confirm")?,
        user_metadata: body.object("user_metadata")?,
        app_metadata: body.object("app_metadata")?,
        role: body.text("role")?,
        ban: ban(&app, &mut body)?,
        ..AdministerUser::default()
    };
    let context = incoming.context(admin.actor());
    let changed = app.commands().administer_user(&context, id, wanted).await.map_err(change_refusal)?;
    reply::json(&UserDocument::of(&changed))
}

/// Deletes a user: for good, unless the body asks to keep what says nothing of the person.
pub(super) async fn delete(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    path: UserPath,
    request: Request,
) -> Answer {
    let id = existing(&app, user_id(path)?).await?.user.id;
    let mut body = Body::read_optional(request, app.body_limit(), "adminUserDeleteParams").await?;
    let deletion = if body.flag("should_soft_delete")? { Deletion::Soft } else { Deletion::Erase };
    let context = incoming.context(admin.actor());
    app.commands().delete_user(&context, id, deletion).await.map_err(deletion_refusal)?;
    Ok(reply::json_bytes("{}"))
}

fn user_id(path: UserPath) -> Result<UserId, GotrueError> {
    path.ok()
        .and_then(|Path(text)| Uuid::try_parse(&text).ok())
        .map(UserId)
        .ok_or_else(|| GotrueError::not_found(ErrorCode::ValidationFailed, "user_id must be an UUID"))
}

/// Whether there is such a user is looked at before the body.
async fn existing(app: &App, id: UserId) -> Result<UserView, GotrueError> {
    app.commands().user_view(id).await?.ok_or_else(GotrueError::user_not_found)
}

fn password(body: &mut Body) -> Result<Option<Password>, GotrueError> {
    match body.text("password")? {
        None => Ok(None),
        Some(text) => Password::parse(text).map(Some).map_err(|_| GotrueError::password_too_long()),
    }
}

/// What `ban_duration` does to a ban; nothing when it is absent or empty.
fn ban(app: &App, body: &mut Body) -> Result<Option<BanChange>, GotrueError> {
    let text = body.text_or_empty("ban_duration")?;
    if text.is_empty() {
        return Ok(None);
    }
    if text == "none" {
        return Ok(Some(BanChange::Lift));
    }
    let nanoseconds = duration::parse(&text)
        .map_err(|error| GotrueError::validation(format!("invalid format for ban duration: {error}")))?;
    if nanoseconds == 0 {
        return Ok(Some(BanChange::Lift));
    }
    // The clock knows microseconds, and so does the log.
    let until = app.now() + chrono::Duration::microseconds(nanoseconds / 1_000);
    Ok(Some(BanChange::Ban { until: Some(until), reason: None }))
}

fn phone_exists() -> GotrueError {
    let message = "Phone number already registered by another user";
    GotrueError::unprocessable(ErrorCode::PhoneExists, message)
}

fn creation_refusal(error: CreateUserError) -> GotrueError {
    match error {
        CreateUserError::NoContact => {
            GotrueError::validation("Cannot create a user without either an email or phone")
        }
        CreateUserError::PasswordAndHash => {
            GotrueError::validation("Only a password or a password hash should be provided")
        }
        CreateUserError::UnknownHash => GotrueError::validation("The password hash is of an unknown form"),
        CreateUserError::Email(error) => GotrueError::email(error),
        CreateUserError::Phone(_) => GotrueError::phone(),
        CreateUserError::EmailTaken => GotrueError::email_exists(),
        CreateUserError::PhoneTaken => phone_exists(),
        CreateUserError::IdTaken => GotrueError::unprocessable(
            ErrorCode::UserAlreadyExists,
            "A user with this id has already been registered",
        ),
        CreateUserError::NilId => GotrueError::validation("ID cannot be a nil uuid"),
        CreateUserError::User(error) => user_refusal(error),
        CreateUserError::Session(error) => GotrueError::internal(error),
        CreateUserError::Name(error) => GotrueError::internal(error),
        CreateUserError::Failure(failure) => failure.into(),
    }
}

fn change_refusal(error: AdministerUserError) -> GotrueError {
    match error {
        AdministerUserError::Weak(weakness) => GotrueError::weak_password(weakness),
        AdministerUserError::Email(error) => GotrueError::email(error),
        AdministerUserError::Phone(_) => GotrueError::phone(),
        AdministerUserError::EmailTaken => GotrueError::email_exists(),
        AdministerUserError::PhoneTaken => phone_exists(),
        AdministerUserError::User(error) => user_refusal(error),
        AdministerUserError::Session(error) => GotrueError::internal(error),
        AdministerUserError::Name(error) => GotrueError::internal(error),
        AdministerUserError::Failure(failure) => failure.into(),
    }
}

/// Supabase Auth has no organizations, and so no word for it.
fn only_owner(error: OrganizationError) -> GotrueError {
    match error {
        OrganizationError::LastOwner => {
            let message = "The user is the only owner of an organization with other members";
            GotrueError::new(StatusCode::CONFLICT, ErrorCode::Conflict, message)
        }
        other => GotrueError::internal(other),
    }
}

fn deletion_refusal(error: DeleteUserError) -> GotrueError {
    match error {
        DeleteUserError::User(error) => user_refusal(error),
        DeleteUserError::Held(_) => {
            GotrueError::new(StatusCode::CONFLICT, ErrorCode::Conflict, error.to_string())
        }
        DeleteUserError::Organization(error) => only_owner(error),
        DeleteUserError::Session(error) => GotrueError::internal(error),
        DeleteUserError::Failure(failure) => failure.into(),
    }
}

/// What the account's rules said no to. Most of them cannot be broken here.
fn user_refusal(error: UserError) -> GotrueError {
    match error {
        UserError::NotFound => GotrueError::user_not_found(),
        UserError::AlreadyExists
        | UserError::NoContact
        | UserError::NothingToConfirm
        | UserError::TokenInvalid
        | UserError::TooSoon { .. }
        | UserError::IdentityNotFound
        | UserError::Factor(_)
        | UserError::LastIdentity
        | UserError::EmailConflict
        | UserError::IdentityAlreadyLinked => GotrueError::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_in_any_spelling() {
        for spelling in [
            "3e4fc3d5-b70a-481e-9dc0-87e2c35feee4",
            "3E4FC3D5-B70A-481E-9DC0-87E2C35FEEE4",
            "3e4fc3d5b70a481e9dc087e2c35feee4",
            "{3e4fc3d5-b70a-481e-9dc0-87e2c35feee4}",
            "urn:uuid:3e4fc3d5-b70a-481e-9dc0-87e2c35feee4",
        ] {
            let id = user_id(Ok(Path(spelling.to_owned()))).unwrap();
            assert_eq!(id.to_string(), "3e4fc3d5-b70a-481e-9dc0-87e2c35feee4");
        }
        let error = user_id(Ok(Path("abc".to_owned()))).unwrap_err();
        assert_eq!(
            (error.status().as_u16(), error.code(), error.message()),
            (404, ErrorCode::ValidationFailed, "user_id must be an UUID")
        );
    }

    #[test]
    fn refusals_have_the_peers_words() {
        for (error, status, code, message) in [
            (
                CreateUserError::NoContact,
                400,
                "validation_failed",
                "Cannot create a user without either an email or phone",
            ),
            (
                CreateUserError::PasswordAndHash,
                400,
                "validation_failed",
                "Only a password or a password hash should be provided",
            ),
            (
                CreateUserError::EmailTaken,
                422,
                "email_exists",
                "A user with this email address has already been registered",
            ),
            (
                CreateUserError::PhoneTaken,
                422,
                "phone_exists",
                "Phone number already registered by another user",
            ),
            (CreateUserError::NilId, 400, "validation_failed", "ID cannot be a nil uuid"),
        ] {
            let refused = creation_refusal(error);
            assert_eq!(
                (refused.status().as_u16(), refused.code().as_str(), refused.message()),
                (status, code, message)
            );
        }
        let gone = change_refusal(AdministerUserError::User(UserError::NotFound));
        assert_eq!(
            (gone.status().as_u16(), gone.code().as_str(), gone.message()),
            (404, "user_not_found", "User not found")
        );
    }
}

//! `/passkeys`: authenticators that sign in without a password; and what administrators do with them.

use axum::body::Body as HttpBody;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::Response;
use axum::http::request::Parts;
use evident_commands::webauthn::{CreationOptions, RequestOptions};
use evident_commands::{PasskeyRow, PasskeysError, UserView};
use evident_domain::session::SessionError;
use evident_domain::user::UserError;
use evident_domain::user::factor::FactorError;
use evident_domain::{Actor, PasskeyId};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::access::{AdminCaller, UserCaller};
use super::app::{App, Bucket};
use super::body::Body;
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::path::Ids;
use super::reply;
use super::time::Rfc3339;

type Answer = Result<Response<HttpBody>, GotrueError>;

/// The longest name of a passkey, in characters.
const LONGEST_NAME: usize = 120;

/// Passkeys are on: that is looked at before anything else.
pub(super) struct Enabled;

impl FromRequestParts<App> for Enabled {
    type Rejection = GotrueError;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        if app.commands().passkeys_enabled() { Ok(Self) } else { Err(disabled()) }
    }
}

/// Asks an authenticator to become a passkey.
pub(super) async fn ask_new(
    State(app): State<App>,
    _: Enabled,
    caller: UserCaller,
    incoming: Incoming,
) -> Answer {
    caller.check_known()?;
    let context = incoming.context(caller.actor());
    let asked = app.commands().ask_new_passkey(&context, caller.user, caller.in_session()?).await;
    let asked = asked.map_err(refusal)?;
    reply::json(&QuestionDocument {
        challenge_id: asked.question,
        options: Options::Create(&asked.options),
        expires_at: asked.expires_at.timestamp(),
    })
}

/// Takes its answer.
pub(super) async fn add(
    State(app): State<App>,
    _: Enabled,
    caller: UserCaller,
    incoming: Incoming,
    request: Request,
) -> Answer {
    caller.check_known()?;
    let (question, answer) = answer(&app, request, "PasskeyRegistrationVerifyParams").await?;
    let session = caller.in_session()?;
    let context = incoming.context(caller.actor());
    let added = app.commands().add_passkey(&context, caller.user, session, question, &answer).await;
    let id = added.map_err(refusal)?;
    shown(&app, &caller, id).await
}

/// Asks whatever passkey there is.
pub(super) async fn ask(State(app): State<App>, _: Enabled, incoming: Incoming, request: Request) -> Answer {
    app.limit(Bucket::Passkey, &incoming)?;
    Body::read_optional(request, app.body_limit(), "PasskeyAuthenticationOptionsParams").await?;
    let asked = app.commands().ask_passkey_sign_in().map_err(refusal)?;
    reply::json(&QuestionDocument {
        challenge_id: asked.question,
        options: Options::Request(&asked.options),
        expires_at: asked.expires_at.timestamp(),
    })
}

/// Signs a passkey's user in.
pub(super) async fn sign_in(
    State(app): State<App>,
    _: Enabled,
    incoming: Incoming,
    request: Request,
) -> Answer {
    let (question, answer) = answer(&app, request, "PasskeyAuthenticationVerifyParams").await?;
    let context = incoming.context(Actor::Visitor);
    let signed_in = app.commands().sign_in_with_passkey(&context, question, &answer).await;
    let grant = signed_in.map_err(refusal)?;
    reply::session(&grant, &SessionDocument::of(&grant))
}

/// The caller's passkeys.
pub(super) async fn list(_: Enabled, caller: UserCaller) -> Answer {
    reply::json(&documents(&caller.caller.view))
}

/// Calls one something else.
pub(super) async fn rename(
    State(app): State<App>,
    _: Enabled,
    caller: UserCaller,
    incoming: Incoming,
    ids: Ids,
    request: Request,
) -> Answer {
    let id = id(&ids)?;
    let mut body = Body::read(request, app.body_limit(), "PasskeyUpdateParams").await?;
    let name = body.text_or_empty("friendly_name")?;
    if name.is_empty() {
        return Err(GotrueError::validation("friendly_name is required"));
    }
    if name.chars().count() > LONGEST_NAME {
        let message = format!("friendly_name must be {LONGEST_NAME} characters or less");
        return Err(GotrueError::validation(message));
    }
    let context = incoming.context(caller.actor());
    let renamed = app.commands().rename_passkey(&context, caller.user, caller.session, id, name).await;
    renamed.map_err(refusal)?;
    shown(&app, &caller, id).await
}

/// Removes one.
pub(super) async fn remove(
    State(app): State<App>,
    _: Enabled,
    caller: UserCaller,
    incoming: Incoming,
    ids: Ids,
) -> Answer {
    let context = incoming.context(caller.actor());
    let removed = app.commands().remove_own_passkey(&context, caller.user, caller.session, id(&ids)?).await;
    removed.map_err(refusal)?;
    Ok(reply::no_content())
}

/// The passkeys of any user; also where passkeys are off.
pub(super) async fn list_of(State(app): State<App>, _: AdminCaller, ids: Ids) -> Answer {
    reply::json(&documents(&existing(&app, &ids).await?))
}

/// Removes one of any user.
pub(super) async fn remove_of(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    ids: Ids,
) -> Answer {
    let view = existing(&app, &ids).await?;
    let context = incoming.context(admin.actor());
    let removed = app.commands().remove_passkey(&context, view.user.id, id(&ids)?).await;
    removed.map_err(|error| match error {
        // Closed, or erased since it was looked up: it is not the caller who is gone.
        PasskeysError::User(UserError::NotFound) => not_found(),
        other => refusal(other),
    })?;
    Ok(reply::no_content())
}

async fn existing(app: &App, ids: &Ids) -> Result<UserView, GotrueError> {
    app.commands().user_view(ids.user()?).await?.ok_or_else(GotrueError::user_not_found)
}

fn id(ids: &Ids) -> Result<PasskeyId, GotrueError> {
    ids.get("passkey_id").map_err(|_| not_found())
}

/// A passkey as it is now.
async fn shown(app: &App, caller: &UserCaller, id: PasskeyId) -> Answer {
    let view = app.commands().user_view(caller.user).await?;
    let row = view.as_ref().and_then(|view| view.user.passkeys.iter().find(|row| row.id == id));
    reply::json(&PasskeyDocument::of(row.ok_or_else(not_found)?))
}

/// The question that is answered, and the answer.
async fn answer(app: &App, request: Request, name: &'static str) -> Result<(Uuid, Value), GotrueError> {
    let mut body = Body::read(request, app.body_limit(), name).await?;
    let question = body.uuid("challenge_id")?.filter(|id| !id.is_nil());
    let question = question.ok_or_else(|| GotrueError::validation("challenge_id is required"))?;
    let answer = body.value("credential");
    Ok((question, answer.ok_or_else(|| GotrueError::validation("credential is required"))?))
}

#[derive(Serialize)]
struct QuestionDocument<'a> {
    challenge_id: Uuid,
    options: Options<'a>,
    expires_at: i64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Options<'a> {
    Create(&'a CreationOptions),
    Request(&'a RequestOptions),
}

#[derive(Serialize)]
struct PasskeyDocument<'a> {
    id: PasskeyId,
    #[serde(skip_serializing_if = "str::is_empty")]
    friendly_name: &'a str,
    created_at: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Rfc3339>,
}

impl<'a> PasskeyDocument<'a> {
    fn of(row: &'a PasskeyRow) -> Self {
        Self {
            id: row.id,
            friendly_name: &row.name,
            created_at: Rfc3339(row.created_at),
            last_used_at: row.last_used_at.map(Rfc3339),
        }
    }
}

fn documents(view: &UserView) -> Vec<PasskeyDocument<'_>> {
    view.user.passkeys.iter().map(PasskeyDocument::of).collect()
}

fn disabled() -> GotrueError {
    GotrueError::not_found(ErrorCode::PasskeyDisabled, "Passkeys are disabled")
}

fn not_found() -> GotrueError {
    GotrueError::not_found(ErrorCode::ValidationFailed, "Passkey not found")
}

fn refusal(error: PasskeysError) -> GotrueError {
    match error {
        PasskeysError::Disabled => disabled(),
        PasskeysError::SingleSignOn => GotrueError::unprocessable(
            ErrorCode::ValidationFailed,
            "Passkeys are not available to users of single sign-on",
        ),
        PasskeysError::QuestionNotFound => GotrueError::bad_request(
            ErrorCode::WebauthnChallengeNotFound,
            "Challenge not found or already used",
        ),
        PasskeysError::QuestionExpired => {
            GotrueError::bad_request(ErrorCode::WebauthnChallengeExpired, "Challenge has expired")
        }
        PasskeysError::Malformed => {
            let code = ErrorCode::WebauthnVerificationFailed;
            GotrueError::bad_request(code, "Invalid credential response")
        }
        PasskeysError::Refused => {
            let code = ErrorCode::WebauthnVerificationFailed;
            GotrueError::bad_request(code, "Credential verification failed")
        }
        PasskeysError::Banned => GotrueError::forbidden(ErrorCode::UserBanned, "User is banned"),
        PasskeysError::EmailNotConfirmed => {
            GotrueError::forbidden(ErrorCode::EmailNotConfirmed, "Email not confirmed")
        }
        PasskeysError::PhoneNotConfirmed => {
            GotrueError::forbidden(ErrorCode::PhoneNotConfirmed, "Phone not confirmed")
        }
        PasskeysError::User(UserError::Factor(error)) => rule(error),
        PasskeysError::User(UserError::NotFound) => {
            GotrueError::forbidden(ErrorCode::UserNotFound, "User from sub claim in JWT does not exist")
        }
        PasskeysError::User(error) => GotrueError::internal(error),
        PasskeysError::Session(SessionError::NotFound) => {
            let message = "Session from session_id claim in JWT does not exist";
            GotrueError::forbidden(ErrorCode::SessionNotFound, message)
        }
        PasskeysError::Session(error) => GotrueError::internal(error),
        PasskeysError::Failure(failure) => failure.into(),
    }
}

fn rule(error: FactorError) -> GotrueError {
    match error {
        FactorError::PasskeyNotFound => not_found(),
        FactorError::TooManyPasskeys => {
            GotrueError::unprocessable(ErrorCode::TooManyPasskeys, "Maximum number of passkeys reached")
        }
        FactorError::PasskeyExists => GotrueError::unprocessable(
            ErrorCode::WebauthnCredentialExists,
            "This credential is already registered",
        ),
        FactorError::InsufficientAal => GotrueError::forbidden(
            ErrorCode::InsufficientAal,
            "AAL2 session is required to manage passkeys when MFA is enabled",
        ),
        other => GotrueError::internal(other),
    }
}

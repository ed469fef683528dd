//! `POST /admin/generate_link`: a link and its code for an administrator to send by other means.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::{GenerateLink, GenerateLinkError, GeneratedLink, LinkKind};
use evident_domain::Email;
use serde::Serialize;
use zeroize::Zeroizing;

use super::access::AdminCaller;
use super::app::App;
use super::body::Body;
use super::document::UserDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::message_refusal::user_refusal;
use super::reply;

/// The account, and the link beside it.
#[derive(Serialize)]
struct LinkDocument<'a> {
    #[serde(flatten)]
    user: UserDocument<'a>,
    action_link: &'a str,
    email_otp: &'a str,
    hashed_token: &'a str,
    verification_type: &'static str,
    redirect_to: &'a str,
}

impl<'a> LinkDocument<'a> {
    fn of(link: &'a GeneratedLink) -> Self {
        Self {
            user: UserDocument::of(&link.user),
            action_link: &link.action_link,
            email_otp: &link.code,
            hashed_token: &link.token,
            verification_type: name(link.kind),
            redirect_to: &link.redirect_to,
        }
    }
}

fn name(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::SignUp => "signup",
        LinkKind::MagicLink => "magiclink",
        LinkKind::Recovery => "recovery",
        LinkKind::Invite => "invite",
        LinkKind::EmailChangeCurrent => "email_change_current",
        LinkKind::EmailChangeNew => "email_change_new",
    }
}

fn kind(name: &str) -> Option<LinkKind> {
    Some(match name {
        "signup" => LinkKind::SignUp,
        "magiclink" => LinkKind::MagicLink,
        "recovery" => LinkKind::Recovery,
        "invite" => LinkKind::Invite,
        "email_change_current" => LinkKind::EmailChangeCurrent,
        "email_change_new" => LinkKind::EmailChangeNew,
        _ => return None,
    })
}

/// Makes the link.
pub(super) async fn generate_link(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let mut body = Body::read(request, app.body_limit(), "GenerateLinkParams").await?;
    let email = body.text_or_empty("email")?;
    let new_email = body.text_or_empty("new_email")?;
    let password = Zeroizing::new(body.text_or_empty("password")?);
    let data = body.object("data")?.unwrap_or_default();
    let wished = body.text("redirect_to")?.filter(|url| !url.is_empty());
    let named = body.text_or_empty("type")?;
    // The address is looked at before the type.
    Email::parse(&email).map_err(GotrueError::email)?;
    let kind = kind(&named).ok_or_else(|| {
        GotrueError::validation(format!("Invalid email action link type requested: {named}"))
    })?;
    let redirect_to =
        wished.and_then(|url| app.redirects().admit(&url)).or_else(|| incoming.redirect_to(&app));
    let aud = incoming.aud(&app);
    let wanted = GenerateLink { kind, email, new_email, password, data, aud, redirect_to };
    let made = app.commands().generate_link(&incoming.context(admin.actor()), wanted).await;
    reply::json(&LinkDocument::of(&made.map_err(refusal)?))
}

fn refusal(error: GenerateLinkError) -> GotrueError {
    match error {
        GenerateLinkError::Email(error) => GotrueError::email(error),
        GenerateLinkError::NotFound => {
            GotrueError::not_found(ErrorCode::UserNotFound, "User with this email not found")
        }
        GenerateLinkError::EmailTaken => GotrueError::email_exists(),
        GenerateLinkError::PasswordMissing => GotrueError::validation("Signup requires a valid password"),
        GenerateLinkError::PasswordTooLong(_) => GotrueError::password_too_long(),
        GenerateLinkError::Weak(weakness) => GotrueError::weak_password(weakness),
        GenerateLinkError::CurrentIsNotAsked => {
            GotrueError::validation("Enable secure email change to generate link for current email")
        }
        GenerateLinkError::User(error) => user_refusal(error, false),
        GenerateLinkError::Session(error) => GotrueError::internal(error),
        GenerateLinkError::Failure(failure) => failure.into(),
    }
}

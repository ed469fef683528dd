//! `/oauth/authorizations/{authorization_id}`: what the application's page shows to its user, and what the
//! user decides there.

use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{Response, header};
use evident_commands::oauth_server::{ConsentChoice, DecideError, Decider, Seen};
use evident_domain::UserId;
use serde::Serialize;

use super::{ClientSummary, OAuthServer};
use crate::gotrue::access::UserCaller;
use crate::gotrue::app::App;
use crate::gotrue::body::Body;
use crate::gotrue::error::{ErrorCode, GotrueError};
use crate::gotrue::incoming::Incoming;
use crate::gotrue::reply;

type Answer = Result<Response<HttpBody>, GotrueError>;

/// The authorization in a path, if it reads.
type AuthorizationPath = Result<Path<String>, PathRejection>;

/// Stands for a request that comes from the application's own pages, where a browser says where it comes
/// from: another site's page must not decide for its visitors.
#[derive(Debug)]
pub(in crate::gotrue) struct OwnOrigin;

impl FromRequestParts<App> for OwnOrigin {
    type Rejection = GotrueError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let own = |origin: &str| {
            let redirects = app.redirects();
            redirects.admit(origin).is_some() || redirects.admit(&format!("{origin}/")).is_some()
        };
        if origins.all(|origin| origin.to_str().is_ok_and(own)) {
            Ok(Self)
        } else {
            Err(GotrueError::validation("unauthorized request origin"))
        }
    }
}

#[derive(Serialize)]
struct RequestDocument<'a> {
    authorization_id: &'a str,
    redirect_uri: &'a str,
    client: ClientSummary<'a>,
    user: UserSummary<'a>,
    scope: String,
}

#[derive(Serialize)]
struct UserSummary<'a> {
    id: UserId,
    email: &'a str,
}

#[derive(Serialize)]
struct RedirectDocument<'a> {
    redirect_url: &'a str,
}

/// Shows a request; one that the user granted before is answered at once.
pub(in crate::gotrue) async fn show(
    State(app): State<App>,
    _: OAuthServer,
    caller: UserCaller,
    _: OwnOrigin,
    incoming: Incoming,
    path: AuthorizationPath,
) -> Answer {
    let Path(handle) = path.map_err(|_| not_found())?;
    let context = incoming.context(caller.actor());
    let seen = app.commands().see_authorization(&context, decider(&caller), &handle).await;
    let refused = |error| refusal(error, "authorization request cannot be processed");
    match seen.map_err(refused)? {
        Seen::Approved { redirect_url } => reply::json(&RedirectDocument { redirect_url: &redirect_url }),
        Seen::Pending(request) => reply::json(&RequestDocument {
            authorization_id: &handle,
            redirect_uri: request.asked.redirect_uri.as_str(),
            client: ClientSummary::of(request.asked.client, &request.client),
            user: UserSummary {
                id: caller.user,
                email: caller.caller.view.user.email.as_deref().unwrap_or_default(),
            },
            scope: request.asked.scopes.to_string(),
        }),
    }
}

/// Takes the user's decision.
pub(in crate::gotrue) async fn decide(
    State(app): State<App>,
    _: OAuthServer,
    caller: UserCaller,
    _: OwnOrigin,
    incoming: Incoming,
    path: AuthorizationPath,
    request: Request,
) -> Answer {
    let Path(handle) = path.map_err(|_| not_found())?;
    let mut body = Body::read(request, app.body_limit(), "OAuthServerConsentRequest").await?;
    let choice = match body.text_or_empty("action")?.as_str() {
        "approve" => ConsentChoice::Approve,
        "deny" => ConsentChoice::Deny,
        _ => return Err(GotrueError::validation("action must be 'approve' or 'deny'")),
    };
    let context = incoming.context(caller.actor());
    let decided = app.commands().decide_authorization(&context, decider(&caller), &handle, choice).await;
    let refused = |error| refusal(error, "authorization request is no longer pending");
    reply::json(&RedirectDocument { redirect_url: &decided.map_err(refused)? })
}

fn decider(caller: &UserCaller) -> Decider {
    Decider { user: caller.user, session: caller.session }
}

fn not_found() -> GotrueError {
    GotrueError::not_found(ErrorCode::OauthAuthorizationNotFound, "authorization not found")
}

fn refusal(error: DecideError, decided: &'static str) -> GotrueError {
    match error {
        DecideError::NotFound => not_found(),
        DecideError::Decided => GotrueError::validation(decided),
        DecideError::Failure(failure) => failure.into(),
    }
}

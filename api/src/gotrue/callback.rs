//! `GET` and `POST /callback`: back from another provider. Whatever happens, the browser is sent on.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use evident_commands::AccessError;
use evident_commands::external::{
    ArrivalError, CameBack, CameBackError, FetchError, FinishExternalError, FinishedExternal, ProviderReply,
    WayBack,
};
use evident_domain::session::SessionError;
use evident_domain::{Actor, FlowId};
use uuid::Uuid;

use super::app::App;
use super::authorize::unsupported;
use super::body;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::params::Params;
use super::redirect::{Fields, send_on};
use super::reply;

/// The longest text of a provider's that is passed on, in characters.
const LONGEST_NEWS: usize = 500;

/// Back by a link.
pub(super) async fn by_link(
    State(app): State<App>,
    incoming: Incoming,
) -> Result<Response<HttpBody>, GotrueError> {
    come_back(&app, &incoming, &Method::GET, &incoming.params).await
}

/// Back by a form that the browser sent (Apple's `form_post`).
pub(super) async fn by_form(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let bytes = body::bytes(request, app.body_limit()).await?;
    let form = Params::parse(&String::from_utf8_lossy(&bytes));
    come_back(&app, &incoming, &Method::POST, &form).await
}

async fn come_back(
    app: &App,
    incoming: &Incoming,
    method: &Method,
    params: &Params,
) -> Result<Response<HttpBody>, GotrueError> {
    let context = incoming.context(Actor::Visitor);
    let back = match state(params) {
        Ok(state) => app.commands().came_back(&context, state).await.map_err(not_back),
        Err(error) => Err(error),
    };
    // Before it is known where somebody wanted to go, they go home.
    let back = match back {
        Ok(back) => back,
        Err(error) if error.status().is_server_error() => return Err(error),
        Err(error) => {
            let home = Fields::of_error(&error).in_query_of(app.redirects().site_url());
            return send_on(StatusCode::SEE_OTHER, method, &home);
        }
    };
    let target = back.redirect_to().to_owned();
    if let Some(news) = refused_there(params) {
        return with_news(method, &target, &news);
    }
    match finish(app, incoming, &back, params).await {
        Ok(FinishedExternal::Code(code)) => {
            let location = Fields::default().with("code", code.to_string()).in_query_of(&target);
            send_on(StatusCode::FOUND, method, &location)
        }
        Ok(FinishedExternal::Linked) => send_on(StatusCode::FOUND, method, &target),
        Ok(FinishedExternal::In(grant, tokens)) => {
            let location = Fields::of_session(&grant, &tokens).in_fragment_of(&target);
            let mut response = send_on(StatusCode::FOUND, method, &location)?;
            reply::name_session(response.headers_mut(), &grant);
            Ok(response)
        }
        Err(Refused::Inside(error)) => Err(error),
        Err(Refused::Told(error)) => with_news(method, &target, &Fields::of_error(&error)),
    }
}

/// Why somebody goes back with nothing.
enum Refused {
    /// They are told.
    Told(GotrueError),
    /// Something of ours failed.
    Inside(GotrueError),
}

async fn finish(
    app: &App,
    incoming: &Incoming,
    back: &CameBack,
    params: &Params,
) -> Result<FinishedExternal, Refused> {
    let param = |key| params.get(key).unwrap_or_default().to_owned();
    let code = Some(param("code")).filter(|code| !code.is_empty()).unwrap_or_else(|| param("oauth_verifier"));
    if code.is_empty() {
        let message = "OAuth callback with missing authorization code missing";
        return Err(Refused::Told(GotrueError::bad_request(ErrorCode::BadOauthCallback, message)));
    }
    let user = Some(param("user")).filter(|user| !user.is_empty());
    let reply = ProviderReply { code, token: param("oauth_token"), user };
    let context = incoming.context(Actor::Visitor);
    let finished =
        app.commands().finish_external(&context, back, &incoming.aud(app), reply, WayBack::default()).await;
    finished.map_err(|error| match error {
        FinishExternalError::Failure(failure)
        | FinishExternalError::Arrival(ArrivalError::Failure(failure)) => of_ours(failure.into()),
        FinishExternalError::Provider(error) => {
            let unsupported = unsupported(&error, back.provider());
            let code = ErrorCode::OauthProviderNotSupported;
            Refused::Told(GotrueError::bad_request(code, unsupported.message().to_owned()))
        }
        FinishExternalError::Fetch(FetchError::Code) => told("Unable to exchange external code"),
        FinishExternalError::Fetch(FetchError::Profile) => {
            told("Error getting user profile from external provider")
        }
        FinishExternalError::Unverified { sent } => Refused::Told(unverified(back.provider(), sent)),
        FinishExternalError::LinkedUnverified => Refused::Told(linked_unverified()),
        FinishExternalError::Arrival(error) => Refused::Told(refusal(error)),
    })
}

/// A hook's no is told; what broke here goes the usual way, so that the log hears of it.
fn of_ours(error: GotrueError) -> Refused {
    if error.status().is_server_error() { Refused::Inside(error) } else { Refused::Told(error) }
}

fn told(message: &'static str) -> Refused {
    let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::UnexpectedFailure);
    Refused::Told(GotrueError::new(status, code, message))
}

/// An error behind an address, in the query for servers and in the fragment for pages.
fn with_news(method: &Method, target: &str, news: &Fields) -> Result<Response<HttpBody>, GotrueError> {
    let location = news.clone().with("sb", "").in_fragment_of(&news.in_query_of(target));
    send_on(StatusCode::FOUND, method, &location)
}

fn state(params: &Params) -> Result<FlowId, GotrueError> {
    let state = params.get("state").filter(|state| !state.is_empty());
    let state = state.ok_or_else(|| {
        GotrueError::bad_request(ErrorCode::BadOauthCallback, "OAuth state parameter missing")
    })?;
    Uuid::try_parse(state)
        .map(FlowId)
        .map_err(|_| GotrueError::bad_request(ErrorCode::BadOauthState, "OAuth state parameter is invalid"))
}

/// What the provider says when it does not let somebody through.
fn refused_there(params: &Params) -> Option<Fields> {
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(LONGEST_NEWS).collect::<String>();
    if params.get("denied").is_some() {
        // OAuth 1.0a has no word for it; this is Twitter's.
        return Some(Fields::default().with("error", "access_denied"));
    }
    let error = params.get("error").filter(|error| !error.is_empty())?;
    let fields = Fields::default().with("error", short(error));
    Some(match params.get("error_description").filter(|text| !text.is_empty()) {
        Some(text) => fields.with("error_description", short(text)),
        None => fields,
    })
}

fn not_back(error: CameBackError) -> GotrueError {
    let bad_state = |message| GotrueError::bad_request(ErrorCode::BadOauthState, message);
    match error {
        CameBackError::Unknown => bad_state("OAuth state not found or expired"),
        CameBackError::Expired => bad_state("OAuth state has expired"),
        CameBackError::Used => {
            GotrueError::bad_request(ErrorCode::FlowStateAlreadyUsed, "State has already been used")
        }
        CameBackError::Failure(failure) => failure.into(),
    }
}

/// Nobody vouches for the address.
pub(super) fn unverified(provider: &str, sent: bool) -> GotrueError {
    let advice = if sent {
        format!("A confirmation email has been sent to your {provider} email")
    } else {
        format!("Verify the email with {provider} in order to sign in")
    };
    let message = format!("Unverified email with {provider}. {advice}");
    GotrueError::unprocessable(ErrorCode::ProviderEmailNeedsVerification, message)
}

pub(super) fn linked_unverified() -> GotrueError {
    GotrueError::unprocessable(ErrorCode::EmailNotConfirmed, "Please verify your email first.")
}

/// Why somebody may not come in.
pub(super) fn refusal(error: ArrivalError) -> GotrueError {
    let linked = |message| GotrueError::unprocessable(ErrorCode::IdentityAlreadyExists, message);
    match error {
        ArrivalError::SignUpDisabled => {
            GotrueError::unprocessable(ErrorCode::SignupDisabled, "Signups not allowed for this instance")
        }
        ArrivalError::Banned => GotrueError::forbidden(ErrorCode::UserBanned, "User is banned"),
        ArrivalError::NoEmail => {
            let message = "Error getting user email from external provider";
            GotrueError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::UnexpectedFailure, message)
        }
        ArrivalError::AlreadyLinked => linked("Identity is already linked"),
        ArrivalError::LinkedToAnother => linked("Identity is already linked to another user"),
        ArrivalError::DifferentEmail => linked("Identity has another email address"),
        ArrivalError::UserGone => GotrueError::user_not_found(),
        ArrivalError::EmailTaken => {
            let message = "A user with this email address has already been registered";
            GotrueError::bad_request(ErrorCode::EmailExists, message)
        }
        ArrivalError::InvitationOver => GotrueError::not_found(ErrorCode::InviteNotFound, "Invite not found"),
        ArrivalError::InvitedAnother => {
            GotrueError::validation("Invited email does not match emails from external provider")
        }
        ArrivalError::Flow(_) => {
            GotrueError::bad_request(ErrorCode::BadOauthState, "OAuth state not found or expired")
        }
        ArrivalError::Profile(_) => {
            GotrueError::validation("The profile from the external provider cannot be read")
        }
        ArrivalError::User(error) => GotrueError::internal(error),
        ArrivalError::Session(SessionError::NotFound) => AccessError::SessionNotFound.into(),
        ArrivalError::Session(error) => GotrueError::internal(error),
        ArrivalError::Failure(failure) => failure.into(),
    }
}

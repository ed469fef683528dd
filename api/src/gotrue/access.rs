//! Who calls. A handler that takes a [`UserCaller`] or an [`AdminCaller`] can only run for one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use evident_commands::tokens::VerifiedClaims;
use evident_commands::{AccessError, Caller};
use evident_domain::attempt::AdminRefusal;
use evident_domain::{Actor, SessionId, UserId};
use uuid::Uuid;

use super::app::{App, Bucket};
use super::error::{ErrorCode, GotrueError};
use super::incoming::{Incoming, requested_aud};

/// A signed-in user.
#[derive(Debug)]
pub struct UserCaller {
    /// The account, and the session if the token names one.
    pub caller: Arc<Caller>,
    /// Whose account it is.
    pub user: UserId,
    /// The session that the token names.
    pub session: Option<SessionId>,
    /// Whether the token is for the audience of the request.
    aud_fits: bool,
}

impl UserCaller {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        Actor::User { id: self.user }
    }

    /// Checks that somebody is known behind the account.
    ///
    /// # Errors
    /// When nobody is.
    pub fn check_known(&self) -> Result<(), GotrueError> {
        if self.caller.view.user.is_anonymous {
            let message = "Anonymous user not allowed to perform these actions";
            return Err(GotrueError::forbidden(ErrorCode::NoAuthorization, message));
        }
        Ok(())
    }

    /// The session, for what is done in one.
    ///
    /// # Errors
    /// When the token names none.
    pub fn in_session(&self) -> Result<SessionId, GotrueError> {
        let message = "A valid session and a registered user are required";
        self.session.ok_or_else(|| GotrueError::forbidden(ErrorCode::BadJwt, message))
    }

    /// Whether an OAuth client acts for the user.
    fn is_client(&self) -> bool {
        self.caller.session.as_ref().is_some_and(|session| session.client.is_some())
    }

    /// Whether the token is for the audience of the request.
    ///
    /// # Errors
    /// When it is for another, or for none.
    pub fn check_aud(&self) -> Result<(), GotrueError> {
        if self.aud_fits {
            Ok(())
        } else {
            Err(GotrueError::validation("Token audience doesn't match request audience"))
        }
    }
}

impl FromRequestParts<App> for UserCaller {
    type Rejection = GotrueError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        let TokenBearer(caller) = TokenBearer::from_request_parts(parts, app).await?;
        // What a user grants to a client is some knowledge, never the account.
        if caller.is_client() && !app.settings().oauth_server.clients_act_as_users {
            let message = "This endpoint does not accept tokens of OAuth clients";
            return Err(GotrueError::forbidden(ErrorCode::NoAuthorization, message));
        }
        Ok(caller)
    }
}

/// Whoever's token it is: a user's, or an OAuth client's that acts for the user.
#[derive(Debug)]
pub(super) struct TokenBearer(pub(super) UserCaller);

impl FromRequestParts<App> for TokenBearer {
    type Rejection = GotrueError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        let claims = verified(app, bearer(&parts.headers)?)?;
        let user = user_of(&claims)?;
        let session = match session_of(&claims) {
            Ok(session) => session,
            // That the user exists is looked at first.
            Err(error) => {
                app.commands().caller(user, None).await?;
                return Err(error);
            }
        };
        if session.is_none() && claims.client_id.is_some() {
            // An ID token tells a client who signed in; nobody gets in with it.
            return Err(GotrueError::forbidden(ErrorCode::BadJwt, "invalid claim: missing session_id claim"));
        }
        let caller = app.commands().caller(user, session).await?;
        if let Some(bound) = caller.session.as_ref().and_then(|session| session.client.as_ref())
            && !app.commands().is_client_known(bound.client).await?
        {
            return Err(AccessError::SessionNotFound.into());
        }
        let settings = &app.settings().tokens;
        let token_aud = claims.aud.first().map(String::as_str);
        // A service key used as a user's says nothing of the audience.
        let own_aud = token_aud.filter(|_| !is_admin(&settings.admin_roles, claims.role.as_deref()));
        let request_aud = requested_aud(&parts.headers).or(own_aud).unwrap_or(&settings.default_aud);
        let aud_fits = token_aud == Some(request_aud);
        Ok(Self(UserCaller { caller, user, session, aud_fits }))
    }
}

/// Somebody whose token lets them administer.
#[derive(Debug)]
pub struct AdminCaller {
    role: String,
    id: Option<UserId>,
}

impl AdminCaller {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        Actor::Admin { role: self.role.clone(), id: self.id }
    }
}

impl FromRequestParts<App> for AdminCaller {
    type Rejection = GotrueError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        let denial = match admin(parts, app).await {
            Ok(caller) => return Ok(caller),
            Err(denial) => denial,
        };
        if let Some(reason) = denial.reason {
            note(parts, app, denial.actor, reason).await;
        }
        Err(denial.error)
    }
}

/// Why somebody may not administer.
struct Denial {
    error: GotrueError,
    /// What the log is told; nothing where we failed ourselves.
    reason: Option<AdminRefusal>,
    actor: Actor,
}

/// Whether a request is an administrator's. Nothing is noted where it is not.
pub(super) async fn is_administrator(parts: &Parts, app: &App) -> bool {
    admin(parts, app).await.is_ok()
}

async fn admin(parts: &Parts, app: &App) -> Result<AdminCaller, Denial> {
    let stranger = |reason| {
        move |error: GotrueError| Denial {
            reason: (!error.status().is_server_error()).then_some(reason),
            error,
            actor: Actor::Visitor,
        }
    };
    let token = bearer(&parts.headers).map_err(stranger(AdminRefusal::NoToken))?;
    let claims = verified(app, token).map_err(stranger(AdminRefusal::BadToken))?;
    let session = session_of(&claims).map_err(stranger(AdminRefusal::BadToken))?;
    if let Some(session) = session {
        valid_session(app, &claims, session).await.map_err(stranger(AdminRefusal::BadToken))?;
    }
    let id = claims.sub.as_deref().and_then(|sub| Uuid::try_parse(sub).ok()).map(UserId);
    match claims.role {
        Some(role) if is_admin(&app.settings().tokens.admin_roles, Some(&role)) => {
            Ok(AdminCaller { role, id })
        }
        _ => Err(Denial {
            error: GotrueError::forbidden(ErrorCode::NotAdmin, "User not allowed"),
            reason: Some(AdminRefusal::NotAdmin),
            actor: id.map_or(Actor::Visitor, |id| Actor::User { id }),
        }),
    }
}

/// A token that names a session is good while the session is.
async fn valid_session(app: &App, claims: &VerifiedClaims, session: SessionId) -> Result<(), GotrueError> {
    let caller = app.commands().caller(user_of(claims)?, Some(session)).await?;
    if app.commands().is_expired(&caller) {
        return Err(GotrueError::forbidden(ErrorCode::SessionExpired, "Session is no longer valid"));
    }
    if caller.session.as_ref().is_some_and(|session| session.client.is_some()) {
        // However mighty the user is: that was not granted.
        return Err(GotrueError::forbidden(ErrorCode::NotAdmin, "User not allowed"));
    }
    Ok(())
}

fn is_admin(roles: &[String], role: Option<&str>) -> bool {
    role.is_some_and(|role| roles.iter().any(|admin| admin == role))
}

/// Writes the refusal to the log, as long as the caller does not try to fill it.
async fn note(parts: &mut Parts, app: &App, actor: Actor, reason: AdminRefusal) {
    let Ok(incoming) = Incoming::from_request_parts(parts, app).await;
    if app.limit(Bucket::NotedDenials, &incoming).is_err() {
        return;
    }
    let path = parts.extensions.get::<MatchedPath>().map_or("/admin", MatchedPath::as_str);
    let operation = format!("{} {}", parts.method, path.strip_prefix("/auth/v1").unwrap_or(path));
    if let Err(error) = app.commands().note_admin_denied(&incoming.context(actor), operation, reason).await {
        tracing::error!(%error, "a refusal could not be noted");
    }
}

/// The bearer token of a request (RFC 6750, 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, GotrueError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let fits = scheme.eq_ignore_ascii_case("bearer")
            && !token.is_empty()
            && !token.bytes().any(|byte| byte.is_ascii_whitespace());
        fits.then_some(token)
    });
    token.ok_or_else(|| {
        let message = "This endpoint requires a valid Bearer token";
        GotrueError::new(StatusCode::UNAUTHORIZED, ErrorCode::NoAuthorization, message)
    })
}

fn verified(app: &App, token: &str) -> Result<VerifiedClaims, GotrueError> {
    app.commands().signing_keys().verify(token, app.now()).map_err(|error| {
        let message = format!("invalid JWT: unable to parse or verify signature, {error}");
        GotrueError::forbidden(ErrorCode::BadJwt, message)
    })
}

fn user_of(claims: &VerifiedClaims) -> Result<UserId, GotrueError> {
    let Some(sub) = claims.sub.as_deref().filter(|sub| !sub.is_empty()) else {
        return Err(GotrueError::forbidden(ErrorCode::BadJwt, "invalid claim: missing sub claim"));
    };
    Uuid::try_parse(sub)
        .map(UserId)
        .map_err(|_| GotrueError::bad_request(ErrorCode::BadJwt, "invalid claim: sub claim must be a UUID"))
}

fn session_of(claims: &VerifiedClaims) -> Result<Option<SessionId>, GotrueError> {
    let Some(id) = claims.session_id.as_deref().filter(|id| !id.is_empty()) else { return Ok(None) };
    match Uuid::try_parse(id) {
        Ok(id) => Ok((!id.is_nil()).then_some(SessionId(id))),
        Err(_) => {
            let message = "invalid claim: session_id claim must be a UUID";
            Err(GotrueError::forbidden(ErrorCode::BadJwt, message))
        }
    }
}

impl From<AccessError> for GotrueError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::UserNotFound => {
                let message = "User from sub claim in JWT does not exist";
                Self::forbidden(ErrorCode::UserNotFound, message)
            }
            AccessError::Banned => Self::forbidden(ErrorCode::UserBanned, "User is banned"),
            AccessError::SessionNotFound => {
                let message = "Session from session_id claim in JWT does not exist";
                Self::forbidden(ErrorCode::SessionNotFound, message)
            }
            AccessError::Failure(failure) => failure.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn token(value: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
        bearer(&headers).ok().map(str::to_owned)
    }

    #[test]
    fn a_bearer_token_stands_behind_its_scheme() {
        assert_eq!(token("Bearer a.b.c").as_deref(), Some("a.b.c"));
        assert_eq!(token("bearer a.b.c").as_deref(), Some("a.b.c"));
        for other in ["", "Bearer", "Bearer ", "Bearer  a", "Bearer a b", "Basic abc", "Bearera", "a.b.c"] {
            assert_eq!(token(other), None, "{other:?}");
        }
        let error = bearer(&HeaderMap::new()).unwrap_err();
        assert_eq!(error.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(error.message(), "This endpoint requires a valid Bearer token");
    }

    #[test]
    fn a_subject_is_a_uuid_in_any_spelling() {
        let claims = |sub: Option<&str>| VerifiedClaims { sub: sub.map(str::to_owned), ..Default::default() };
        assert!(user_of(&claims(Some("18A1902105B84C3383CB1CBA1023C094"))).is_ok());
        let missing = user_of(&claims(None)).unwrap_err();
        assert_eq!(
            (missing.status(), missing.message()),
            (StatusCode::FORBIDDEN, "invalid claim: missing sub claim")
        );
        let wrong = user_of(&claims(Some("ada"))).unwrap_err();
        assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
        assert_eq!(wrong.message(), "invalid claim: sub claim must be a UUID");
    }

    #[test]
    fn a_session_may_be_missing_or_nil_but_not_nonsense() {
        let claims =
            |id: Option<&str>| VerifiedClaims { session_id: id.map(str::to_owned), ..Default::default() };
        for none in [None, Some(""), Some("00000000-0000-0000-0000-000000000000")] {
            assert_eq!(session_of(&claims(none)).ok(), Some(None));
        }
        let error = session_of(&claims(Some("x"))).unwrap_err();
        assert_eq!(error.message(), "invalid claim: session_id claim must be a UUID");
    }
}

//! Who calls. A handler that takes a [`UserCaller`] or an [`AdminCaller`] can only run for one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::StatusCode;
use axum::http::request::Parts;
use evident_commands::{AccessError, Caller};
use evident_domain::attempt::AdminRefusal;
use evident_domain::{Actor, SessionId, UserId};

use super::app::{App, Bucket};
use super::error::{ErrorCode, GotrueError};
use super::incoming::{Incoming, requested_aud};
use crate::http::bearer::{
    Denial, RoleHolder, TokenError, bearer, role_holder, session_of, user_of, verified,
};

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
        let claims = verified(app.commands(), bearer(&parts.headers)?)?;
        let user = user_of(&claims)?;
        let session = match session_of(&claims) {
            Ok(session) => session,
            // That the user exists is looked at first.
            Err(error) => {
                app.commands().caller(user, None).await?;
                return Err(error.into());
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
        let is_admin = claims.role.as_ref().is_some_and(|role| settings.admin_roles.contains(role));
        let own_aud = token_aud.filter(|_| !is_admin);
        let request_aud = requested_aud(&parts.headers).or(own_aud).unwrap_or(&settings.default_aud);
        let aud_fits = token_aud == Some(request_aud);
        Ok(Self(UserCaller { caller, user, session, aud_fits }))
    }
}

/// Somebody whose token lets them administer.
#[derive(Debug)]
pub struct AdminCaller(RoleHolder);

impl AdminCaller {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.0.actor()
    }
}

impl FromRequestParts<App> for AdminCaller {
    type Rejection = GotrueError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        let denial = match admin(parts, app).await {
            Ok(caller) => return Ok(caller),
            Err(denial) => denial,
        };
        if let Some(reason) = denial.reason() {
            note(parts, app, denial.actor(), reason).await;
        }
        Err(denial.into())
    }
}

/// Whether a request is an administrator's. Nothing is noted where it is not.
pub(super) async fn is_administrator(parts: &Parts, app: &App) -> bool {
    admin(parts, app).await.is_ok()
}

async fn admin(parts: &Parts, app: &App) -> Result<AdminCaller, Denial> {
    let roles = &app.settings().tokens.admin_roles;
    role_holder(&parts.headers, app.commands(), roles).await.map(AdminCaller)
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

impl From<Denial> for GotrueError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Token(error) => error.into(),
            Denial::Role { .. } => not_admin(),
        }
    }
}

fn not_admin() -> GotrueError {
    GotrueError::forbidden(ErrorCode::NotAdmin, "User not allowed")
}

impl From<TokenError> for GotrueError {
    fn from(error: TokenError) -> Self {
        let odd = |message| Self::forbidden(ErrorCode::BadJwt, message);
        match error {
            TokenError::Missing => {
                let message = "This endpoint requires a valid Bearer token";
                Self::new(StatusCode::UNAUTHORIZED, ErrorCode::NoAuthorization, message)
            }
            TokenError::Invalid(error) => {
                let message = format!("invalid JWT: unable to parse or verify signature, {error}");
                Self::forbidden(ErrorCode::BadJwt, message)
            }
            TokenError::NoSubject => odd("invalid claim: missing sub claim"),
            TokenError::OddSubject => {
                Self::bad_request(ErrorCode::BadJwt, "invalid claim: sub claim must be a UUID")
            }
            TokenError::OddSession => odd("invalid claim: session_id claim must be a UUID"),
            TokenError::Access(error) => error.into(),
            TokenError::SessionExpired => {
                Self::forbidden(ErrorCode::SessionExpired, "Session is no longer valid")
            }
            TokenError::OfClient => not_admin(),
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
    use super::*;

    #[test]
    fn what_is_wrong_with_a_token_is_told_in_the_words_of_the_protocol() {
        let told = |error: TokenError| {
            let error = GotrueError::from(error);
            (error.status().as_u16(), error.message().to_owned())
        };
        let expect = |status: u16, message: &str| (status, message.to_owned());
        assert_eq!(told(TokenError::Missing), expect(401, "This endpoint requires a valid Bearer token"));
        assert_eq!(told(TokenError::NoSubject), expect(403, "invalid claim: missing sub claim"));
        assert_eq!(told(TokenError::OddSubject), expect(400, "invalid claim: sub claim must be a UUID"));
        assert_eq!(
            told(TokenError::OddSession),
            expect(403, "invalid claim: session_id claim must be a UUID")
        );
        assert_eq!(told(TokenError::OfClient), expect(403, "User not allowed"));
    }
}

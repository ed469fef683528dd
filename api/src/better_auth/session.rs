//! Sessions as browsers and programs bring them: in a signed cookie, or as a bearer token.

use std::sync::Arc;

use axum::http::header;
use evident_commands::{AccessError, Caller, SessionRow, SessionsError, UserView};
use evident_domain::{Actor, SessionId, UserId};

use super::call::Call;
use super::error::BetterAuthError;

/// The cookie that holds a session's token.
pub const SESSION_COOKIE: &str = "session_token";
/// The cookie that holds a copy of the session, for others: we never read it.
pub const SESSION_DATA_COOKIE: &str = "session_data";
/// The cookie that says that the browser forgets the session when it is closed.
pub const DONT_REMEMBER_COOKIE: &str = "dont_remember";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct SessionCaller {
    caller: Arc<Caller>,
    session: SessionRow,
}

impl SessionCaller {
    /// The account.
    pub fn view(&self) -> &UserView {
        &self.caller.view
    }

    /// The session.
    pub fn session(&self) -> &SessionRow {
        &self.session
    }

    /// Who.
    pub fn user(&self) -> UserId {
        self.caller.view.user.id
    }

    /// The session's id.
    pub fn session_id(&self) -> SessionId {
        self.session.id
    }

    /// Who acts: the user, or an administrator in their name.
    pub fn actor(&self) -> Actor {
        let user = self.user();
        match self.session.impersonator {
            Some(admin) => Actor::Impersonator { admin, user },
            None => Actor::User { id: user },
        }
    }
}

impl Call {
    /// The token that the request brings, signed or, as a bearer, plain. One that is badly signed is none.
    fn token(&self) -> Option<String> {
        let bearer = self.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
        });
        let bearer = bearer.and_then(|token| {
            if token.contains('.') { self.app.signer().verify(token) } else { Some(token.to_owned()) }
        });
        bearer.or_else(|| self.cookie(SESSION_COOKIE))
    }

    /// Whether the browser forgets the session when it is closed.
    pub fn is_forgotten(&self) -> bool {
        self.cookie(DONT_REMEMBER_COOKIE).as_deref() == Some("true")
    }

    /// Whoever is signed in. The end of their session moves on, and the browser hears of it; of a session
    /// that is over the browser forgets everything.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn find_session(&self) -> Result<Option<SessionCaller>, BetterAuthError> {
        let Some(found) = self.read_session().await? else { return Ok(None) };
        if self.flag_param("disableRefresh") || !self.moves_on(&found) {
            return Ok(Some(found));
        }
        let (context, end) = (self.context(found.actor()), self.app.sliding_end());
        match self.app.commands().extend_session(&context, found.session_id(), end).await {
            Ok(()) => {}
            Err(SessionsError::Session(_)) => {
                self.close_session();
                return Ok(None);
            }
            Err(SessionsError::Failure(failure)) => return Err(failure.into()),
        }
        let moved = self.holder(found.session_id()).await?;
        match &moved {
            Some(_) => drop(self.keep_session(found.session_id())),
            None => self.close_session(),
        }
        Ok(moved)
    }

    /// Whoever is signed in. Their session stays as it is; of one that is over the browser forgets everything.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn read_session(&self) -> Result<Option<SessionCaller>, BetterAuthError> {
        let Some(token) = self.token() else { return Ok(None) };
        let session = self.app.commands().session_tokens().read(&token);
        let found = match session {
            Some(session) => self.holder(session).await?,
            None => None,
        };
        if found.is_none() {
            self.close_session();
        }
        Ok(found)
    }

    async fn holder(&self, session: SessionId) -> Result<Option<SessionCaller>, BetterAuthError> {
        match self.app.commands().session_holder(session).await {
            Ok(caller) => {
                Ok(caller.session.clone().map(|session| SessionCaller { caller: caller.clone(), session }))
            }
            Err(AccessError::UserNotFound | AccessError::SessionNotFound | AccessError::Banned) => Ok(None),
            Err(AccessError::Failure(failure)) => Err(failure.into()),
        }
    }

    /// Whether it is time to move the end of a session.
    pub fn moves_on(&self, found: &SessionCaller) -> bool {
        let session = found.session();
        let due = session.not_after.is_some_and(|end| self.app.sliding_end().is_due(end, self.app.now()));
        due && session.slides && !self.app.options().session.refresh_disabled && !self.is_forgotten()
    }

    /// Whoever is signed in; nothing happens to the session, and the browser hears of nothing.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn peek_session(&self) -> Result<Option<SessionCaller>, BetterAuthError> {
        let session = self.token().and_then(|token| self.app.commands().session_tokens().read(&token));
        match session {
            Some(session) => self.holder(session).await,
            None => Ok(None),
        }
    }

    /// Whoever is signed in.
    ///
    /// # Errors
    /// When nobody is.
    pub async fn session(&self) -> Result<SessionCaller, BetterAuthError> {
        self.find_session().await?.ok_or_else(BetterAuthError::signed_out)
    }

    /// Whoever signed in a short while ago.
    ///
    /// # Errors
    /// When nobody is signed in, or the session is no longer fresh.
    pub async fn fresh_session(&self) -> Result<SessionCaller, BetterAuthError> {
        let caller = self.session().await?;
        if self.is_fresh(&caller) {
            return Ok(caller);
        }
        Err(BetterAuthError::forbidden("SESSION_NOT_FRESH", "Session is not fresh"))
    }

    /// Whether a session is fresh.
    pub fn is_fresh(&self, caller: &SessionCaller) -> bool {
        let age = self.app.options().session.fresh_age;
        age.is_zero() || caller.session().created_at + age > self.app.now()
    }

    /// Lets the browser have a new session, until it is closed or for longer. Gives the token.
    pub fn open_session(&self, session: SessionId, remembered: bool) -> String {
        let token = self.app.commands().session_tokens().issue(session).expose().to_owned();
        let age = self.app.options().session.expires_in.as_secs();
        self.set_cookie(SESSION_COOKIE, token.as_str(), remembered.then_some(age));
        if !remembered {
            self.set_cookie(DONT_REMEMBER_COOKIE, "true", None);
        }
        self.cache_session(session, remembered);
        token
    }

    /// Lets the browser have its session anew, as it had it before.
    pub fn keep_session(&self, session: SessionId) -> String {
        self.open_session(session, !self.is_forgotten())
    }

    /// Lets the browser forget its session.
    pub fn close_session(&self) {
        for cookie in [SESSION_COOKIE, SESSION_DATA_COOKIE, DONT_REMEMBER_COOKIE] {
            self.clear_cookie(cookie);
        }
    }
}

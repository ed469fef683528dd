//! What a signed-in client gets: an access token, a refresh token, and its own account.

use std::sync::Arc;

use evident_domain::session::{LiveSession, Session, SessionError, Start};
use evident_domain::{Position, SessionId, Time, UserId};

use crate::Commands;
use crate::access::Caller;
use crate::execute::Failure;
use crate::session_policy::has_factor;
use crate::tokens::{AmrClaim, Claims, RefreshToken};
use crate::unit::Unit;
use crate::views::UserView;

/// Tokens for one session.
#[derive(Debug)]
pub struct Grant {
    /// The access token, a JWT.
    pub access_token: String,
    /// When it ends, in Unix seconds.
    pub expires_at: i64,
    /// How long it is good, in seconds.
    pub expires_in: i64,
    /// The refresh token that is good now.
    pub refresh_token: RefreshToken,
    /// Its number.
    pub generation: u64,
    /// The account.
    pub user: Arc<Caller>,
    /// The session.
    pub session: SessionId,
}

/// A session that was started or refreshed by a command that is about to be committed.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    pub user: UserId,
    pub session: SessionId,
    pub state: LiveSession,
}

/// Starts a session as part of a unit. The user's version is part of the decision, so no session slips
/// past a ban or a new password that is being made.
pub(crate) async fn start_session<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    session: SessionId,
    method: &str,
) -> Result<Started, E>
where
    E: From<SessionError> + From<Failure>,
{
    let start = Start { user, method: method.to_owned(), not_after: None, now: unit.now() };
    match unit.start_session::<E>(session, start).await? {
        Session::Live(state) => Ok(Started { user, session, state: *state }),
        Session::Absent | Session::Revoked { .. } => Err(SessionError::NotFound.into()),
    }
}

impl Commands {
    /// The tokens of a session whose command is committed.
    pub(crate) async fn grant(&self, started: &Started, committed: Position) -> Result<Grant, Failure> {
        let caller = self.nearby().caller_at(started.user, None, committed).await?;
        let caller = caller.ok_or(Failure::Internal("the account vanished"))?;
        let view = &caller.view;
        let now = self.clock().now();
        let (access_token, expires_at) = self.access_token(view, started, now)?;
        Ok(Grant {
            access_token,
            expires_at,
            expires_in: expires_at - now.timestamp(),
            refresh_token: self.refresh_tokens().issue(started.session, started.state.generation),
            generation: started.state.generation,
            user: caller.clone(),
            session: started.session,
        })
    }

    fn access_token(&self, view: &UserView, started: &Started, now: Time) -> Result<(String, i64), Failure> {
        let settings = &self.settings().tokens;
        let (user, iat) = (&view.user, now.timestamp());
        let lifetime = i64::try_from(settings.access_token_lifetime_seconds).unwrap_or(i64::MAX);
        let exp = iat.saturating_add(lifetime);
        // A token does not outlive the time in which the second factor is to be shown.
        let (start, aal) = (started.state.started_at, started.state.aal);
        let due = self.second_factor_due(start, aal, has_factor(user));
        let exp = due.map_or(exp, |due| exp.min(due.timestamp()));
        let claims = Claims {
            iss: settings.issuer.clone(),
            sub: Some(user.id),
            aud: Some(user.aud.clone()),
            exp: Some(exp),
            iat: Some(iat),
            email: Some(user.email.clone().unwrap_or_default()),
            phone: Some(user.phone.clone().unwrap_or_default()),
            app_metadata: Some(user.app_metadata()),
            user_metadata: Some(user.user_metadata()),
            role: Some(user.role.clone()),
            aal: Some(started.state.aal),
            amr: Some(started.state.amr.iter().map(AmrClaim::from).collect()),
            session_id: Some(started.session),
            is_anonymous: Some(user.is_anonymous),
            client_id: None,
            scope: None,
        };
        let token =
            self.signing_keys().sign(&claims).map_err(|_| Failure::Internal("no token was signed"))?;
        Ok((token, exp))
    }
}

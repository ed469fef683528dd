//! What a signed-in client gets: an access token, a refresh token, and its own account.

use std::sync::Arc;
use std::time::Duration;

use evident_domain::session::{ClientBinding, LiveSession, Session, SessionError, Start};
use evident_domain::user::Account;
use evident_domain::{Metadata, SessionId, Time, UserId};

use crate::Commands;
use crate::access::Caller;
use crate::execute::{Failure, Settled};
use crate::hooks::method;
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
    pub state: Box<LiveSession>,
}

/// How a session lives that a command starts. By default it has no end of its own: its refresh tokens say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionTerms {
    /// So long it lives; none: no end is fixed.
    pub lifetime: Option<Duration>,
    /// Whether its end moves on while it is used.
    pub slides: bool,
    /// The administrator who acts in the user's name.
    pub impersonator: Option<UserId>,
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
    start_session_on(unit, user, session, method, SessionTerms::default()).await
}

/// As [`start_session`], on the terms of who asks for it.
pub(crate) async fn start_session_on<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    session: SessionId,
    method: &str,
    terms: SessionTerms,
) -> Result<Started, E>
where
    E: From<SessionError> + From<Failure>,
{
    let now = unit.now();
    let start = Start {
        user,
        method: method.to_owned(),
        not_after: terms.lifetime.map(|lifetime| now + lifetime),
        slides: terms.slides,
        client: None,
        impersonator: terms.impersonator,
        now,
    };
    start_with(unit, session, start).await
}

/// As [`start_session`], for an OAuth client.
pub(crate) async fn start_client_session<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    session: SessionId,
    client: ClientBinding,
) -> Result<Started, E>
where
    E: From<SessionError> + From<Failure>,
{
    let method = "oauth_provider/authorization_code".to_owned();
    let start = Start {
        user,
        method,
        not_after: None,
        slides: false,
        client: Some(client),
        impersonator: None,
        now: unit.now(),
    };
    start_with(unit, session, start).await
}

async fn start_with<E>(unit: &mut Unit<'_>, session: SessionId, start: Start) -> Result<Started, E>
where
    E: From<SessionError> + From<Failure>,
{
    let user = start.user;
    match unit.start_session::<E>(session, start).await? {
        Session::Live(state) => Ok(Started { user, session, state }),
        Session::Absent | Session::Revoked { .. } => Err(SessionError::NotFound.into()),
    }
}

impl Commands {
    /// The tokens of a session whose command is committed.
    pub(crate) async fn grant(&self, started: &Started, settled: Settled) -> Result<Grant, Failure> {
        let caller = self.nearby().caller_at(started.user, None, settled.head).await?;
        let caller = caller.ok_or(Failure::Internal("the account vanished"))?;
        let view = &caller.view;
        let now = self.clock().now();
        let (access_token, expires_at) = self.access_token(view, started, settled, now).await?;
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

    /// The token and when it ends. Where a hook shapes the claims it was asked before the commit; only of a
    /// session that changed nothing it is asked now.
    async fn access_token(
        &self,
        view: &UserView,
        started: &Started,
        settled: Settled,
        now: Time,
    ) -> Result<(String, i64), Failure> {
        let (session, live, hooks) = (started.session, &*started.state, self.hooks());
        let unsigned = |_| Failure::Internal("no token was signed");
        let shaped = settled.claims.into_iter().find(|(of, _)| *of == session).map(|(_, claims)| claims);
        let shaped = match shaped {
            Some(shaped) => Some(shaped),
            None if hooks.shapes_tokens() => {
                let claims = self.claims(view.into(), session, live, now);
                let method = method(live, live.generation > 0);
                hooks.shape(settled.ip, started.user, &claims, method).await?
            }
            None => None,
        };
        if let Some(shaped) = shaped {
            let exp = shaped.exp().unwrap_or_else(|| self.token_end(now, live, has_factor(&view.user)));
            return Ok((self.signing_keys().sign(shaped.as_map()).map_err(unsigned)?, exp));
        }
        let claims = self.claims(view.into(), session, live, now);
        let end = self.token_end(now, live, has_factor(&view.user));
        Ok((self.signing_keys().sign(&claims).map_err(unsigned)?, end))
    }

    /// When an access token that is made now ends, in Unix seconds. It does not outlive the time in which the
    /// second factor is to be shown.
    fn token_end(&self, now: Time, live: &LiveSession, has_factor: bool) -> i64 {
        let lifetime = self.settings().tokens.access_token_lifetime_seconds;
        let end = now.timestamp().saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX));
        let due = self.second_factor_due(live.started_at, live.aal, has_factor);
        due.map_or(end, |due| end.min(due.timestamp()))
    }

    /// What the access token of a session says.
    pub(crate) fn claims(&self, holder: Holder, session: SessionId, live: &LiveSession, now: Time) -> Claims {
        let client = live.client.as_ref();
        Claims {
            iss: self.settings().tokens.issuer.clone(),
            sub: Some(holder.id),
            aud: Some(holder.aud),
            exp: Some(self.token_end(now, live, holder.has_factor)),
            iat: Some(now.timestamp()),
            email: Some(holder.email),
            phone: Some(holder.phone),
            app_metadata: Some(holder.app_metadata),
            user_metadata: Some(holder.user_metadata),
            role: Some(holder.role),
            aal: Some(live.aal),
            amr: Some(live.amr.iter().map(AmrClaim::from).collect()),
            session_id: Some(session),
            is_anonymous: Some(holder.is_anonymous),
            client_id: client.map(|bound| bound.client.to_string()),
            scope: client.map(|bound| bound.scopes.to_string()),
        }
    }
}

/// Who holds a token: what its claims say of the account.
pub(crate) struct Holder {
    id: UserId,
    aud: String,
    role: String,
    email: String,
    phone: String,
    app_metadata: Metadata,
    user_metadata: Metadata,
    is_anonymous: bool,
    has_factor: bool,
}

/// As the tables have the account.
impl From<&UserView> for Holder {
    fn from(view: &UserView) -> Self {
        let user = &view.user;
        Self {
            id: user.id,
            aud: user.aud.clone(),
            role: user.role.clone(),
            email: user.email.clone().unwrap_or_default(),
            phone: user.phone.clone().unwrap_or_default(),
            app_metadata: user.app_metadata(),
            user_metadata: user.user_metadata(),
            is_anonymous: user.is_anonymous,
            has_factor: has_factor(user),
        }
    }
}

/// As it is decided, before it is committed.
impl From<(UserId, &Account)> for Holder {
    fn from((id, account): (UserId, &Account)) -> Self {
        Self {
            id,
            aud: account.aud.clone(),
            role: account.role.clone(),
            email: account.email.as_ref().map(|email| email.value.to_string()).unwrap_or_default(),
            phone: account.phone.as_ref().map(|phone| phone.value.to_string()).unwrap_or_default(),
            app_metadata: account.app_metadata.clone(),
            user_metadata: account.user_metadata.clone(),
            is_anonymous: account.anonymous,
            has_factor: account.factors.any_verified(),
        }
    }
}

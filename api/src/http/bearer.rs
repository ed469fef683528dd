//! Bearer tokens (RFC 6750): who shows one, and whether it still counts.

use axum::http::{HeaderMap, header};
use evident_commands::tokens::{JwtError, VerifiedClaims};
use evident_commands::{AccessError, Commands, Failure};
use evident_domain::attempt::AdminRefusal;
use evident_domain::{Actor, SessionId, UserId};
use uuid::Uuid;

/// A token is not good.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("this endpoint requires a valid Bearer token")]
    Missing,
    /// It is not signed by us, or its time is over.
    #[error(transparent)]
    Invalid(#[from] JwtError),
    /// It belongs to a session, and names no user.
    #[error("missing sub claim")]
    NoSubject,
    /// The user that it names is none.
    #[error("sub claim must be a UUID")]
    OddSubject,
    /// The session that it names is none.
    #[error("session_id claim must be a UUID")]
    OddSession,
    /// Whoever it names is not there, or kept out.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Its session is past its time.
    #[error("the session is over")]
    SessionExpired,
    /// An OAuth client has it, and was not granted that.
    #[error("the token is an OAuth client's")]
    OfClient,
}

impl TokenError {
    /// What of ours failed, if it was not the caller's doing.
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Access(AccessError::Failure(failure)) => Some(failure),
            _ => None,
        }
    }
}

/// Somebody whose token gives them one of the roles that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleHolder {
    /// The role.
    pub role: String,
    /// The user whose token it is, where it is one's.
    pub id: Option<UserId>,
}

impl RoleHolder {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        Actor::Admin { role: self.role.clone(), id: self.id }
    }
}

/// Why somebody does not count as a holder of a role.
#[derive(Debug)]
pub enum Denial {
    /// The token is not good.
    Token(TokenError),
    /// It is good, and has another role.
    Role {
        /// Whose it is.
        user: Option<UserId>,
    },
}

impl Denial {
    /// What the log is told; nothing where we failed ourselves.
    pub fn reason(&self) -> Option<AdminRefusal> {
        match self {
            Self::Token(error) if error.failure().is_some() => None,
            Self::Token(TokenError::Missing) => Some(AdminRefusal::NoToken),
            Self::Token(_) => Some(AdminRefusal::BadToken),
            Self::Role { .. } => Some(AdminRefusal::NotAdmin),
        }
    }

    /// Who was denied.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Role { user: Some(id) } => Actor::User { id: *id },
            Self::Role { user: None } | Self::Token(_) => Actor::Visitor,
        }
    }
}

impl From<TokenError> for Denial {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

/// Lets those through whose token has one of some roles. A token that names a session is good while the
/// session is.
///
/// # Errors
/// Why somebody is none of them.
pub async fn role_holder(
    headers: &HeaderMap,
    commands: &Commands,
    roles: &[String],
) -> Result<RoleHolder, Denial> {
    let claims = verified(commands, bearer(headers)?)?;
    if let Some(session) = session_of(&claims)? {
        check_session(commands, &claims, session).await?;
    }
    let id = claims.sub.as_deref().and_then(|sub| Uuid::try_parse(sub).ok()).map(UserId);
    match claims.role.filter(|role| roles.contains(role)) {
        Some(role) => Ok(RoleHolder { role, id }),
        None => Err(Denial::Role { user: id }),
    }
}

async fn check_session(
    commands: &Commands,
    claims: &VerifiedClaims,
    session: SessionId,
) -> Result<(), TokenError> {
    let caller = commands.caller(user_of(claims)?, Some(session)).await?;
    if commands.is_expired(&caller) {
        return Err(TokenError::SessionExpired);
    }
    if caller.session.as_ref().is_some_and(|session| session.client.is_some()) {
        // However mighty the user is: that was not granted.
        return Err(TokenError::OfClient);
    }
    Ok(())
}

/// The token of a request (RFC 6750, 2.1).
///
/// # Errors
/// When there is none.
pub fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let fits = scheme.eq_ignore_ascii_case("bearer")
            && !token.is_empty()
            && !token.bytes().any(|byte| byte.is_ascii_whitespace());
        fits.then_some(token)
    });
    token.ok_or(TokenError::Missing)
}

/// What a token says.
///
/// # Errors
/// When it is not ours or not good now.
pub fn verified(commands: &Commands, token: &str) -> Result<VerifiedClaims, TokenError> {
    Ok(commands.signing_keys().verify(token, commands.clock().now())?)
}

/// The user that a token names.
///
/// # Errors
/// When it names none.
pub fn user_of(claims: &VerifiedClaims) -> Result<UserId, TokenError> {
    let sub = claims.sub.as_deref().filter(|sub| !sub.is_empty()).ok_or(TokenError::NoSubject)?;
    Uuid::try_parse(sub).map(UserId).map_err(|_| TokenError::OddSubject)
}

/// The session that a token names, if it does.
///
/// # Errors
/// When what it names is none.
pub fn session_of(claims: &VerifiedClaims) -> Result<Option<SessionId>, TokenError> {
    let Some(id) = claims.session_id.as_deref().filter(|id| !id.is_empty()) else { return Ok(None) };
    let id = Uuid::try_parse(id).map_err(|_| TokenError::OddSession)?;
    Ok((!id.is_nil()).then_some(SessionId(id)))
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
        assert!(matches!(bearer(&HeaderMap::new()), Err(TokenError::Missing)));
    }

    #[test]
    fn a_subject_is_a_uuid_in_any_spelling() {
        let claims = |sub: Option<&str>| VerifiedClaims { sub: sub.map(str::to_owned), ..Default::default() };
        assert!(user_of(&claims(Some("18A1902105B84C3383CB1CBA1023C094"))).is_ok());
        assert!(matches!(user_of(&claims(None)), Err(TokenError::NoSubject)));
        assert!(matches!(user_of(&claims(Some(""))), Err(TokenError::NoSubject)));
        assert!(matches!(user_of(&claims(Some("ada"))), Err(TokenError::OddSubject)));
    }

    #[test]
    fn a_session_may_be_missing_or_nil_but_not_nonsense() {
        let claims =
            |id: Option<&str>| VerifiedClaims { session_id: id.map(str::to_owned), ..Default::default() };
        for none in [None, Some(""), Some("00000000-0000-0000-0000-000000000000")] {
            assert_eq!(session_of(&claims(none)).ok(), Some(None));
        }
        assert!(matches!(session_of(&claims(Some("x"))), Err(TokenError::OddSession)));
    }

    #[test]
    fn what_is_noted_of_a_denial_tells_who_and_why() {
        let id = UserId(Uuid::from_u128(7));
        let denial = Denial::Role { user: Some(id) };
        assert_eq!((denial.reason(), denial.actor()), (Some(AdminRefusal::NotAdmin), Actor::User { id }));
        let denial = Denial::from(TokenError::Missing);
        assert_eq!((denial.reason(), denial.actor()), (Some(AdminRefusal::NoToken), Actor::Visitor));
        assert_eq!(Denial::from(TokenError::OfClient).reason(), Some(AdminRefusal::BadToken));
        let ours = TokenError::Access(AccessError::Failure(Failure::Overloaded));
        assert_eq!(Denial::from(ours).reason(), None, "our own failure is no refusal");
    }
}

//! `POST /token?grant_type=refresh_token`

use axum::body::Body as HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response};
use evident_commands::{Expiry, RefreshError, Refreshed};
use evident_domain::Actor;
use zeroize::Zeroizing;

use super::app::App;
use super::body::Body;
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError, OAuthCode};
use super::incoming::Incoming;
use super::reply;

const REUSE: HeaderName = HeaderName::from_static("sb-auth-refresh-token-reuse");

/// A refresh token for the next one.
pub(super) async fn refresh(
    app: &App,
    incoming: &Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let mut body = Body::read(request, app.body_limit(), "RefreshTokenGrantParams").await?;
    let token = Zeroizing::new(body.text_or_empty("refresh_token")?);
    let context = incoming.context(Actor::Visitor);
    let refreshed = app.commands().refresh(&context, &token).await.map_err(refusal)?;
    let mut response = reply::session(&refreshed.grant, &SessionDocument::of(&refreshed.grant))?;
    name_rotation(response.headers_mut(), &refreshed);
    Ok(response)
}

/// The header that tells whether a new refresh token was made.
pub(super) fn name_rotation(headers: &mut HeaderMap, refreshed: &Refreshed) {
    if refreshed.rotated {
        headers.insert(REUSE, HeaderValue::from_static("false"));
    }
}

/// What whoever comes too late is told.
pub(super) fn expired(rule: Expiry) -> &'static str {
    match rule {
        Expiry::TimeBox => "Invalid Refresh Token: Session Expired",
        Expiry::Inactivity => "Invalid Refresh Token: Session Expired (Inactivity)",
        Expiry::LowAal => "Invalid Refresh Token: Session Expired (Low AAL: User Needs MFA Verification)",
        Expiry::NewerSession => "Invalid Refresh Token: Session Expired (Revoked by Newer Login)",
    }
}

fn refusal(error: RefreshError) -> GotrueError {
    let owner = error.owner();
    let refused = match error {
        RefreshError::Malformed => GotrueError::validation("Refresh token is not valid"),
        RefreshError::NotFound => GotrueError::bad_request(
            ErrorCode::RefreshTokenNotFound,
            "Invalid Refresh Token: Refresh Token Not Found",
        ),
        RefreshError::NotIssued { .. } => {
            GotrueError::validation("Invalid Refresh Token: Not Issued By This Server")
        }
        RefreshError::AlreadyUsed { .. } => GotrueError::bad_request(
            ErrorCode::RefreshTokenAlreadyUsed,
            "Invalid Refresh Token: Already Used",
        )
        .ending_the_session(),
        RefreshError::Banned { .. } => {
            GotrueError::bad_request(ErrorCode::UserBanned, "Invalid Refresh Token: User Banned")
        }
        RefreshError::Expired { rule, .. } => {
            GotrueError::bad_request(ErrorCode::SessionExpired, expired(rule))
        }
        RefreshError::ClientNeeded { .. } | RefreshError::NotTheClients { .. } => {
            GotrueError::oauth(OAuthCode::InvalidClient, "Client authentication required for OAuth session")
        }
        RefreshError::Failure(failure) => failure.into(),
    };
    refused.about(owner)
}

#[cfg(test)]
mod tests {
    use evident_commands::SessionOwner;
    use evident_domain::{SessionId, UserId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn refusals_have_the_peers_words() {
        let owner = SessionOwner { user: UserId(Uuid::from_u128(1)), session: SessionId(Uuid::from_u128(2)) };
        for (error, code, message) in [
            (RefreshError::Malformed, "validation_failed", "Refresh token is not valid"),
            (
                RefreshError::NotFound,
                "refresh_token_not_found",
                "Invalid Refresh Token: Refresh Token Not Found",
            ),
            (
                RefreshError::AlreadyUsed { owner },
                "refresh_token_already_used",
                "Invalid Refresh Token: Already Used",
            ),
            (RefreshError::Banned { owner }, "user_banned", "Invalid Refresh Token: User Banned"),
            (
                RefreshError::Expired { owner, rule: Expiry::Inactivity },
                "session_expired",
                "Invalid Refresh Token: Session Expired (Inactivity)",
            ),
        ] {
            let refused = refusal(error);
            assert_eq!(
                (refused.status().as_u16(), refused.code().as_str(), refused.message()),
                (400, code, message)
            );
        }
    }
}

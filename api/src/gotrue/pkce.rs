//! `POST /token?grant_type=pkce`, and what requests say of PKCE (RFC 7636).

use axum::body::Body as HttpBody;
use axum::extract::Request;
use axum::http::Response;
use evident_commands::RedeemFlowError;
use evident_domain::Actor;
use evident_domain::flow::{ChallengeError, CodeChallenge};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::app::App;
use super::body::Body;
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;

/// A code and its verifier for a session.
pub(super) async fn redeem(
    app: &App,
    incoming: &Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let mut body = Body::read(request, app.body_limit(), "PKCEGrantParams").await?;
    let code = Zeroizing::new(body.text_or_empty("auth_code")?);
    let verifier = Zeroizing::new(body.text_or_empty("code_verifier")?);
    if code.is_empty() || verifier.is_empty() {
        let message = "invalid request: both auth code and code verifier should be non-empty";
        return Err(GotrueError::validation(message));
    }
    let code = Uuid::try_parse(&code).map_err(|_| refusal(RedeemFlowError::NotFound))?;
    let context = incoming.context(Actor::Visitor);
    let redeemed = app.commands().redeem_flow(&context, code, &verifier).await.map_err(refusal)?;
    let document = SessionDocument::of(&redeemed.grant).with_provider(redeemed.tokens.as_ref());
    reply::session(&redeemed.grant, &document)
}

fn refusal(error: RedeemFlowError) -> GotrueError {
    match error {
        RedeemFlowError::NotFound => GotrueError::not_found(
            ErrorCode::FlowStateNotFound,
            "invalid flow state, no valid flow state found",
        ),
        RedeemFlowError::Expired => GotrueError::unprocessable(
            ErrorCode::FlowStateExpired,
            "invalid flow state, flow state has expired",
        ),
        RedeemFlowError::WrongVerifier => GotrueError::bad_request(
            ErrorCode::BadCodeVerifier,
            "code challenge does not match previously saved code verifier",
        ),
        RedeemFlowError::Banned => GotrueError::forbidden(ErrorCode::UserBanned, "User is banned"),
        RedeemFlowError::Session(error) => GotrueError::internal(error),
        RedeemFlowError::Failure(failure) => failure.into(),
    }
}

/// The challenge in a body, where there is one.
pub(super) fn challenge_in(body: &mut Body) -> Result<Option<CodeChallenge>, GotrueError> {
    let (value, method) =
        (body.text_or_empty("code_challenge")?, body.text_or_empty("code_challenge_method")?);
    challenge(&value, &method)
}

/// A challenge and its method; empty texts count as absent, and one goes with the other.
pub(super) fn challenge(value: &str, method: &str) -> Result<Option<CodeChallenge>, GotrueError> {
    match (value.is_empty(), method.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => CodeChallenge::parse(value, method).map(Some).map_err(|error| {
            GotrueError::validation(match error {
                ChallengeError::Length => "code challenge has to be between 43 and 128 characters",
                ChallengeError::Characters => {
                    "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes"
                }
                ChallengeError::Method => "Invalid code_challenge_method",
            })
        }),
        (true, false) | (false, true) => {
            Err(GotrueError::validation("PKCE flow requires code_challenge_method and code_challenge"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_goes_with_its_method() {
        let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(challenge("", "").unwrap().is_none());
        assert!(challenge(good, "S256").unwrap().is_some());
        for (value, method, message) in [
            (good, "", "PKCE flow requires code_challenge_method and code_challenge"),
            ("", "plain", "PKCE flow requires code_challenge_method and code_challenge"),
            ("short", "s256", "code challenge has to be between 43 and 128 characters"),
            (good, "s512", "Invalid code_challenge_method"),
        ] {
            let refused = challenge(value, method).unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.message()), (400, message));
        }
    }

    #[test]
    fn refusals_have_the_peers_words() {
        for (error, status, code) in [
            (RedeemFlowError::NotFound, 404, "flow_state_not_found"),
            (RedeemFlowError::Expired, 422, "flow_state_expired"),
            (RedeemFlowError::WrongVerifier, 400, "bad_code_verifier"),
            (RedeemFlowError::Banned, 403, "user_banned"),
        ] {
            let refused = refusal(error);
            assert_eq!((refused.status().as_u16(), refused.code().as_str()), (status, code));
        }
    }
}

//! Captchas: requests that strangers send come with the token of a solved riddle, where the owner wants so.

use axum::body::Body as HttpBody;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{Method, Response};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use evident_commands::captcha::CaptchaError;
use serde_json::Value;

use super::access;
use super::app::{App, Bucket};
use super::body::{self, Body};
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;

/// Where tokens are asked for.
const PATHS: [&str; 7] =
    ["/signup", "/recover", "/resend", "/magiclink", "/otp", "/sso", "/passkeys/authentication/options"];
/// The grants of `POST /token` that ask for one.
const GRANTS: [&str; 2] = ["password", "web3"];

/// The layer before the endpoints. Administrators need no token.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response<HttpBody> {
    match checked(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn checked(app: &App, request: Request) -> Result<Request, GotrueError> {
    let Some(captcha) = app.captcha() else { return Ok(request) };
    let (mut parts, body) = request.into_parts();
    let Ok(incoming) = Incoming::from_request_parts(&mut parts, app).await;
    if parts.method != Method::POST || !asks(parts.uri.path(), incoming.params.get("grant_type")) {
        return Ok(Request::from_parts(parts, body));
    }
    if access::is_administrator(&parts, app).await {
        return Ok(Request::from_parts(parts, body));
    }
    let headers = parts.headers.clone();
    let mut probe = Request::new(body);
    *probe.headers_mut() = headers;
    let bytes = body::bytes(probe, app.body_limit()).await?;
    let token = if bytes.is_empty() { String::new() } else { token(&bytes)? };
    if !token.trim().is_empty() {
        // Each token is a call of the service.
        app.limit(Bucket::Captcha, &incoming)?;
    }
    captcha.verify(&token, incoming.origin.facts.ip).await.map_err(|error| refusal(&error))?;
    Ok(Request::from_parts(parts, HttpBody::from(bytes.to_vec())))
}

fn asks(path: &str, grant: Option<&str>) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    PATHS.contains(&path) || (path == "/token" && grant.is_some_and(|grant| GRANTS.contains(&grant)))
}

/// `gotrue_meta_security.captcha_token`
fn token(bytes: &[u8]) -> Result<String, GotrueError> {
    let security = Body::parse(bytes, "GotrueRequest")?.object("gotrue_meta_security")?;
    let token = security.as_ref().and_then(|security| security.0.get("captcha_token"));
    Ok(token.and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn refusal(error: &CaptchaError) -> GotrueError {
    match error {
        CaptchaError::Missing | CaptchaError::Refused(_) => {
            let message = format!("captcha protection: request disallowed ({error})");
            GotrueError::bad_request(ErrorCode::CaptchaFailed, message)
        }
        CaptchaError::Unreachable => GotrueError::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::UnexpectedFailure,
            "captcha verification process failed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_send_asks_for_a_token() {
        for path in ["/signup", "/signup/", "/otp", "/sso"] {
            assert!(asks(path, None), "{path}");
        }
        assert!(asks("/token", Some("password")) && asks("/token", Some("web3")));
        for grant in [None, Some("refresh_token"), Some("pkce"), Some("id_token")] {
            assert!(!asks("/token", grant));
        }
        assert!(!asks("/verify", None) && !asks("/user", None));
    }
}

//! What errors look like on the wire, and the layer that writes them.

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use axum::middleware::Next;
use serde::Serialize;
use uuid::Uuid;

use super::{Details, ErrorCode, GotrueError, OAuthForm};
use crate::gotrue::App;
use crate::http::guard::guarded;
use crate::http::origin::Facts;

const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");
const USER_ID: HeaderName = HeaderName::from_static("sb-auth-user-id");
const SESSION_ID: HeaderName = HeaderName::from_static("sb-auth-session-id");
const ROTATED: HeaderName = HeaderName::from_static("sb-auth-refresh-token-rotated");

/// The first version with the newer form, and the only one that is echoed.
const NEWER: &str = "2024-01-01";

/// What an error looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `code` is the status, `error_code` the word, `msg` the sentence.
    Older,
    /// `code` is the word, `message` the sentence.
    Newer,
}

impl Form {
    /// The form that a request asks for: the newer one from its first version on.
    fn asked(headers: &HeaderMap) -> Self {
        let version = headers.get(API_VERSION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let date =
            chrono::NaiveDate::parse_from_str(version, "%Y-%m-%d").is_ok() && version.len() == NEWER.len();
        if date && version >= NEWER { Self::Newer } else { Self::Older }
    }
}

#[derive(Serialize)]
struct Older<'a> {
    code: u16,
    error_code: &'a str,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<WeakPassword<'a>>,
    #[serde(flatten)]
    oauth: Option<OAuth<'a>>,
}

#[derive(Serialize)]
struct Newer<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<WeakPassword<'a>>,
    #[serde(flatten)]
    oauth: Option<OAuth<'a>>,
}

/// RFC 6749, section 5.2.
#[derive(Serialize)]
struct OAuth<'a> {
    error: &'a str,
    error_description: &'a str,
}

#[derive(Serialize)]
struct WeakPassword<'a> {
    reasons: Vec<&'a str>,
}

impl Details {
    fn render(&self, form: Form, request: Uuid) -> Response<Body> {
        let reasons = self
            .weakness
            .as_ref()
            .map(|reasons| WeakPassword { reasons: reasons.iter().map(|reason| reason.as_str()).collect() });
        let weak = reasons.is_some();
        let oauth = |code: super::OAuthCode| OAuth { error: code.as_str(), error_description: &self.message };
        let beside = match self.oauth {
            Some(OAuthForm::Beside(code)) => Some(oauth(code)),
            Some(OAuthForm::Alone(_)) | None => None,
        };
        let alone = match self.oauth {
            Some(OAuthForm::Alone(code)) => Some(code),
            Some(OAuthForm::Beside(_)) | None => None,
        };
        let body = match form {
            _ if alone.is_some() => serde_json::to_vec(&alone.map(oauth)),
            Form::Older => serde_json::to_vec(&Older {
                code: self.status.as_u16(),
                error_code: self.code.as_str(),
                msg: &self.message,
                error_id: (self.status.is_server_error() && !self.unhandled).then_some(request),
                weak_password: reasons,
                oauth: beside,
            }),
            Form::Newer => serde_json::to_vec(&Newer {
                code: self.code.as_str(),
                message: &self.message,
                weak_password: reasons,
                oauth: beside,
            }),
        };
        let mut response = Response::new(Body::from(body.unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if form == Form::Newer && alone.is_none() {
            headers.insert(API_VERSION, HeaderValue::from_static(NEWER));
        }
        // A hook's refusal has no code of ours.
        let coded = !self.unhandled && alone.is_none() && self.code != ErrorCode::Unknown;
        let named = coded && (!weak || form == Form::Older);
        if named {
            headers.insert(ERROR_CODE, HeaderValue::from_static(self.code.as_str()));
        }
        if let Some(owner) = self.owner {
            insert(headers, USER_ID, &owner.user.to_string());
            insert(headers, SESSION_ID, &owner.session.to_string());
        }
        if self.session_ended {
            headers.insert(ROTATED, HeaderValue::from_static("true"));
        }
        if let Some(time) = self.retry_after {
            insert(headers, header::RETRY_AFTER, &whole_seconds(time).to_string());
        }
        response
    }

    fn log(&self) {
        let (status, code) = (self.status.as_u16(), self.code.as_str());
        if let Some(cause) = &self.cause {
            tracing::error!(status, code, cause = chain(&**cause), "the request failed");
        } else if self.status.is_server_error() {
            tracing::warn!(status, code, "the request failed");
        } else {
            tracing::debug!(status, code, "the request was refused");
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A time in seconds, none too few.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// An error and what led to it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let link = error.to_string();
        // Transparent errors repeat what they hold.
        if !text.ends_with(&link) {
            text.push_str(": ");
            text.push_str(&link);
        }
        cause = error.source();
    }
    text
}

/// The layer: sees to it that a request ends, and writes its error in the form that it asks for.
pub async fn errors(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let form = Form::asked(request.headers());
    let id = request.extensions().get::<Facts>().map_or_else(Uuid::nil, |facts| facts.id);
    let error = match guarded(app.time_limit(), next.run(request)).await {
        Ok(mut response) => match response.extensions_mut().remove::<GotrueError>() {
            None => return response,
            Some(error) => error,
        },
        Err(fault) => GotrueError::from(fault),
    };
    error.0.log();
    error.0.render(form, id)
}

#[cfg(test)]
mod tests {
    use super::super::OAuthCode;
    use evident_commands::password::{Weakness, WeaknessReason};
    use evident_commands::{Failure, SessionOwner};
    use evident_domain::{SessionId, UserId};
    use http_body_util::BodyExt as _;

    use super::super::ErrorCode;
    use super::*;
    use crate::http::Limited;
    use crate::http::guard::Fault;

    async fn wire(error: GotrueError, form: Form) -> (u16, HeaderMap, String) {
        let response = error.0.render(form, Uuid::from_u128(7));
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_error_of_oauth_has_its_own_form_and_no_code() {
        for form in [Form::Older, Form::Newer] {
            let (status, headers, body) = wire(GotrueError::oauth(OAuthCode::InvalidGrant, "No"), form).await;
            assert_eq!(
                (status, body.as_str()),
                (400, r#"{"error":"invalid_grant","error_description":"No"}"#)
            );
            assert!(!headers.contains_key(ERROR_CODE) && !headers.contains_key(API_VERSION));
        }
    }

    #[tokio::test]
    async fn an_error_has_two_forms() {
        let (status, headers, body) = wire(GotrueError::email_exists(), Form::Older).await;
        assert_eq!(status, 422);
        assert_eq!(
            body,
            r#"{"code":422,"error_code":"email_exists","msg":"A user with this email address has already been registered"}"#
        );
        assert_eq!(headers[ERROR_CODE], "email_exists");
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert!(!headers.contains_key(API_VERSION));

        let (_, headers, body) = wire(GotrueError::email_exists(), Form::Newer).await;
        assert_eq!(
            body,
            r#"{"code":"email_exists","message":"A user with this email address has already been registered"}"#
        );
        assert_eq!(headers[ERROR_CODE], "email_exists");
        assert_eq!(headers[API_VERSION], "2024-01-01");
    }

    #[tokio::test]
    async fn a_weak_password_is_told_with_its_reasons() {
        let weak = || {
            GotrueError::weak_password(Weakness {
                reasons: vec![WeaknessReason::Length],
                message: "Password should be at least 6 characters.".to_owned(),
            })
        };
        let (status, headers, body) = wire(weak(), Form::Older).await;
        assert_eq!(status, 422);
        assert_eq!(
            body,
            r#"{"code":422,"error_code":"weak_password","msg":"Password should be at least 6 characters.","weak_password":{"reasons":["length"]}}"#
        );
        assert_eq!(headers[ERROR_CODE], "weak_password");
        let (_, headers, body) = wire(weak(), Form::Newer).await;
        assert_eq!(
            body,
            r#"{"code":"weak_password","message":"Password should be at least 6 characters.","weak_password":{"reasons":["length"]}}"#
        );
        assert!(!headers.contains_key(ERROR_CODE), "as the real server");
    }

    #[tokio::test]
    async fn internals_stay_inside() {
        let error = GotrueError::from(Failure::Internal("the secret reason"));
        let (status, headers, body) = wire(error, Form::Older).await;
        assert_eq!(status, 500);
        assert_eq!(
            body,
            r#"{"code":500,"error_code":"unexpected_failure","msg":"Unexpected failure, please check server logs for more information","error_id":"00000000-0000-0000-0000-000000000007"}"#
        );
        assert_eq!(headers[ERROR_CODE], "unexpected_failure");
        let (_, headers, body) = wire(Fault::Panicked.into(), Form::Older).await;
        assert_eq!(body, r#"{"code":500,"error_code":"unexpected_failure","msg":"Internal Server Error"}"#);
        assert!(!headers.contains_key(ERROR_CODE));
    }

    #[tokio::test]
    async fn who_should_wait_hears_how_long() {
        let (status, headers, _) = wire(Failure::Overloaded.into(), Form::Older).await;
        assert_eq!((status, headers[header::RETRY_AFTER].to_str().unwrap()), (503, "1"));
        let limited = Limited { retry_after: Duration::from_millis(9001) };
        let (status, headers, body) = wire(limited.into(), Form::Older).await;
        assert_eq!((status, headers[header::RETRY_AFTER].to_str().unwrap()), (429, "10"));
        assert_eq!(
            body,
            r#"{"code":429,"error_code":"over_request_rate_limit","msg":"Request rate limit reached"}"#
        );
        let (status, _, body) = wire(Fault::TimedOut.into(), Form::Newer).await;
        assert_eq!(status, 504);
        assert!(body.starts_with(r#"{"code":"request_timeout""#));
    }

    #[tokio::test]
    async fn the_session_of_a_refused_refresh_is_named() {
        let owner = SessionOwner { user: UserId(Uuid::from_u128(1)), session: SessionId(Uuid::from_u128(2)) };
        let error = GotrueError::bad_request(
            ErrorCode::RefreshTokenAlreadyUsed,
            "Invalid Refresh Token: Already Used",
        )
        .about(Some(owner))
        .ending_the_session();
        let (_, headers, _) = wire(error, Form::Older).await;
        assert_eq!(headers[USER_ID], owner.user.to_string());
        assert_eq!(headers[SESSION_ID], owner.session.to_string());
        assert_eq!(headers[ROTATED], "true");
    }

    #[test]
    fn the_newer_form_is_asked_for_by_a_date_from_2024_on() {
        let asked = |version: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(version) = version {
                headers.insert(API_VERSION, HeaderValue::from_str(version).unwrap());
            }
            Form::asked(&headers)
        };
        for newer in ["2024-01-01", "2025-06-30", "9999-12-31"] {
            assert_eq!(asked(Some(newer)), Form::Newer, "{newer}");
        }
        for older in
            [None, Some(""), Some("2023-12-31"), Some("nonsense"), Some("2024-13-01"), Some("2024-1-1")]
        {
            assert_eq!(asked(older), Form::Older, "{older:?}");
        }
    }
}

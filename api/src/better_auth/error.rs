//! Errors of the protocol: a status, a message, and a code that clients know.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use evident_commands::hooks::HookError;
use evident_commands::{Failure, OverQuota, SessionsError};
use evident_domain::recipient::AskedTooSoon;
use serde_json::json;

use crate::http::guard::Fault;

use super::origins::{ForeignUrl, UrlParameter};

/// What clients wait before they try an overloaded server again.
const OVERLOADED_RETRY: Duration = Duration::from_secs(1);

/// What clients wait before they ask for another message when too many have left.
const QUOTA_RETRY: Duration = Duration::from_secs(60);

const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");

/// An answer that is an error.
#[derive(Debug, Clone)]
pub struct BetterAuthError {
    status: StatusCode,
    code: Option<Cow<'static, str>>,
    message: Cow<'static, str>,
    /// The body is empty, as some endpoints have it.
    bare: bool,
    retry_after: Option<Duration>,
    /// For the log only.
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl BetterAuthError {
    /// An error with a code and a message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code: Some(code.into()),
            message: message.into(),
            bare: false,
            retry_after: None,
            cause: None,
        }
    }

    /// 400.
    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401.
    pub fn unauthorized(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    /// 403.
    pub fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404.
    pub fn not_found(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 422.
    pub fn unprocessable(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 401: nobody is signed in.
    pub fn signed_out() -> Self {
        Self::unauthorized("UNAUTHORIZED", "Unauthorized")
    }

    /// A field of the body or the query is missing or of another type than it should be.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_request("VALIDATION_ERROR", message)
    }

    /// Something inside failed; what it was is for the log.
    pub fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        let mut error =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Internal Server Error");
        error.cause = Some(Arc::new(cause));
        error
    }

    /// 429: the caller asked too often, or tried too often for one account.
    pub fn too_many_requests(wait: Duration) -> Self {
        let message = "Too many requests. Please try again later.";
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "", message).without_code();
        error.retry_after = Some(wait);
        error
    }

    /// 429: a message of the same kind was asked for a moment ago.
    pub fn too_soon(error: AskedTooSoon) -> Self {
        Self::too_many_requests(Duration::from_secs(error.seconds))
    }

    /// 429: too many messages were asked for.
    pub fn over_quota(_: OverQuota) -> Self {
        Self::too_many_requests(QUOTA_RETRY)
    }

    /// 400: an organization with other members would have no owner.
    pub fn only_owner() -> Self {
        let code = "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER";
        Self::bad_request(code, "You cannot leave the organization as the only owner")
    }

    /// 409: what is known of the user must be kept.
    pub fn held() -> Self {
        let message = "What is known of the user is kept under a legal hold and cannot be deleted now";
        Self::new(StatusCode::CONFLICT, "USER_UNDER_LEGAL_HOLD", message)
    }

    /// 403: the user is kept out.
    pub fn banned() -> Self {
        let message = "You have been banned from this application. Please contact support if you believe this is an error.";
        Self::forbidden("BANNED_USER", message)
    }

    /// In the owner's words, where it tells somebody that they are kept out.
    #[must_use]
    pub(super) fn in_words_of(mut self, ban_message: &str) -> Self {
        if self.code.as_deref() == Some("BANNED_USER") {
            self.message = ban_message.to_owned().into();
        }
        self
    }

    /// Without a code: some errors have none.
    #[must_use]
    pub fn without_code(mut self) -> Self {
        self.code = None;
        self
    }

    /// With an empty body, as some endpoints answer.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code, where it has one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<Failure> for BetterAuthError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Overloaded => {
                let message = "The server is too busy. Please try again in a moment.";
                let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", message);
                error.retry_after = Some(OVERLOADED_RETRY);
                error
            }
            // The hook's own words are for people.
            Failure::Hook(HookError::Refused { status: Some(400..=499), message }) => {
                Self::forbidden("FORBIDDEN", message)
            }
            Failure::Recipient(_) => Self::bad_request("INVALID_EMAIL", "Invalid email"),
            Failure::Store(_) | Failure::Hook(_) | Failure::LeakCheck | Failure::Internal(_) => {
                Self::internal(failure)
            }
        }
    }
}

impl From<SessionsError> for BetterAuthError {
    fn from(error: SessionsError) -> Self {
        match error {
            SessionsError::Session(_) => Self::signed_out(),
            SessionsError::Failure(failure) => failure.into(),
        }
    }
}

impl From<Fault> for BetterAuthError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TimedOut => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "GATEWAY_TIMEOUT", "The request took too long")
            }
            Fault::Panicked => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Internal Server Error")
            }
        }
    }
}

impl From<ForeignUrl> for BetterAuthError {
    fn from(ForeignUrl(parameter): ForeignUrl) -> Self {
        let (code, message) = match parameter {
            UrlParameter::Callback => ("INVALID_CALLBACK_URL", "Invalid callbackURL"),
            UrlParameter::Redirect => ("INVALID_REDIRECT_URL", "Invalid redirectURL"),
            UrlParameter::ErrorCallback => ("INVALID_ERROR_CALLBACK_URL", "Invalid errorCallbackURL"),
            UrlParameter::NewUserCallback => ("INVALID_NEW_USER_CALLBACK_URL", "Invalid newUserCallbackURL"),
        };
        Self::forbidden(code, message)
    }
}

impl IntoResponse for BetterAuthError {
    fn into_response(self) -> Response<Body> {
        if let Some(cause) = &self.cause {
            tracing::error!(error = %cause, "a request failed");
        }
        let body = if self.bare {
            String::new()
        } else {
            match &self.code {
                Some(code) => json!({ "message": self.message, "code": code }).to_string(),
                None => json!({ "message": self.message }).to_string(),
            }
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let limited = self.status == StatusCode::TOO_MANY_REQUESTS;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            let up = u64::from(wait.subsec_nanos() > 0);
            let seconds = HeaderValue::from((wait.as_secs() + up).max(1));
            let name = if limited { X_RETRY_AFTER } else { header::RETRY_AFTER };
            headers.insert(name, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn body(error: BetterAuthError) -> (u16, String) {
        let response = error.into_response();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_error_has_a_message_and_mostly_a_code() {
        let wrong =
            || BetterAuthError::unauthorized("INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
        let text = r#"{"code":"INVALID_EMAIL_OR_PASSWORD","message":"Invalid email or password"}"#;
        assert_eq!(body(wrong()).await, (401, text.to_owned()));
        let text = r#"{"message":"Invalid email or password"}"#;
        assert_eq!(body(wrong().without_code()).await, (401, text.to_owned()));
        assert_eq!(body(wrong().bare()).await, (401, String::new()));
    }

    #[tokio::test]
    async fn what_went_wrong_inside_stays_inside() {
        let (status, text) = body(Failure::Internal("the secret is 42").into()).await;
        assert_eq!(status, 500);
        assert!(!text.contains("42"), "{text}");
    }
}

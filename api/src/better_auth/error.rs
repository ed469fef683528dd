//! Errors of the protocol: a status, a message, and a code that clients know.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use evident_commands::Failure;
use evident_commands::hooks::HookError;
use serde_json::json;

use super::origins::{ForeignUrl, UrlParameter};

/// What clients wait before they try an overloaded server again.
const OVERLOADED_RETRY: Duration = Duration::from_secs(1);

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
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
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

//! Errors in the two forms of the protocol, and the layer that writes them.
//!
//! A handler returns a [`GotrueError`]; what it looks like on the wire depends on the version of the API
//! that the request names, so the [`errors`] layer renders it. There, and only there, internals are
//! logged; they never leave the server.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use evident_commands::password::{Weakness, WeaknessReason};
use evident_commands::{Failure, SessionOwner};
use evident_domain::contact::EmailError;
use evident_eventstore::StoreError;
use serde::Serialize;
use uuid::Uuid;

use super::App;
use crate::http::Limited;
use crate::http::guard::{Fault, guarded};
use crate::http::origin::Facts;

const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");
const USER_ID: HeaderName = HeaderName::from_static("sb-auth-user-id");
const SESSION_ID: HeaderName = HeaderName::from_static("sb-auth-session-id");
const ROTATED: HeaderName = HeaderName::from_static("sb-auth-refresh-token-rotated");

/// The first version with the newer form, and the only one that is echoed.
const NEWER: &str = "2024-01-01";

/// What clients wait before they try an overloaded server again.
const OVERLOADED_RETRY: Duration = Duration::from_secs(1);

macro_rules! codes {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The machine's word for what went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it; the protocol's reference explains them")]
        pub enum ErrorCode { $($variant),* }

        impl ErrorCode {
            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

codes! {
    AnonymousProviderDisabled = "anonymous_provider_disabled",
    BadJson = "bad_json",
    BadJwt = "bad_jwt",
    CurrentPasswordInvalid = "current_password_invalid",
    CurrentPasswordRequired = "current_password_required",
    EmailExists = "email_exists",
    EmailNotConfirmed = "email_not_confirmed",
    EmailProviderDisabled = "email_provider_disabled",
    FeatureDisabled = "feature_disabled",
    InvalidCredentials = "invalid_credentials",
    NoAuthorization = "no_authorization",
    NotAdmin = "not_admin",
    OtpExpired = "otp_expired",
    OverEmailSendRateLimit = "over_email_send_rate_limit",
    OverRequestRateLimit = "over_request_rate_limit",
    OverSmsSendRateLimit = "over_sms_send_rate_limit",
    PhoneExists = "phone_exists",
    PhoneNotConfirmed = "phone_not_confirmed",
    PhoneProviderDisabled = "phone_provider_disabled",
    ReauthenticationNeeded = "reauthentication_needed",
    ReauthenticationNotValid = "reauthentication_not_valid",
    RefreshTokenAlreadyUsed = "refresh_token_already_used",
    RefreshTokenNotFound = "refresh_token_not_found",
    RequestEntityTooLarge = "request_entity_too_large",
    RequestTimeout = "request_timeout",
    SamePassword = "same_password",
    SessionExpired = "session_expired",
    SessionNotFound = "session_not_found",
    SignupDisabled = "signup_disabled",
    UnexpectedFailure = "unexpected_failure",
    UserAlreadyExists = "user_already_exists",
    UserBanned = "user_banned",
    UserNotFound = "user_not_found",
    ValidationFailed = "validation_failed",
    WeakPassword = "weak_password",
}

/// An answer that is an error.
#[derive(Debug, Clone)]
pub struct GotrueError(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    status: StatusCode,
    code: ErrorCode,
    message: Cow<'static, str>,
    /// No handler chose it: the code stands in the body only.
    unhandled: bool,
    weakness: Option<Vec<WeaknessReason>>,
    owner: Option<SessionOwner>,
    session_ended: bool,
    retry_after: Option<Duration>,
    /// For the log only.
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl GotrueError {
    /// An error with a status, a code and a message for people.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details {
            status,
            code,
            message: message.into(),
            unhandled: false,
            weakness: None,
            owner: None,
            session_ended: false,
            retry_after: None,
            cause: None,
        }))
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 403.
    pub fn forbidden(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404.
    pub fn not_found(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 422: the request reads, and cannot be done.
    pub fn unprocessable(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 400 `validation_failed`.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_request(ErrorCode::ValidationFailed, message)
    }

    /// Nobody has the id of a path.
    pub fn user_not_found() -> Self {
        Self::not_found(ErrorCode::UserNotFound, "User not found")
    }

    /// Something inside failed; what it was is for the log.
    pub fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        let message = "Unexpected failure, please check server logs for more information";
        let mut error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::UnexpectedFailure, message);
        error.0.cause = Some(Arc::new(cause));
        error
    }

    /// The server has too much to do.
    pub fn overloaded() -> Self {
        let message = "The server is too busy, please retry after a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::UnexpectedFailure, message)
            .retry_after(OVERLOADED_RETRY)
    }

    /// The caller asks too often.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        let message = "Request rate limit reached";
        Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::OverRequestRateLimit, message)
            .retry_after(retry_after)
    }

    /// A message went out a moment ago.
    pub fn too_soon(code: ErrorCode, seconds: u64) -> Self {
        let message = format!("For security purposes, you can only request this after {seconds} seconds.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, message)
            .retry_after(Duration::from_secs(seconds.max(1)))
    }

    /// The password is too easy.
    pub fn weak_password(weakness: Weakness) -> Self {
        let mut error = Self::unprocessable(ErrorCode::WeakPassword, weakness.message);
        error.0.weakness = Some(weakness.reasons);
        error
    }

    /// The password is too long to be anybody's.
    pub fn password_too_long() -> Self {
        Self::validation("Password cannot be longer than 72 characters")
    }

    /// The text is no e-mail address.
    pub fn email(error: EmailError) -> Self {
        Self::validation(match error {
            EmailError::Missing => "An email address is required",
            EmailError::TooLong => "An email address is too long",
            EmailError::Malformed => "Unable to validate email address: invalid format",
        })
    }

    /// The text is no phone number.
    pub fn phone() -> Self {
        Self::validation("Invalid phone number format (E.164 required)")
    }

    /// The address is somebody's.
    pub fn email_exists() -> Self {
        let message = "A user with this email address has already been registered";
        Self::unprocessable(ErrorCode::EmailExists, message)
    }

    /// The number is somebody's.
    pub fn phone_exists() -> Self {
        let message = "A user with this phone number has already been registered";
        Self::unprocessable(ErrorCode::PhoneExists, message)
    }

    /// With the session that the request was about.
    #[must_use]
    pub fn about(mut self, owner: Option<SessionOwner>) -> Self {
        self.0.owner = owner;
        self
    }

    /// With the news that the session is over because of it.
    #[must_use]
    pub fn ending_the_session(mut self) -> Self {
        self.0.session_ended = true;
        self
    }

    #[must_use]
    fn retry_after(mut self, time: Duration) -> Self {
        self.0.retry_after = Some(time);
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl From<Failure> for GotrueError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Overloaded => Self::overloaded(),
            Failure::Store(error) => error.into(),
            Failure::Internal(_) => Self::internal(failure),
        }
    }
}

impl From<StoreError> for GotrueError {
    fn from(error: StoreError) -> Self {
        match error {
            // Nothing was written, and the next moment may do.
            StoreError::TimedOut | StoreError::Stopped => {
                let mut overloaded = Self::overloaded();
                overloaded.0.cause = Some(Arc::new(error));
                overloaded
            }
            StoreError::Database(_)
            | StoreError::Codec(_)
            | StoreError::Vault(_)
            | StoreError::Seal(_)
            | StoreError::Frontier(_)
            | StoreError::OutcomeUnknown
            | StoreError::Panicked => Self::internal(error),
        }
    }
}

impl From<Limited> for GotrueError {
    fn from(limited: Limited) -> Self {
        Self::too_many_requests(limited.retry_after)
    }
}

impl From<Fault> for GotrueError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TimedOut => {
                let message = "Processing this request timed out, please retry after a moment.";
                Self::new(StatusCode::GATEWAY_TIMEOUT, ErrorCode::RequestTimeout, message)
            }
            Fault::Panicked => {
                let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::UnexpectedFailure);
                let mut error = Self::new(status, code, "Internal Server Error");
                error.0.unhandled = true;
                error
            }
        }
    }
}

/// Carries the error to the [`errors`] layer.
impl IntoResponse for GotrueError {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.status;
        response.extensions_mut().insert(self);
        response
    }
}

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
}

#[derive(Serialize)]
struct Newer<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<WeakPassword<'a>>,
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
        let body = match form {
            Form::Older => serde_json::to_vec(&Older {
                code: self.status.as_u16(),
                error_code: self.code.as_str(),
                msg: &self.message,
                error_id: (self.status.is_server_error() && !self.unhandled).then_some(request),
                weak_password: reasons,
            }),
            Form::Newer => serde_json::to_vec(&Newer {
                code: self.code.as_str(),
                message: &self.message,
                weak_password: reasons,
            }),
        };
        let mut response = Response::new(Body::from(body.unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if form == Form::Newer {
            headers.insert(API_VERSION, HeaderValue::from_static(NEWER));
        }
        let named = !self.unhandled && (!weak || form == Form::Older);
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
    use evident_domain::{SessionId, UserId};
    use http_body_util::BodyExt as _;

    use super::*;

    async fn wire(error: GotrueError, form: Form) -> (u16, HeaderMap, String) {
        let response = error.0.render(form, Uuid::from_u128(7));
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
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

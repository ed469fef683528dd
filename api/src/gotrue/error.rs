//! Errors of the protocol.
//!
//! A handler returns a [`GotrueError`]; what it looks like on the wire depends on the version of the API
//! that the request names, so the layer [`errors`] writes it. There, and only there, internals are
//! logged; they never leave the server.

mod code;
mod form;

pub use code::ErrorCode;
pub use form::errors;

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use evident_commands::hooks::HookError;
use evident_commands::password::{Weakness, WeaknessReason};
use evident_commands::{Failure, RecipientError, SessionOwner};
use evident_domain::contact::EmailError;
use evident_eventstore::StoreError;

use crate::http::Limited;
use crate::http::guard::Fault;

/// What clients wait before they try an overloaded server again.
const OVERLOADED_RETRY: Duration = Duration::from_secs(1);

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
    /// OAuth's word for it (RFC 6749, 5.2): the error then has OAuth's form.
    oauth: Option<&'static str>,
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
            oauth: None,
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

    /// 400 in OAuth's form (RFC 6749, 5.2), whatever version of the API is asked for.
    pub fn oauth(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        let mut refusal = Self::validation(description);
        refusal.0.oauth = Some(error);
        refusal
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

    /// Too many messages were asked for.
    pub fn over_quota(code: ErrorCode, by_phone: bool) -> Self {
        let message = if by_phone { "SMS rate limit exceeded" } else { "email rate limit exceeded" };
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, message)
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

    /// Text messages do not go by the channel.
    pub fn channel() -> Self {
        let message = "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only \
                       supported if Twilio or Twilio Verify is used as the provider.";
        Self::validation(message)
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
            Failure::Hook(error) => error.into(),
            Failure::Recipient(RecipientError::NotAuthorized(email)) => {
                let message = format!("Email address \"{email}\" cannot be used as it is not authorized");
                Self::bad_request(ErrorCode::EmailAddressNotAuthorized, message)
            }
            Failure::Recipient(RecipientError::Invalid(email)) => {
                let message = format!("Email address \"{email}\" is invalid");
                Self::bad_request(ErrorCode::EmailAddressInvalid, message)
            }
            Failure::LeakCheck => {
                let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::UnexpectedFailure);
                Self::new(status, code, failure.to_string())
            }
            Failure::Internal(_) => Self::internal(failure),
        }
    }
}

impl From<HookError> for GotrueError {
    fn from(error: HookError) -> Self {
        let message = error.to_string();
        let broken = StatusCode::INTERNAL_SERVER_ERROR;
        match error {
            HookError::Refused { status, .. } => {
                let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(broken);
                let code = if status == broken { ErrorCode::UnexpectedFailure } else { ErrorCode::Unknown };
                Self::new(status, code, message)
            }
            HookError::MfaRejected(_) => Self::forbidden(ErrorCode::MfaVerificationRejected, message),
            HookError::TimedOut => Self::unprocessable(ErrorCode::HookTimeout, message),
            HookError::Unreachable => Self::unprocessable(ErrorCode::HookTimeoutAfterRetry, message),
            HookError::TooLarge => Self::unprocessable(ErrorCode::HookPayloadOverSizeLimit, message),
            HookError::ContentType(_) | HookError::NoContentType => {
                Self::bad_request(ErrorCode::HookPayloadInvalidContentType, message)
            }
            HookError::Unavailable
            | HookError::BadRequest
            | HookError::Unauthorized
            | HookError::Status(_)
            | HookError::NotJson
            | HookError::NoClaims
            | HookError::BadClaims(_)
            | HookError::Input => Self::new(broken, ErrorCode::UnexpectedFailure, message),
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

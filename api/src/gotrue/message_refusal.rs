//! What requests for messages are refused with, at whatever endpoint.

use evident_commands::{OverQuota, RequestError};
use evident_domain::recipient::AskedTooSoon;
use evident_domain::user::UserError;

use super::error::{ErrorCode, GotrueError};

/// The code for messages that follow each other too fast.
pub(super) fn over_rate(by_phone: bool) -> ErrorCode {
    if by_phone { ErrorCode::OverSmsSendRateLimit } else { ErrorCode::OverEmailSendRateLimit }
}

/// Too many messages were asked for, by this caller or by all.
pub(super) fn over_quota(_: OverQuota, by_phone: bool) -> GotrueError {
    GotrueError::over_quota(over_rate(by_phone), by_phone)
}

/// A message went there a moment ago, or would have.
pub(super) fn too_soon(error: AskedTooSoon, by_phone: bool) -> GotrueError {
    GotrueError::too_soon(over_rate(by_phone), error.seconds)
}

/// What the account's rules said no to. Most of them cannot be broken here.
pub(super) fn user_refusal(error: UserError, by_phone: bool) -> GotrueError {
    match error {
        UserError::TooSoon { seconds } => GotrueError::too_soon(over_rate(by_phone), seconds),
        // Erased between two steps: the next try finds nobody.
        UserError::NotFound => GotrueError::overloaded(),
        other => GotrueError::internal(other),
    }
}

/// What a request for a message is refused with. Endpoints that have words of their own for some of it
/// look at that first.
pub(super) fn request_refusal(error: RequestError, by_phone: bool) -> GotrueError {
    match error {
        RequestError::BothContacts => {
            GotrueError::validation("Only an email address or phone number should be provided")
        }
        RequestError::NoContact => GotrueError::validation("One of email or phone must be set"),
        RequestError::EmailDisabled => {
            GotrueError::bad_request(ErrorCode::EmailProviderDisabled, "Email logins are disabled")
        }
        RequestError::LinksDisabled => {
            let message = "Login with magic link is disabled";
            GotrueError::unprocessable(ErrorCode::EmailProviderDisabled, message)
        }
        RequestError::PhoneDisabled => {
            GotrueError::bad_request(ErrorCode::PhoneProviderDisabled, "Unsupported phone provider")
        }
        RequestError::SignUpDisabled => {
            GotrueError::unprocessable(ErrorCode::SignupDisabled, "Signups not allowed for this instance")
        }
        RequestError::Unknown => {
            GotrueError::unprocessable(ErrorCode::OtpDisabled, "Signups not allowed for otp")
        }
        RequestError::Email(error) => GotrueError::email(error),
        RequestError::Phone(_) => GotrueError::phone(),
        RequestError::TooSoon(error) => too_soon(error, by_phone),
        RequestError::OverQuota(error) => over_quota(error, by_phone),
        RequestError::User(error) => user_refusal(error, by_phone),
        RequestError::Session(error) => GotrueError::internal(error),
        RequestError::Flow(error) => GotrueError::internal(error),
        RequestError::Failure(failure) => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_peers_words() {
        for (error, by_phone, status, code, message) in [
            (RequestError::Unknown, false, 422, "otp_disabled", "Signups not allowed for otp"),
            (
                RequestError::TooSoon(AskedTooSoon { seconds: 47 }),
                false,
                429,
                "over_email_send_rate_limit",
                "For security purposes, you can only request this after 47 seconds.",
            ),
            (
                RequestError::OverQuota(OverQuota),
                false,
                429,
                "over_email_send_rate_limit",
                "email rate limit exceeded",
            ),
            (
                RequestError::OverQuota(OverQuota),
                true,
                429,
                "over_sms_send_rate_limit",
                "SMS rate limit exceeded",
            ),
        ] {
            let refused = request_refusal(error, by_phone);
            assert_eq!(
                (refused.status().as_u16(), refused.code().as_str(), refused.message()),
                (status, code, message)
            );
        }
    }
}

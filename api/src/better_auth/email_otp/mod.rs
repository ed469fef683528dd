//! `/email-otp/…`, `POST /sign-in/email-otp`: codes by mail.

mod account;
mod codes;

pub(super) use codes::send_verification;

use evident_commands::{CodeError, Contact};
use evident_domain::Email;
use evident_domain::user::UserError;

use super::error::BetterAuthError;
use super::routes::Table;
use super::sign_up::{length_refusal, weakness_refusal};

pub(super) fn routes(table: Table) -> Table {
    account::routes(codes::routes(table))
}

/// The address that a code goes to.
fn address(text: &str) -> Result<Contact, BetterAuthError> {
    let email = Email::parse(&text.to_lowercase());
    email.map(Contact::Email).map_err(|_| BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email"))
}

fn refusal(error: CodeError) -> BetterAuthError {
    let bad = BetterAuthError::bad_request;
    match error {
        CodeError::Wrong
        | CodeError::Absent
        | CodeError::SignUpDisabled
        | CodeError::User(UserError::NotFound) => bad("INVALID_OTP", "Invalid OTP"),
        CodeError::Expired => bad("OTP_EXPIRED", "OTP expired"),
        CodeError::Exhausted => BetterAuthError::forbidden("TOO_MANY_ATTEMPTS", "Too many attempts"),
        CodeError::Banned => BetterAuthError::banned(),
        CodeError::Taken => {
            bad("USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "User already exists. Use another email.")
        }
        CodeError::Same => bad("", "Email is the same").without_code(),
        CodeError::Disabled => bad("", "Change email is disabled").without_code(),
        CodeError::Length(error) => length_refusal(error),
        CodeError::Weak(weakness) => weakness_refusal(weakness),
        CodeError::TooSoon(error) => BetterAuthError::too_soon(error),
        CodeError::OverQuota(error) => BetterAuthError::over_quota(error),
        CodeError::User(_) | CodeError::Session(_) => {
            bad("FAILED_TO_CREATE_SESSION", "Failed to create session")
        }
        CodeError::Failure(failure) => failure.into(),
    }
}

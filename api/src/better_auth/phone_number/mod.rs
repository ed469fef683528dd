//! `/phone-number/…`, `POST /sign-in/phone-number`: numbers, and codes by text message.

mod codes;
mod password;

use evident_commands::{CodeError, Contact};
use evident_domain::Phone;

use super::error::BetterAuthError;
use super::routes::Table;
use super::sign_up::{length_refusal, weakness_refusal};

pub(super) fn routes(table: Table) -> Table {
    password::routes(codes::routes(table))
}

fn number(text: &str) -> Result<Phone, BetterAuthError> {
    Phone::parse(text)
        .map_err(|_| BetterAuthError::bad_request("INVALID_PHONE_NUMBER", "Invalid phone number"))
}

fn contact(text: &str) -> Result<Contact, BetterAuthError> {
    number(text).map(Contact::Phone)
}

fn refusal(error: CodeError) -> BetterAuthError {
    let bad = BetterAuthError::bad_request;
    match error {
        CodeError::Wrong => bad("INVALID_OTP", "Invalid OTP"),
        CodeError::Absent | CodeError::SignUpDisabled => bad("OTP_NOT_FOUND", "OTP not found"),
        CodeError::Expired => bad("OTP_EXPIRED", "OTP expired"),
        CodeError::Exhausted => BetterAuthError::forbidden("TOO_MANY_ATTEMPTS", "Too many attempts"),
        CodeError::Banned => BetterAuthError::banned(),
        CodeError::Taken | CodeError::Same => bad("PHONE_NUMBER_EXIST", "Phone number already exists"),
        CodeError::Disabled => bad("PHONE_NUMBER_CANNOT_BE_UPDATED", "Phone number cannot be updated"),
        CodeError::Length(error) => length_refusal(error),
        CodeError::Weak(weakness) => weakness_refusal(weakness),
        CodeError::TooSoon(error) => BetterAuthError::too_soon(error),
        CodeError::OverQuota(error) => BetterAuthError::over_quota(error),
        CodeError::User(_) => bad("UNEXPECTED_ERROR", "Unexpected error"),
        CodeError::Session(_) => {
            BetterAuthError::unauthorized("FAILED_TO_CREATE_SESSION", "Failed to create session")
        }
        CodeError::Failure(failure) => failure.into(),
    }
}

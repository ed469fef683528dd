//! `/two-factor/…`: securing an account, and the second step of signing in.

mod secure;
mod steps;

use evident_commands::tokens::DeviceToken;
use evident_commands::{SecondStepError, WaitingSignIn};
use evident_domain::user::UserError;
use evident_domain::user::factor::FactorError;
use evident_domain::user::two_factor::SecondStepMethod;
use evident_domain::{ChallengeId, UserId};
use serde_json::json;
use uuid::Uuid;

use super::call::{Answer, Call, Reply};
use super::error::BetterAuthError;
use super::routes::Table;
use super::session::{DONT_REMEMBER_COOKIE, SESSION_COOKIE, SESSION_DATA_COOKIE};

/// The cookie of a sign-in that waits: `2fa-<user><sign-in>`.
const CHALLENGE_COOKIE: &str = "two_factor";
/// The cookie of a device from which the password is enough.
const TRUST_COOKIE: &str = "trust_device";

pub(super) fn routes(table: Table) -> Table {
    steps::routes(secure::routes(table))
}

/// What the device shows, if it was ever trusted.
pub(super) fn trusted_device(call: &Call) -> Option<DeviceToken> {
    DeviceToken::parse(call.cookie(TRUST_COOKIE)?.strip_prefix("trust-device-")?)
}

/// The device shows something else from now on.
pub(super) fn keep_trust(call: &Call, device: Option<DeviceToken>) {
    if let Some(device) = device {
        let age = call.app.settings().plugins.second_steps.trust.as_secs();
        call.set_cookie(TRUST_COOKIE, format!("trust-device-{}", device.expose()), Some(age));
    }
}

/// The answer to a right password where more is asked for: no session, but a cookie of the sign-in.
pub(super) fn asked_for_second_step(call: &Call, waiting: &WaitingSignIn, remembered: bool) -> Reply {
    if !remembered {
        call.set_cookie(DONT_REMEMBER_COOKIE, "true", None);
    }
    call.clear_cookie(SESSION_COOKIE);
    call.clear_cookie(SESSION_DATA_COOKIE);
    if trusted_device(call).is_some() {
        call.clear_cookie(TRUST_COOKIE);
    }
    let age = call.app.settings().plugins.second_steps.challenge.as_secs();
    let value = format!("2fa-{}{}", waiting.user.0.simple(), waiting.step.0.simple());
    call.set_cookie(CHALLENGE_COOKIE, value, Some(age));
    let methods: Vec<_> = waiting.methods.iter().map(|method| method_name(*method)).collect();
    Answer::json(&json!({ "twoFactorRedirect": true, "twoFactorMethods": methods }))
}

const fn method_name(method: SecondStepMethod) -> &'static str {
    match method {
        SecondStepMethod::Totp => "totp",
        SecondStepMethod::MailedCode => "otp",
        SecondStepMethod::BackupCode => "backup-code",
    }
}

/// The sign-in that waits in this browser.
fn waiting(call: &Call) -> Option<(UserId, ChallengeId)> {
    let cookie = call.cookie(CHALLENGE_COOKIE)?;
    let ids = cookie.strip_prefix("2fa-").filter(|ids| ids.len() == 64 && ids.is_ascii())?;
    let (user, step) = ids.split_at(32);
    Some((UserId(Uuid::try_parse(user).ok()?), ChallengeId(Uuid::try_parse(step).ok()?)))
}

fn invalid_cookie() -> BetterAuthError {
    BetterAuthError::unauthorized("INVALID_TWO_FACTOR_COOKIE", "Invalid two factor cookie")
}

fn refusal(error: SecondStepError) -> BetterAuthError {
    let bad = BetterAuthError::bad_request;
    match error {
        SecondStepError::Wrong => BetterAuthError::unauthorized("INVALID_CODE", "Invalid code"),
        SecondStepError::Exhausted => {
            bad("TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", "Too many attempts. Please request a new code.")
        }
        SecondStepError::Banned => BetterAuthError::banned(),
        SecondStepError::NoContact => bad("OTP_NOT_CONFIGURED", "OTP is not available"),
        SecondStepError::OverQuota(error) => BetterAuthError::over_quota(error),
        SecondStepError::User(UserError::Factor(error)) => match error {
            FactorError::StepNotFound => invalid_cookie(),
            FactorError::CodeNotSent => bad("OTP_HAS_EXPIRED", "OTP has expired"),
            FactorError::AppNotEnabled => bad("TOTP_NOT_ENABLED", "TOTP not enabled"),
            FactorError::AlreadyEnabled => bad("TOTP_ALREADY_ENABLED", "TOTP is already enabled"),
            FactorError::NotEnabled => bad("TWO_FACTOR_NOT_ENABLED", "Two factor isn't enabled"),
            FactorError::NoBackupCodes => bad("BACKUP_CODES_NOT_ENABLED", "Backup codes aren't enabled"),
            FactorError::TooSoon { seconds } => {
                BetterAuthError::too_many_requests(std::time::Duration::from_secs(seconds))
            }
            FactorError::Locked { .. } => BetterAuthError::new(
                axum::http::StatusCode::TOO_MANY_REQUESTS,
                "ACCOUNT_TEMPORARILY_LOCKED",
                "Too many failed verification attempts. Your account is temporarily locked. Please try again later.",
            ),
            _ => BetterAuthError::unauthorized("INVALID_CODE", "Invalid code"),
        },
        SecondStepError::User(_) | SecondStepError::Session(_) => BetterAuthError::signed_out(),
        SecondStepError::Failure(failure) => failure.into(),
    }
}

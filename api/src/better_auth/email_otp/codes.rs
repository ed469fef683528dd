//! Asking for codes, looking at them, and coming in by them.

use evident_commands::{CodeEntry, CodeError, CodeSignIn, ConfirmedByCode, SendCode};
use evident_domain::recipient::CodePurpose;
use evident_domain::{Actor, Metadata};
use serde_json::{Value, json};

use super::super::anonymous::become_known;
use super::super::call::{Answer, Call, Reply};
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::{address, refusal};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/email-otp/send-verification-otp", send)
        .post("/email-otp/check-verification-otp", check)
        .post("/email-otp/verify-email", verify_email)
        .post("/sign-in/email-otp", sign_in)
}

/// What a code is for.
fn purpose(name: &str) -> Option<CodePurpose> {
    match name {
        "email-verification" => Some(CodePurpose::Verification),
        "sign-in" => Some(CodePurpose::SignIn),
        "forget-password" => Some(CodePurpose::PasswordReset),
        "change-email" => Some(CodePurpose::Change),
        _ => None,
    }
}

const KINDS: &str =
    "Invalid option: expected one of \"email-verification\"|\"sign-in\"|\"forget-password\"|\"change-email\"";

/// Whether a code makes an account where nobody has the address.
fn makes_accounts(call: &Call) -> bool {
    !call.app.settings().plugins.email_codes.sign_up_disabled && !call.app.settings().sign_up.disabled
}

/// Sends a code to whoever has the address.
async fn send(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let kind = fields.raw("type").and_then(Value::as_str).and_then(purpose);
    if kind.is_none() {
        fields.problem("type", KINDS);
    }
    fields.finish()?;
    let to = address(&email)?;
    let Some(purpose) = kind.filter(|kind| *kind != CodePurpose::Change) else {
        return Err(BetterAuthError::bad_request("", "Invalid OTP type").without_code());
    };
    let to_strangers = purpose == CodePurpose::SignIn && makes_accounts(&call);
    let request = SendCode { to, purpose, to_strangers };
    let context = call.context(Actor::Visitor);
    call.app.commands().send_code(&context, &request).await.map_err(refusal)?;
    Answer::success()
}

/// Looks at a code without using it up.
async fn check(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let kind = fields.raw("type").and_then(Value::as_str).and_then(purpose);
    if kind.is_none() {
        fields.problem("type", KINDS);
    }
    let code = fields.secret("otp");
    fields.finish()?;
    let to = address(&email)?;
    let purpose = kind.unwrap_or(CodePurpose::Verification);
    let context = call.context(Actor::Visitor);
    call.app.commands().check_code(&context, &to, purpose, &code).await.map_err(refusal)?;
    Answer::success()
}

/// Confirms an address. Whoever signed up asked for the code, so their password stays.
async fn verify_email(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let code = fields.text("otp");
    fields.finish()?;
    let signs_in = call.app.options().verification.signs_in;
    let request = CodeSignIn {
        to: address(&email)?,
        purpose: CodePurpose::Verification,
        code,
        entry: CodeEntry {
            terms: signs_in.then(|| call.app.session_terms(true)),
            sign_up: None,
            asked_by_owner: true,
        },
    };
    let context = call.context(Actor::Visitor);
    let done = call.app.commands().sign_in_by_code(&context, &request).await.map_err(refusal)?;
    let (token, user) = arrived(&call, done).await?;
    Answer::json(&json!({ "status": true, "token": token, "user": user }))
}

/// A code for a session; where nobody has the address, for an account, too.
async fn sign_in(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let code = fields.text("otp");
    let name = fields.maybe_text("name").unwrap_or_default();
    let image = fields.maybe_text("image");
    fields.finish()?;
    let data = Metadata::default().with("name", name);
    let data = match image {
        Some(image) => data.with("image", image),
        None => data,
    };
    let request = CodeSignIn {
        to: address(&email)?,
        purpose: CodePurpose::SignIn,
        code,
        entry: CodeEntry {
            terms: Some(call.app.session_terms(true)),
            sign_up: makes_accounts(&call).then_some(data),
            asked_by_owner: false,
        },
    };
    let context = call.context(Actor::Visitor);
    let done = call.app.commands().sign_in_by_code(&context, &request).await.map_err(refusal)?;
    let (token, user) = arrived(&call, done).await?;
    Answer::json(&json!({ "token": token, "user": user }))
}

/// The session goes into cookies.
async fn arrived(
    call: &Call,
    done: ConfirmedByCode,
) -> Result<(Option<String>, UserDocument), BetterAuthError> {
    let token = match done.session {
        None => None,
        Some(grant) => {
            become_known(call, done.user).await?;
            Some(call.open_session(grant.session, true))
        }
    };
    let view = call.app.commands().user_view(done.user).await?.ok_or_else(BetterAuthError::signed_out)?;
    Ok((token, UserDocument::of(&call.app, &view)))
}

/// Sends the code that confirms an address. Whether one went is not told.
pub(in super::super) async fn send_verification(call: &Call, email: &str) -> Result<(), BetterAuthError> {
    let request = SendCode { to: address(email)?, purpose: CodePurpose::Verification, to_strangers: false };
    match call.app.commands().send_code(&call.context(Actor::Visitor), &request).await {
        Err(CodeError::Failure(failure)) => Err(failure.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

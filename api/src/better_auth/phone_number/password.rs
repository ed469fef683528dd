//! Signing in with a number and a password, and passwords that were forgotten.

use evident_commands::{Entered, GivenContact, SendCode, SignIn, SignInError, Unconfirmed};
use evident_domain::Actor;
use evident_domain::recipient::CodePurpose;
use serde_json::json;

use super::super::anonymous::become_known;
use super::super::call::{Answer, Call, Reply};
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::super::sign_in::refusal as sign_in_refusal;
use super::super::sign_up::password_length;
use super::super::two_factor::{asked_for_second_step, keep_trust, trusted_device};
use super::{contact, number, refusal};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/sign-in/phone-number", sign_in)
        .post("/phone-number/request-password-reset", request_reset)
        .post("/phone-number/forget-password", request_reset)
        .post("/phone-number/reset-password", reset)
}

/// A number and a password for a session.
async fn sign_in(call: Call) -> Reply {
    let mut fields = call.fields();
    let phone = fields.text("phoneNumber");
    let password = fields.secret("password");
    let remembered = fields.maybe_flag("rememberMe") != Some(false);
    fields.finish()?;
    let own = number(&phone)?;
    let required = call.app.settings().plugins.phone_codes.require_verification;
    let wanted = SignIn {
        contact: GivenContact { email: String::new(), phone: own.to_string() },
        username: None,
        password,
        length: password_length(&call),
        unconfirmed: if required { Unconfirmed::Refused } else { Unconfirmed::Admitted },
        terms: call.app.session_terms(remembered),
    };
    let context = call.context(Actor::Visitor);
    let entered = call.app.commands().enter(&context, wanted, trusted_device(&call)).await;
    match entered {
        Ok(Entered::Waits(waiting)) => asked_for_second_step(&call, &waiting, remembered),
        Ok(Entered::In { signed_in, device }) => {
            keep_trust(&call, device);
            let grant = &signed_in.grant;
            become_known(&call, grant.user.view.user.id).await?;
            let token = call.open_session(grant.session, remembered);
            let user = UserDocument::of(&call.app, &grant.user.view);
            Answer::json(&json!({ "token": token, "user": user }))
        }
        Err(SignInError::PhoneNotConfirmed) => {
            let to = contact(&phone)?;
            let request = SendCode { to, purpose: CodePurpose::Verification, to_strangers: true };
            call.app.commands().send_code(&context, &request).await.map_err(refusal)?;
            let code = "PHONE_NUMBER_NOT_VERIFIED";
            Err(BetterAuthError::unauthorized(code, "Phone number not verified"))
        }
        Err(error) => {
            let refused = sign_in_refusal(error);
            if refused.code() == Some("INVALID_EMAIL_OR_PASSWORD") {
                let code = "INVALID_PHONE_NUMBER_OR_PASSWORD";
                return Err(BetterAuthError::unauthorized(code, "Invalid phone number or password"));
            }
            Err(refused)
        }
    }
}

/// Sends a code for another password to whoever has the number.
async fn request_reset(call: Call) -> Reply {
    let mut fields = call.fields();
    let phone = fields.text("phoneNumber");
    fields.finish()?;
    let to = contact(&phone)?;
    let request = SendCode { to, purpose: CodePurpose::PasswordReset, to_strangers: false };
    let context = call.context(Actor::Visitor);
    call.app.commands().send_code(&context, &request).await.map_err(refusal)?;
    Answer::status()
}

/// Sets another password.
async fn reset(call: Call) -> Reply {
    let mut fields = call.fields();
    let code = fields.secret("otp");
    let phone = fields.text("phoneNumber");
    let password = fields.secret("newPassword");
    fields.finish()?;
    let (to, context) = (contact(&phone)?, call.context(Actor::Visitor));
    let password = (password, password_length(&call));
    let ends = call.app.options().email_password.reset_revokes_sessions;
    let done = call.app.commands().reset_password_by_code(&context, &to, &code, password, ends).await;
    done.map_err(refusal)?;
    Answer::status()
}

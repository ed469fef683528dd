//! Another password and another address, by codes.

use evident_commands::SendCode;
use evident_domain::Actor;
use evident_domain::recipient::CodePurpose;

use super::super::call::{Answer, Call, Reply};
use super::super::routes::Table;
use super::super::sign_up::password_length;
use super::{address, refusal};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/email-otp/request-password-reset", request_reset)
        .post("/forget-password/email-otp", request_reset)
        .post("/email-otp/reset-password", reset)
        .post("/email-otp/request-email-change", request_change)
        .post("/email-otp/change-email", change)
}

/// Sends a code for another password to whoever has the address.
async fn request_reset(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    fields.finish()?;
    let to = address(&email)?;
    let request = SendCode { to, purpose: CodePurpose::PasswordReset, to_strangers: false };
    let context = call.context(Actor::Visitor);
    call.app.commands().send_code(&context, &request).await.map_err(refusal)?;
    Answer::success()
}

/// Sets another password.
async fn reset(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("email");
    let code = fields.secret("otp");
    let password = fields.secret("password");
    fields.finish()?;
    let (to, context) = (address(&email)?, call.context(Actor::Visitor));
    let password = (password, password_length(&call));
    let ends = call.app.options().email_password.reset_revokes_sessions;
    let done = call.app.commands().reset_password_by_code(&context, &to, &code, password, ends).await;
    done.map_err(refusal)?;
    Answer::success()
}

/// Sends a code to the address that somebody wants to have.
async fn request_change(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("newEmail");
    let current = fields.maybe_text("otp");
    fields.finish()?;
    let caller = call.session().await?;
    let (wanted, context) = (address(&email)?, call.context(caller.actor()));
    let commands = call.app.commands();
    let asked = commands.ask_for_change_by_code(&context, caller.user(), &wanted, current.as_deref()).await;
    asked.map_err(refusal)?;
    Answer::success()
}

/// Takes the address that a code went to.
async fn change(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.text("newEmail");
    let code = fields.secret("otp");
    fields.finish()?;
    let caller = call.session().await?;
    let (wanted, context) = (address(&email)?, call.context(caller.actor()));
    call.app.commands().change_by_code(&context, caller.user(), &wanted, &code).await.map_err(refusal)?;
    call.keep_session(caller.session_id());
    Answer::success()
}

//! Sending codes, and showing that a number is one's own.

use evident_commands::{CodeEntry, CodeSignIn, SendCode};
use evident_domain::recipient::CodePurpose;
use evident_domain::{Actor, Metadata, UserId};
use serde_json::json;

use super::super::anonymous::become_known;
use super::super::call::{Answer, Call, Reply};
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::{contact, number, refusal};

pub(super) fn routes(table: Table) -> Table {
    table.post("/phone-number/send-otp", send).post("/phone-number/verify", verify)
}

/// Sends a code to a number, whoever has it.
async fn send(call: Call) -> Reply {
    let mut fields = call.fields();
    let phone = fields.text("phoneNumber");
    fields.finish()?;
    let to = contact(&phone)?;
    let request = SendCode { to, purpose: CodePurpose::Verification, to_strangers: true };
    let context = call.context(Actor::Visitor);
    call.app.commands().send_code(&context, &request).await.map_err(refusal)?;
    Answer::json(&json!({ "message": "code sent" }))
}

/// Confirms a number: of whoever is signed in, of whoever has it, or, where the owner has it so, of an
/// account that is made for it.
async fn verify(call: Call) -> Reply {
    let mut fields = call.fields();
    let phone = fields.text("phoneNumber");
    let code = fields.text("code");
    let closed = fields.maybe_flag("disableSession").unwrap_or_default();
    let updates = fields.maybe_flag("updatePhoneNumber").unwrap_or_default();
    fields.finish()?;
    if updates {
        return update(&call, &phone, &code).await;
    }
    let own = number(&phone)?;
    let makes = call.app.settings().plugins.phone_codes.sign_up;
    let name = Metadata::default().with("name", format!("+{own}"));
    let request = CodeSignIn {
        to: contact(&phone)?,
        purpose: CodePurpose::Verification,
        code,
        entry: CodeEntry {
            terms: (!closed).then(|| call.app.session_terms(true)),
            sign_up: makes.then_some(name),
            asked_by_owner: false,
        },
    };
    let context = call.context(Actor::Visitor);
    let done = call.app.commands().sign_in_by_code(&context, &request).await.map_err(refusal)?;
    let token = match done.session {
        None => None,
        Some(grant) => {
            become_known(&call, done.user).await?;
            Some(call.open_session(grant.session, true))
        }
    };
    Answer::json(&json!({ "status": true, "token": token, "user": shown(&call, done.user).await? }))
}

/// Whoever is signed in takes the number.
async fn update(call: &Call, phone: &str, code: &str) -> Reply {
    let Some(caller) = call.find_session().await? else {
        return Err(BetterAuthError::unauthorized("USER_NOT_FOUND", "User not found"));
    };
    let (to, context) = (contact(phone)?, call.context(caller.actor()));
    call.app.commands().change_by_code(&context, caller.user(), &to, code).await.map_err(refusal)?;
    let token = call.app.commands().session_tokens().issue(caller.session_id());
    let user = shown(call, caller.user()).await?;
    Answer::json(&json!({ "status": true, "token": token.expose(), "user": user }))
}

async fn shown(call: &Call, user: UserId) -> Result<UserDocument, BetterAuthError> {
    let view = call.app.commands().user_view(user).await?.ok_or_else(BetterAuthError::signed_out)?;
    Ok(UserDocument::of(&call.app, &view))
}

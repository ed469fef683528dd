//! The second step: by a code of an app, by a code that is mailed, by one that was written down.

use evident_commands::{GivenSecondAnswer, SecondStepError, TakeSecondStep};
use evident_domain::user::two_factor::StepKey;
use evident_domain::{Actor, UserId};
use serde_json::{Value, json};

use super::super::call::{Answer, Call, Reply};
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::super::session::DONT_REMEMBER_COOKIE;
use super::{CHALLENGE_COOKIE, invalid_cookie, keep_trust, refusal, waiting};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/two-factor/verify-totp", verify_totp)
        .post("/two-factor/send-otp", send_otp)
        .post("/two-factor/verify-otp", verify_otp)
        .post("/two-factor/verify-backup-code", verify_backup_code)
}

/// Whose step it is.
struct Owner {
    user: UserId,
    key: StepKey,
    actor: Actor,
    /// The token of whoever is signed in.
    token: Option<String>,
}

async fn owner(call: &Call) -> Result<Owner, BetterAuthError> {
    if let Some(caller) = call.find_session().await? {
        let token = call.app.commands().session_tokens().issue(caller.session_id());
        return Ok(Owner {
            user: caller.user(),
            key: StepKey::Session(caller.session_id()),
            actor: caller.actor(),
            token: Some(token.expose().to_owned()),
        });
    }
    let (user, step) = waiting(call).ok_or_else(invalid_cookie)?;
    if !call.app.commands().awaits_second_step(user, step).await? {
        return Err(invalid_cookie());
    }
    Ok(Owner { user, key: StepKey::SignIn(step), actor: Actor::Visitor, token: None })
}

async fn verify_totp(call: Call) -> Reply {
    let mut fields = call.fields();
    let code = fields.secret("code");
    let trust = fields.maybe_flag("trustDevice").unwrap_or_default();
    fields.finish()?;
    take(&call, GivenSecondAnswer::App(code), trust, true).await.map_err(refusal_of)
}

async fn verify_otp(call: Call) -> Reply {
    let mut fields = call.fields();
    let code = fields.secret("code");
    let trust = fields.maybe_flag("trustDevice").unwrap_or_default();
    fields.finish()?;
    take(&call, GivenSecondAnswer::Mailed(code), trust, true).await.map_err(refusal_of)
}

async fn verify_backup_code(call: Call) -> Reply {
    let mut fields = call.fields();
    let code = fields.secret("code");
    let closed = fields.maybe_flag("disableSession").unwrap_or_default();
    let trust = fields.maybe_flag("trustDevice").unwrap_or_default();
    fields.finish()?;
    take(&call, GivenSecondAnswer::Backup(code), trust, !closed).await.map_err(|refused| match refused {
        Refused::Step(SecondStepError::Wrong) => {
            BetterAuthError::unauthorized("INVALID_BACKUP_CODE", "Invalid backup code")
        }
        other => refusal_of(other),
    })
}

/// Mails a code.
async fn send_otp(call: Call) -> Reply {
    let owner = owner(&call).await?;
    let context = call.context(owner.actor);
    call.app.commands().send_second_step_code(&context, owner.user, owner.key).await.map_err(refusal)?;
    Answer::status()
}

enum Refused {
    Step(SecondStepError),
    Other(BetterAuthError),
}

impl From<SecondStepError> for Refused {
    fn from(error: SecondStepError) -> Self {
        Self::Step(error)
    }
}

impl From<BetterAuthError> for Refused {
    fn from(error: BetterAuthError) -> Self {
        Self::Other(error)
    }
}

fn refusal_of(refused: Refused) -> BetterAuthError {
    match refused {
        Refused::Step(error) => refusal(error),
        Refused::Other(error) => error,
    }
}

/// Takes the step: a sign-in that waited leads to a session, and a session that secures its account to
/// another one.
async fn take(call: &Call, answer: GivenSecondAnswer, trust: bool, opens: bool) -> Result<Answer, Refused> {
    let owner = owner(call).await?;
    let (commands, signs_in) = (call.app.commands(), owner.token.is_none());
    let remembered = !call.is_forgotten();
    let request = TakeSecondStep {
        user: owner.user,
        key: owner.key,
        answer,
        opens,
        terms: call.app.session_terms(remembered),
        trust,
    };
    let taken = match commands.take_second_step(&call.context(owner.actor), request).await {
        Ok(taken) => taken,
        Err(error) => {
            if signs_in && matches!(error, SecondStepError::Exhausted) && !waits_still(call).await? {
                call.clear_cookie(CHALLENGE_COOKIE);
            }
            return Err(error.into());
        }
    };
    let token = taken.session.as_ref().map(|grant| call.open_session(grant.session, remembered));
    if signs_in {
        call.clear_cookie(CHALLENGE_COOKIE);
    }
    if taken.device.is_some() {
        keep_trust(call, taken.device);
        call.clear_cookie(DONT_REMEMBER_COOKIE);
    }
    let view = commands.user_view(owner.user).await.map_err(BetterAuthError::from)?;
    let view = view.ok_or_else(BetterAuthError::signed_out)?;
    let mut body = json!({ "user": UserDocument::of(&call.app, &view) });
    if let Some(token) = token.or(owner.token) {
        body["token"] = Value::from(token);
    }
    Ok(Answer::json(&body)?)
}

async fn waits_still(call: &Call) -> Result<bool, BetterAuthError> {
    let Some((user, step)) = waiting(call) else { return Ok(false) };
    Ok(call.app.commands().awaits_second_step(user, step).await?)
}

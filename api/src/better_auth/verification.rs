//! Addresses: `POST /send-verification-email`, `GET /verify-email`, `POST /change-email`

use evident_commands::tokens::LinkToken;
use evident_commands::{
    ChangeEmail, ChangeEmailError, EmailChangeWay, GivenContact, OpenLink, OpenLinkError, OpenedLink,
    RequestError, Resend, Resent,
};
use evident_domain::Actor;
use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::document::UserDocument;
use super::email_otp;
use super::error::BetterAuthError;
use super::links;
use super::routes::Table;

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/send-verification-email", send)
        .get("/verify-email", verify)
        .post("/change-email", change_email)
}

/// Sends the mail that confirms an address to whoever has it and has not confirmed it.
async fn send(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.email("email");
    let callback = fields.maybe_text("callbackURL");
    fields.finish()?;
    if !call.app.options().verification.enabled {
        return Err(not_enabled());
    }
    if let Some(caller) = call.find_session().await? {
        let user = &caller.view().user;
        if user.email.as_deref() != Some(email.to_lowercase().as_str()) {
            return Err(BetterAuthError::bad_request("EMAIL_MISMATCH", "Email mismatch"));
        }
        if user.email_confirmed_at.is_some() {
            let message = "Email is already verified";
            return Err(BetterAuthError::bad_request("EMAIL_ALREADY_VERIFIED", message));
        }
    }
    send_verification(&call, email, callback.as_deref()).await?;
    Answer::status()
}

/// Sends the mail that confirms an address. Whether one went is not told.
pub(super) async fn send_verification(
    call: &Call,
    email: String,
    callback: Option<&str>,
) -> Result<(), BetterAuthError> {
    if call.app.options().verification.code_instead_of_link {
        return email_otp::send_verification(call, &email).await;
    }
    let wanted = Resend {
        what: Resent::SignUp,
        contact: GivenContact { email, phone: String::new() },
        challenge: None,
        redirect_to: None,
        form: Some(links::verification(&call.app, callback)),
    };
    match call.app.commands().resend(&call.context(Actor::Visitor), wanted).await {
        Err(RequestError::Failure(failure)) => Err(failure.into()),
        Err(RequestError::EmailDisabled) => Err(not_enabled()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn not_enabled() -> BetterAuthError {
    BetterAuthError::bad_request("VERIFICATION_EMAIL_NOT_ENABLED", "Verification email isn't enabled")
}

/// The link of a mail: confirms an address, or is a step on the way to another.
async fn verify(call: Call) -> Reply {
    let token = call.required_param("token")?.to_owned();
    let callback = call.params.get("callbackURL").filter(|url| !url.is_empty());
    let caller = call.find_session().await?;
    let holder = LinkToken::parse(&token).ok().map(|link| link.user());
    let own = caller.as_ref().filter(|caller| Some(caller.user()) == holder);
    let verification = &call.app.options().verification;
    let wanted = OpenLink {
        token,
        opener: caller.as_ref().map(super::SessionCaller::user),
        session: verification.signs_in.then(|| call.app.session_terms(true)),
        trusts_strangers: verification.keeps_password,
        next: links::verification(&call.app, callback),
    };
    let actor = own.map_or(Actor::Visitor, super::SessionCaller::actor);
    let opened = match call.app.commands().open_link(&call.context(actor), wanted).await {
        Ok(opened) => opened,
        Err(error) => {
            let (code, message) = match error {
                OpenLinkError::Invalid => ("INVALID_TOKEN", "Invalid token"),
                OpenLinkError::Expired => ("TOKEN_EXPIRED", "Token expired"),
                OpenLinkError::Session(error) => return Err(BetterAuthError::internal(error)),
                OpenLinkError::Failure(failure) => return Err(failure.into()),
            };
            return match callback {
                Some(place) => Answer::redirect(&links::with_param(place, "error", code)),
                None => Err(BetterAuthError::unauthorized(code, message)),
            };
        }
    };
    let (session, changed) = match opened {
        OpenedLink::Confirmed { session, .. } => (session, None),
        OpenedLink::Asked => (None, None),
        OpenedLink::Changed { user, session } => (session, Some(user)),
    };
    match (session, own) {
        (Some(session), _) => drop(call.open_session(session, true)),
        (None, Some(own)) if changed.is_some() => drop(call.keep_session(own.session_id())),
        (None, _) => {}
    }
    if let Some(place) = callback {
        return Answer::redirect(place);
    }
    let user = match changed {
        None => Value::Null,
        Some(user) => {
            let view = call.app.commands().user_view(user).await?;
            json!(view.map(|view| UserDocument::of(&call.app, &view)))
        }
    };
    Answer::json(&json!({ "status": true, "user": user }))
}

/// Asks for another address. That somebody else has it is not told.
async fn change_email(call: Call) -> Reply {
    let mut fields = call.fields();
    let email = fields.email("newEmail");
    let callback = fields.maybe_text("callbackURL");
    fields.finish()?;
    let caller = call.session().await?;
    let options = &call.app.options().account;
    if !options.change_email {
        return Err(BetterAuthError::bad_request("CHANGE_EMAIL_DISABLED", "Change email is disabled"));
    }
    let wanted = ChangeEmail {
        user: caller.user(),
        session: caller.session_id(),
        email,
        way: EmailChangeWay {
            current_first: options.change_email_confirmation,
            unconfirmed_at_once: options.change_unverified_email_at_once,
        },
        form: links::verification(&call.app, callback.as_deref()),
    };
    match call.app.commands().change_email(&call.context(caller.actor()), wanted).await {
        Ok(()) => Answer::status(),
        Err(ChangeEmailError::Same) => {
            Err(BetterAuthError::bad_request("", "Email is the same").without_code())
        }
        Err(ChangeEmailError::Email(_)) => {
            Err(BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email"))
        }
        Err(ChangeEmailError::TooSoon(error)) => Err(BetterAuthError::too_soon(error)),
        Err(ChangeEmailError::OverQuota(error)) => Err(BetterAuthError::over_quota(error)),
        Err(ChangeEmailError::User(_) | ChangeEmailError::Session(_)) => Err(BetterAuthError::signed_out()),
        Err(ChangeEmailError::Failure(failure)) => Err(failure.into()),
    }
}

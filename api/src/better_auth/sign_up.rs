//! `POST /sign-up/email`

use evident_commands::password::{LengthError, PasswordLength, Weakness, WeaknessReason};
use evident_commands::{Entry, GivenContact, SignUp, SignUpError, SignedUp};
use evident_domain::{Actor, Metadata};
use serde_json::json;

use super::anonymous;
use super::call::{Answer, Call, Reply};
use super::document::UserDocument;
use super::email_otp;
use super::error::BetterAuthError;
use super::links;
use super::own_fields;
use super::routes::Table;
use super::username;

/// Fields of an account that nobody sets themselves.
pub(super) const PROTECTED: [&str; 7] =
    ["role", "banned", "banReason", "banExpires", "twoFactorEnabled", "isAnonymous", "phoneNumberVerified"];

pub(super) fn routes(table: Table) -> Table {
    table.post_form("/sign-up/email", by_email)
}

/// Signs somebody up: a session, or none where the address has to be confirmed first.
async fn by_email(call: Call) -> Reply {
    let mut fields = call.fields();
    let name = fields.text("name");
    let email = fields.email("email");
    let password = fields.secret("password");
    if password.is_empty() && fields.raw("password").is_some_and(serde_json::Value::is_string) {
        fields.problem("password", "Too small: expected string to have >=1 characters");
    }
    let image = fields.maybe_text("image");
    let callback = fields.maybe_text("callbackURL");
    let remembered = fields.maybe_flag("rememberMe") != Some(false);
    let username = fields.maybe_text("username");
    let display_username = fields.maybe_text("displayUsername");
    let protected = PROTECTED.into_iter().find(|name| fields.raw(name).is_some());
    fields.finish()?;
    let options = &call.app.options();
    let own = &options.email_password;
    if !own.enabled || own.sign_up_disabled {
        return Err(disabled());
    }
    if let Some(field) = protected {
        return Err(field_not_allowed(field));
    }
    let added = own_fields::of_person(&call.app.settings().plugins.user_fields, &call.body, true)?;
    let names = username::chosen(&call, username, display_username).await?;
    let data = Metadata::default().with("name", name).merged(&added);
    let data = match image {
        Some(image) => data.with("image", image),
        None => data,
    };
    let by_code = options.verification.code_instead_of_link;
    let confirms =
        options.verification.enabled && options.verification.on_sign_up.unwrap_or(own.verification_required);
    let mail = (confirms && !by_code).then(|| links::verification(&call.app, callback.as_deref()));
    let entry = if own.auto_sign_in && !own.verification_required {
        Entry::AtOnce { terms: call.app.session_terms(remembered), mail }
    } else {
        Entry::Later { mail }
    };
    let wanted = SignUp {
        contact: GivenContact { email, phone: String::new() },
        password,
        data,
        aud: call.app.settings().tokens.default_aud.clone(),
        challenge: None,
        redirect_to: None,
        channel: String::new(),
        length: password_length(&call),
        entry,
        names: names.clone(),
    };
    let context = call.context(Actor::Visitor);
    let (token, user) = match call.app.commands().sign_up(&context, wanted).await.map_err(refusal)? {
        SignedUp::In(grant) => {
            anonymous::become_known(&call, grant.user.view.user.id).await?;
            let token = call.open_session(grant.session, remembered);
            (Some(token), UserDocument::of(&call.app, &grant.user.view))
        }
        SignedUp::Pending(view) => (None, UserDocument::of(&call.app, &view)),
        SignedUp::Pretended(pretended) => (None, UserDocument::pretended(&call.app, &pretended, &names)),
    };
    if options.verification.code_on_sign_up || (confirms && by_code) {
        // Whether the address is new makes no difference here either.
        email_otp::send_verification(&call, &user.email).await?;
    }
    Answer::json(&json!({ "token": token, "user": user }))
}

/// How long passwords may be.
pub(super) fn password_length(call: &Call) -> PasswordLength {
    let own = &call.app.options().email_password;
    PasswordLength::Units { min: own.min_length, max: own.max_length }
}

/// A password that is too short or too long.
pub(super) fn length_refusal(error: LengthError) -> BetterAuthError {
    match error {
        LengthError::TooShort => BetterAuthError::bad_request("PASSWORD_TOO_SHORT", "Password too short"),
        LengthError::TooLong => BetterAuthError::bad_request("PASSWORD_TOO_LONG", "Password too long"),
    }
}

/// A password that is too easy.
pub(super) fn weakness_refusal(weakness: Weakness) -> BetterAuthError {
    if weakness.reasons.contains(&WeaknessReason::Length) {
        return length_refusal(LengthError::TooShort);
    }
    if weakness.reasons.contains(&WeaknessReason::Pwned) {
        let message = "The password you entered has been compromised. Please choose a different password.";
        return BetterAuthError::bad_request("PASSWORD_COMPROMISED", message);
    }
    BetterAuthError::bad_request("PASSWORD_TOO_WEAK", weakness.message)
}

/// A field that nobody sets themselves.
pub(super) fn field_not_allowed(field: &str) -> BetterAuthError {
    BetterAuthError::bad_request("FIELD_NOT_ALLOWED", format!("{field} is not allowed to be set"))
}

fn disabled() -> BetterAuthError {
    let message = "Email and password sign up is not enabled";
    BetterAuthError::bad_request("EMAIL_PASSWORD_SIGN_UP_DISABLED", message)
}

fn refusal(error: SignUpError) -> BetterAuthError {
    match error {
        SignUpError::Disabled | SignUpError::EmailDisabled | SignUpError::PhoneDisabled => disabled(),
        SignUpError::Length(error) => length_refusal(error),
        SignUpError::PasswordMissing => length_refusal(LengthError::TooShort),
        SignUpError::Weak(weakness) => weakness_refusal(weakness),
        SignUpError::BothContacts
        | SignUpError::FlowByPhone
        | SignUpError::Channel(_)
        | SignUpError::Phone(_)
        | SignUpError::Email(_) => BetterAuthError::bad_request("INVALID_EMAIL", "Invalid email"),
        SignUpError::AlreadyRegistered => BetterAuthError::unprocessable(
            "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
            "User already exists. Use another email.",
        ),
        SignUpError::TooSoon(error) => BetterAuthError::too_soon(error),
        SignUpError::OverQuota(error) => BetterAuthError::over_quota(error),
        SignUpError::Flow(_) | SignUpError::User(_) => {
            BetterAuthError::unprocessable("FAILED_TO_CREATE_USER", "Failed to create user")
        }
        SignUpError::Session(_) => {
            BetterAuthError::bad_request("FAILED_TO_CREATE_SESSION", "Failed to create session")
        }
        SignUpError::Name(error) => username::refusal(error),
        SignUpError::Failure(failure) => failure.into(),
    }
}

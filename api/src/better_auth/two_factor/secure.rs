//! Securing an account by a second factor, and giving it up. Each time the password is asked for.

use evident_commands::PasswordProofError;
use percent_encoding::utf8_percent_encode;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::call::{Answer, Call, Reply};
use super::super::cookies::COMPONENT;
use super::super::document::UserDocument;
use super::super::error::BetterAuthError;
use super::super::routes::Table;
use super::super::session::SessionCaller;
use super::{TRUST_COOKIE, refusal, trusted_device};

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/two-factor/enable", enable)
        .post("/two-factor/disable", disable)
        .post("/two-factor/get-totp-uri", get_totp_uri)
        .post("/two-factor/generate-backup-codes", generate_backup_codes)
}

/// Whoever is signed in, and shows their password once more.
async fn shown(call: &Call, password: Zeroizing<String>) -> Result<SessionCaller, BetterAuthError> {
    let caller = call.session().await?;
    let context = call.context(caller.actor());
    match call.app.commands().prove_password(&context, caller.user(), &password).await {
        Ok(_) => Ok(caller),
        Err(PasswordProofError::Wrong | PasswordProofError::NoPassword) => {
            Err(BetterAuthError::bad_request("INVALID_PASSWORD", "Invalid password"))
        }
        Err(PasswordProofError::Throttled(throttled)) => {
            Err(BetterAuthError::too_many_requests(throttled.retry_after))
        }
        Err(PasswordProofError::User(_)) => Err(BetterAuthError::signed_out()),
        Err(PasswordProofError::Failure(failure)) => Err(failure.into()),
    }
}

/// Gives the account an app, which counts once it has shown a code; or codes by mail, at once.
async fn enable(call: Call) -> Reply {
    let mut fields = call.fields();
    let password = fields.secret("password");
    let method = fields.maybe_text("method");
    if method.as_deref().is_some_and(|method| !matches!(method, "otp" | "totp")) {
        fields.problem("method", "Invalid option: expected one of \"otp\"|\"totp\"");
    }
    let issuer = fields.maybe_text("issuer").filter(|issuer| !issuer.is_empty());
    fields.finish()?;
    let caller = shown(&call, password).await?;
    let (commands, context) = (call.app.commands(), call.context(caller.actor()));
    if method.as_deref() == Some("otp") {
        change(&call, &caller, true).await?;
        return Answer::json(&json!({ "method": "otp" }));
    }
    let (user, session) = (caller.user(), caller.session_id());
    let secured = if call.app.settings().plugins.second_steps.app_counts_at_once {
        let terms = call.app.session_terms(!call.is_forgotten());
        let done = commands.secure_by_app_at_once(&context, user, session, terms).await;
        let (secured, grant) = done.map_err(refusal)?;
        call.keep_session(grant.session);
        secured
    } else {
        commands.secure_by_app(&context, user, session).await.map_err(refusal)?
    };
    let codes: Vec<&str> = secured.backup_codes.iter().map(|code| code.as_str()).collect();
    let uri = uri(&call, &caller, &secured.secret, issuer);
    Answer::json(&json!({ "method": "totp", "totpURI": uri, "backupCodes": codes }))
}

/// Gives every second factor up.
async fn disable(call: Call) -> Reply {
    let mut fields = call.fields();
    let password = fields.secret("password");
    fields.finish()?;
    let caller = shown(&call, password).await?;
    change(&call, &caller, false).await?;
    if trusted_device(&call).is_some() {
        call.clear_cookie(TRUST_COOKIE);
    }
    Answer::status()
}

/// The session goes on as another.
async fn change(call: &Call, caller: &SessionCaller, secured: bool) -> Result<(), BetterAuthError> {
    let (commands, context) = (call.app.commands(), call.context(caller.actor()));
    let terms = call.app.session_terms(!call.is_forgotten());
    let (user, session) = (caller.user(), caller.session_id());
    let grant = commands.change_second_factor(&context, user, session, secured, terms).await;
    call.keep_session(grant.map_err(refusal)?.session);
    Ok(())
}

/// What an app reads, once more.
async fn get_totp_uri(call: Call) -> Reply {
    let mut fields = call.fields();
    let password = fields.secret("password");
    fields.finish()?;
    let caller = shown(&call, password).await?;
    let secret = call.app.commands().app_secret(caller.user()).await.map_err(refusal)?;
    Answer::json(&json!({ "totpURI": uri(&call, &caller, &secret, None) }))
}

/// Replaces the codes to write down.
async fn generate_backup_codes(call: Call) -> Reply {
    let mut fields = call.fields();
    let password = fields.secret("password");
    fields.finish()?;
    let caller = shown(&call, password).await?;
    let context = call.context(caller.actor());
    let codes = call.app.commands().replace_backup_codes(&context, caller.user()).await.map_err(refusal)?;
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    Answer::json(&json!({ "status": true, "backupCodes": codes }))
}

/// `otpauth://totp/Example:gina%40example.com?secret=…&issuer=Example&digits=6&period=30`
fn uri(call: &Call, caller: &SessionCaller, secret: &str, issuer: Option<String>) -> String {
    let settings = call.app.settings();
    let issuer = issuer.or_else(|| settings.plugins.second_steps.issuer.clone());
    let issuer = issuer.unwrap_or_else(|| {
        let site = url::Url::parse(&settings.site.site_url).ok();
        let host = site.and_then(|site| site.host_str().map(str::to_owned));
        host.unwrap_or_else(|| settings.site.site_url.clone())
    });
    let account = UserDocument::of(&call.app, caller.view()).email;
    let (path, label) = (utf8_percent_encode(&issuer, COMPONENT), utf8_percent_encode(&account, COMPONENT));
    let query: String = url::form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
    format!("otpauth://totp/{path}:{label}?secret={secret}&issuer={query}&digits=6&period=30")
}

//! What one value alone does not show: settings that exclude each other, and values that a part of the
//! server would refuse later.

use evident_commands::captcha::CaptchaProvider;
use evident_commands::hooks::{Endpoint, EndpointError, WebhookSecret};
use evident_commands::messages::{
    Letterhead, LetterheadError, LinkError, Links, RedirectError, RedirectPolicy,
};

use evident_commands::settings::FieldTable;
use evident_commands::webauthn::RelyingParty;

use super::sources::Written;
use super::{ConfigError, Settings, table};
use crate::better_auth::own_rule_reads;

/// The keys of the settings of a hook.
macro_rules! keys {
    ($hook:literal) => {
        [
            concat!("hooks.", $hook, ".enabled"),
            concat!("hooks.", $hook, ".uri"),
            concat!("hooks.", $hook, ".secrets"),
        ]
    };
}

/// Checks the settings together, and gives the warnings that come up.
pub(super) fn check(settings: &Settings, written: &Written) -> Result<Vec<String>, ConfigError> {
    let sign_up = &settings.commands.sign_up;
    if sign_up.mail_autoconfirm && sign_up.allow_unverified_email_sign_ins {
        return Err(ConfigError::Contradiction(format!(
            "{} and {} cannot both be on; switch one off",
            written.name("mail.autoconfirm"),
            written.name("mail.allow_unverified_sign_ins"),
        )));
    }
    let cost = settings.commands.password.argon2;
    if cost.memory_kib < 8 * cost.lanes {
        return Err(refused(
            written,
            "password.argon2_memory_kib",
            &format!("{} is less than 8 KiB for each of {} lanes", cost.memory_kib, cost.lanes),
        ));
    }
    let mut rules = settings.better_auth.rate_limit.rules.iter();
    if let Some(rule) = rules.find(|rule| !own_rule_reads(rule)) {
        let problem = format!("{rule} is no rule, as /sign-in/*=10s:3 and /ok=off are");
        return Err(refused(written, "better_auth.rate_limit_rules", &problem));
    }
    own_fields(settings, written)?;
    if settings.proofs.prune_after.is_some() && settings.proofs.retention_policy.is_none() {
        let problem = "needs `retention.log_policy`: whoever checks the log has to know what to expect";
        return Err(refused(written, "retention.log_entries", problem));
    }
    captcha(settings, written)?;
    mail(settings, written)?;
    let mut warnings = hooks(settings, written)?;
    warnings.extend(redirects(settings, written)?);
    warnings.extend(relying_party(settings, written));
    Ok(warnings)
}

/// What sessions have already.
const SESSION_HAS: [&str; 11] = [
    "id",
    "token",
    "userId",
    "expiresAt",
    "createdAt",
    "updatedAt",
    "ipAddress",
    "userAgent",
    "impersonatedBy",
    "activeOrganizationId",
    "activeTeamId",
];

/// What accounts have already, what their metadata hold of providers, and what else a sign-up says.
const USER_HAS: [&str; 34] = [
    "id",
    "name",
    "email",
    "emailVerified",
    "image",
    "createdAt",
    "updatedAt",
    "twoFactorEnabled",
    "username",
    "displayUsername",
    "isAnonymous",
    "phoneNumber",
    "phoneNumberVerified",
    "role",
    "banned",
    "banReason",
    "banExpires",
    "password",
    "callbackURL",
    "rememberMe",
    "full_name",
    "avatar_url",
    "picture",
    "provider",
    "providers",
    "provider_id",
    "sub",
    "iss",
    "email_verified",
    "phone",
    "phone_verified",
    "user_name",
    "preferred_username",
    "custom_claims",
];

/// Fields that the owner adds stand beside others.
fn own_fields(settings: &Settings, written: &Written) -> Result<(), ConfigError> {
    let plugins = &settings.commands.plugins;
    let tables: [(&str, &FieldTable, &[&str]); 2] = [
        ("better_auth.session_fields", &plugins.session_fields, &SESSION_HAS),
        ("better_auth.user_fields", &plugins.user_fields, &USER_HAS),
    ];
    for (key, table, known) in tables {
        if let Some(name) = table.0.keys().find(|name| known.contains(&name.as_str())) {
            return Err(refused(written, key, &format!("{name:?} is there already; choose another name")));
        }
    }
    Ok(())
}

/// Keys that belong to nobody cannot be used: that is said, and the rest of the server works.
fn relying_party(settings: &Settings, written: &Written) -> Option<String> {
    let commands = &settings.commands;
    let wanted = commands.passkeys.enabled
        || commands.second_factors.webauthn.enroll
        || commands.second_factors.webauthn.verify;
    let error = RelyingParty::new(&commands.webauthn, &commands.site).err().filter(|_| wanted)?;
    let name = written.name("webauthn.rp_origins");
    Some(format!("{name}: {error}; passkeys and authenticators stay off"))
}

/// A captcha that is on without a service would let everybody through, or nobody.
fn captcha(settings: &Settings, written: &Written) -> Result<(), ConfigError> {
    let captcha = &settings.commands.captcha;
    if !captcha.enabled {
        return Ok(());
    }
    if CaptchaProvider::from_name(&captcha.provider).is_none() {
        let problem = format!("{:?} is neither hcaptcha nor turnstile", captcha.provider);
        return Err(refused(written, "captcha.provider", &problem));
    }
    if captcha.secret.is_none() {
        return Err(refused(written, "captcha.secret", "the secret is missing, and captchas are on"));
    }
    Ok(())
}

fn mail(settings: &Settings, written: &Written) -> Result<(), ConfigError> {
    let (mail, site) = (&settings.commands.mail, &settings.commands.site);
    if let Err(error) = Letterhead::new(&mail.admin_email, mail.sender_name.as_deref(), &mail.headers) {
        let key = match error {
            LetterheadError::Sender(_) => "mail.admin_email",
            LetterheadError::Name(_) => "mail.sender_name",
            LetterheadError::Header(_) => "mail.headers",
        };
        return Err(refused(written, key, &error.to_string()));
    }
    Links::new(&site.external_url, &mail.url_paths).map(drop).map_err(|error| {
        let paths = &mail.url_paths;
        let key = match &error {
            LinkError::External(_) => "site.external_url",
            LinkError::Path(path) if *path == paths.invite => "mail.url_paths.invite",
            LinkError::Path(path) if *path == paths.confirmation => "mail.url_paths.confirmation",
            LinkError::Path(path) if *path == paths.recovery => "mail.url_paths.recovery",
            LinkError::Path(_) => "mail.url_paths.email_change",
        };
        refused(written, key, &error.to_string())
    })
}

/// Hooks that are on can be called; those that cannot are told in the words of the name that was written.
fn hooks(settings: &Settings, written: &Written) -> Result<Vec<String>, ConfigError> {
    let hooks = &settings.commands.hooks;
    let mut warnings = Vec::new();
    for (setting, [enabled, uri, secrets]) in [
        (&hooks.before_user_created, keys!("before_user_created")),
        (&hooks.after_user_created, keys!("after_user_created")),
        (&hooks.custom_access_token, keys!("custom_access_token")),
        (&hooks.password_verification_attempt, keys!("password_verification_attempt")),
        (&hooks.mfa_verification_attempt, keys!("mfa_verification_attempt")),
        (&hooks.send_email, keys!("send_email")),
        (&hooks.send_sms, keys!("send_sms")),
    ] {
        match Endpoint::of(setting) {
            Ok(Some(_)) if setting.secrets.is_empty() => warnings.push(format!(
                "{}: no secrets are set, so calls of this hook are not signed and anybody can imitate them",
                written.name(uri)
            )),
            Ok(None) if setting.enabled => {
                let name = written.name(enabled);
                warnings.push(format!("{name}: the hook is on and has no address, so it is not called"));
            }
            Ok(_) => {}
            Err(EndpointError::Secret(error)) => {
                return Err(refused(written, secrets, &format!("the value does not read: {error}")));
            }
            Err(error) => {
                let value = setting.uri.as_deref().unwrap_or_default();
                return Err(refused(written, uri, &format!("{value:?} {error}")));
            }
        }
    }
    let secrets = &settings.commands.sms.webhook_secrets;
    if let Some(error) = secrets.iter().find_map(|secret| WebhookSecret::parse(secret.expose()).err()) {
        return Err(refused(written, "sms.webhook_secrets", &format!("the value does not read: {error}")));
    }
    Ok(warnings)
}

fn redirects(settings: &Settings, written: &Written) -> Result<Vec<String>, ConfigError> {
    let site = &settings.commands.site;
    let policy = RedirectPolicy::new(&site.site_url, &site.redirect_allow_list).map_err(|error| {
        let key = match error {
            RedirectError::Site(_) => "site.url",
            RedirectError::Pattern { .. } => "site.redirect_allow_list",
        };
        refused(written, key, &error.to_string())
    })?;
    let name = written.name("site.redirect_allow_list");
    Ok(policy.warnings().iter().map(|warning| format!("{name}: {warning}")).collect())
}

fn refused(written: &Written, key: &'static str, problem: &str) -> ConfigError {
    ConfigError::Value {
        key: written.name(key).to_owned(),
        problem: problem.to_owned(),
        example: table::find(key).map_or("", |setting| setting.example),
    }
}

//! What one value alone does not show: settings that exclude each other, and values that a part of the
//! server would refuse later.

use evident_commands::messages::{
    Letterhead, LetterheadError, LinkError, Links, RedirectError, RedirectPolicy,
};

use evident_commands::webauthn::RelyingParty;

use super::sources::Written;
use super::{ConfigError, Settings, table};

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
    mail(settings, written)?;
    let mut warnings = redirects(settings, written)?;
    warnings.extend(relying_party(settings, written));
    Ok(warnings)
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

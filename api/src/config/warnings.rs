//! What the owner should know, and what is no reason to stay down.

use evident_commands::messages::sms::SmsProvider;
use evident_commands::settings::{Secret, SmsSettings};

use super::file::most_alike;
use super::known::{NOT_YET, Standing, standing};
use super::sources::Written;
use super::{Draft, Settings, Sources, table};

/// Shorter secrets can be guessed from one token (RFC 7518 wants as many bytes as the hash has).
const SECRET_BYTES: usize = 32;
/// Less memory for argon2 is not recommended by anybody, in KiB.
const ARGON2_KIB: u32 = 7_168;
/// Variables with our prefix that are no settings.
const OWN_NAMES: &[&str] = &["EVIDENT_CONFIG", "EVIDENT_MASTER_KEY_NEXT"];
/// The prefix of variables that only tests look at.
const TEST_PREFIX: &str = "EVIDENT_TEST_";

/// All warnings about the environment and about weak values.
pub(super) fn of(settings: &Settings, sources: &Sources, written: &Written) -> Vec<String> {
    let mut warnings = names(sources);
    warnings.extend(weak_values(settings, written));
    warnings.extend(empty_credentials(settings, sources, written));
    warnings
}

/// Settings that were changed and have no effect yet.
pub(super) fn idle(draft: &Draft, written: &Written) -> Option<String> {
    let defaults = Draft::default();
    let changed = |key: &&str| {
        let shown =
            |setting: &table::Setting| setting.secret || (setting.show)(draft) != (setting.show)(&defaults);
        written.has(key) && table::find(key).is_some_and(shown)
    };
    let names: Vec<&str> = NOT_YET.iter().filter(|key| changed(key)).map(|key| written.name(key)).collect();
    (!names.is_empty()).then(|| format!("not supported yet, and so without effect: {}", names.join(", ")))
}

fn names(sources: &Sources) -> Vec<String> {
    let variables: Vec<String> = table::settings().map(table::Setting::variable).collect();
    let is_setting = |name: &str| {
        variables.iter().any(|own| own == name)
            || table::settings().any(|setting| setting.aliases.contains(&name))
    };
    let (mut warnings, mut guards, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for name in sources.environment.keys().filter(|name| !is_setting(name)) {
        if let Some(rest) = name.strip_prefix("GOTRUE_") {
            // Names with nothing behind them ask for nothing.
            let set = sources.variable(name).is_some();
            match standing(rest) {
                Standing::Guard if set => guards.push(name.as_str()),
                Standing::Later if set => later.push(name.as_str()),
                Standing::Guard | Standing::Later | Standing::Needless => {}
                Standing::Unknown => {
                    let aliases = table::settings().flat_map(|setting| setting.aliases);
                    warnings.push(unknown(name, most_alike(name, aliases.copied())));
                }
            }
        } else if name.starts_with("EVIDENT_")
            && !OWN_NAMES.contains(&name.as_str())
            && !name.starts_with(TEST_PREFIX)
        {
            warnings.push(unknown(name, most_alike(name, variables.iter().map(String::as_str))));
        }
    }
    if !guards.is_empty() {
        warnings.push(format!(
            "these protect accounts in Supabase Auth and do nothing here yet: {}",
            guards.join(", ")
        ));
    }
    if !later.is_empty() {
        warnings.push(format!("not supported yet, and so without effect: {}", later.join(", ")));
    }
    warnings
}

fn unknown(name: &str, near: Option<&str>) -> String {
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    format!("{name}: there is no such setting, it has no effect{near}")
}

fn weak_values(settings: &Settings, written: &Written) -> Vec<String> {
    let mut warnings = Vec::new();
    let secrets =
        [("tokens.secret", &settings.signing.secret), ("better_auth.secret", &settings.better_auth.secret)];
    for (key, secret) in secrets {
        if secret.as_ref().map(Secret::expose).is_some_and(|secret| secret.len() < SECRET_BYTES) {
            warnings.push(format!(
                "{}: the secret is shorter than {SECRET_BYTES} bytes and can be guessed; make one with: openssl rand -hex 32",
                written.name(key)
            ));
        }
    }
    let cost = settings.commands.password.argon2;
    if cost.memory_kib < ARGON2_KIB {
        warnings.push(format!(
            "{}: hashes of {} KiB are cheap to guess against; take {ARGON2_KIB} or more",
            written.name("password.argon2_memory_kib"),
            cost.memory_kib
        ));
    }
    if settings.commands.sso.saml_wanted {
        warnings.push(format!(
            "{}: signing in by SAML is not available: identity providers can be administered, and /sso answers as with SAML off",
            written.name("saml.enabled")
        ));
    }
    let named = [
        ("rate_limits.header", settings.commands.rate_limits.header.is_some()),
        ("server.sb_forwarded_for", settings.server.sb_forwarded_for),
    ];
    for (key, _) in named.iter().filter(|(_, on)| *on && settings.server.trusted_proxies.is_empty()) {
        warnings.push(format!(
            "{}: no proxy is trusted (server.trusted_proxies), so the address of the connection counts",
            written.name(key)
        ));
    }
    let oauth = &settings.commands.oauth_server;
    if oauth.enabled && oauth.consent_path.is_none() {
        warnings.push(format!(
            "{}: the OAuth server is on and has no page to send users to, so every request is refused; as in \
             /oauth/consent",
            written.name("oauth_server.authorization_path")
        ));
    }
    if oauth.enabled && oauth.clients_act_as_users {
        warnings.push(format!(
            "{}: every OAuth client may change the accounts of its users",
            written.name("oauth_server.clients_act_as_users")
        ));
    }
    warnings
}

/// Providers that are on without what they need. Supabase Auth starts so too.
fn empty_credentials(settings: &Settings, sources: &Sources, written: &Written) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, value) in &sources.environment {
        let provider = name.strip_prefix("GOTRUE_EXTERNAL_").and_then(|rest| rest.strip_suffix("_ENABLED"));
        let Some(provider) = provider else { continue };
        let on = matches!(value.trim().to_ascii_lowercase().as_str(), "1" | "t" | "true");
        // Built-in ways to sign in have switches of this form, and no client.
        let has_client = sources.environment.contains_key(&format!("GOTRUE_EXTERNAL_{provider}_CLIENT_ID"));
        if !on || !has_client {
            continue;
        }
        for part in ["CLIENT_ID", "SECRET"] {
            let credential = format!("GOTRUE_EXTERNAL_{provider}_{part}");
            if sources.variable(&credential).is_none() {
                warnings.push(format!("{credential}: empty, though {name} is on"));
            }
        }
    }
    let sms = &settings.commands.sms;
    if let Some(provider) = &sms.provider
        && sms.service().is_none()
        && sms.webhook().is_none()
        && !settings.commands.hooks.send_sms.enabled
    {
        let problem = if provider == SmsSettings::WEBHOOK {
            "sms.webhook_url is not set".to_owned()
        } else if SmsProvider::from_name(provider).is_some() {
            format!("GOTRUE_SMS_{}_* holds no credentials", provider.to_ascii_uppercase())
        } else {
            format!("{provider:?} is no known service")
        };
        let name = written.name("sms.provider");
        warnings.push(format!("{name}: {problem}; text messages become files in the data folder"));
    }
    warnings
}

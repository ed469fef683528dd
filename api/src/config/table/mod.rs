//! Every setting, once: its key, its other names, its kind, an example, what it means.

mod accounts;
mod audit;
mod better_auth;
mod better_auth_organizations;
mod better_auth_plugins;
mod calls;
mod external;
mod factors;
mod hooks;
mod limits;
mod mails;
mod oauth_server;
mod proofs;
mod retention;
mod server;
mod sms;
mod sso;
mod tokens;
mod web3;

use super::Draft;
use super::parse::{Problem, Raw};

/// One setting.
pub struct Setting {
    /// The key in `evident.toml`: `mail.autoconfirm`.
    pub key: &'static str,
    /// Further names in the environment; of two that are set the first one counts.
    pub aliases: &'static [&'static str],
    /// The kind of value, in words.
    pub kind: &'static str,
    /// The value is not shown.
    pub secret: bool,
    /// A value that could be written.
    pub example: &'static str,
    /// What it is for, in one line.
    pub meaning: &'static str,
    /// What holds when it is not set, where that is no value.
    pub unset: &'static str,
    /// Reads a value into the draft; false: it counts as not set.
    pub(super) read: fn(&mut Draft, &Raw) -> Result<bool, Problem>,
    /// Shows the value in the draft.
    pub(super) show: fn(&Draft) -> String,
}

/// Settings of one subject.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The settings.
    pub settings: &'static [Setting],
}

/// The heading of the settings that every provider has.
pub(super) const PER_PROVIDER: &str = "Each of the other providers";

/// All settings, in the order in which the documentation has them.
pub static SECTIONS: &[Section] = &[
    Section { title: "Server", settings: server::SERVER },
    Section { title: "Addresses", settings: server::SITE },
    Section { title: "Database and keys at rest", settings: server::STORE },
    Section { title: "Projections", settings: server::PROJECTIONS },
    Section { title: "Sign-up", settings: accounts::SIGN_UP },
    Section { title: "Passwords", settings: accounts::PASSWORD },
    Section { title: "Sensitive changes", settings: accounts::SECURITY },
    Section { title: "Captchas", settings: accounts::CAPTCHA },
    Section { title: "Access tokens", settings: tokens::TOKENS },
    Section { title: "Sessions", settings: tokens::SESSIONS },
    Section { title: "Second factors", settings: factors::SECOND_FACTORS },
    Section { title: "Authenticators and passkeys", settings: factors::WEBAUTHN },
    Section { title: "Mails", settings: mails::MAIL },
    Section { title: "Texts of mails", settings: mails::TEXTS },
    Section { title: "Text of the mail of organizations", settings: mails::INVITATION_TEXT },
    Section { title: "Mails that tell of changes", settings: mails::NOTIFICATIONS },
    Section { title: "Links in mails", settings: mails::LINKS },
    Section { title: "Text messages", settings: sms::SMS },
    Section { title: "Text messages by Twilio", settings: sms::TWILIO },
    Section { title: "Text messages by Twilio Verify", settings: sms::TWILIO_VERIFY },
    Section { title: "Text messages by MessageBird", settings: sms::MESSAGEBIRD },
    Section { title: "Text messages by Textlocal", settings: sms::TEXTLOCAL },
    Section { title: "Text messages by Vonage", settings: sms::VONAGE },
    Section { title: "OAuth server", settings: oauth_server::OAUTH_SERVER },
    Section { title: "Wallets", settings: web3::WEB3 },
    Section { title: "Single sign-on", settings: sso::SSO },
    Section { title: "Calls to other servers", settings: calls::CALLS },
    Section { title: "Other providers", settings: external::EXTERNAL },
    Section { title: PER_PROVIDER, settings: external::PROVIDERS },
    Section { title: "Hooks", settings: hooks::HOOKS },
    Section { title: "Limits", settings: limits::LIMITS },
    Section { title: "Log", settings: server::LOG },
    Section { title: "Reading the log of events", settings: audit::AUDIT },
    Section { title: "Proofs of the log", settings: proofs::PROOFS },
    Section { title: "Retention", settings: retention::RETENTION },
    Section { title: "Better Auth", settings: better_auth::PLACE },
    Section { title: "Better Auth: sessions", settings: better_auth::SESSIONS },
    Section { title: "Better Auth: addresses and passwords", settings: better_auth::EMAIL_PASSWORD },
    Section { title: "Better Auth: accounts", settings: better_auth::ACCOUNT },
    Section { title: "Better Auth: administrators of users", settings: better_auth_plugins::ADMINISTRATION },
    Section { title: "Better Auth: second steps", settings: better_auth_plugins::SECOND_STEPS },
    Section { title: "Better Auth: names", settings: better_auth_plugins::NAMES },
    Section { title: "Better Auth: codes", settings: better_auth_plugins::CODES },
    Section { title: "Better Auth: organizations", settings: better_auth_organizations::ORGANIZATIONS },
    Section { title: "Better Auth: limits", settings: better_auth::LIMITS },
];

/// All settings.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

/// The setting of a key.
pub fn find(key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.key == key)
}

impl Setting {
    /// The name in the environment: `EVIDENT_MAIL_AUTOCONFIRM`.
    pub fn variable(&self) -> String {
        format!("EVIDENT_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("key", &self.key).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section").field("title", &self.title).finish_non_exhaustive()
    }
}

/// `setting!(key, Kind, place in the draft, [other names], example, meaning, what holds when not set)`.
macro_rules! setting {
    (
        $key:expr, $kind:ty, $($place:ident).+, [$($alias:expr),* $(,)?],
        $example:literal, $meaning:expr $(, $unset:literal)? $(,)?
    ) => {
        $crate::config::table::Setting {
            key: $key,
            aliases: &[$($alias),*],
            kind: <$kind as $crate::config::parse::Named>::NAME,
            secret: <$kind as $crate::config::parse::Named>::SECRET,
            example: $example,
            meaning: $meaning,
            unset: concat!($($unset)?),
            read: |draft, raw| {
                let value = <$kind as $crate::config::parse::Kind<_>>::parse(raw)?;
                let given = value.is_some();
                if let Some(value) = value {
                    draft.$($place).+ = value;
                }
                Ok(given)
            },
            show: |draft| <$kind as $crate::config::parse::Kind<_>>::show(&draft.$($place).+),
        }
    };
}
use setting;

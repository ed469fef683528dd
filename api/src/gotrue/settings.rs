//! `GET /settings` and `GET /health`: what is on, and who answers.

use evident_commands::settings::{Providers, Settings};
use evident_commands::webauthn::RelyingParty;
use serde::Serialize;

/// The document of `/settings`.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's document is a list of switches")]
pub(super) struct SettingsDocument<'a> {
    external: External,
    disable_signup: bool,
    mailer_autoconfirm: bool,
    phone_autoconfirm: bool,
    sms_provider: &'a str,
    saml_enabled: bool,
    saml_private_key_next_configured: bool,
    passkeys_enabled: bool,
}

/// Ways to sign in, in the protocol's order. `saml` is where older clients look for it.
#[derive(Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's document is a list of switches")]
struct External {
    anonymous_users: bool,
    apple: bool,
    azure: bool,
    bitbucket: bool,
    discord: bool,
    facebook: bool,
    snapchat: bool,
    figma: bool,
    fly: bool,
    github: bool,
    gitlab: bool,
    google: bool,
    keycloak: bool,
    kakao: bool,
    linkedin: bool,
    linkedin_oidc: bool,
    notion: bool,
    spotify: bool,
    slack: bool,
    slack_oidc: bool,
    workos: bool,
    twitch: bool,
    twitter: bool,
    email: bool,
    phone: bool,
    zoom: bool,
    saml: bool,
}

impl<'a> SettingsDocument<'a> {
    /// What the owner chose, as far as clients need to know.
    pub(super) fn of(settings: &'a Settings) -> Self {
        let sign_up = &settings.sign_up;
        Self {
            external: External {
                anonymous_users: sign_up.anonymous_enabled,
                email: sign_up.email_enabled,
                phone: sign_up.phone_enabled,
                ..External::of(&settings.external.providers)
            },
            disable_signup: sign_up.disabled,
            mailer_autoconfirm: sign_up.mail_autoconfirm,
            phone_autoconfirm: sign_up.sms_autoconfirm,
            sms_provider: settings.sms.provider.as_deref().unwrap_or_default(),
            saml_enabled: false,
            saml_private_key_next_configured: false,
            passkeys_enabled: settings.passkeys.enabled
                && RelyingParty::new(&settings.webauthn, &settings.site).is_ok(),
        }
    }
}

impl External {
    /// What the owner switched on.
    fn of(providers: &Providers) -> Self {
        Self {
            apple: providers.apple.enabled,
            azure: providers.azure.enabled,
            bitbucket: providers.bitbucket.enabled,
            discord: providers.discord.enabled,
            facebook: providers.facebook.enabled,
            snapchat: providers.snapchat.enabled,
            figma: providers.figma.enabled,
            fly: providers.fly.enabled,
            github: providers.github.enabled,
            gitlab: providers.gitlab.enabled,
            google: providers.google.enabled,
            keycloak: providers.keycloak.enabled,
            kakao: providers.kakao.enabled,
            linkedin: providers.linkedin.enabled,
            linkedin_oidc: providers.linkedin_oidc.enabled,
            notion: providers.notion.enabled,
            spotify: providers.spotify.enabled,
            slack: providers.slack.enabled,
            slack_oidc: providers.slack_oidc.enabled,
            workos: providers.workos.enabled,
            twitch: providers.twitch.enabled,
            twitter: providers.twitter.enabled,
            zoom: providers.zoom.enabled,
            ..Self::default()
        }
    }
}

/// The document of `/health`. Clients look at the name to tell what they talk to.
#[derive(Serialize)]
pub(super) struct HealthDocument {
    version: &'static str,
    name: &'static str,
    description: &'static str,
}

impl HealthDocument {
    /// Ours.
    pub(super) const fn new() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            name: "GoTrue",
            description: "GoTrue is a user registration and authentication API",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_written_key_by_key_as_the_peer_does() {
        let mut settings = Settings::default();
        settings.sign_up.disabled = true;
        settings.sign_up.mail_autoconfirm = true;
        let text = serde_json::to_string(&SettingsDocument::of(&settings)).unwrap();
        assert_eq!(
            text,
            r#"{"external":{"anonymous_users":false,"apple":false,"azure":false,"bitbucket":false,"discord":false,"facebook":false,"snapchat":false,"figma":false,"fly":false,"github":false,"gitlab":false,"google":false,"keycloak":false,"kakao":false,"linkedin":false,"linkedin_oidc":false,"notion":false,"spotify":false,"slack":false,"slack_oidc":false,"workos":false,"twitch":false,"twitter":false,"email":true,"phone":false,"zoom":false,"saml":false},"disable_signup":true,"mailer_autoconfirm":true,"phone_autoconfirm":false,"sms_provider":"","saml_enabled":false,"saml_private_key_next_configured":false,"passkeys_enabled":false}"#
        );
    }
}

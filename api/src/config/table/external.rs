//! Signing in through other providers.

use super::{Setting, setting};
use crate::config::parse::{Flag, List, Maybe, Positive, SecretText, Text, Whole};

pub(super) const EXTERNAL: &[Setting] = &[
    setting!(
        "external.redirect_url",
        Maybe<Text>,
        settings.commands.external.redirect_url,
        ["GOTRUE_EXTERNAL_REDIRECTURL"],
        "https://app.example.com/welcome",
        "Where people are sent after a sign-in at another provider, whatever they asked for.",
        "where they asked for, if it is allowed",
    ),
    setting!(
        "external.ios_bundle_id",
        Maybe<Text>,
        settings.commands.external.ios_bundle_id,
        ["GOTRUE_EXTERNAL_IOS_BUNDLE_ID"],
        "com.example.app",
        "A further client of Apple's: ID tokens for this app are taken.",
        "none",
    ),
    setting!(
        "external.allowed_id_token_issuers",
        List,
        settings.commands.external.allowed_id_token_issuers,
        ["GOTRUE_EXTERNAL_ALLOWED_ID_TOKEN_ISSUERS"],
        "https://accounts.google.com",
        "Issuers whose ID tokens may be shown without naming a provider. For whom such a token has to be, the \
         provider of the issuer says.",
    ),
    setting!(
        "external.oidc_cache_ttl",
        Positive,
        settings.commands.external.oidc_cache_ttl,
        ["GOTRUE_EXTERNAL_OIDC_PROVIDER_CACHE_TTL"],
        "1h",
        "How long documents and keys of OpenID providers are kept.",
    ),
    setting!(
        "custom_providers.enabled",
        Flag,
        settings.commands.external.custom.enabled,
        ["GOTRUE_CUSTOM_OAUTH_ENABLED"],
        "true",
        "Administrators may register providers while the server runs.",
    ),
    setting!(
        "custom_providers.max", Whole<0, 1_000_000>, settings.commands.external.custom.max_providers,
        ["GOTRUE_CUSTOM_OAUTH_MAX_PROVIDERS"], "20", "How many; 0: as many as they like.",
    ),
    setting!(
        "custom_providers.trusted_hosts",
        List,
        settings.commands.external.custom.trusted_hosts,
        [],
        "keycloak.internal:8080",
        "Hosts, with or without port, where registered providers may be though they are in a private network, \
         also without encryption. Anywhere else only public addresses are called, by https.",
    ),
    setting!(
        "custom_providers.external_url",
        Maybe<Text>,
        settings.commands.external.custom.external_url,
        ["GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL"],
        "https://auth.example.com",
        "This server as these providers see it: they send people back to `/callback` there.",
        "`site.external_url`",
    ),
];

/// The settings that every provider has: `provider_settings!(field "key" "ALIAS", …)`.
macro_rules! provider_settings {
    ($($field:ident $name:literal $upper:literal),* $(,)?) => {
        pub(super) const PROVIDERS: &[Setting] = &[$(
            setting!(
                concat!("external.", $name, ".enabled"), Flag,
                settings.commands.external.providers.$field.enabled,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_ENABLED")], "true",
                "People may come by it.",
            ),
            setting!(
                concat!("external.", $name, ".client_id"), List,
                settings.commands.external.providers.$field.client_ids,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_CLIENT_ID")], "client-1",
                "The client that is registered there; further ones are taken in ID tokens.",
            ),
            setting!(
                concat!("external.", $name, ".secret"), Maybe<SecretText>,
                settings.commands.external.providers.$field.secret,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_SECRET")], "(what the provider hands out)",
                "The secret of the first client.", "none",
            ),
            setting!(
                concat!("external.", $name, ".redirect_uri"), Maybe<Text>,
                settings.commands.external.providers.$field.redirect_uri,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_REDIRECT_URI")], "https://auth.example.com/callback",
                "Where the provider sends people back to.", "`/callback` of `site.external_url`",
            ),
            setting!(
                concat!("external.", $name, ".url"), Maybe<Text>,
                settings.commands.external.providers.$field.url,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_URL")], "https://login.example.com",
                "Where the provider is.", "where it usually is",
            ),
            setting!(
                concat!("external.", $name, ".api_url"), Maybe<Text>,
                settings.commands.external.providers.$field.api_url,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_API_URL")], "https://api.example.com",
                "Where its interface for profiles is.", "where it usually is",
            ),
            setting!(
                concat!("external.", $name, ".skip_nonce_check"), Flag,
                settings.commands.external.providers.$field.skip_nonce_check,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_SKIP_NONCE_CHECK")], "true",
                "ID tokens are taken without a nonce.",
            ),
            setting!(
                concat!("external.", $name, ".email_optional"), Flag,
                settings.commands.external.providers.$field.email_optional,
                [concat!("GOTRUE_EXTERNAL_", $upper, "_EMAIL_OPTIONAL")], "true",
                "People may come without an e-mail address.",
            ),
        )*];
    };
}

provider_settings! {
    apple "apple" "APPLE",
    azure "azure" "AZURE",
    bitbucket "bitbucket" "BITBUCKET",
    discord "discord" "DISCORD",
    facebook "facebook" "FACEBOOK",
    figma "figma" "FIGMA",
    fly "fly" "FLY",
    github "github" "GITHUB",
    gitlab "gitlab" "GITLAB",
    google "google" "GOOGLE",
    kakao "kakao" "KAKAO",
    keycloak "keycloak" "KEYCLOAK",
    linkedin "linkedin" "LINKEDIN",
    linkedin_oidc "linkedin_oidc" "LINKEDIN_OIDC",
    notion "notion" "NOTION",
    slack "slack" "SLACK",
    slack_oidc "slack_oidc" "SLACK_OIDC",
    snapchat "snapchat" "SNAPCHAT",
    spotify "spotify" "SPOTIFY",
    twitch "twitch" "TWITCH",
    twitter "twitter" "TWITTER",
    vercel_marketplace "vercel_marketplace" "VERCEL_MARKETPLACE",
    workos "workos" "WORKOS",
    x "x" "X",
    zoom "zoom" "ZOOM",
}

#[cfg(test)]
mod tests {
    use evident_commands::settings::Builtin;

    use super::*;

    #[test]
    fn every_provider_has_its_settings_under_its_name() {
        for provider in Builtin::ALL {
            let key = format!("external.{}.enabled", provider.name());
            let alias = format!("GOTRUE_EXTERNAL_{}_ENABLED", provider.name().to_uppercase());
            let setting = PROVIDERS.iter().find(|setting| setting.key == key).unwrap();
            assert_eq!(setting.aliases, [alias]);
        }
        assert_eq!(PROVIDERS.len(), 8 * Builtin::ALL.len());
    }
}

//! Signing in through other providers.

use std::time::Duration;

use super::Secret;

/// Declares the built-in providers once: their names, and a place for the settings of each.
macro_rules! providers {
    ($($(#[$doc:meta])* $variant:ident $field:ident),* $(,)?) => {
        /// A provider that is described here; others are registered while the server runs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Builtin { $($(#[$doc])* $variant),* }

        impl Builtin {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in requests and identities.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($field)),* }
            }
        }

        /// The settings of each.
        #[derive(Debug, Clone, Default)]
        #[expect(missing_docs, reason = "each is named by its provider")]
        pub struct Providers { $(pub $field: ProviderSettings),* }

        impl Providers {
            /// Those of one.
            pub const fn get(&self, provider: Builtin) -> &ProviderSettings {
                match provider { $(Builtin::$variant => &self.$field),* }
            }
        }
    };
}

providers! {
    /// Sign in with Apple.
    Apple apple,
    /// Microsoft Entra ID and personal Microsoft accounts.
    Azure azure,
    /// Bitbucket.
    Bitbucket bitbucket,
    /// Discord.
    Discord discord,
    /// Facebook.
    Facebook facebook,
    /// Figma.
    Figma figma,
    /// Fly.io.
    Fly fly,
    /// GitHub, also the Enterprise server.
    Github github,
    /// GitLab, also self-hosted.
    Gitlab gitlab,
    /// Google.
    Google google,
    /// Kakao.
    Kakao kakao,
    /// Keycloak.
    Keycloak keycloak,
    /// `LinkedIn`'s older interface.
    Linkedin linkedin,
    /// `LinkedIn` by OpenID Connect.
    LinkedinOidc linkedin_oidc,
    /// Notion.
    Notion notion,
    /// Slack's older interface.
    Slack slack,
    /// Slack by OpenID Connect.
    SlackOidc slack_oidc,
    /// Snapchat.
    Snapchat snapchat,
    /// Spotify.
    Spotify spotify,
    /// Twitch.
    Twitch twitch,
    /// Twitter by OAuth 1.0a.
    Twitter twitter,
    /// Vercel's marketplace.
    VercelMarketplace vercel_marketplace,
    /// `WorkOS`.
    Workos workos,
    /// X by OAuth 2.0.
    X x,
    /// Zoom.
    Zoom zoom,
}

impl Builtin {
    /// The provider of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.name() == name)
    }
}

/// What the owner says of one provider.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
    /// People may come by it.
    pub enabled: bool,
    /// The clients that are registered there; the first one sends people there, ID tokens may be for any.
    pub client_ids: Vec<String>,
    /// The secret of the first client.
    pub secret: Option<Secret>,
    /// Where the provider sends people back to; none: `/callback` of this server.
    pub redirect_uri: Option<String>,
    /// Where the provider is, if not where it usually is.
    pub url: Option<String>,
    /// Where its interface for profiles is, if not where it usually is.
    pub api_url: Option<String>,
    /// ID tokens are taken without a nonce.
    pub skip_nonce_check: bool,
    /// People may come without an e-mail address.
    pub email_optional: bool,
}

/// Signing in through other providers.
#[derive(Debug, Clone)]
pub struct ExternalSettings {
    /// The built-in ones.
    pub providers: Box<Providers>,
    /// Where people are sent in the end, whatever they asked for.
    pub redirect_url: Option<String>,
    /// A further client of Apple's: the bundle id of an app.
    pub ios_bundle_id: Option<String>,
    /// Issuers whose ID tokens may be shown without naming a provider.
    pub allowed_id_token_issuers: Vec<String>,
    /// How long documents and keys of OpenID providers are kept.
    pub oidc_cache_ttl: Duration,
    /// Providers that administrators register.
    pub custom: CustomProviderSettings,
}

impl Default for ExternalSettings {
    fn default() -> Self {
        Self {
            providers: Box::default(),
            redirect_url: None,
            ios_bundle_id: None,
            allowed_id_token_issuers: ["https://appleid.apple.com", "https://accounts.google.com"]
                .map(str::to_owned)
                .into(),
            oidc_cache_ttl: Duration::from_secs(3600),
            custom: CustomProviderSettings::default(),
        }
    }
}

/// Providers that administrators register while the server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomProviderSettings {
    /// They may.
    pub enabled: bool,
    /// So many at most; 0: as many as they like.
    pub max_providers: u32,
    /// Hosts, with or without port, that they may be at though these are in a private network, also without
    /// encryption.
    pub trusted_hosts: Vec<String>,
    /// This server as these providers see it; none: the external address.
    pub external_url: Option<String>,
}

impl Default for CustomProviderSettings {
    fn default() -> Self {
        Self { enabled: true, max_providers: 0, trusted_hosts: Vec::new(), external_url: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_found_by_its_name() {
        for provider in Builtin::ALL {
            assert_eq!(Builtin::parse(provider.name()), Some(*provider));
        }
        assert_eq!(Builtin::ALL.len(), 25);
        assert_eq!(Builtin::parse("email"), None);
    }
}

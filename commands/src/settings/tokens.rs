//! Access tokens, the keys that sign them, and the sessions behind them.

use std::time::Duration;

use super::Secret;
use crate::tokens::KeySettings;

/// What stands in access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// How long an access token is good, in seconds.
    pub access_token_lifetime_seconds: u64,
    /// The claim `iss`; none: tokens carry no such claim.
    pub issuer: Option<String>,
    /// The audience of requests that name none.
    pub default_aud: String,
    /// The role of new users.
    pub default_role: String,
    /// Whose tokens may call the admin endpoints.
    pub admin_roles: Vec<String>,
    /// The role that lets users change their own `app_metadata`.
    pub admin_group_name: String,
}

impl Default for TokenSettings {
    fn default() -> Self {
        let authenticated = || "authenticated".to_owned();
        Self {
            access_token_lifetime_seconds: 3600,
            issuer: None,
            default_aud: authenticated(),
            default_role: authenticated(),
            admin_roles: ["service_role", "supabase_admin", "fastrue_admin"].map(str::to_owned).into(),
            admin_group_name: "admin".to_owned(),
        }
    }
}

/// Where the keys of access tokens come from. With neither secret nor keys, a secret is made on first
/// start and kept.
#[derive(Debug, Clone, Default)]
pub struct SigningKeySource {
    /// The secret for HS256: the bytes of the text.
    pub secret: Option<Secret>,
    /// The id of the secret.
    pub key_id: Option<String>,
    /// A JSON array of private keys (RFC 7517), exactly one of which signs.
    pub keys: Option<Secret>,
    /// The algorithms that are taken; empty: those of the keys.
    pub valid_methods: Vec<String>,
}

impl SigningKeySource {
    /// What [`crate::tokens::SigningKeys::load`] takes.
    pub fn as_key_settings(&self) -> KeySettings<'_> {
        KeySettings {
            secret: self.secret.as_ref().map(Secret::expose),
            key_id: self.key_id.as_deref(),
            keys: self.keys.as_ref().map(Secret::expose),
            valid_methods: &self.valid_methods,
        }
    }
}

/// How long sessions live, and what a refresh token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// For so many seconds a used refresh token gives the current one again.
    pub reuse_interval_seconds: u32,
    /// Reuse outside the interval ends the session.
    pub rotation_enabled: bool,
    /// How long the token before the current one is good.
    pub parent_reuse: ParentReuse,
    /// Sessions end so long after the sign-in.
    pub timebox: Option<Duration>,
    /// Sessions end when they were not refreshed for so long.
    pub inactivity_timeout: Option<Duration>,
    /// Only the session that was refreshed last goes on.
    pub single_per_user: bool,
    /// The tags within each of which a user has a single session.
    pub tags: Vec<String>,
    /// So long a session may stay below the assurance level that its user's factors allow.
    pub allow_low_aal: Option<Duration>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            reuse_interval_seconds: 10,
            rotation_enabled: true,
            parent_reuse: ParentReuse::default(),
            timebox: None,
            inactivity_timeout: None,
            single_per_user: false,
            tags: Vec::new(),
            allow_low_aal: None,
        }
    }
}

/// How long the refresh token before the current one is good. A client that lost the answer to its last
/// refresh has no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ParentReuse {
    /// Until the current one is used.
    #[default]
    Always,
    /// Like any other used token: within the reuse interval.
    WithinInterval,
}

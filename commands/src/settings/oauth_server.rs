//! The OAuth server: other applications act for users, as far as these let them.

use std::time::Duration;

/// The OAuth server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthServerSettings {
    /// It is there.
    pub enabled: bool,
    /// Clients may register themselves.
    pub dynamic_registration: bool,
    /// The page of the application on which users consent; a path below the site's address.
    pub consent_path: Option<String>,
    /// How long a request may wait for the user's decision.
    pub authorization_ttl: Duration,
    /// The scopes of requests that name none.
    pub default_scope: String,
    /// The tokens of clients are taken as the user's own, whatever their scopes.
    pub clients_act_as_users: bool,
}

impl OAuthServerSettings {
    /// The longest that any setting lets a code live (OAuth 2.1, section 4.1.2).
    const LONGEST_CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

    /// How long a code may wait for its client.
    pub fn code_lifetime(&self) -> Duration {
        self.authorization_ttl.min(Self::LONGEST_CODE_LIFETIME)
    }
}

impl Default for OAuthServerSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            dynamic_registration: false,
            consent_path: None,
            authorization_ttl: Duration::from_secs(10 * 60),
            default_scope: "email".to_owned(),
            clients_act_as_users: false,
        }
    }
}

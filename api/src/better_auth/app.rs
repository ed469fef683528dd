//! What the endpoints work with.

use std::sync::Arc;
use std::time::Duration;

use evident_commands::settings::{Secret, Settings};
use evident_commands::{Commands, SessionTerms};
use evident_domain::Time;
use evident_domain::session::SlidingEnd;

use super::cookies::{CookieSettings, CookieSigner};
use super::limits::Limits;
use super::origins::TrustedOrigins;
use crate::config::better_auth::SameSite;
use crate::config::{BetterAuthSettings, ServerSettings};

/// The state of the endpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    commands: Commands,
    options: BetterAuthSettings,
    signer: CookieSigner,
    cookies: CookieSettings,
    origins: Arc<TrustedOrigins>,
    limits: Limits,
    base_url: String,
    time_limit: Duration,
    body_limit: usize,
}

impl App {
    /// The endpoints' state over the use cases. The secret signs cookies.
    pub fn new(
        commands: Commands,
        server: &ServerSettings,
        options: &BetterAuthSettings,
        secret: &Secret,
    ) -> Self {
        let external_url = commands.settings().site.external_url.trim_end_matches('/').to_owned();
        let own = &options.cookies;
        let cookies = CookieSettings {
            prefix: own.prefix.clone(),
            secure: own.secure.unwrap_or_else(|| external_url.starts_with("https://")),
            domain: own.domain.clone(),
            same_site: SameSite::as_str(own.same_site),
            path: own.path.clone().unwrap_or_else(|| "/".to_owned()),
            partitioned: own.partitioned,
        };
        let patterns = options.place.trusted_origins.iter().map(String::as_str);
        Self(Arc::new(Inner {
            signer: CookieSigner::new(secret.expose()),
            cookies,
            origins: Arc::new(TrustedOrigins::new(&external_url, patterns)),
            limits: Limits::new(&options.rate_limit),
            base_url: format!("{external_url}{}", options.place.base_path),
            options: options.clone(),
            time_limit: server.max_request_duration,
            body_limit: server.body_limit,
            commands,
        }))
    }

    /// The use cases.
    pub fn commands(&self) -> &Commands {
        &self.0.commands
    }

    /// What the owner chose for both protocols.
    pub fn settings(&self) -> &Settings {
        self.0.commands.settings()
    }

    /// What the owner chose for this protocol.
    pub fn options(&self) -> &BetterAuthSettings {
        &self.0.options
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.0.commands.clock().now()
    }

    /// Where the endpoints stand, as the world sees it: `https://auth.example.com/api/auth`.
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// Whom requests with cookies may come from, and where links may lead.
    pub fn origins(&self) -> &Arc<TrustedOrigins> {
        &self.0.origins
    }

    /// Signs cookies.
    pub fn signer(&self) -> &CookieSigner {
        &self.0.signer
    }

    /// How cookies are called and sent.
    pub fn cookies(&self) -> &CookieSettings {
        &self.0.cookies
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn time_limit(&self) -> Duration {
        self.0.time_limit
    }

    pub(super) fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    /// How a session lives that somebody opens; the browser remembers it or not.
    pub fn session_terms(&self, remembered: bool) -> SessionTerms {
        let session = &self.0.options.session;
        let lifetime = if remembered { session.expires_in } else { session.forgotten_after };
        SessionTerms {
            lifetime: Some(lifetime),
            slides: remembered && !session.refresh_disabled,
            impersonator: None,
        }
    }

    /// How the end of a session moves.
    pub(super) fn sliding_end(&self) -> SlidingEnd {
        let session = &self.0.options.session;
        SlidingEnd {
            lifetime_seconds: session.expires_in.as_secs(),
            after_seconds: session.update_age.as_secs(),
        }
    }
}

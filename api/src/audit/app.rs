//! What the endpoints work with.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderName;
use evident_commands::Commands;
use evident_eventstore::EventStore;
use evident_eventstore::tlog::Checkpoints;

use crate::config::Settings;
use crate::http::RateLimiter;
use crate::http::limits::NOTED_DENIALS;

/// The state of the endpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    commands: Commands,
    checkpoints: Checkpoints,
    roles: Vec<String>,
    denials: RateLimiter,
    limit_header: Option<HeaderName>,
    time_limit: Duration,
}

impl App {
    /// The endpoints' state over the use cases.
    pub fn new(commands: Commands, checkpoints: Checkpoints, settings: &Settings) -> Self {
        let header = settings.commands.rate_limits.header.as_deref();
        Self(Arc::new(Inner {
            roles: settings.audit.roles.clone(),
            denials: RateLimiter::new(NOTED_DENIALS),
            limit_header: header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok()),
            time_limit: settings.server.max_request_duration,
            commands,
            checkpoints,
        }))
    }

    /// The use cases.
    pub fn commands(&self) -> &Commands {
        &self.0.commands
    }

    /// The log.
    pub fn store(&self) -> &EventStore {
        self.0.commands.store()
    }

    /// What the log has signed.
    pub(super) fn checkpoints(&self) -> &Checkpoints {
        &self.0.checkpoints
    }

    /// Whose tokens may read.
    pub(super) fn roles(&self) -> &[String] {
        &self.0.roles
    }

    /// How many refusals of one caller are noted.
    pub(super) fn denials(&self) -> &RateLimiter {
        &self.0.denials
    }

    /// The header in which a trusted proxy names the caller.
    pub(super) fn limit_header(&self) -> Option<&HeaderName> {
        self.0.limit_header.as_ref()
    }

    /// After so long a request is given up.
    pub(super) fn time_limit(&self) -> Duration {
        self.0.time_limit
    }
}

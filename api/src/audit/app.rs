//! What the endpoints work with.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderName;
use evident_commands::Commands;
use evident_eventstore::EventStore;
use evident_eventstore::tlog::Checkpoints;
use tokio::sync::{Semaphore, watch};

use super::readings::Readings;
use crate::config::Settings;
use crate::http::RateLimiter;
use crate::http::limits::NOTED_DENIALS;

/// So many may follow the log at once.
const STREAMS: usize = 256;

/// The state of the endpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    commands: Commands,
    checkpoints: Checkpoints,
    roles: Vec<String>,
    denials: RateLimiter,
    readings: Readings,
    limit_header: Option<HeaderName>,
    time_limit: Duration,
    streams: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
}

impl App {
    /// The endpoints' state over the use cases. `closing` becomes true when the server stops: answers that
    /// would go on for ever end then.
    pub fn new(
        commands: Commands,
        checkpoints: Checkpoints,
        settings: &Settings,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let header = settings.commands.rate_limits.header.as_deref();
        Self(Arc::new(Inner {
            roles: settings.audit.roles.clone(),
            denials: RateLimiter::new(NOTED_DENIALS),
            readings: Readings::default(),
            limit_header: header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok()),
            time_limit: settings.server.max_request_duration,
            streams: Arc::new(Semaphore::new(STREAMS)),
            closing,
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

    /// Who is noted as a reader already.
    pub(super) fn readings(&self) -> &Readings {
        &self.0.readings
    }

    /// The header in which a trusted proxy names the caller.
    pub(super) fn limit_header(&self) -> Option<&HeaderName> {
        self.0.limit_header.as_ref()
    }

    /// Room for those who follow the log.
    pub(super) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    /// Becomes true when the server stops.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.clone()
    }

    /// After so long a request is given up.
    pub(super) fn time_limit(&self) -> Duration {
        self.0.time_limit
    }
}

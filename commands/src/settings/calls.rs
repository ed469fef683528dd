//! Calls to other servers.

use std::time::Duration;

/// How other servers are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSettings {
    /// How long one call may take.
    pub timeout: Duration,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10) }
    }
}

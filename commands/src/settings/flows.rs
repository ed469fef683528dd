//! Sign-ins that are under way.

use std::time::Duration;

/// How long a sign-in may be under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowSettings {
    /// How long somebody may take at a provider, and after that the client with its code; see
    /// [`FlowSettings::lifetime`].
    pub expiry: Duration,
}

impl FlowSettings {
    /// No setting goes below this.
    pub const SHORTEST: Duration = Duration::from_secs(300);

    /// How long a step may take: at a provider from the start of the flow, for a code from its making.
    pub fn lifetime(&self) -> Duration {
        self.expiry.max(Self::SHORTEST)
    }
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self { expiry: Self::SHORTEST }
    }
}

//! A growing delay after failed sign-ins, per address or number, known or not. It follows from the
//! log, so it holds on every node and after a restart.

use std::time::Duration;

use evident_domain::TokenHash;
use evident_projections::views;

use crate::Commands;
use crate::execute::Failure;

/// Too many failures: wait before the next try, also with the right password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed sign-ins: {} s to wait", .retry_after.as_secs())]
pub struct Throttled {
    /// How long.
    pub retry_after: Duration,
}

impl Commands {
    pub(crate) async fn check_throttle<E>(&self, account: &TokenHash) -> Result<(), E>
    where
        E: From<Throttled> + From<Failure>,
    {
        let failures =
            views::sign_in_failures(self.store().database(), account).await.map_err(Failure::from)?;
        let Some(failures) = failures else { return Ok(()) };
        let now = self.clock().now();
        let delay = self.delay(failures.count_at(now));
        let passed = (now - failures.last_at).to_std().unwrap_or_default();
        match delay.checked_sub(passed) {
            Some(left) if !left.is_zero() => Err(Throttled { retry_after: left }.into()),
            _ => Ok(()),
        }
    }

    /// Nothing for the first failures, then twice as long with each one up to a bound.
    fn delay(&self, failures: u64) -> Duration {
        let settings = &self.settings().throttle;
        let Some(over) = failures.checked_sub(u64::from(settings.free_failures) + 1) else {
            return Duration::ZERO;
        };
        let doublings = u32::try_from(over).unwrap_or(u32::MAX).min(30);
        settings.first_delay.saturating_mul(2_u32.saturating_pow(doublings)).min(settings.max_delay)
    }
}

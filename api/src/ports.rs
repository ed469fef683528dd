//! The real time and the real randomness.

use evident_domain::Time;
use evident_domain::ports::{Clock, Entropy};

/// The machine's clock, in microseconds as the log keeps them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port")]
    fn now(&self) -> Time {
        let now = chrono::Utc::now();
        Time::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // Without randomness every secret from here on would be guessable.
            std::process::abort();
        }
    }
}

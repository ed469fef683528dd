//! Time and chance that repeat themselves.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use evident_domain::Time;
use evident_domain::ports::{Clock, Entropy};
use sha2::{Digest, Sha256};

/// Noon of the day on which the tests play.
pub(crate) fn noon() -> Time {
    Time::from_timestamp(1_795_000_000, 0).unwrap()
}

/// A clock that goes a microsecond on with every look.
#[derive(Debug, Default)]
pub(crate) struct Fixed(AtomicI64);

impl Clock for Fixed {
    fn now(&self) -> Time {
        noon() + chrono::TimeDelta::microseconds(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Bytes that look random, never repeat within a seed, and are the same at every run.
#[derive(Debug)]
pub(crate) struct Chance {
    seed: u64,
    drawn: AtomicU64,
}

impl Chance {
    /// Another seed, other bytes.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for Chance {
    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(32) {
            let mut hasher = Sha256::new();
            hasher.update(self.seed.to_be_bytes());
            hasher.update(self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            part.copy_from_slice(&hasher.finalize()[..part.len()]);
        }
    }
}

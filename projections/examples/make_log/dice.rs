//! Time and chance of the log that is made: both follow from the seed.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::DateTime;
use evident_domain::Time;
use evident_domain::ports::{Clock, Entropy};

/// The step of the `SplitMix64` generator.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Chance from a seed (`SplitMix64`): good for a made-up log, no good for real secrets.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed.wrapping_mul(STEP)))
    }

    pub(crate) fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below another.
    pub(crate) fn below(&self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    /// One of several.
    pub(crate) fn one_of<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}

impl Entropy for Dice {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// A clock that goes on only when it is told to.
#[derive(Debug)]
pub(crate) struct StoryClock(AtomicI64);

impl StoryClock {
    /// Begins at the start of the year 2026.
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_767_225_600_000_000))
    }

    pub(crate) fn skip_micros(&self, micros: u64) {
        self.0.fetch_add(i64::try_from(micros).unwrap_or_default(), Ordering::Relaxed);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Time {
        DateTime::from_timestamp_micros(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

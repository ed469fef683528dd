//! What is not pure comes through these: time and randomness.

use std::fmt::Debug;

use uuid::Uuid;

use crate::Time;

/// The time.
pub trait Clock: Send + Sync + Debug {
    /// Now, cut to microseconds.
    fn now(&self) -> Time;
}

/// Randomness fit for secrets.
pub trait Entropy: Send + Sync + Debug {
    /// Fills a buffer.
    fn fill(&self, buffer: &mut [u8]);

    /// A fresh id (UUID version 4).
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

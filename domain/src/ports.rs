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

    /// A fresh id that begins with the time (UUID version 7): what is made at about the same time stands
    /// together in tables and indexes. For what may show its age.
    fn timed_uuid(&self, now: Time) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

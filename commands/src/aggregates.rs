//! Aggregates at hand. A stale one is harmless: every append states the versions it was decided on,
//! and a refusal that came from here is decided once more from the log.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use evident_domain::{Root, StreamId};
use quick_cache::sync::Cache;

/// Aggregates that are kept at most.
const CAPACITY: usize = 8_192;

/// The state of any aggregate.
pub(crate) trait State: Any + Debug + Send + Sync {}

impl<A: Root> State for A {}

/// An aggregate and its version.
#[derive(Debug, Clone)]
pub(crate) struct Cached {
    pub version: u64,
    pub state: Arc<dyn State>,
}

/// A bounded cache of aggregates.
#[derive(Debug)]
pub(crate) struct AggregateCache(Cache<StreamId, Cached>);

impl Default for AggregateCache {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl AggregateCache {
    pub(crate) fn get(&self, stream: &StreamId) -> Option<Cached> {
        self.0.get(stream)
    }

    pub(crate) fn put(&self, stream: StreamId, cached: Cached) {
        self.0.insert(stream, cached);
    }

    /// Lets go of all.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }

    /// Lets go of an aggregate.
    pub(crate) fn remove(&self, stream: &StreamId) {
        self.0.remove(stream);
    }
}

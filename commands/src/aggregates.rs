//! Aggregates at hand. A stale one is harmless: every append states the versions it was decided on,
//! and a refusal that came from here is decided once more from the log.

use evident_domain::session::Session;
use evident_domain::user::User;
use evident_domain::{StreamId, StreamKind};
use quick_cache::sync::Cache;

/// Aggregates that are kept at most.
const CAPACITY: usize = 8_192;

/// An aggregate and its version.
#[derive(Debug, Clone)]
pub(crate) enum Cached {
    /// A user.
    User(u64, User),
    /// A session.
    Session(u64, Session),
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
    pub(crate) fn user(&self, stream: StreamId) -> Option<(u64, User)> {
        debug_assert_eq!(stream.kind, StreamKind::User);
        match self.0.get(&stream)? {
            Cached::User(version, user) => Some((version, user)),
            Cached::Session(..) => None,
        }
    }

    pub(crate) fn session(&self, stream: StreamId) -> Option<(u64, Session)> {
        match self.0.get(&stream)? {
            Cached::Session(version, session) => Some((version, session)),
            Cached::User(..) => None,
        }
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

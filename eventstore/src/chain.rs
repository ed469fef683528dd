//! What this node's writer knows of the log since its last commit, as long as nobody else writes.

use std::collections::HashMap;

use evident_domain::StreamId;

use crate::head::Standing;
use crate::writing::Versions;

/// Streams whose versions are remembered at least; twice as many at most.
const STREAMS: usize = 8_192;

/// The writer's knowledge of the log. It holds while the head stands where it is said to.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) standing: Standing,
    newer: HashMap<StreamId, u64>,
    older: HashMap<StreamId, u64>,
}

impl Chain {
    pub(crate) fn new(standing: Standing) -> Self {
        Self { standing, newer: HashMap::new(), older: HashMap::new() }
    }

    /// A stream's version, if it is known. A stream without events is not remembered.
    pub(crate) fn version(&self, stream: &StreamId) -> Option<u64> {
        self.newer.get(stream).or_else(|| self.older.get(stream)).copied()
    }

    /// Goes on to where a batch has led.
    pub(crate) fn advance(&mut self, standing: Standing, versions: Versions) {
        self.standing = standing;
        self.newer.extend(versions.into_iter().filter(|(_, version)| *version > 0));
        if self.newer.len() > STREAMS {
            self.older = std::mem::take(&mut self.newer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Frontier;
    use uuid::Uuid;

    fn stream(number: usize) -> StreamId {
        StreamId::attempt(Uuid::from_u128(number as u128))
    }

    #[test]
    fn the_newest_versions_are_remembered_and_not_all() {
        let standing = Standing::at(Frontier::default(), 0);
        let mut chain = Chain::new(standing.clone());
        for number in 0..5 * STREAMS {
            let versions = [(stream(number), 1), (stream(0), number as u64), (stream(1), 0)];
            chain.advance(standing.clone(), versions.into());
        }
        assert_eq!(chain.version(&stream(0)), Some(5 * STREAMS as u64 - 1));
        assert_eq!(chain.version(&stream(5 * STREAMS - 1)), Some(1));
        assert_eq!(chain.version(&stream(2)), None);
        assert!(chain.newer.len() + chain.older.len() <= 2 * STREAMS + 2);
    }
}

//! The Merkle tree over the log (RFC 6962 hashing, as C2SP tlog-tiles has it): leaves and frontier.

use std::borrow::Cow;

use evident_domain::{EventId, Position};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tlog_tiles::{HASH_SIZE, Hash, node_hash, record_hash};

/// Longest leaf that the formats can publish, in bytes.
pub const MAX_LEAF_BYTES: usize = 65_535;

/// What the tree says of an event: an RFC 8785 document, never a personal datum. The fields stand in
/// alphabetical order and hold only text and small numbers, so serde's output is canonical as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf<'a> {
    /// Who acted.
    pub actor: Cow<'a, str>,
    /// SHA-256 of the content, in hex.
    pub content: String,
    /// The event's id.
    pub id: EventId,
    /// Its place in the log.
    pub position: Position,
    /// Its place in its stream.
    pub sequence: u64,
    /// Its stream.
    pub stream: String,
    /// Whose data it holds.
    pub subject: Option<Cow<'a, str>>,
    /// When, in microseconds since 1970.
    pub time: i64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Cow<'a, str>,
    /// Its type's version.
    pub version: Cow<'a, str>,
}

impl Leaf<'_> {
    /// The bytes that the tree hashes and the tiles publish.
    ///
    /// # Errors
    /// Never in practice: every field is text or a number.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

/// The hash of a leaf in the tree (RFC 6962), by its bytes.
pub fn leaf_hash(bytes: &[u8]) -> [u8; HASH_SIZE] {
    record_hash(bytes).0
}

/// The digest of an event's content: the stored texts and a salt, so that what was dropped cannot be
/// guessed.
pub fn content_digest(salt: &[u8], payload: &str, metadata: &str) -> [u8; HASH_SIZE] {
    let mut hasher = Sha256::new();
    for part in [salt, payload.as_bytes(), metadata.as_bytes()] {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The roots of the tree's full subtrees, largest first: enough to add leaves and to tell the root.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

/// The stored bytes are no frontier of a tree of that size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log's head is damaged: its frontier does not fit its position")]
pub struct FrontierDamaged;

impl Frontier {
    /// Reads what [`Frontier::to_bytes`] wrote for a tree of `size` leaves.
    ///
    /// # Errors
    /// When the number of roots is not that of the size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, FrontierDamaged> {
        let (chunks, rest) = bytes.as_chunks::<HASH_SIZE>();
        let roots: Vec<_> = chunks.iter().map(|chunk| Hash(*chunk)).collect();
        let fits = rest.is_empty() && u32::try_from(roots.len()) == Ok(size.count_ones());
        if fits { Ok(Self { size, roots }) } else { Err(FrontierDamaged) }
    }

    /// The roots, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|root| root.0).collect()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its bytes; gives its hash.
    pub fn push(&mut self, leaf: &[u8]) -> [u8; HASH_SIZE] {
        let hash = record_hash(leaf);
        self.push_hash(hash);
        hash.0
    }

    fn push_hash(&mut self, mut hash: Hash) {
        // As in a binary counter: every trailing one is a full subtree that the new one completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                hash = node_hash(left, hash);
            }
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    pub fn root(&self) -> [u8; HASH_SIZE] {
        let mut from_the_right = self.roots.iter().rev();
        let Some(last) = from_the_right.next() else {
            return Sha256::digest(b"").into();
        };
        from_the_right.fold(*last, |right, left| node_hash(*left, right)).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog_tiles::{EMPTY_HASH, Error, HashReader, stored_hashes, tree_hash};

    struct Stored(Vec<Hash>);

    impl HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
            Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
        }
    }

    #[test]
    fn the_frontier_tells_the_root_that_the_whole_tree_has() {
        let (mut frontier, mut stored) = (Frontier::default(), Stored(Vec::new()));
        assert_eq!(frontier.root(), EMPTY_HASH.0);
        for n in 0..300_u64 {
            let leaf = format!("leaf {n}");
            frontier.push(leaf.as_bytes());
            let hashes = stored_hashes(n, leaf.as_bytes(), &stored).unwrap();
            stored.0.extend(hashes);
            assert_eq!(frontier.root(), tree_hash(n + 1, &stored).unwrap().0, "{} leaves", n + 1);
            let read = Frontier::from_bytes(n + 1, &frontier.to_bytes()).unwrap();
            assert_eq!(read, frontier);
        }
        assert_eq!(Frontier::from_bytes(299, &frontier.to_bytes()), Err(FrontierDamaged));
    }
}

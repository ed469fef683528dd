//! Which keys a fold has met, so that a table is not asked for rows that it cannot have.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// Bits that are kept, a power of two: 1 MiB, of which a million keys set a third.
const BITS: u64 = 1 << 23;
/// Bits of a key.
const BITS_OF_A_KEY: u32 = 3;

/// A Bloom filter: a key that was met is always known, one that was not is rarely taken for one that was.
/// However many keys there are, it stays as large as it is, and only asks more often in vain.
pub(crate) struct Seen {
    bits: Vec<u64>,
    hash: RandomState,
}

impl Seen {
    /// No key was met.
    pub(crate) fn nothing() -> Self {
        let words = usize::try_from(BITS / 64).unwrap_or_default();
        Self { bits: vec![0; words], hash: RandomState::default() }
    }

    /// A key was met.
    pub(crate) fn insert(&mut self, key: &str) {
        for (word, bit) in Self::places(self.hash.hash_one(key)) {
            if let Some(word) = self.bits.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether it may have been met.
    pub(crate) fn may_hold(&self, key: &str) -> bool {
        let is_set = |(word, bit)| self.bits.get(word).is_none_or(|word: &u64| word & bit != 0);
        Self::places(self.hash.hash_one(key)).all(is_set)
    }

    /// A key's bits, each by its word and its place in that.
    fn places(hash: u64) -> impl Iterator<Item = (usize, u64)> {
        // Two halves of one hash make as many places as are wanted (Kirsch and Mitzenmacher, 2006).
        let (first, step) = (hash, hash.rotate_left(32) | 1);
        (0..u64::from(BITS_OF_A_KEY)).map(move |n| {
            let place = first.wrapping_add(n.wrapping_mul(step)) % BITS;
            (usize::try_from(place / 64).unwrap_or_default(), 1 << (place % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_is_known_and_hardly_anything_else() {
        let mut seen = Seen::nothing();
        let keys = |prefix: &'static str| (0..20_000).map(move |n| format!("{prefix}{n}"));
        assert!(!keys("a").any(|key| seen.may_hold(&key)));
        keys("a").for_each(|key| seen.insert(&key));
        assert!(keys("a").all(|key| seen.may_hold(&key)));
        assert!(keys("b").filter(|key| seen.may_hold(key)).count() < 20);
    }
}

//! Sets of slots.

/// A set of slots, a bit each. Sets that are put together are of as many slots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

const WIDTH: usize = 64;

impl Bits {
    /// None of so many slots.
    pub(super) fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WIDTH)], len }
    }

    /// Those whose values a test holds for, of a value for each slot.
    pub(super) fn of<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> Self {
        let word = |values: &[T]| {
            values.iter().enumerate().fold(0, |word, (at, value)| word | u64::from(holds(*value)) << at)
        };
        Self { words: values.chunks(WIDTH).map(word).collect(), len: values.len() }
    }

    /// Of so many slots those that are named.
    pub(super) fn with(len: usize, slots: &[u32]) -> Self {
        let mut bits = Self::none(len);
        bits.insert_all(slots);
        bits
    }

    /// Of how many slots it is.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// One slot more.
    pub(super) fn push(&mut self, value: bool) {
        if self.len.is_multiple_of(WIDTH) {
            self.words.push(0);
        }
        self.len += 1;
        if value {
            self.insert(self.len - 1);
        }
    }

    pub(super) fn insert(&mut self, slot: usize) {
        if let Some(word) = self.words.get_mut(slot / WIDTH) {
            *word |= 1 << (slot % WIDTH);
        }
    }

    pub(super) fn insert_all(&mut self, slots: &[u32]) {
        for slot in slots {
            self.insert(*slot as usize);
        }
    }

    fn remove(&mut self, slot: usize) {
        if let Some(word) = self.words.get_mut(slot / WIDTH) {
            *word &= !(1 << (slot % WIDTH));
        }
    }

    pub(super) fn remove_all(&mut self, slots: &[u32]) {
        for slot in slots {
            self.remove(*slot as usize);
        }
    }

    pub(super) fn set(&mut self, slot: usize, value: bool) {
        if value { self.insert(slot) } else { self.remove(slot) }
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        let slot = slot as usize;
        self.words.get(slot / WIDTH).is_some_and(|word| word >> (slot % WIDTH) & 1 == 1)
    }

    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those that are in both.
    #[must_use]
    pub(super) fn and(mut self, other: &Self) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
        self
    }

    /// Those that are not in the other.
    #[must_use]
    pub(super) fn but(mut self, other: &Self) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
        self
    }

    /// Those that are in either.
    #[must_use]
    pub(super) fn or(mut self, other: &Self) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
        self
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_put_together() {
        let even = Bits::of(&(0..100).collect::<Vec<_>>(), |n| n % 2 == 0);
        let few = Bits::with(100, &[1, 2, 3, 98, 99]);
        assert_eq!(even.count(), 50);
        assert_eq!(few.clone().and(&even), Bits::with(100, &[2, 98]));
        assert_eq!(few.clone().but(&even), Bits::with(100, &[1, 3, 99]));
        assert_eq!(few.clone().or(&even).count(), 53);
        assert!(few.contains(99) && !few.contains(97) && !few.contains(1_000));
    }

    #[test]
    fn a_set_grows_by_a_slot_at_a_time() {
        let mut bits = Bits::default();
        for n in 0..130 {
            bits.push(n % 3 == 0);
        }
        assert_eq!(bits, Bits::of(&(0..130).collect::<Vec<_>>(), |n| n % 3 == 0));
        bits.set(0, false);
        bits.set(1, true);
        assert_eq!((bits.contains(0), bits.contains(1), bits.count()), (false, true, 44));
    }
}

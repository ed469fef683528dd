//! Slots in the order of something.

use std::cmp::Ordering;

use super::bits::Bits;

/// Slots of living users in an order that tells any two of them apart.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<u32>);

impl Order {
    /// Sorts slots by keys. Keys are few bytes that stand beside the slots while they are sorted, so that
    /// memory is walked and not jumped about in; slots of one key are told apart by a comparison.
    pub(super) fn sorted<K: Ord>(mut keyed: Vec<(K, u32)>, compare: impl Fn(u32, u32) -> Ordering) -> Self {
        keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(a.1, b.1)));
        Self(keyed.into_iter().map(|(_, slot)| slot).collect())
    }

    pub(super) fn slots(&self) -> &[u32] {
        &self.0
    }

    /// Takes slots out, while they still compare as they did when they came.
    pub(super) fn remove(&mut self, slots: &[u32], compare: impl Fn(u32, u32) -> Ordering) {
        let place = |slot: &u32| self.0.binary_search_by(|other| compare(*other, *slot)).ok();
        let mut places: Vec<usize> = slots.iter().filter_map(place).collect();
        places.sort_unstable();
        let Some(first) = places.first() else { return };
        // Whole stretches move up, each over as many gaps as are before it.
        let mut to = *first;
        for (n, gap) in places.iter().enumerate() {
            let end = places.get(n + 1).copied().unwrap_or(self.0.len());
            self.0.copy_within(gap + 1..end, to);
            to += end - gap - 1;
        }
        self.0.truncate(to);
    }

    /// Puts slots in.
    pub(super) fn insert(&mut self, slots: &[u32], compare: impl Fn(u32, u32) -> Ordering) {
        let mut new = slots.to_vec();
        new.sort_unstable_by(|a, b| compare(*a, *b));
        let places: Vec<usize> =
            new.iter().map(|slot| self.0.partition_point(|other| compare(*other, *slot).is_lt())).collect();
        let mut end = self.0.len();
        self.0.resize(end + new.len(), 0);
        // From behind: whole stretches move down, each by as many as come before it.
        for (before, (place, slot)) in places.into_iter().zip(new).enumerate().rev() {
            self.0.copy_within(place..end, place + before + 1);
            if let Some(free) = self.0.get_mut(place + before) {
                *free = slot;
            }
            end = place;
        }
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<u32>()
    }
}

/// A column in whose order those stand who live and have something in it, and by their ids where that is the same.
pub(super) trait Sorted {
    /// Who lives and has something.
    fn present(&self) -> &Bits;

    /// The order.
    fn order_mut(&mut self) -> &mut Order;

    /// How what two have compares.
    fn compare(&self, a: u32, b: u32) -> Ordering;

    /// Takes slots out of the order.
    fn unsort(&mut self, slots: &[u32], by_id: impl Fn(u32, u32) -> Ordering) {
        let slots = self.those_present(slots);
        let mut order = std::mem::take(self.order_mut());
        order.remove(&slots, |a, b| self.compare(a, b).then_with(|| by_id(a, b)));
        *self.order_mut() = order;
    }

    /// Puts slots into the order.
    fn resort(&mut self, slots: &[u32], by_id: impl Fn(u32, u32) -> Ordering) {
        let slots = self.those_present(slots);
        let mut order = std::mem::take(self.order_mut());
        order.insert(&slots, |a, b| self.compare(a, b).then_with(|| by_id(a, b)));
        *self.order_mut() = order;
    }

    /// Those of some slots who have something.
    fn those_present(&self, slots: &[u32]) -> Vec<u32> {
        slots.iter().copied().filter(|slot| self.present().contains(*slot)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slots_come_and_go(
            first in proptest::collection::btree_set(0_u32..200, 0..60),
            gone in proptest::collection::btree_set(0_u32..200, 0..60),
            new in proptest::collection::btree_set(200_u32..400, 0..60),
        ) {
            // By the last digit, and then the other way round.
            let key = |slot: u32| (slot % 10, u32::MAX - slot);
            let compare = |a: u32, b: u32| key(a).cmp(&key(b));
            let mut order = Order::sorted(first.iter().map(|slot| (slot % 10, *slot)).collect(), compare);
            order.remove(&gone.iter().copied().collect::<Vec<_>>(), compare);
            order.insert(&new.iter().copied().collect::<Vec<_>>(), compare);
            let mut expected: Vec<u32> = first.difference(&gone).chain(&new).copied().collect();
            expected.sort_unstable_by_key(|slot| key(*slot));
            prop_assert_eq!(order.slots(), &expected[..]);
        }
    }
}

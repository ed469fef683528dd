//! A column of moments, in microseconds since 1970.

use std::cmp::Ordering;

use super::bits::Bits;
use super::order::{Order, Sorted};

/// Moments of slots.
#[derive(Debug, Default)]
pub(super) struct Moments {
    values: Vec<i64>,
    /// Whose they are, in a column that few have something in; else every slot has one.
    slots: Option<Vec<u32>>,
    /// Who lives and has one.
    present: Bits,
    /// They by their moments, and by their ids where those are the same.
    order: Order,
}

impl Moments {
    /// A column that few have something in.
    pub(super) fn of_few() -> Self {
        Self { slots: Some(Vec::new()), ..Self::default() }
    }

    /// The moment of the next slot. It stands in no order yet.
    pub(super) fn push(&mut self, slot: u32, moment: Option<i64>) {
        self.present.push(moment.is_some());
        match (&mut self.slots, moment) {
            (Some(_), None) => {}
            (Some(slots), Some(moment)) => {
                slots.push(slot);
                self.values.push(moment);
            }
            (None, moment) => self.values.push(moment.unwrap_or_default()),
        }
    }

    /// Gives back the room that was taken ahead.
    pub(super) fn shrink(&mut self) {
        self.values.shrink_to_fit();
        if let Some(slots) = &mut self.slots {
            slots.shrink_to_fit();
        }
    }

    /// Forgets slots that stand in no order any more.
    pub(super) fn wipe(&mut self, slots: &[u32]) {
        self.present.remove_all(slots);
    }

    /// The moment of a slot, if it lives and has one.
    pub(super) fn get(&self, slot: u32) -> Option<i64> {
        let entry = match &self.slots {
            _ if !self.present.contains(slot) => return None,
            Some(slots) => slots.binary_search(&slot).ok()?,
            None => slot as usize,
        };
        self.values.get(entry).copied()
    }

    /// Another moment for a slot that stands in no order now, in a column in which every slot has one.
    pub(super) fn set(&mut self, slot: u32, moment: i64) {
        if let (None, Some(value)) = (&self.slots, self.values.get_mut(slot as usize)) {
            *value = moment;
        }
    }

    /// They in the order of their moments.
    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    /// For whose moment a test holds.
    pub(super) fn those(&self, holds: impl Fn(i64) -> bool) -> Bits {
        let Some(slots) = &self.slots else {
            return Bits::of(&self.values, holds).and(&self.present);
        };
        let mut found = Bits::none(self.present.len());
        for (slot, moment) in slots.iter().zip(&self.values) {
            if holds(*moment) {
                found.insert(*slot as usize);
            }
        }
        found.and(&self.present)
    }

    /// Sorts all, `by_id` being the order of their ids.
    pub(super) fn sort(&mut self, by_id: impl Fn(u32, u32) -> Ordering) {
        let slot = |entry: usize| match &self.slots {
            Some(slots) => slots.get(entry).copied(),
            None => u32::try_from(entry).ok(),
        };
        let keyed =
            self.values.iter().enumerate().filter_map(|(entry, moment)| Some((*moment, slot(entry)?)));
        let living = keyed.filter(|(_, slot)| self.present.contains(*slot)).collect();
        self.order = Order::sorted(living, by_id);
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let slots = self.slots.as_ref().map_or(0, Vec::capacity) * size_of::<u32>();
        self.values.capacity() * size_of::<i64>() + slots + self.present.bytes() + self.order.bytes()
    }
}

impl Sorted for Moments {
    fn present(&self) -> &Bits {
        &self.present
    }

    fn order_mut(&mut self) -> &mut Order {
        &mut self.order
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        self.get(a).cmp(&self.get(b))
    }
}

//! A column of texts: all in one piece of memory, one behind the other, so that a search is one walk.

use std::cmp::Ordering;

use memchr::memmem;

use super::TooLarge;
use super::bits::Bits;
use super::order::{Order, Sorted};

/// What stands between texts, and where texts were that are gone: no UTF-8 has it.
const BETWEEN: u8 = 0xff;

/// Where a text is looked for in others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    End,
}

/// Texts of slots. An entry is a place in the column; entries stand in the order of their slots.
#[derive(Debug)]
pub(super) struct Texts {
    /// Each text with [`BETWEEN`] behind it.
    arena: Vec<u8>,
    /// Where each text ends.
    ends: Vec<u32>,
    /// Whose the entries are, in a column that few have something in; else every slot has an entry.
    slots: Option<Vec<u32>>,
    /// Who lives and has a text.
    present: Bits,
    /// They by their texts, and by their ids where those are the same.
    order: Order,
}

impl Texts {
    /// A column that most have something in.
    pub(super) fn of_most() -> Self {
        Self {
            arena: Vec::new(),
            ends: Vec::new(),
            slots: None,
            present: Bits::default(),
            order: Order::default(),
        }
    }

    /// A column that few have something in.
    pub(super) fn of_few() -> Self {
        Self { slots: Some(Vec::new()), ..Self::of_most() }
    }

    /// The text of the next slot. It stands in no order yet.
    pub(super) fn push(&mut self, slot: u32, text: Option<&str>) -> Result<(), TooLarge> {
        self.present.push(text.is_some());
        match (&mut self.slots, text) {
            (Some(_), None) => return Ok(()),
            (Some(slots), Some(_)) => slots.push(slot),
            (None, _) => {}
        }
        self.arena.extend_from_slice(text.unwrap_or_default().as_bytes());
        self.ends.push(u32::try_from(self.arena.len()).map_err(|_| TooLarge)?);
        self.arena.push(BETWEEN);
        Ok(())
    }

    /// Gives back the room that was taken ahead.
    pub(super) fn shrink(&mut self) {
        self.arena.shrink_to_fit();
        self.ends.shrink_to_fit();
        if let Some(slots) = &mut self.slots {
            slots.shrink_to_fit();
        }
    }

    /// Overwrites the texts of slots that stand in no order any more: nothing of them stays.
    pub(super) fn wipe(&mut self, slots: &[u32]) {
        self.present.remove_all(slots);
        for slot in slots {
            let bounds = self.entry(*slot).map(|entry| self.bounds(entry));
            if let Some(text) = bounds.and_then(|(start, end)| self.arena.get_mut(start..end)) {
                text.fill(BETWEEN);
            }
        }
    }

    /// The text of a slot, if it lives and has one.
    pub(super) fn get(&self, slot: u32) -> Option<&[u8]> {
        self.present.contains(slot).then(|| self.entry(slot).map(|entry| self.text(entry)))?
    }

    /// They in the order of their texts.
    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    /// Sorts all, `by_id` being the order of their ids.
    pub(super) fn sort(&mut self, by_id: impl Fn(u32, u32) -> Ordering) {
        let keyed = (0..self.ends.len())
            .filter_map(|entry| {
                let slot = self.slot(entry);
                self.present.contains(slot).then(|| (beginning(self.text(entry)), slot))
            })
            .collect();
        self.order = Order::sorted(keyed, |a, b| self.compare(a, b).then_with(|| by_id(a, b)));
    }

    /// Those whose texts are not before one, in order, and after them those before another.
    pub(super) fn stretch(&self, from: Option<(&str, Edge)>, to: Option<(&str, Edge)>) -> &[u32] {
        let slots = self.order.slots();
        let place = |(text, edge): (&str, Edge)| {
            slots.partition_point(|slot| match self.get(*slot).unwrap_or_default().cmp(text.as_bytes()) {
                Ordering::Less => true,
                Ordering::Equal => edge == Edge::Behind,
                Ordering::Greater => false,
            })
        };
        let (start, end) = (from.map_or(0, place), to.map_or(slots.len(), place));
        slots.get(start..end).unwrap_or_default()
    }

    /// Those in whose texts another stands.
    pub(super) fn find(&self, needle: &str, place: Place) -> Bits {
        if needle.is_empty() {
            return self.present.clone();
        }
        let mut pattern = needle.as_bytes().to_vec();
        if place == Place::End {
            pattern.push(BETWEEN);
        }
        let finder = memmem::Finder::new(&pattern);
        let mut found = Bits::none(self.present.len());
        let (mut entry, mut from) = (0, 0);
        while let Some(at) = self.arena.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            entry = self.entry_at(at, entry);
            // Where it stands in one text it often stands in the next as well, from the beginning or from
            // the end: to look there is quicker than to begin a search.
            let (start, end) = self.bounds(entry);
            let (behind_start, before_end) = (at.saturating_sub(start), end.saturating_sub(at));
            loop {
                found.insert(self.slot(entry) as usize);
                let (start, end) = self.bounds(entry + 1);
                let stands = |at: usize| {
                    (start..end).contains(&at)
                        && self.arena.get(at..).is_some_and(|rest| rest.starts_with(&pattern))
                };
                if !stands(start + behind_start) && !stands(end.wrapping_sub(before_end)) {
                    break;
                }
                entry += 1;
            }
            from = self.bounds(entry).1 + 1;
        }
        found
    }

    /// The entry in whose text a place of the arena is, looked for from another one on.
    fn entry_at(&self, at: usize, from: usize) -> usize {
        let is_before = |end: &u32| (*end as usize) < at;
        let (mut start, mut step) = (from, 1);
        while self.ends.get(start + step).is_some_and(is_before) {
            start += step;
            step *= 2;
        }
        let rest = self.ends.get(start..(start + step + 1).min(self.ends.len())).unwrap_or_default();
        start + rest.partition_point(is_before)
    }

    fn bounds(&self, entry: usize) -> (usize, usize) {
        let end = |entry: usize| self.ends.get(entry).map_or(self.arena.len(), |end| *end as usize);
        (entry.checked_sub(1).map_or(0, |before| end(before) + 1), end(entry))
    }

    fn text(&self, entry: usize) -> &[u8] {
        let (start, end) = self.bounds(entry);
        self.arena.get(start..end).unwrap_or_default()
    }

    fn entry(&self, slot: u32) -> Option<usize> {
        match &self.slots {
            Some(slots) => slots.binary_search(&slot).ok(),
            None => Some(slot as usize),
        }
    }

    fn slot(&self, entry: usize) -> u32 {
        match &self.slots {
            Some(slots) => slots.get(entry).copied().unwrap_or(u32::MAX),
            None => u32::try_from(entry).unwrap_or(u32::MAX),
        }
    }

    /// Whether a text stands anywhere in memory, whosever it is.
    #[cfg(test)]
    pub(super) fn holds(&self, text: &str) -> bool {
        memmem::find(&self.arena, text.as_bytes()).is_some()
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let numbers = self.ends.capacity() + self.slots.as_ref().map_or(0, Vec::capacity);
        self.arena.capacity() + numbers * size_of::<u32>() + self.present.bytes() + self.order.bytes()
    }
}

impl Sorted for Texts {
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

/// A side of texts that are the same as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Before,
    Behind,
}

/// The first bytes of a text, which compare as it does until they are the same.
fn beginning(text: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    for (byte, known) in bytes.iter_mut().zip(text) {
        *byte = *known;
    }
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[Option<&str>], mut column: Texts) -> Texts {
        for (slot, text) in (0..).zip(texts) {
            column.push(slot, *text).unwrap();
        }
        column.sort(|a, b| a.cmp(&b));
        column
    }

    const NAMES: [Option<&str>; 8] =
        [Some("anna"), None, Some("ann"), Some(""), Some("banana"), Some("annab"), Some("ana"), Some("hann")];

    fn both(test: impl Fn(Texts)) {
        test(column(&NAMES, Texts::of_most()));
        test(column(&NAMES, Texts::of_few()));
    }

    #[test]
    fn texts_are_found_where_they_stand() {
        both(|texts| {
            for needle in ["a", "an", "ann", "na", "nn", "nnab", "b", "banana", "bananas", "x", ""] {
                let expected = |holds: fn(&str, &str) -> bool| {
                    let holds = |text: Option<&str>| text.is_some_and(|text| holds(text, needle));
                    Bits::of(&NAMES, holds)
                };
                assert_eq!(texts.find(needle, Place::Anywhere), expected(|text, n| text.contains(n)));
                assert_eq!(texts.find(needle, Place::End), expected(|text, n| text.ends_with(n)));
            }
        });
    }

    #[test]
    fn texts_stand_in_order_and_stretches_are_found() {
        both(|texts| {
            assert_eq!(texts.order().slots(), [3, 6, 2, 0, 5, 4, 7]);
            assert_eq!(texts.stretch(None, Some(("ann", Edge::Before))), [3, 6]);
            assert_eq!(texts.stretch(None, Some(("ann", Edge::Behind))), [3, 6, 2]);
            assert_eq!(texts.stretch(Some(("ann", Edge::Behind)), None), [0, 5, 4, 7]);
            assert_eq!(texts.stretch(Some(("ann", Edge::Before)), Some(("anz", Edge::Before))), [2, 0, 5]);
        });
    }

    #[test]
    fn nothing_stays_of_a_text_that_is_wiped() {
        both(|mut texts| {
            texts.unsort(&[4], |a, b| a.cmp(&b));
            texts.wipe(&[4]);
            assert!(!texts.holds("banana"));
            assert_eq!((texts.get(4), texts.get(5)), (None, Some(&b"annab"[..])));
            assert_eq!(texts.find("nan", Place::Anywhere).count(), 0);
            assert_eq!(texts.order().slots(), [3, 6, 2, 0, 5, 7]);
            texts.push(8, Some("banana")).unwrap();
            texts.resort(&[8], |a, b| a.cmp(&b));
            assert_eq!(texts.order().slots(), [3, 6, 2, 0, 5, 8, 7]);
        });
    }
}

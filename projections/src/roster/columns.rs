//! What lists look at, of all users, column by column.
//!
//! A user has a slot: a place in every column. Slots are only ever added. Whose row changes in what stands in
//! an order or in memory of its own gets a new slot, and the old one is buried: it lives in no set and no order
//! any more, and its texts are overwritten. What changes most, flags and the moment of the last change, is set
//! where it stands.

use std::cmp::Ordering;

use super::TooLarge;
use super::bits::Bits;
use super::moments::Moments;
use super::order::{Order, Sorted};
use super::texts::Texts;
use crate::views::UserField;

/// The fields that are texts.
pub(super) const TEXTS: [UserField; 7] = [
    UserField::Email,
    UserField::Name,
    UserField::Username,
    UserField::DisplayUsername,
    UserField::PhoneNumber,
    UserField::Role,
    UserField::BanReason,
];

/// The fields that are flags and stay what they are while time passes.
pub(super) const FLAGS: [UserField; 4] = [
    UserField::EmailVerified,
    UserField::TwoFactorEnabled,
    UserField::IsAnonymous,
    UserField::PhoneNumberVerified,
];

/// With fewer buried slots than this nothing is made anew.
const BURIED: usize = 200;

/// What lists look at of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: u128,
    pub(super) aud: String,
    pub(super) is_closed: bool,
    /// As [`TEXTS`] has them.
    pub(super) texts: [Option<String>; TEXTS.len()],
    /// As [`FLAGS`] has them.
    pub(super) flags: [bool; FLAGS.len()],
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) banned_until: Option<i64>,
}

/// All users.
#[derive(Debug)]
pub(super) struct Columns {
    ids: Vec<u128>,
    by_id: Order,
    living: Bits,
    closed: Bits,
    /// The audiences that there are, and which of them each slot is of.
    audiences: Vec<String>,
    audience: Vec<u16>,
    flags: [Bits; FLAGS.len()],
    texts: [Texts; TEXTS.len()],
    times: Times,
    buried: usize,
}

#[derive(Debug)]
struct Times {
    created_at: Moments,
    updated_at: Moments,
    banned_until: Moments,
}

impl Times {
    fn each(&mut self) -> [&mut Moments; 3] {
        [&mut self.created_at, &mut self.updated_at, &mut self.banned_until]
    }
}

impl Columns {
    /// Of nobody.
    pub(super) fn new() -> Self {
        let texts = |field| match field {
            UserField::Email | UserField::Name => Texts::of_most(),
            _ => Texts::of_few(),
        };
        Self {
            ids: Vec::new(),
            by_id: Order::default(),
            living: Bits::default(),
            closed: Bits::default(),
            audiences: Vec::new(),
            audience: Vec::new(),
            flags: Default::default(),
            texts: TEXTS.map(texts),
            times: Times {
                created_at: Moments::default(),
                updated_at: Moments::default(),
                banned_until: Moments::of_few(),
            },
            buried: 0,
        }
    }

    /// Gives somebody the next slot, which stands in no order yet.
    pub(super) fn push(&mut self, person: &Person) -> Result<u32, TooLarge> {
        let slot = u32::try_from(self.ids.len()).map_err(|_| TooLarge)?;
        let known = self.audiences.iter().position(|aud| *aud == person.aud);
        let audience = u16::try_from(known.unwrap_or(self.audiences.len())).map_err(|_| TooLarge)?;
        if known.is_none() {
            self.audiences.push(person.aud.clone());
        }
        for (texts, text) in self.texts.iter_mut().zip(&person.texts) {
            texts.push(slot, text.as_deref())?;
        }
        for (flags, flag) in self.flags.iter_mut().zip(person.flags) {
            flags.push(flag);
        }
        self.audience.push(audience);
        self.times.created_at.push(slot, Some(person.created_at));
        self.times.updated_at.push(slot, Some(person.updated_at));
        self.times.banned_until.push(slot, person.banned_until);
        self.closed.push(person.is_closed);
        self.living.push(true);
        self.ids.push(person.id);
        Ok(slot)
    }

    /// Sorts everybody, once all have their slots.
    pub(super) fn sort(&mut self) {
        self.shrink();
        let keyed = self.ids.iter().copied().zip(0..).collect();
        self.by_id = Order::sorted(keyed, |a, b| a.cmp(&b));
        let by_id = by_id(&self.ids);
        self.texts.iter_mut().for_each(|texts| texts.sort(by_id));
        for moments in self.times.each() {
            moments.sort(by_id);
        }
    }

    fn shrink(&mut self) {
        self.ids.shrink_to_fit();
        self.audience.shrink_to_fit();
        self.texts.iter_mut().for_each(Texts::shrink);
        for moments in self.times.each() {
            moments.shrink();
        }
    }

    /// Takes in what became of users: their rows as they are now, or that there are none.
    pub(super) fn apply(&mut self, changes: Vec<(u128, Option<Person>)>) -> Result<(), TooLarge> {
        let (mut buried, mut staying, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for (id, person) in changes {
            match (self.slot_of(id), person) {
                (Some(slot), Some(person)) if self.stays(slot, &person) => staying.push((slot, person)),
                (slot, person) => {
                    buried.extend(slot);
                    new.extend(person);
                }
            }
        }
        let is_moved =
            |(slot, person): &&(u32, Person)| self.times.updated_at.get(*slot) != Some(person.updated_at);
        let moved: Vec<u32> = staying.iter().filter(is_moved).map(|(slot, _)| *slot).collect();
        self.bury(&buried);
        self.times.updated_at.unsort(&moved, by_id(&self.ids));
        for (slot, person) in &staying {
            self.set(*slot, person);
        }
        self.times.updated_at.resort(&moved, by_id(&self.ids));
        let new = new.iter().map(|person| self.push(person)).collect::<Result<Vec<_>, _>>()?;
        let by_id = by_id(&self.ids);
        self.by_id.insert(&new, by_id);
        self.texts.iter_mut().for_each(|texts| texts.resort(&new, by_id));
        for moments in self.times.each() {
            moments.resort(&new, by_id);
        }
        Ok(())
    }

    fn slot_of(&self, id: u128) -> Option<u32> {
        let slots = self.by_id.slots();
        let of = |slot: &u32| self.ids.get(*slot as usize).copied();
        slots.binary_search_by(|slot| of(slot).cmp(&Some(id))).ok().and_then(|at| slots.get(at)).copied()
    }

    /// Whether nothing of a user changed but what is set in place.
    fn stays(&self, slot: u32, person: &Person) -> bool {
        let same_text =
            |(texts, text): (&Texts, &Option<String>)| texts.get(slot) == text.as_deref().map(str::as_bytes);
        self.audience_of(slot) == Some(person.aud.as_str())
            && self.times.created_at.get(slot) == Some(person.created_at)
            && self.times.banned_until.get(slot) == person.banned_until
            && self.texts.iter().zip(&person.texts).all(same_text)
    }

    fn audience_of(&self, slot: u32) -> Option<&str> {
        let audience = *self.audience.get(slot as usize)?;
        self.audiences.get(usize::from(audience)).map(String::as_str)
    }

    fn set(&mut self, slot: u32, person: &Person) {
        for (flags, flag) in self.flags.iter_mut().zip(person.flags) {
            flags.set(slot as usize, flag);
        }
        self.closed.set(slot as usize, person.is_closed);
        self.times.updated_at.set(slot, person.updated_at);
    }

    fn bury(&mut self, slots: &[u32]) {
        let by_id = by_id(&self.ids);
        self.by_id.remove(slots, by_id);
        for texts in &mut self.texts {
            texts.unsort(slots, by_id);
            texts.wipe(slots);
        }
        for moments in self.times.each() {
            moments.unsort(slots, by_id);
            moments.wipe(slots);
        }
        self.living.remove_all(slots);
        self.buried += slots.len();
    }

    /// Whether so many slots are buried that it is worth to read all users anew.
    pub(super) fn is_worn(&self) -> bool {
        self.buried > BURIED && self.buried > self.ids.len() / 8
    }

    /// How many users there are, of all audiences, closed accounts included.
    pub(super) fn users(&self) -> usize {
        self.ids.len() - self.buried
    }

    /// The id of a slot.
    pub(super) fn id(&self, slot: u32) -> Option<u128> {
        self.ids.get(slot as usize).copied()
    }

    /// The ids of all slots, buried ones too.
    pub(super) fn ids(&self) -> &[u128] {
        &self.ids
    }

    /// Everybody in the order of their ids.
    pub(super) fn by_id(&self) -> &[u32] {
        self.by_id.slots()
    }

    /// Whose account is there, closed or not, of any audience.
    pub(super) fn living(&self) -> &Bits {
        &self.living
    }

    /// Whose account is open, of an audience.
    pub(super) fn open(&self, aud: &str) -> Bits {
        let Some(audience) = self.audiences.iter().position(|known| known == aud) else {
            return Bits::none(self.ids.len());
        };
        Bits::of(&self.audience, |of| usize::from(of) == audience).and(&self.living).but(&self.closed)
    }

    /// The texts of a field, if it is one.
    pub(super) fn texts(&self, field: UserField) -> Option<&Texts> {
        TEXTS.iter().position(|known| *known == field).and_then(|at| self.texts.get(at))
    }

    /// The moments of a field, if it is one.
    pub(super) fn moments(&self, field: UserField) -> Option<&Moments> {
        match field {
            UserField::CreatedAt => Some(&self.times.created_at),
            UserField::UpdatedAt => Some(&self.times.updated_at),
            UserField::BanExpires => Some(&self.times.banned_until),
            _ => None,
        }
    }

    /// For whom a flag is set at a moment; none where the field is no flag.
    pub(super) fn flag(&self, field: UserField, now: i64) -> Option<Bits> {
        if field == UserField::Banned {
            return Some(self.times.banned_until.those(|until| until > now));
        }
        FLAGS.iter().position(|known| *known == field).and_then(|at| self.flags.get(at)).cloned()
    }

    /// The bytes that all take.
    pub(super) fn bytes(&self) -> usize {
        let sets = self.flags.iter().chain([&self.living, &self.closed]).map(Bits::bytes);
        let moments =
            [&self.times.created_at, &self.times.updated_at, &self.times.banned_until].map(Moments::bytes);
        self.ids.capacity() * size_of::<u128>()
            + self.audience.capacity() * size_of::<u16>()
            + self.by_id.bytes()
            + sets.sum::<usize>()
            + moments.iter().sum::<usize>()
            + self.texts.iter().map(Texts::bytes).sum::<usize>()
    }
}

fn by_id(ids: &[u128]) -> impl Fn(u32, u32) -> Ordering + Copy {
    |a, b| ids.get(a as usize).cmp(&ids.get(b as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: u128, text: &str) -> Person {
        Person {
            id,
            aud: "authenticated".to_owned(),
            is_closed: false,
            texts: [(); TEXTS.len()].map(|()| Some(format!("{text}-{id}"))),
            flags: [false; FLAGS.len()],
            created_at: 1,
            updated_at: 1,
            banned_until: Some(5),
        }
    }

    fn three() -> Columns {
        let mut columns = Columns::new();
        for id in [3, 1, 2] {
            columns.push(&person(id, "known")).unwrap();
        }
        columns.sort();
        columns
    }

    fn know(columns: &Columns, text: &str) -> bool {
        columns.texts.iter().any(|texts| texts.holds(text))
    }

    #[test]
    fn nothing_stays_of_somebody_who_is_erased() {
        let mut columns = three();
        columns.apply(vec![(1, None), (9, None)]).unwrap();
        assert!(!know(&columns, "known-1") && know(&columns, "known-2") && know(&columns, "known-3"));
        assert_eq!((columns.by_id(), columns.users()), (&[2, 0][..], 2));
        assert_eq!(columns.times.banned_until.present().count(), 2);
    }

    #[test]
    fn nothing_stays_of_what_was_before_a_change() {
        let mut columns = three();
        columns.apply(vec![(2, Some(person(2, "other")))]).unwrap();
        assert!(!know(&columns, "known-2") && know(&columns, "other-2"));
        assert_eq!((columns.by_id(), columns.users()), (&[1, 3, 0][..], 3));
        for texts in &columns.texts {
            assert_eq!(texts.order().slots(), [1, 0, 3]);
        }
    }

    #[test]
    fn what_changes_most_is_set_where_it_stands() {
        let mut columns = three();
        let changed =
            Person { updated_at: 0, flags: [true; FLAGS.len()], is_closed: true, ..person(2, "known") };
        columns.apply(vec![(2, Some(changed))]).unwrap();
        assert_eq!(columns.buried, 0);
        assert_eq!(columns.times.updated_at.order().slots(), [2, 1, 0]);
        assert_eq!(columns.flag(UserField::EmailVerified, 0).map(|set| set.contains(2)), Some(true));
        assert_eq!(columns.open("authenticated").count(), 2);
    }
}

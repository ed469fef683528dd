//! Ids as numbers, and what their texts contain.
//!
//! An id is compared, sorted and searched as its text would be, without ever being written as one: the
//! text's 32 digits are the number's, and its four hyphens stand at the same places in all of them.

use std::ops::RangeInclusive;

use evident_domain::UserId;
use uuid::Uuid;

/// The lowest bit of each digit.
const LOWEST: u128 = 0x1111_1111_1111_1111_1111_1111_1111_1111;
/// Digits of an id.
const DIGITS: usize = 32;
/// Characters of its text.
const CHARACTERS: usize = 36;
/// So many digits are compared before it is asked whether any place is left: after fewer it mostly is, and what
/// comes out either way is asked in vain.
const BLINDLY: usize = 3;
/// Where the hyphens stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// An id as lists compare it.
pub(super) fn number(id: UserId) -> u128 {
    id.0.as_u128()
}

/// The id of a number.
pub(super) fn id(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

/// The id whose text this is.
pub(super) fn read(text: &str) -> Option<u128> {
    (text.len() == CHARACTERS).then(|| Uuid::parse_str(text).ok())?.map(|id| id.as_u128())
}

fn with_text<T>(number: u128, look: impl FnOnce(&str) -> T) -> T {
    look(Uuid::from_u128(number).hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

/// The ids for whose texts a test holds that holds for all ids from some one on.
pub(super) fn from_where(holds: impl Fn(&str) -> bool) -> Option<RangeInclusive<u128>> {
    let holds = |number| with_text(number, &holds);
    if !holds(u128::MAX) {
        return None;
    }
    // The highest bit first: all that can be set while it does not hold yet.
    let mut below = 0;
    if holds(0) {
        return Some(0..=u128::MAX);
    }
    for bit in (0..u128::BITS).rev() {
        let higher = below | 1 << bit;
        if !holds(higher) {
            below = higher;
        }
    }
    Some(below + 1..=u128::MAX)
}

/// A text that is looked for in those of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    /// Its digits, each repeated all over a number.
    digits: Vec<u128>,
    /// The lowest bits of the places where the first digit may stand.
    places: u128,
}

/// Where in the text of an id another is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Start,
    Anywhere,
    End,
}

impl Needle {
    /// None where no id's text has it there.
    pub(super) fn new(text: &str, within: Within) -> Option<Self> {
        let last = CHARACTERS.checked_sub(text.len())?;
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        let digits: Option<Vec<u128>> = text
            .bytes()
            .filter(|c| *c != b'-')
            .map(|c| digit(c).map(|digit| u128::from(digit) * LOWEST))
            .collect();
        let starts = match within {
            Within::Start => 0..=0,
            Within::Anywhere => 0..=last,
            Within::End => last..=last,
        };
        let fits =
            |start: usize| (start..).zip(text.bytes()).all(|(at, c)| (c == b'-') == HYPHENS.contains(&at));
        let place = |start: usize| {
            let digits_before = start - HYPHENS.iter().filter(|hyphen| **hyphen < start).count();
            // A lone hyphen behind the last digit that is looked at cannot be: ids end with digits.
            1_u128.checked_shl(u32::try_from(4 * (DIGITS - 1 - digits_before.min(DIGITS - 1))).unwrap_or(0))
        };
        let places =
            starts.filter(|start| fits(*start)).filter_map(place).fold(0, |places, place| places | place);
        digits.filter(|_| places != 0).map(|digits| Self { digits, places })
    }

    /// Whether the text of an id has it.
    pub(super) fn is_in(&self, id: u128) -> bool {
        let mut places = self.places;
        for (n, digits) in (0_u32..).step_by(BLINDLY).zip(self.digits.chunks(BLINDLY)) {
            for (n, digits) in (n..).zip(digits) {
                // A digit that is the same leaves four zeroes.
                let other = id ^ digits;
                let other = other | other >> 1;
                let same = !(other | other >> 2) & LOWEST;
                places &= same << (4 * n);
            }
            if places == 0 {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_contain_what_their_texts_do(
            number in any::<u128>(),
            digits in "[0-9a-f-]{0,3}",
            start in 0_usize..36,
            length in 0_usize..37,
            other in any::<u128>(),
        ) {
            let text = id(number).to_string();
            let end = (start + length).min(text.len());
            for needle in [&text[start..end], &text[start..], &text[..end], &digits, &id(other).to_string(), "-", "x"] {
                let is_in = |within| Needle::new(needle, within).is_some_and(|needle| needle.is_in(number));
                prop_assert_eq!(is_in(Within::Anywhere), text.contains(needle), "{} in {}", needle, text);
                prop_assert_eq!(is_in(Within::Start), text.starts_with(needle), "{} begins {}", needle, text);
                prop_assert_eq!(is_in(Within::End), text.ends_with(needle), "{} ends {}", needle, text);
            }
        }

        #[test]
        fn ids_compare_as_their_texts_do(number in any::<u128>(), cut in 0_usize..37, add in "[0-9a-z~ -]{0,2}") {
            let text = id(number).to_string();
            let other = format!("{}{add}", &text[..cut]);
            let range = from_where(|text| *text >= *other);
            prop_assert_eq!(range.is_some_and(|range| range.contains(&number)), text >= other);
            let range = from_where(|text| *text > *other);
            prop_assert_eq!(range.is_some_and(|range| range.contains(&number)), text > other);
        }
    }
}

//! Reading the fields of events: moments stand in nearly every one, and to read them with all that RFC 3339 allows
//! takes as long as the rest of the event.

use std::any::Any;
use std::fmt;

use chrono::NaiveDate;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Time;

/// A field of any type. Moments are read in the form in which events are written, which is quick, and else as always.
pub(crate) struct Read<T>(pub(crate) T);

impl<'de, T: Deserialize<'de> + 'static> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut field: Option<T> = None;
        // Which type it is, is known when this is compiled.
        match (&mut field as &mut dyn Any).downcast_mut::<Option<Time>>() {
            Some(moment) => *moment = Some(deserializer.deserialize_str(Moment)?),
            None => field = Some(T::deserialize(deserializer)?),
        }
        field.map(Self).ok_or_else(|| D::Error::custom("no value"))
    }
}

struct Moment;

impl Visitor<'_> for Moment {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 formatted date and time")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        as_written(text).map_or_else(|| text.parse().map_err(E::custom), Ok)
    }
}

/// Reads `2026-11-22T13:21:34.5Z`, with any number of digits of the second's fraction that a moment has. None for
/// whatever else may be a moment: other zones, leap seconds.
fn as_written(text: &str) -> Option<Time> {
    let (whole, fraction) = text.strip_suffix('Z')?.as_bytes().split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, separator)| whole.get(*at) != Some(separator)) {
        return None;
    }
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10_u32.pow(u32::try_from(9 - digits.len()).ok()?)
        }
        _ => return None,
    };
    let part = |from: usize, to: usize| number(whole.get(from..to)?);
    let day = NaiveDate::from_ymd_opt(i32::try_from(part(0, 4)?).ok()?, part(5, 7)?, part(8, 10)?)?;
    Some(day.and_hms_nano_opt(part(11, 13)?, part(14, 16)?, part(17, 19)?, nanos)?.and_utc())
}

/// A number of at most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number * 10 + u32::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<Time, serde_json::Error> {
        serde_json::from_str(json).map(|Read(time)| time)
    }

    #[test]
    fn what_is_not_written_so_reads_as_always() {
        for text in [
            "2026-11-22T13:21:34+01:00",
            "2026-11-22t13:21:34z",
            "2026-11-22 13:21:34Z",
            "2026-11-22T13:21:60Z",
            "2026-11-22T13:21:34.1234567890Z",
            "+12026-11-22T13:21:34Z",
            "2026-02-30T13:21:34Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T13:21:3äZ",
            "2026-11-22T13:21:34.Z",
            "Z",
            "",
        ] {
            let json = serde_json::to_string(text).unwrap();
            let (own, always) = (read(&json), serde_json::from_str::<Time>(&json));
            assert_eq!(own.as_ref().ok(), always.as_ref().ok(), "{text}");
        }
        assert!(read("1").is_err());
        assert!(serde_json::from_str::<Read<Option<u8>>>("null").unwrap().0.is_none());
    }

    proptest! {
        #[test]
        fn moments_read_as_they_were_written(seconds in -60_000_000_000_i64..250_000_000_000, nanos in 0_u32..1_000_000_000) {
            for nanos in [0, nanos, nanos / 1_000 * 1_000, nanos / 1_000_000 * 1_000_000] {
                let time = DateTime::from_timestamp(seconds, nanos).unwrap();
                let text = serde_json::to_string(&time).unwrap();
                prop_assert_eq!(as_written(text.trim_matches('"')), Some(time));
                prop_assert_eq!(read(&text).unwrap(), time);
            }
        }

        #[test]
        fn whatever_reads_as_written_is_what_it_always_was(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,10})?Z") {
            if let Some(time) = as_written(&text) {
                prop_assert_eq!(Some(time), text.parse().ok());
            }
        }
    }
}

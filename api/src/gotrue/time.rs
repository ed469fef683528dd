//! Moments as the protocol writes them: RFC 3339 in UTC, microseconds where there are any, without
//! trailing zeros.

use chrono::{Datelike as _, Timelike as _};
use evident_domain::Time;
use serde::{Serialize, Serializer};

/// `2026-08-20T10:54:52.1234Z`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rfc3339(pub(super) Time);

/// The longest form has a sign and six digits of a year.
const LONGEST: usize = 32;

impl Rfc3339 {
    /// Writes the text into a buffer. A document holds many moments, and this is several times faster
    /// than what chrono does for all formats there are.
    fn write(self, buffer: &mut [u8; LONGEST]) -> Option<&str> {
        let time = self.0;
        let year = u32::try_from(time.year()).ok().filter(|year| *year <= 9999)?;
        let (date, clock) = (time.date_naive(), time.time());
        let mut at = 0;
        let mut put = |value: u32, digits: u32, end: u8| {
            for place in (0..digits).rev() {
                // A digit fits a byte.
                buffer[at] = b'0' + u8::try_from(value / 10_u32.pow(place) % 10).unwrap_or_default();
                at += 1;
            }
            buffer[at] = end;
            at += 1;
        };
        put(year, 4, b'-');
        put(date.month(), 2, b'-');
        put(date.day(), 2, b'T');
        put(clock.hour(), 2, b':');
        put(clock.minute(), 2, b':');
        // Leap seconds stand in the nanoseconds.
        let micros = clock.nanosecond() / 1_000;
        put(clock.second() + micros / 1_000_000, 2, b'.');
        put(micros % 1_000_000, 6, b'Z');
        let mut end = at - 1;
        while buffer[end - 1] == b'0' {
            end -= 1;
        }
        if buffer[end - 1] == b'.' {
            end -= 1;
        }
        buffer[end] = b'Z';
        std::str::from_utf8(&buffer[..=end]).ok()
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.write(&mut [0; LONGEST]) {
            Some(text) => serializer.serialize_str(text),
            // Outside of the years that RFC 3339 knows.
            None => serializer.collect_str(&self.0.format("%Y-%m-%dT%H:%M:%SZ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_written_as_far_as_there_are_any() {
        for (text, written) in [
            ("2026-08-20T10:54:52.123456Z", "2026-08-20T10:54:52.123456Z"),
            ("2026-08-20T10:54:52.123400Z", "2026-08-20T10:54:52.1234Z"),
            ("2026-08-20T10:54:52.000001Z", "2026-08-20T10:54:52.000001Z"),
            ("2026-08-20T10:54:50Z", "2026-08-20T10:54:50Z"),
            ("2026-10-20T10:00:00Z", "2026-10-20T10:00:00Z"),
            ("2026-08-20T10:54:52.123456789Z", "2026-08-20T10:54:52.123456Z"),
            ("2026-08-20T12:54:52+02:00", "2026-08-20T10:54:52Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            let time: Time = text.parse().unwrap();
            assert_eq!(serde_json::to_string(&Rfc3339(time)).unwrap(), format!("{written:?}"));
        }
    }

    #[test]
    fn far_years_do_no_harm() {
        for time in [Time::MIN_UTC, Time::MAX_UTC] {
            assert!(serde_json::to_string(&Rfc3339(time)).is_ok());
        }
    }
}

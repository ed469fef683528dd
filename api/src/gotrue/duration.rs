//! Durations as Go writes them (`1h30m`, `1.5h`, `-10ms`), with the words of its errors.

use std::fmt::Write as _;

/// Why a text is no duration. `Display` gives Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoDurationError {
    /// It is no duration at all, or longer than about 292 years.
    #[error("time: invalid duration {}", quoted(.0))]
    Invalid(String),
    /// A number has no unit.
    #[error("time: missing unit in duration {}", quoted(.0))]
    MissingUnit(String),
    /// A unit does not exist.
    #[error("time: unknown unit {} in duration {}", quoted(.unit), quoted(.duration))]
    UnknownUnit {
        /// What stands in its place.
        unit: String,
        /// The whole text.
        duration: String,
    },
}

/// Reads a duration, in nanoseconds.
///
/// # Errors
/// As Go's `time.ParseDuration`.
pub fn parse(text: &str) -> Result<i64, GoDurationError> {
    let invalid = || GoDurationError::Invalid(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    // The smallest number has no positive counterpart, so sums are taken below zero.
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let whole = digits(rest);
        let fraction = rest[whole.len()..].strip_prefix('.').map(digits);
        if whole.is_empty() && fraction.is_none_or(str::is_empty) {
            return Err(invalid());
        }
        rest = &rest[whole.len() + fraction.map_or(0, |fraction| 1 + fraction.len())..];
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return Err(GoDurationError::MissingUnit(text.to_owned()));
        }
        let Some(unit) = unit(name) else {
            return Err(GoDurationError::UnknownUnit { unit: name.to_owned(), duration: text.to_owned() });
        };
        let whole: i128 =
            if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| invalid())?.into() };
        total = total + whole * i128::from(unit) + part(fraction.unwrap_or_default(), unit);
        if total > i128::from(i64::MAX) + 1 {
            return Err(invalid());
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}

/// The digits at the beginning of a text.
fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// A unit in nanoseconds.
fn unit(name: &str) -> Option<i64> {
    Some(match name {
        "ns" => 1,
        // Both letters that look like a mu.
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// What stands behind the point, in nanoseconds. More digits than count are dropped.
fn part(fraction: &str, unit: i64) -> i128 {
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = fraction.bytes().fold(1_i128, |scale, _| scale * 10);
    let value = fraction.bytes().fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    value * i128::from(unit) / scale
}

/// A text as Go's errors quote it: what is not plain ASCII is escaped byte by byte.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(quoted, "\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn numbers_and_units_follow_each_other() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("-0", 0),
            ("0s", 0),
            ("24h", 86_400 * SECOND),
            ("1h30m", 5_400 * SECOND),
            ("876000h", 3_153_600_000 * SECOND),
            ("1.5h", 5_400 * SECOND),
            (".5s", SECOND / 2),
            ("5.s", 5 * SECOND),
            ("-10m", -600 * SECOND),
            ("+3s", 3 * SECOND),
            ("1h1m1s1ms1us1ns", 3_661_001_001_001),
            ("1µs", 1_000),
            ("1μs", 1_000),
            ("0.100000000000000000000h", 360 * SECOND),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
            ("2562047h", 9_223_369_200 * SECOND),
        ] {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused_in_gos_words() {
        for (text, message) in [
            ("1d", r#"time: unknown unit "d" in duration "1d""#),
            ("1h2w", r#"time: unknown unit "w" in duration "1h2w""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("1h5", r#"time: missing unit in duration "1h5""#),
            ("300000000h", r#"time: invalid duration "300000000h""#),
            ("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#),
            ("99999999999999999999s", r#"time: invalid duration "99999999999999999999s""#),
            ("forever", r#"time: invalid duration "forever""#),
            ("", r#"time: invalid duration """#),
            ("-", r#"time: invalid duration "-""#),
            (".s", r#"time: invalid duration ".s""#),
            ("1 h", r#"time: unknown unit " h" in duration "1 h""#),
            ("1\"", r#"time: unknown unit "\"" in duration "1\"""#),
            ("1ü", r#"time: unknown unit "\xc3\xbc" in duration "1\xc3\xbc""#),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}

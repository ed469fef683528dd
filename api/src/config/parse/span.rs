//! Times as Go writes them (`1h30m`, `60s`, `250ms`), and rates made of them.

use std::time::Duration;

use evident_commands::settings::MessageRate;

use super::{Kind, Named, Problem, Raw};

/// A length of time. Below zero counts as zero.
pub(in crate::config) struct Span;

impl Named for Span {
    const NAME: &'static str = "duration";
}

impl Kind<Duration> for Span {
    fn parse(raw: &Raw) -> Result<Option<Duration>, Problem> {
        signed(raw.text()?).map(|(negative, span)| Some(if negative { Duration::ZERO } else { span }))
    }

    fn show(value: &Duration) -> String {
        show(*value)
    }
}

/// A length of time over zero.
pub(in crate::config) struct Positive;

impl Named for Positive {
    const NAME: &'static str = "duration";
}

impl Kind<Duration> for Positive {
    fn parse(raw: &Raw) -> Result<Option<Duration>, Problem> {
        match signed(raw.text()?)? {
            (false, span) if !span.is_zero() => Ok(Some(span)),
            _ => Err(Problem::new("is not longer than zero")),
        }
    }

    fn show(value: &Duration) -> String {
        show(*value)
    }
}

/// How many messages leave: `30` an hour, or `10/1h`, a bucket of 10 that gets one back every hour.
pub(in crate::config) struct MailRate;

impl Named for MailRate {
    const NAME: &'static str = "rate";
}

impl Kind<MessageRate> for MailRate {
    fn parse(raw: &Raw) -> Result<Option<MessageRate>, Problem> {
        let problem = || Problem::new("is no rate");
        let text = raw.text()?;
        let Some((burst, refill)) = text.split_once('/') else {
            let count: f64 = text.parse().map_err(|_| problem())?;
            if !(0.0..=f64::from(u32::MAX)).contains(&count) {
                return Err(problem());
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within its range")]
            return Ok(Some(MessageRate::PerHour(count as u32)));
        };
        let burst = burst.trim().parse().map_err(|_| problem())?;
        match signed(refill.trim())? {
            (false, refill) if !refill.is_zero() => Ok(Some(MessageRate::Bucket { burst, refill })),
            _ => Err(problem()),
        }
    }

    fn show(value: &MessageRate) -> String {
        match value {
            MessageRate::PerHour(count) => count.to_string(),
            MessageRate::Bucket { burst, refill } => format!("{burst}/{}", show(*refill)),
        }
    }
}

/// The units, with their nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Go's longest duration, in nanoseconds: some 292 years.
const LONGEST: u64 = i64::MAX.unsigned_abs();

/// Whether it is below zero, and its length.
fn signed(text: &str) -> Result<(bool, Duration), Problem> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok((negative, Duration::ZERO));
    }
    let problem = || Problem::new("is no duration");
    let mut total: u64 = 0;
    loop {
        let (nanoseconds, left) = part(rest).ok_or_else(problem)?;
        total = total.checked_add(nanoseconds).filter(|total| *total <= LONGEST).ok_or_else(problem)?;
        if left.is_empty() {
            return Ok((negative, Duration::from_nanos(total)));
        }
        rest = left;
    }
}

/// One number with its unit, in nanoseconds, and what comes after it.
fn part(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
    let mut nanoseconds = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.checked_mul(*unit)? };
    let mut scale = *unit;
    for digit in fraction.bytes() {
        scale /= 10;
        nanoseconds = nanoseconds.checked_add(scale * u64::from(digit - b'0'))?;
    }
    Some((nanoseconds, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn show(span: Duration) -> String {
    let mut left = span.as_nanos();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, unit) in UNITS.iter().rev().filter(|(name, _)| !matches!(*name, "µs" | "μs")) {
        let count = left / u128::from(*unit);
        left %= u128::from(*unit);
        if count > 0 {
            text.extend([count.to_string().as_str(), name]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (written, milliseconds) in [
            ("60s", 60_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            (".5s", 500),
            ("1m0.25s", 60_250),
            ("250ms", 250),
            ("1000µs", 1),
            ("+2s", 2_000),
            ("0", 0),
            ("-1s", 0),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(Span::parse(&text(written)), Ok(Some(expected)), "{written}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for written in ["60", "soon", "1d", "1h-3m", ".", "s", "1h 30m", "99999999999h", "--1s", "1.s.", "١s"]
        {
            assert_eq!(Span::parse(&text(written)), Err(Problem::new("is no duration")), "{written}");
        }
        assert!(Positive::parse(&text("0s")).is_err());
        assert!(Positive::parse(&text("-5m")).is_err());
    }

    #[test]
    fn durations_are_shown_as_they_are_written() {
        for written in ["1h30m", "1m", "24h", "10s", "250ms", "1h1s500us"] {
            let span: Duration = Span::parse(&text(written)).unwrap().unwrap();
            assert_eq!(show(span), written);
        }
    }

    #[test]
    fn a_rate_is_a_number_an_hour_or_a_bucket() {
        assert_eq!(MailRate::parse(&text("30")), Ok(Some(MessageRate::PerHour(30))));
        let bucket = MessageRate::Bucket { burst: 10, refill: Duration::from_secs(3600) };
        assert_eq!(MailRate::parse(&text("10/1h")), Ok(Some(bucket)));
        for bad in ["-1", "many", "10/", "10/0s", "/1h", "1e99", "NaN"] {
            assert!(MailRate::parse(&text(bad)).is_err(), "{bad}");
        }
    }
}

//! Single values: switches, numbers, texts, choices.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use evident_commands::settings::PasswordSettings;
use evident_domain::Time;
use tracing_subscriber::EnvFilter;

use super::{Kind, Named, Problem, Raw};

/// A switch, in the spellings that Go knows.
pub(in crate::config) struct Flag;

impl Named for Flag {
    const NAME: &'static str = "true or false";
}

impl Kind<bool> for Flag {
    fn parse(raw: &Raw) -> Result<Option<bool>, Problem> {
        match raw.text()?.to_ascii_lowercase().as_str() {
            "1" | "t" | "true" => Ok(Some(true)),
            "0" | "f" | "false" => Ok(Some(false)),
            _ => Err(Problem::new("is neither true nor false")),
        }
    }

    fn show(value: &bool) -> String {
        value.to_string()
    }
}

/// Any text.
pub(in crate::config) struct Text;

impl Named for Text {
    const NAME: &'static str = "text";
}

impl Kind<String> for Text {
    fn parse(raw: &Raw) -> Result<Option<String>, Problem> {
        raw.text().map(|text| Some(text.to_owned()))
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

/// A value that may be missing.
pub(in crate::config) struct Maybe<K>(PhantomData<K>);

impl<K: Named> Named for Maybe<K> {
    const NAME: &'static str = K::NAME;
    const SECRET: bool = K::SECRET;
}

impl<T, K: Kind<T>> Kind<Option<T>> for Maybe<K> {
    fn parse(raw: &Raw) -> Result<Option<Option<T>>, Problem> {
        K::parse(raw).map(|value| value.map(Some))
    }

    fn show(value: &Option<T>) -> String {
        value.as_ref().map(K::show).unwrap_or_default()
    }
}

/// A value of which zero counts as not set.
pub(in crate::config) struct UnlessZero<K>(PhantomData<K>);

impl<K: Named> Named for UnlessZero<K> {
    const NAME: &'static str = K::NAME;
}

impl<T: Default + PartialEq, K: Kind<T>> Kind<T> for UnlessZero<K> {
    fn parse(raw: &Raw) -> Result<Option<T>, Problem> {
        // "-1s" is no zero: it switches a frequency rule off, as GoTrue's users know it.
        if raw.text()?.starts_with('-') {
            return K::parse(raw);
        }
        K::parse(raw).map(|value| value.filter(|value| *value != T::default()))
    }

    fn show(value: &T) -> String {
        K::show(value)
    }
}

/// A whole number within bounds.
pub(in crate::config) struct Whole<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Named for Whole<MIN, MAX> {
    const NAME: &'static str = "whole number";
}

fn whole(raw: &Raw) -> Result<u64, Problem> {
    raw.text()?.parse().map_err(|_| Problem::new("is no whole number"))
}

macro_rules! whole_numbers {
    ($($number:ty),*) => { $(
        impl<const MIN: u64, const MAX: u64> Kind<$number> for Whole<MIN, MAX> {
            fn parse(raw: &Raw) -> Result<Option<$number>, Problem> {
                let range = || Problem::new(format!("is not between {MIN} and {MAX}"));
                let number = whole(raw)?;
                if !(MIN..=MAX).contains(&number) {
                    return Err(range());
                }
                <$number>::try_from(number).map(Some).map_err(|_| range())
            }

            fn show(value: &$number) -> String {
                value.to_string()
            }
        }
    )* };
}

whole_numbers!(u16, u32, usize);

impl<const MIN: u64, const MAX: u64> Kind<NonZeroUsize> for Whole<MIN, MAX> {
    fn parse(raw: &Raw) -> Result<Option<NonZeroUsize>, Problem> {
        let number: Option<usize> = <Self as Kind<usize>>::parse(raw)?;
        Ok(number.and_then(NonZeroUsize::new))
    }

    fn show(value: &NonZeroUsize) -> String {
        value.to_string()
    }
}

/// A number that may have a fraction.
pub(in crate::config) struct Number;

impl Named for Number {
    const NAME: &'static str = "number";
}

impl Kind<f64> for Number {
    fn parse(raw: &Raw) -> Result<Option<f64>, Problem> {
        let number = raw.text()?.parse::<f64>().ok();
        number
            .filter(|number| number.is_finite() && *number >= 0.0)
            .map(Some)
            .ok_or_else(|| Problem::new("is no number from 0 upwards"))
    }

    fn show(value: &f64) -> String {
        value.to_string()
    }
}

/// Seconds, with or without a fraction.
pub(in crate::config) struct Fractional;

impl Named for Fractional {
    const NAME: &'static str = "seconds";
}

impl Kind<Duration> for Fractional {
    fn parse(raw: &Raw) -> Result<Option<Duration>, Problem> {
        let seconds: Option<f64> = Number::parse(raw)?;
        seconds
            .map(Duration::try_from_secs_f64)
            .transpose()
            .map_err(|_| Problem::new("is more than a hundred years"))
            .and_then(|span| match span {
                Some(span) if span.as_secs() > LONGEST_SECONDS => {
                    Err(Problem::new("is more than a hundred years"))
                }
                other => Ok(other),
            })
    }

    fn show(value: &Duration) -> String {
        value.as_secs_f64().to_string()
    }
}

/// A time in whole seconds.
pub(in crate::config) struct Seconds;

/// A hundred years: longer times would leave the calendar.
const LONGEST_SECONDS: u64 = 3_155_760_000;

impl Named for Seconds {
    const NAME: &'static str = "seconds";
}

impl Kind<u64> for Seconds {
    fn parse(raw: &Raw) -> Result<Option<u64>, Problem> {
        let seconds = raw.text()?.parse().map_err(|_| Problem::new("is no whole number of seconds"))?;
        if seconds > LONGEST_SECONDS {
            return Err(Problem::new("is more than a hundred years"));
        }
        Ok(Some(seconds))
    }

    fn show(value: &u64) -> String {
        value.to_string()
    }
}

impl Kind<u32> for Seconds {
    fn parse(raw: &Raw) -> Result<Option<u32>, Problem> {
        let seconds: Option<u64> = Self::parse(raw)?;
        Ok(seconds.and_then(|seconds| u32::try_from(seconds).ok()))
    }

    fn show(value: &u32) -> String {
        value.to_string()
    }
}

/// The number of digits of a code: what is not 6 to 10 becomes 6.
pub(in crate::config) struct OtpLength;

impl Named for OtpLength {
    const NAME: &'static str = "whole number";
}

impl Kind<usize> for OtpLength {
    fn parse(raw: &Raw) -> Result<Option<usize>, Problem> {
        let digits: i64 = raw.text()?.parse().map_err(|_| Problem::new("is no whole number"))?;
        Ok(Some(usize::try_from(digits).ok().filter(|digits| (6..=10).contains(digits)).unwrap_or(6)))
    }

    fn show(value: &usize) -> String {
        value.to_string()
    }
}

/// The shortest password: never below the floor.
pub(in crate::config) struct PasswordLength;

impl Named for PasswordLength {
    const NAME: &'static str = "bytes";
}

impl Kind<usize> for PasswordLength {
    fn parse(raw: &Raw) -> Result<Option<usize>, Problem> {
        let length: i64 = raw.text()?.parse().map_err(|_| Problem::new("is no whole number"))?;
        let length = usize::try_from(length).unwrap_or(0);
        if length > PasswordSettings::MAX_BYTES {
            return Err(Problem::new("is more than 72, the longest that a password may be"));
        }
        Ok(Some(length.max(PasswordSettings::MIN_LENGTH_FLOOR)))
    }

    fn show(value: &usize) -> String {
        value.to_string()
    }
}

/// A file or folder.
pub(in crate::config) struct FilePath;

impl Named for FilePath {
    const NAME: &'static str = "path";
}

impl Kind<PathBuf> for FilePath {
    fn parse(raw: &Raw) -> Result<Option<PathBuf>, Problem> {
        raw.text().map(|text| Some(PathBuf::from(text)))
    }

    fn show(value: &PathBuf) -> String {
        value.display().to_string()
    }
}

/// A moment (RFC 3339).
pub(in crate::config) struct Moment;

impl Named for Moment {
    const NAME: &'static str = "time (RFC 3339)";
}

impl Kind<Time> for Moment {
    fn parse(raw: &Raw) -> Result<Option<Time>, Problem> {
        chrono::DateTime::parse_from_rfc3339(raw.text()?)
            .map(|time| Some(time.to_utc()))
            .map_err(|_| Problem::new("is no time"))
    }

    fn show(value: &Time) -> String {
        value.to_rfc3339()
    }
}

/// What is logged: a level, or directives (`evident=debug,sqlx=warn`).
pub(in crate::config) struct LogFilter;

impl Named for LogFilter {
    const NAME: &'static str = "level or filter";
}

impl Kind<String> for LogFilter {
    fn parse(raw: &Raw) -> Result<Option<String>, Problem> {
        let text = raw.text()?;
        let level = match text.to_ascii_lowercase().as_str() {
            // The further levels that GoTrue knows.
            "panic" | "fatal" => Some("error"),
            "warning" => Some("warn"),
            "off" | "error" | "warn" | "info" | "debug" | "trace" => Some(text),
            _ => None,
        };
        if let Some(level) = level {
            return Ok(Some(level.to_ascii_lowercase()));
        }
        let directives = text.contains(['=', ',']) && EnvFilter::try_new(text).is_ok();
        directives.then(|| Some(text.to_owned())).ok_or_else(|| Problem::new("is no log level"))
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

/// Values that are one of a few names.
pub(in crate::config) trait Choice: Copy + PartialEq + 'static {
    /// The names, as a sentence lists them.
    const NAMES: &'static str;
    /// Each name and what it stands for.
    const CHOICES: &'static [(&'static str, Self)];
}

/// One of a few names.
pub(in crate::config) struct OneOf<T>(PhantomData<T>);

impl<T: Choice> Named for OneOf<T> {
    const NAME: &'static str = T::NAMES;
}

impl<T: Choice> Kind<T> for OneOf<T> {
    fn parse(raw: &Raw) -> Result<Option<T>, Problem> {
        let text = raw.text()?;
        let found = T::CHOICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|(_, value)| Some(*value)).ok_or_else(|| Problem::new(format!("is none of {}", T::NAMES)))
    }

    fn show(value: &T) -> String {
        let found = T::CHOICES.iter().find(|(_, choice)| choice == value);
        found.map(|(name, _)| (*name).to_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn switches_take_the_spellings_of_go() {
        for yes in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(Flag::parse(&text(yes)), Ok(Some(true)), "{yes}");
        }
        for no in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(Flag::parse(&text(no)), Ok(Some(false)), "{no}");
        }
        assert!(Flag::parse(&text("yes")).is_err());
    }

    #[test]
    fn numbers_keep_within_their_bounds() {
        type Port = Whole<0, 65_535>;
        assert_eq!(<Port as Kind<u16>>::parse(&text(" 9999 ")), Ok(Some(9999)));
        assert_eq!(
            <Port as Kind<u16>>::parse(&text("65536")),
            Err(Problem::new("is not between 0 and 65535"))
        );
        assert_eq!(<Port as Kind<u16>>::parse(&text("-1")), Err(Problem::new("is no whole number")));
        assert!(Number::parse(&text("NaN")).is_err());
        assert!(Number::parse(&text("-3")).is_err());
    }

    #[test]
    fn zero_seconds_count_as_not_set_where_that_is_the_rule() {
        type Lifetime = UnlessZero<Seconds>;
        assert_eq!(<Lifetime as Kind<u64>>::parse(&text("0")), Ok(None));
        assert_eq!(<Lifetime as Kind<u64>>::parse(&text("60")), Ok(Some(60)));
        assert!(<Lifetime as Kind<u64>>::parse(&text("-60")).is_err());
        assert!(<Seconds as Kind<u64>>::parse(&text("18446744073709551615")).is_err());
    }

    #[test]
    fn a_code_of_another_length_than_six_to_ten_digits_has_six() {
        for (written, digits) in [("6", 6), ("10", 10), ("5", 6), ("11", 6), ("0", 6), ("-1", 6)] {
            assert_eq!(OtpLength::parse(&text(written)), Ok(Some(digits)), "{written}");
        }
    }

    #[test]
    fn the_shortest_password_is_never_below_six() {
        assert_eq!(PasswordLength::parse(&text("3")), Ok(Some(6)));
        assert_eq!(PasswordLength::parse(&text("12")), Ok(Some(12)));
        assert!(PasswordLength::parse(&text("73")).is_err());
    }

    #[test]
    fn a_log_filter_is_a_level_or_directives() {
        assert_eq!(LogFilter::parse(&text("Warning")), Ok(Some("warn".to_owned())));
        assert_eq!(LogFilter::parse(&text("DEBUG")), Ok(Some("debug".to_owned())));
        assert!(LogFilter::parse(&text("evident_api=debug,sqlx=warn")).is_ok());
        assert!(LogFilter::parse(&text("soon")).is_err());
        assert!(LogFilter::parse(&text("a=b=c")).is_err());
    }
}

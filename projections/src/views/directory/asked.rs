//! What conditions ask, whoever answers: their values read as the fields hold them, and how texts compare.

use evident_domain::Time;
use evident_eventstore::Value;

use super::Condition;
use super::field::{Standing, UserField};
use crate::views::organizations::Comparison;

/// What a condition asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It holds for everybody.
    Everybody(UserField),
    /// For whom a flag is set, or is not.
    Flag(UserField, bool),
    /// For whom a field compares so with values.
    Values(Compared),
}

/// How a field compares with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) field: UserField,
    /// Never [`Comparison::NotEqual`] or [`Comparison::NotIn`].
    pub(crate) comparison: Comparison,
    /// Whether those are asked for whom it does not hold.
    pub(crate) negated: bool,
    /// At least one: numbers for moments, texts for all others.
    pub(crate) values: Vec<Value>,
}

impl Asked {
    /// What a condition asks; none where it can hold for nobody.
    pub(crate) fn read(condition: &Condition) -> Option<Self> {
        let field = condition.field;
        if field.standing() == Standing::Flag {
            return flag_asked(condition);
        }
        let values: Vec<Value> = if field.is_moment() {
            condition.values.iter().map(|text| moment(text).map(Into::into)).collect::<Option<_>>()?
        } else {
            if condition.values.iter().any(|text| text.contains('\0')) {
                return None;
            }
            condition.values.iter().map(|text| field.normalized(text).into()).collect()
        };
        let (comparison, negated) = match condition.comparison {
            Comparison::NotEqual => (Comparison::Equal, true),
            Comparison::NotIn => (Comparison::In, true),
            other => (other, false),
        };
        if values.is_empty() {
            // Not one of none is everybody.
            return (negated && comparison == Comparison::In).then_some(Self::Everybody(field));
        }
        let by_letters =
            matches!(comparison, Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith);
        let can_hold = !(field.is_moment() && by_letters);
        can_hold.then_some(Self::Values(Compared { field, comparison, negated, values }))
    }

    /// Whether a key finds them: the database has them at hand, however many users there are.
    pub(crate) fn is_by_key(&self) -> bool {
        let Self::Values(Compared { field, comparison, negated: false, .. }) = self else { return false };
        let is_key =
            matches!(field, UserField::Id | UserField::Email | UserField::Username | UserField::PhoneNumber);
        is_key && matches!(comparison, Comparison::Equal | Comparison::In)
    }
}

impl Compared {
    /// Whether a text is what is asked for, before it is negated. Texts stand in the order of their bytes.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut values = self.texts();
        if self.comparison == Comparison::In {
            return values.any(|value| value == text);
        }
        let Some(value) = values.next() else { return false };
        match self.comparison {
            Comparison::Equal => text == value,
            Comparison::Less => text < value,
            Comparison::LessOrEqual => text <= value,
            Comparison::Greater => text > value,
            Comparison::GreaterOrEqual => text >= value,
            Comparison::Contains => text.contains(value),
            Comparison::StartsWith => text.starts_with(value),
            Comparison::EndsWith => text.ends_with(value),
            Comparison::In | Comparison::NotEqual | Comparison::NotIn => false,
        }
    }

    /// The values, where they are texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(Value::as_text)
    }

    /// The values, where they are moments: microseconds since 1970.
    pub(crate) fn moments(&self) -> impl Iterator<Item = i64> {
        self.values.iter().filter_map(Value::as_int)
    }
}

/// Where the texts end that begin with one.
pub(crate) fn end_of_beginning(text: &str) -> String {
    format!("{text}{}", char::MAX)
}

fn flag_asked(condition: &Condition) -> Option<Asked> {
    let field = condition.field;
    let flags: Option<Vec<bool>> = condition.values.iter().map(|text| flag(text)).collect();
    let flags = flags?;
    let wanted = match condition.comparison {
        Comparison::Equal => *flags.first()?,
        Comparison::NotEqual => !flags.first()?,
        Comparison::In | Comparison::NotIn => {
            let within = condition.comparison == Comparison::In;
            let (yes, no) = (flags.contains(&true) == within, flags.contains(&false) == within);
            match (yes, no) {
                (true, true) => return Some(Asked::Everybody(field)),
                (false, false) => return None,
                (yes, _) => yes,
            }
        }
        _ => return None,
    };
    Some(Asked::Flag(field, wanted))
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Microseconds since 1970.
fn moment(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse::<i64>() {
        return millis.checked_mul(1_000);
    }
    text.parse::<Time>().ok().map(|time| time.timestamp_micros())
}

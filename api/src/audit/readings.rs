//! Who was noted as a reader in this minute, so that the log need not be asked at every request.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use evident_commands::Context;
use evident_domain::{Personal, Time};

/// So many readers are kept in mind; of others the log is asked.
const READERS: usize = 4_096;

/// The readers of the minute.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    readers: HashSet<String>,
}

impl Readings {
    /// Whether the reader of a request is noted in this minute.
    pub(super) fn are_noted(&self, context: &Context, now: Time) -> bool {
        let minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        minute.number == number(now) && minute.readers.contains(&reader(context))
    }

    /// They are from now on.
    pub(super) fn noted(&self, context: &Context, now: Time) {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number(now) {
            minute.number = number(now);
            minute.readers.clear();
        }
        if minute.readers.len() < READERS {
            minute.readers.insert(reader(context));
        }
    }
}

fn number(now: Time) -> i64 {
    now.timestamp().div_euclid(60)
}

/// An actor at an address, as the log tells readers apart.
fn reader(context: &Context) -> String {
    let provenance = &context.provenance;
    let ip = provenance.ip.as_ref().and_then(Personal::known).map(ToString::to_string);
    format!("{} {}", provenance.actor.label(), ip.unwrap_or_default())
}

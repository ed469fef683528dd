//! Codes that were sent to an address or number, for whoever has it. They are kept here and not with an
//! account, so that a code for an address that nobody has is tried, counted and exhausted as any other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Recipient, RecipientEvent};
use crate::catalogue::described;
use crate::{Time, TokenHash};

/// Wrong codes for a purpose within a day, over all its codes, after which none is taken any more until the
/// day is over.
pub const MAX_CODE_MISSES_A_DAY: u32 = 50;

/// How long wrong codes are counted together.
const GUESSES_COUNT_FOR: chrono::TimeDelta = chrono::TimeDelta::days(1);

described! {
    /// What a code to an address is good for. One of each is alive at most.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum CodePurpose {
        /// To sign in.
        SignIn,
        /// To show that the address or number is one's own.
        Verification,
        /// To set another password.
        PasswordReset,
        /// To take the address as one's new one.
        Change,
    }
}

/// A code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    hash: TokenHash,
    expires_at: Time,
    misses: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Guesses {
    count: u32,
    since: Time,
}

/// What a try with a code comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeAnswer {
    /// It is the right one.
    Right,
    /// It is another than was sent.
    Wrong,
    /// None was sent, or it was used, or too many were tried today.
    Absent,
    /// It is too old.
    Expired,
    /// Too many wrong ones were tried before.
    Exhausted,
}

/// The codes of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Codes {
    alive: BTreeMap<CodePurpose, Code>,
    guesses: BTreeMap<CodePurpose, Guesses>,
    /// When the last ones were made, oldest first.
    made_at: Vec<Time>,
}

impl Recipient {
    /// What a try with a code comes to.
    pub fn answer(&self, purpose: CodePurpose, code: &TokenHash, attempts: u32, now: Time) -> CodeAnswer {
        let guessed = self.codes.guesses.get(&purpose);
        let known = self.codes.alive.get(&purpose);
        match known.filter(|_| guessed.is_none_or(|guesses| guesses.count < MAX_CODE_MISSES_A_DAY)) {
            None => CodeAnswer::Absent,
            Some(known) if known.expires_at <= now => CodeAnswer::Expired,
            Some(known) if known.misses >= attempts => CodeAnswer::Exhausted,
            Some(known) if known.hash.matches(code) => CodeAnswer::Right,
            Some(_) => CodeAnswer::Wrong,
        }
    }
}

/// Codes within an hour are counted.
const HOUR: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// How long nothing more may go because so many went within the last hour, in seconds.
pub(crate) fn seconds_until_next(made_at: &[Time], now: Time, most_per_hour: u32) -> Option<u64> {
    let most = usize::try_from(most_per_hour).unwrap_or(usize::MAX);
    let recent: Vec<_> = made_at.iter().filter(|at| now - **at < HOUR).collect();
    let over = recent.len().checked_sub(most.max(1))?;
    let left = (**recent.get(over)? + HOUR - now).num_seconds();
    Some(u64::try_from(left).unwrap_or_default().max(1))
}

/// Notes one more; what is older than an hour counts no more.
pub(crate) fn note_made(made_at: &mut Vec<Time>, at: Time) {
    made_at.retain(|before| at - *before < HOUR);
    made_at.push(at);
}

impl Codes {
    pub(super) fn seconds_to_wait(&self, now: Time, most_per_hour: u32) -> Option<u64> {
        seconds_until_next(&self.made_at, now, most_per_hour)
    }

    pub(super) fn fold(&mut self, event: &RecipientEvent) {
        match event {
            RecipientEvent::CodeIssued { purpose, code, at, expires_at } => {
                let fresh = Guesses { count: 0, since: *at };
                let guesses = self.guesses.entry(*purpose).or_insert(fresh);
                if *at - guesses.since >= GUESSES_COUNT_FOR {
                    *guesses = fresh;
                }
                note_made(&mut self.made_at, *at);
                self.alive.insert(*purpose, Code { hash: code.clone(), expires_at: *expires_at, misses: 0 });
            }
            RecipientEvent::CodeMissed { purpose } => {
                if let Some(guesses) = self.guesses.get_mut(purpose) {
                    guesses.count = guesses.count.saturating_add(1);
                }
                if let Some(code) = self.alive.get_mut(purpose) {
                    code.misses = code.misses.saturating_add(1);
                }
            }
            RecipientEvent::CodeExhausted { purpose } => {
                self.alive.remove(purpose);
            }
            RecipientEvent::CodeRedeemed { purpose } => {
                self.alive.remove(purpose);
                self.guesses.remove(purpose);
            }
            RecipientEvent::MessageAskedFor { .. } | RecipientEvent::Answered {} => {}
        }
    }
}

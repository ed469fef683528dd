//! `sign_in_failures`: how often the wrong secret was given for an account, known or not.

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::{Event, Recorded, Time, TokenHash};
use evident_eventstore::{DatabaseError, Row, Table};

use super::{int, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// After so many seconds without a failure the count begins anew. (A success does not end it: it
/// does not say by which address it came, and it must not help whoever guesses beside it.)
pub const IDLE_SECONDS: i64 = 15 * 60;

/// A row of `sign_in_failures`.
#[derive(Debug, Clone, PartialEq)]
pub struct SignInFailures {
    /// Keyed hash of the address or number that was given.
    pub account: TokenHash,
    /// Failures in a row, each at most [`IDLE_SECONDS`] after the one before.
    pub failures: u64,
    /// The last of them.
    pub last_at: Time,
}

impl SignInFailures {
    /// The failures that count at a moment: none once the account was left alone for
    /// [`IDLE_SECONDS`].
    pub fn count_at(&self, now: Time) -> u64 {
        if is_idle(self.last_at, now) { 0 } else { self.failures }
    }
}

fn is_idle(last: Time, now: Time) -> bool {
    (now - last).num_seconds() > IDLE_SECONDS
}

/// Whether a refusal tells of a wrong secret. The others come after the right one.
fn is_guess(reason: SignInRefusal) -> bool {
    match reason {
        SignInRefusal::UnknownAccount | SignInRefusal::WrongPassword | SignInRefusal::InvalidToken => true,
        SignInRefusal::Banned | SignInRefusal::NotConfirmed | SignInRefusal::RejectedByHook => false,
    }
}

impl Fold for SignInFailures {
    const NAME: &'static str = "sign_in_failures";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new("sign_in_failures", &[text("account"), int("failures"), int("last_at")]);
    const GROUP: &'static str = "account";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::Attempt(AttemptEvent::SignInFailed { account, reason, .. }) => {
                if is_guess(*reason) {
                    vec![account.0.clone()]
                } else {
                    Vec::new()
                }
            }
            Event::Attempt(
                AttemptEvent::SignUpRepeated { .. }
                | AttemptEvent::AdminDenied { .. }
                | AttemptEvent::RefreshTokenReused { .. }
                | AttemptEvent::AuthenticatorSuspected { .. },
            )
            | Event::User(_)
            | Event::Session(_)
            | Event::Organization(_)
            | Event::SsoProvider(_)
            | Event::Flow(_)
            | Event::Recipient(_)
            | Event::Provider(_)
            | Event::Client(_)
            | Event::Authorization(_)
            | Event::Consent(_)
            | Event::Hold(_)
            | Event::Audit(_)
            | Event::Log(_)
            | Event::Dropped(_) => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Event::Attempt(AttemptEvent::SignInFailed { account, at, .. }) = &event.event else {
            return group;
        };
        let (failures, last_at) = match group {
            Some(row) if !is_idle(row.last_at, *at) => (row.failures + 1, row.last_at.max(*at)),
            Some(_) | None => (1, *at),
        };
        Some(Self { account: account.clone(), failures, last_at })
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        vec![vec![cells::text(&self.account.0), cells::number(self.failures), cells::time(self.last_at)]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Some(Self {
            account: TokenHash(cells.text()?),
            failures: cells.number()?,
            last_at: cells.time()?,
        }))
    }
}

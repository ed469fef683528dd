//! The rules of one-time codes and links.

use super::command::{Proof, UnprovenPassword};
use super::state::Account;
use super::{TokenPurpose, UserError, UserEvent};
use crate::Time;
use crate::recipient::seconds_left;

impl Account {
    pub(super) fn seconds_to_wait(&self, purpose: TokenPurpose, now: Time, interval: u64) -> Option<u64> {
        seconds_left(*self.last_sent.get(&purpose)?, now, interval.saturating_mul(1000))
    }

    /// What happens to a password that was set by somebody who had not shown that the address is theirs.
    pub(super) fn unproven_password(&self, becomes: UnprovenPassword) -> Vec<UserEvent> {
        match becomes {
            UnprovenPassword::Goes if self.has_unproven_password || self.withheld_password.is_some() => {
                vec![UserEvent::PasswordRemoved {}]
            }
            UnprovenPassword::Waits if self.has_unproven_password => vec![UserEvent::PasswordWithheld {}],
            UnprovenPassword::Stays | UnprovenPassword::Waits | UnprovenPassword::Goes => Vec::new(),
        }
    }

    pub(super) fn redeem(
        &self,
        purposes: &[TokenPurpose],
        proof: &Proof,
        password: UnprovenPassword,
        now: Time,
    ) -> Result<Vec<UserEvent>, UserError> {
        let alive = || {
            self.tokens.iter().filter(|(purpose, token)| purposes.contains(purpose) && token.expires_at > now)
        };
        let hit = alive().find(|(_, token)| match proof {
            Proof::Link(hash) => token.link.as_ref().is_some_and(|link| link.matches(hash)),
            Proof::Code(hash) => token.code.matches(hash),
        });
        // A code that is known to be guessed at is worth nothing, the right one included.
        let hit = hit.filter(|(purpose, _)| matches!(proof, Proof::Link(_)) || self.may_be_typed(**purpose));
        let Some((purpose, _)) = hit else {
            // A wrong code counts against every token it could have been meant for.
            return match proof {
                Proof::Link(_) => Err(UserError::TokenInvalid),
                Proof::Code(_) => {
                    let missed: Vec<_> = alive()
                        .filter(|(purpose, _)| self.may_be_typed(**purpose))
                        .map(|(p, _)| UserEvent::OneTimeTokenMissed { purpose: *p })
                        .collect();
                    if missed.is_empty() { Err(UserError::TokenInvalid) } else { Ok(missed) }
                }
            };
        };
        let mut events = vec![UserEvent::OneTimeTokenRedeemed { purpose: *purpose }];
        if purpose.vouches_for_no_password() {
            events.extend(self.unproven_password(UnprovenPassword::Goes));
        }
        match purpose {
            TokenPurpose::EmailConfirmation | TokenPurpose::Invitation | TokenPurpose::Recovery => {
                if self.email.as_ref().is_some_and(|e| !e.confirmed) {
                    if !purpose.vouches_for_no_password() {
                        events.extend(self.unproven_password(password));
                    }
                    events.extend(self.email_confirmation());
                }
            }
            TokenPurpose::PhoneConfirmation => {
                if self.phone.as_ref().is_some_and(|p| !p.confirmed) {
                    events.extend(self.unproven_password(password));
                    events.push(UserEvent::PhoneConfirmed {});
                }
            }
            TokenPurpose::EmailChangeNew
            | TokenPurpose::EmailChangeCurrent
            | TokenPurpose::PhoneChange
            | TokenPurpose::Reauthentication
            | TokenPurpose::AccountDeletion => {}
        }
        Ok(events)
    }
}

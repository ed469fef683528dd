//! What each event leaves of second factors.

use chrono::TimeDelta;

use super::{FORGOTTEN_AFTER_SECONDS, Factor, FactorChallenge, Factors, MAX_CHALLENGES};
use crate::user::UserEvent;
use crate::{FactorId, Personal};

impl Factors {
    /// Takes in an event; one that says nothing of second factors changes nothing.
    pub(in crate::user) fn fold(&mut self, event: &UserEvent) {
        match event {
            UserEvent::FactorEnrolled { factor, kind, name, secret, phone, at } => {
                self.enrolled.push(Factor {
                    id: *factor,
                    kind: *kind,
                    name: name.known().cloned().unwrap_or_default(),
                    verified: false,
                    secret: secret.as_ref().and_then(Personal::known).cloned(),
                    phone: phone.as_ref().and_then(Personal::known).cloned(),
                    authenticator: None,
                    enrolled_at: *at,
                    last_challenged_at: None,
                    last_step: None,
                });
            }
            UserEvent::FactorChallenged { factor, challenge, session, ip, code, at, expires_at } => {
                self.challenges.retain(|old| old.expires_at > *at);
                let over = (self.challenges.len() + 1).saturating_sub(MAX_CHALLENGES);
                self.challenges.drain(..over);
                self.challenges.push(FactorChallenge {
                    id: *challenge,
                    factor: *factor,
                    session: *session,
                    ip: ip.as_ref().and_then(Personal::known).copied(),
                    code: code.clone(),
                    expires_at: *expires_at,
                    closed: false,
                });
                if let Some(factor) = self.known(*factor) {
                    factor.last_challenged_at = Some(*at);
                }
            }
            UserEvent::FactorChallengeMissed { at, .. } | UserEvent::SecondStepMissed { at, .. } => {
                let forgotten = TimeDelta::seconds(FORGOTTEN_AFTER_SECONDS);
                let in_a_row = self.last_miss_at.is_some_and(|last| *at - last < forgotten);
                self.misses = if in_a_row { self.misses.saturating_add(1) } else { 1 };
                self.last_miss_at = Some(*at);
            }
            UserEvent::FactorVerified { factor, challenge, step, authenticator, .. } => {
                self.misses = 0;
                self.last_miss_at = None;
                if let Some(answered) = self.challenges.iter_mut().find(|open| open.id == *challenge) {
                    answered.closed = true;
                }
                if let Some(factor) = self.known(*factor) {
                    factor.verified = true;
                    factor.last_step = step.or(factor.last_step);
                    if let Some(authenticator) = authenticator.as_ref().and_then(Personal::known) {
                        factor.authenticator = Some(authenticator.clone());
                    }
                }
            }
            UserEvent::SecondStepTaken { .. } => {
                self.misses = 0;
                self.last_miss_at = None;
            }
            UserEvent::FactorRenamed { factor, name } => {
                if let Some(factor) = self.known(*factor) {
                    factor.name = name.known().cloned().unwrap_or_default();
                }
            }
            UserEvent::FactorPhoneChanged { factor, phone } => {
                if let Some(factor) = self.known(*factor) {
                    factor.phone = phone.known().cloned();
                }
                // A code that went to the number before must not be taken from the one that has it now.
                self.challenges.retain(|challenge| challenge.factor != *factor);
            }
            UserEvent::FactorRemoved { factor, .. } => {
                self.enrolled.retain(|known| known.id != *factor);
                self.challenges.retain(|challenge| challenge.factor != *factor);
            }
            _ => {}
        }
    }

    fn known(&mut self, id: FactorId) -> Option<&mut Factor> {
        self.enrolled.iter_mut().find(|factor| factor.id == id)
    }
}

//! Every rule about second factors.

use std::net::IpAddr;

use super::{
    Factor, FactorAnswer, FactorChallenge, FactorCommand, FactorError, FactorKind, FactorLimits,
    FactorRemoval, Factors, NewFactor,
};
use crate::session::AssuranceLevel;
use crate::user::UserEvent;
use crate::{ChallengeId, FactorId, SessionId, Time};

impl Factors {
    pub(in crate::user) fn decide(&self, command: FactorCommand) -> Result<Vec<UserEvent>, FactorError> {
        match command {
            FactorCommand::Enroll { factor, new, name, aal, limits, now } => {
                self.enroll(factor, new, name, aal, limits, now)
            }
            FactorCommand::Challenge {
                factor,
                challenge,
                session,
                ip,
                code,
                now,
                expires_at,
                min_interval_seconds,
            } => {
                let asked = self.get(factor)?;
                self.check_wait(now)?;
                if let Some(seconds) = asked.seconds_to_wait(now, min_interval_seconds) {
                    return Err(FactorError::TooSoon { seconds });
                }
                Ok(vec![UserEvent::FactorChallenged {
                    factor,
                    challenge,
                    session,
                    ip: ip.map(Into::into),
                    code,
                    at: now,
                    expires_at,
                }])
            }
            FactorCommand::Answer { factor, challenge, session, ip, answer, now } => {
                self.answer(self.get(factor)?, challenge, (session, ip), answer, now)
            }
            FactorCommand::Remove { factor, aal, reason } => {
                let factor = self.get(factor)?;
                if factor.verified && aal == Some(AssuranceLevel::Aal1) {
                    return Err(FactorError::InsufficientAal);
                }
                Ok(vec![factor.removed(reason)])
            }
            FactorCommand::Rename { factor, name } => {
                let known = self.get(factor)?;
                if known.name == name {
                    return Ok(Vec::new());
                }
                if !name.is_empty() && self.enrolled.iter().any(|other| other.name == name) {
                    return Err(FactorError::NameTaken);
                }
                Ok(vec![UserEvent::FactorRenamed { factor, name: name.into() }])
            }
            FactorCommand::ChangePhone { factor, phone } => {
                let known = self.get(factor)?;
                if known.kind != FactorKind::Phone || known.phone.as_ref() == Some(&phone) {
                    return Ok(Vec::new());
                }
                Ok(vec![UserEvent::FactorPhoneChanged { factor, phone: phone.into() }])
            }
        }
    }

    fn enroll(
        &self,
        id: FactorId,
        new: NewFactor,
        name: String,
        aal: AssuranceLevel,
        limits: FactorLimits,
        now: Time,
    ) -> Result<Vec<UserEvent>, FactorError> {
        let mut events = Vec::new();
        let mut staying = Vec::new();
        for factor in &self.enrolled {
            let same_phone = matches!(&new, NewFactor::Phone(phone) if factor.phone.as_ref() == Some(phone));
            if same_phone && factor.verified {
                return Err(FactorError::PhoneVerified);
            }
            if factor.has_expired(limits, now) {
                events.push(factor.removed(FactorRemoval::Expired));
            } else if same_phone {
                events.push(factor.removed(FactorRemoval::EnrolledAnew));
            } else {
                staying.push(factor);
            }
        }
        if !name.is_empty() && staying.iter().any(|factor| factor.name == name) {
            return Err(FactorError::NameTaken);
        }
        let verified = staying.iter().filter(|factor| factor.verified).count();
        if staying.len() >= limits.enrolled || verified >= limits.verified {
            return Err(FactorError::TooMany);
        }
        if verified > 0 && aal < AssuranceLevel::Aal2 {
            return Err(FactorError::InsufficientAal);
        }
        let (kind, secret, phone) = match new {
            NewFactor::Totp(secret) => (FactorKind::Totp, Some(secret), None),
            NewFactor::Phone(phone) => (FactorKind::Phone, None, Some(phone)),
            NewFactor::Webauthn => (FactorKind::Webauthn, None, None),
        };
        events.push(UserEvent::FactorEnrolled {
            factor: id,
            kind,
            name: name.into(),
            secret: secret.map(Into::into),
            phone: phone.map(Into::into),
            at: now,
        });
        Ok(events)
    }

    fn answer(
        &self,
        factor: &Factor,
        id: ChallengeId,
        (session, ip): (SessionId, Option<IpAddr>),
        answer: FactorAnswer,
        now: Time,
    ) -> Result<Vec<UserEvent>, FactorError> {
        let challenge = self.challenges.iter().find(|challenge| challenge.id == id);
        let challenge = challenge
            .filter(|challenge| challenge.factor == factor.id)
            .ok_or(FactorError::ChallengeNotFound)?;
        if challenge.closed || challenge.session != session || challenge.ip != ip {
            return Err(FactorError::ChallengeMismatch);
        }
        if challenge.expires_at <= now {
            return Err(FactorError::ChallengeExpired);
        }
        self.check_wait(now)?;
        let Some((step, authenticator)) = factor.accepts(challenge, answer)? else {
            return Ok(vec![UserEvent::FactorChallengeMissed { factor: factor.id, challenge: id, at: now }]);
        };
        let verified = UserEvent::FactorVerified {
            factor: factor.id,
            challenge: id,
            session,
            step,
            authenticator: authenticator.map(Into::into),
            at: now,
        };
        let others = self
            .enrolled
            .iter()
            .filter(|other| other.id != factor.id && other.kind == factor.kind && !other.verified);
        let others = others.map(|other| other.removed(FactorRemoval::AnotherVerified));
        Ok([verified].into_iter().chain(others).collect())
    }

    fn check_wait(&self, now: Time) -> Result<(), FactorError> {
        match self.wait_seconds(now) {
            Some(seconds) => Err(FactorError::Locked { seconds }),
            None => Ok(()),
        }
    }
}

/// What an answer leaves: the time step of its code, the key with its counter.
type Accepted = (Option<u64>, Option<super::Authenticator>);

impl Factor {
    fn accepts(
        &self,
        challenge: &FactorChallenge,
        answer: FactorAnswer,
    ) -> Result<Option<Accepted>, FactorError> {
        Ok(match (self.kind, answer) {
            // A code is good once, also for another challenge (RFC 6238, section 5.2).
            (FactorKind::Totp, FactorAnswer::Totp(step)) => step
                .filter(|step| self.last_step.is_none_or(|last| *step > last))
                .map(|step| (Some(step), None)),
            (FactorKind::Phone, FactorAnswer::Code(hash)) => {
                let right = challenge.code.as_ref().is_some_and(|code| code.matches(&hash));
                right.then_some((None, None))
            }
            (FactorKind::Webauthn, FactorAnswer::Webauthn(authenticator)) => {
                authenticator.map(|authenticator| (None, Some(authenticator)))
            }
            (FactorKind::Totp | FactorKind::Phone | FactorKind::Webauthn, _) => {
                return Err(FactorError::WrongKind);
            }
        })
    }

    fn removed(&self, reason: FactorRemoval) -> UserEvent {
        UserEvent::FactorRemoved { factor: self.id, kind: self.kind, reason }
    }

    fn has_expired(&self, limits: FactorLimits, now: Time) -> bool {
        !self.verified && self.last_challenged_at.is_none() && self.enrolled_at + limits.unverified_for <= now
    }

    fn seconds_to_wait(&self, now: Time, interval: u64) -> Option<u64> {
        let passed = u64::try_from((now - self.last_challenged_at?).num_milliseconds().max(0)).unwrap_or(0);
        let left = interval.saturating_mul(1_000).saturating_sub(passed);
        (left > 0).then_some(left / 1_000)
    }
}

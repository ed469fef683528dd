//! The rules of second steps.

use super::{SecondAnswer, SecondStep, SecondStepMethod, StepKey, StepPolicy, TwoFactorCommand};
use crate::recipient::codes::seconds_until_next;
use crate::user::factor::{Factor, FactorError, FactorKind, FactorRemoval};
use crate::user::{Account, UserEvent};
use crate::{FactorId, SessionId, Time, TokenHash};

impl Account {
    /// Whether a password alone does not open a session.
    pub fn asks_for_second_step(&self) -> bool {
        self.two_factor.mail_codes || self.factors.any_verified()
    }

    /// The apps that show codes; `verified` ones only, or all.
    pub fn apps(&self, verified: bool) -> impl Iterator<Item = &Factor> {
        self.factors
            .enrolled
            .iter()
            .filter(move |factor| factor.kind == FactorKind::Totp && (factor.verified || !verified))
    }

    pub(in crate::user) fn decide_two_factor(
        &self,
        command: TwoFactorCommand,
    ) -> Result<Vec<UserEvent>, FactorError> {
        match command {
            TwoFactorCommand::EnrollApp { factor, secret, backup_codes, now } => {
                if self.apps(true).next().is_some() {
                    return Err(FactorError::AlreadyEnabled);
                }
                let before = self.apps(false).map(|app| removed(app, FactorRemoval::EnrolledAnew));
                let enrolled = UserEvent::FactorEnrolled {
                    factor,
                    kind: FactorKind::Totp,
                    name: String::new().into(),
                    secret: Some(secret.into()),
                    phone: None,
                    at: now,
                };
                Ok(before.chain([enrolled, UserEvent::BackupCodesIssued { codes: backup_codes }]).collect())
            }
            TwoFactorCommand::EnableMail if self.two_factor.mail_codes => Ok(Vec::new()),
            TwoFactorCommand::EnableMail => Ok(vec![UserEvent::MailFactorEnabled {}]),
            TwoFactorCommand::Disable => {
                let factors = self.factors.enrolled.iter();
                let gone = factors.map(|factor| removed(factor, FactorRemoval::Unenrolled));
                Ok(gone.chain([UserEvent::TwoFactorDisabled {}]).collect())
            }
            TwoFactorCommand::ReplaceBackupCodes { codes } => {
                if !self.asks_for_second_step() {
                    return Err(FactorError::NotEnabled);
                }
                Ok(vec![UserEvent::BackupCodesIssued { codes }])
            }
            TwoFactorCommand::Begin { step, now, expires_at } => {
                Ok(vec![UserEvent::SecondStepBegun { step, at: now, expires_at }])
            }
            TwoFactorCommand::MailCode { key, code, now, expires_at, most_per_hour } => {
                self.step(key, now)?;
                let sent = &self.two_factor.mailed_at;
                if let Some(seconds) = seconds_until_next(sent, now, most_per_hour) {
                    return Err(FactorError::TooSoon { seconds });
                }
                let of_sign_in = matches!(key, StepKey::SignIn(_));
                Ok(vec![UserEvent::SecondStepCodeSent {
                    step: key.id(),
                    of_sign_in,
                    code,
                    at: now,
                    expires_at,
                }])
            }
            TwoFactorCommand::Take { key, answer, session, policy, now } => {
                self.take(key, &answer, session, policy, now)
            }
            TwoFactorCommand::Trust { device, instead_of, now, expires_at } => {
                Ok(vec![UserEvent::DeviceTrusted { device, instead_of, at: now, expires_at }])
            }
        }
    }

    /// The step as it is kept; a session has none before a code was mailed.
    fn step(&self, key: StepKey, now: Time) -> Result<Option<&SecondStep>, FactorError> {
        match key {
            StepKey::SignIn(id) => {
                self.two_factor.waiting(id, now).map(Some).ok_or(FactorError::StepNotFound)
            }
            StepKey::Session(_) => {
                let mut steps = self.two_factor.steps.iter();
                Ok(steps.find(|step| !step.of_sign_in && step.id == key.id()))
            }
        }
    }

    fn take(
        &self,
        key: StepKey,
        answer: &SecondAnswer,
        session: SessionId,
        policy: StepPolicy,
        now: Time,
    ) -> Result<Vec<UserEvent>, FactorError> {
        let step = self.step(key, now)?;
        self.check_lock(policy, now)?;
        let exhausted = |method| UserEvent::SecondStepExhausted { step: key.id(), method, at: now };
        let missed = |method| vec![UserEvent::SecondStepMissed { step: key.id(), method, at: now }];
        let taken = |method, backup_code| UserEvent::SecondStepTaken {
            step: key.id(),
            session,
            method,
            backup_code,
            at: now,
        };
        match answer {
            SecondAnswer::Mailed(hash) => {
                let method = SecondStepMethod::MailedCode;
                let code = step.and_then(|step| step.code.as_ref()).filter(|code| code.expires_at > now);
                let code = code.ok_or(FactorError::CodeNotSent)?;
                if code.misses >= policy.attempts {
                    return Ok(vec![exhausted(method)]);
                }
                if !code.hash.matches(hash) {
                    return Ok(missed(method));
                }
                let enabled = (!self.asks_for_second_step()).then_some(UserEvent::MailFactorEnabled {});
                Ok([taken(method, None)].into_iter().chain(enabled).collect())
            }
            SecondAnswer::Totp(good_for) => {
                let method = SecondStepMethod::Totp;
                let of_sign_in = matches!(key, StepKey::SignIn(_));
                // Who signs in shows what the account has; who is signed in may show a new app, too.
                if self.apps(of_sign_in).next().is_none() {
                    return Err(FactorError::AppNotEnabled);
                }
                if is_exhausted(step, policy) {
                    return Ok(vec![exhausted(method)]);
                }
                let Some((app, time_step)) = self.shown(good_for, of_sign_in) else {
                    return Ok(missed(method));
                };
                let verified = UserEvent::FactorVerified {
                    factor: app.id,
                    challenge: key.id(),
                    session,
                    step: Some(time_step),
                    authenticator: None,
                    at: now,
                };
                let others = self.apps(false).filter(|other| other.id != app.id && !other.verified);
                let others = others.map(|other| removed(other, FactorRemoval::AnotherVerified));
                Ok([taken(method, None), verified].into_iter().chain(others).collect())
            }
            SecondAnswer::Backup(hash) => {
                let method = SecondStepMethod::BackupCode;
                if self.two_factor.backup_codes.is_empty() {
                    return Err(FactorError::NoBackupCodes);
                }
                if is_exhausted(step, policy) {
                    return Ok(vec![exhausted(method)]);
                }
                Ok(match self.backup_code(hash) {
                    Some(code) => vec![taken(method, Some(code.clone()))],
                    None => missed(method),
                })
            }
        }
    }

    /// The app that shows a code, and its time step: a code is good once (RFC 6238, section 5.2).
    fn shown(&self, good_for: &[(FactorId, u64)], verified: bool) -> Option<(&Factor, u64)> {
        self.apps(verified).find_map(|app| {
            let (_, step) = good_for.iter().find(|(id, _)| *id == app.id)?;
            app.last_step.is_none_or(|last| *step > last).then_some((app, *step))
        })
    }

    fn backup_code(&self, hash: &TokenHash) -> Option<&TokenHash> {
        // All are compared, so that the time does not tell which it is.
        self.two_factor.backup_codes.iter().fold(None, |found, code| {
            let matches = code.matches(hash);
            if matches { Some(code) } else { found }
        })
    }

    fn check_lock(&self, policy: StepPolicy, now: Time) -> Result<(), FactorError> {
        let Some(last) = self.factors.last_miss_at.filter(|_| self.factors.misses >= policy.lock_after)
        else {
            return Ok(());
        };
        let left = (last + policy.lock_for - now).num_milliseconds();
        match u64::try_from(left.saturating_add(999) / 1_000) {
            Ok(seconds) if seconds > 0 => Err(FactorError::Locked { seconds }),
            _ => Ok(()),
        }
    }
}

fn is_exhausted(step: Option<&SecondStep>, policy: StepPolicy) -> bool {
    step.is_some_and(|step| step.of_sign_in && step.misses >= policy.attempts)
}

fn removed(factor: &Factor, reason: FactorRemoval) -> UserEvent {
    UserEvent::FactorRemoved { factor: factor.id, kind: factor.kind, reason }
}

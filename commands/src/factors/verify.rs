//! A second factor shows itself, and the session is surer from then on.

use std::net::IpAddr;

use evident_domain::attempt::AttemptEvent;
use evident_domain::session::{AssuranceLevel, RevocationReason, SessionCommand};
use evident_domain::user::factor::{Authenticator, Factor, FactorAnswer, FactorCommand, FactorKind};
use evident_domain::user::{UserCommand, UserEvent};
use evident_domain::{ChallengeId, FactorId, SessionId, Subject, Time, TokenHash, UserId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{FactorUse, FactorsError, account_in_session, totp};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, Started};
use crate::hooks::{FactorAttempt, HookError, Verdict};
use crate::notify::Notification;
use crate::sign_out::{revoke, revoke_all};
use crate::tokens::OneTimeCode;
use crate::unit::{Context, Unit};
use crate::webauthn::Refused;

/// An answer to a challenge.
#[derive(Debug, Clone)]
pub struct VerifyFactor {
    /// Whose.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// Which factor answers.
    pub factor: FactorId,
    /// Which challenge.
    pub challenge: ChallengeId,
    /// The answer.
    pub answer: GivenAnswer,
}

/// What somebody answers, as it was given.
#[derive(Debug, Clone)]
pub enum GivenAnswer {
    /// A code that was typed; may be empty.
    Code(Zeroizing<String>),
    /// What an authenticator answered: JSON of Web Authentication.
    Credential(CredentialKind, Value),
}

/// What an authenticator says it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// It made its key.
    Create,
    /// It signed.
    Request,
}

impl Commands {
    /// Takes the answer of a second factor. When it is good, the session is surer from then on, refresh
    /// tokens from before are void, and the user's sessions end that have not shown a factor.
    ///
    /// # Errors
    /// [`FactorsError::WrongAnswer`] for an answer that is not good; it is counted.
    pub async fn verify_factor(
        &self,
        context: &Context,
        request: VerifyFactor,
    ) -> Result<Grant, FactorsError> {
        let vouched = self.text_of_factor(&request).await?;
        let case = VerifyCase { commands: self, ip: context.ip(), vouched, request: &request };
        if self.hooks().judges_factors() {
            self.judge(context, &case).await?;
        }
        let (outcome, committed) = self.execute_at(context, &case).await?;
        match outcome {
            Outcome::Shown(started) => Ok(self.grant(&started, committed).await?),
            Outcome::Missed(kind) => Err(FactorsError::WrongAnswer(kind)),
        }
    }
}

impl Commands {
    /// Asks the hook about an answer before anything of it is committed; a rejection ends the user's sessions.
    async fn judge(&self, context: &Context, case: &VerifyCase<'_>) -> Result<(), FactorsError> {
        let request = case.request;
        let mut trial = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let (account, _) =
            account_in_session::<FactorsError>(&mut trial, request.user, request.session).await?;
        let factor_type = match account.factors.get(request.factor)?.kind {
            kind @ (FactorKind::Totp | FactorKind::Phone) => kind.as_str(),
            // The hook knows codes only.
            FactorKind::Webauthn => return Ok(()),
        };
        let valid = matches!(case.run(&mut trial).await?, Outcome::Shown(_));
        let (user, factor) = (request.user, request.factor.0);
        let attempt = FactorAttempt { user, factor, factor_type, valid };
        match self.factor_attempt(context, attempt).await? {
            Verdict::Continue => Ok(()),
            Verdict::Reject { message, .. } => {
                self.execute(context, &RejectCase { user }).await?;
                Err(Failure::Hook(HookError::MfaRejected(message)).into())
            }
        }
    }
}

/// A hook wants nobody in any more.
struct RejectCase {
    user: UserId,
}

impl UseCase for RejectCase {
    type Output = ();
    type Error = FactorsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), FactorsError> {
        revoke_all::<FactorsError>(unit, self.user, None, RevocationReason::RejectedByHook).await
    }
}

struct VerifyCase<'a> {
    commands: &'a Commands,
    ip: Option<IpAddr>,
    /// What was noted of a code that the service which made it says is good.
    vouched: Option<TokenHash>,
    request: &'a VerifyFactor,
}

/// What came of an answer; both are committed.
enum Outcome {
    /// It is good.
    Shown(Started),
    /// It is wrong.
    Missed(FactorKind),
}

impl UseCase for VerifyCase<'_> {
    type Output = Outcome;
    type Error = FactorsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome, FactorsError> {
        let VerifyFactor { user, session, factor: id, challenge, .. } = *self.request;
        let now = unit.now();
        let (account, _) = account_in_session::<FactorsError>(unit, user, session).await?;
        let factor = account.factors.get(id)?;
        if !self.commands.settings().second_factors.switch(factor.kind).verify {
            return Err(FactorsError::Disabled(factor.kind, FactorUse::Verify));
        }
        let answer = self.answer(unit, factor, now)?;
        let command = FactorCommand::Answer { factor: id, challenge, session, ip: self.ip, answer, now };
        let events = unit.tell_user::<FactorsError>(user, UserCommand::Factor(command)).await?;
        if !events.iter().any(|event| matches!(event, UserEvent::FactorVerified { .. })) {
            return Ok(Outcome::Missed(factor.kind));
        }
        if !factor.verified {
            let factor_type = factor.kind.as_str().to_owned();
            self.commands.notify(unit, user, Notification::FactorEnrolled { factor_type }).await?;
        }
        Ok(Outcome::Shown(self.step_up(unit, factor.kind).await?))
    }
}

impl VerifyCase<'_> {
    /// The answer as the account takes it.
    fn answer(&self, unit: &mut Unit<'_>, factor: &Factor, now: Time) -> Result<FactorAnswer, FactorsError> {
        match (factor.kind, &self.request.answer) {
            (FactorKind::Totp | FactorKind::Phone, GivenAnswer::Code(code)) if code.is_empty() => {
                Err(FactorsError::CodeRequired)
            }
            (FactorKind::Totp, GivenAnswer::Code(code)) => {
                let (keys, user) = (self.commands.factor_keys(), self.request.user);
                let secret = factor.secret.as_ref().and_then(|secret| keys.open(user, secret));
                let step = secret.and_then(|secret| totp::matched_step(&secret, code, now));
                Ok(FactorAnswer::Totp(step))
            }
            (FactorKind::Phone, GivenAnswer::Code(code)) => {
                if let Some(noted) = &self.vouched {
                    return Ok(FactorAnswer::Code(noted.clone()));
                }
                // One that is too long is nobody's, and as wrong as any.
                let code = OneTimeCode::parse(code).unwrap_or_else(|_| OneTimeCode::fixed("-"));
                Ok(FactorAnswer::Code(self.commands.codes().code_hash(self.request.user, &code)))
            }
            (FactorKind::Webauthn, GivenAnswer::Credential(kind, json)) => {
                self.credential(unit, factor, *kind, json)
            }
            (FactorKind::Webauthn, GivenAnswer::Code(_)) => Err(FactorsError::CredentialRequired),
            (FactorKind::Totp | FactorKind::Phone, GivenAnswer::Credential(..)) => {
                Err(FactorsError::CodeRequired)
            }
        }
    }

    /// The answer of an authenticator; a copied key is noted.
    fn credential(
        &self,
        unit: &mut Unit<'_>,
        factor: &Factor,
        kind: CredentialKind,
        json: &Value,
    ) -> Result<FactorAnswer, FactorsError> {
        let off = FactorsError::Disabled(FactorKind::Webauthn, FactorUse::Verify);
        let party = self.commands.relying_party().ok_or(off)?;
        let challenge = self.commands.factor_keys().challenge(self.request.challenge.0);
        let checked = match (kind, &factor.authenticator) {
            (CredentialKind::Create, None) => party.register(challenge, &parsed(json)?),
            (CredentialKind::Request, Some(known)) => party.authenticate(challenge, &parsed(json)?, known),
            (CredentialKind::Create, Some(_)) | (CredentialKind::Request, None) => Err(Refused::Unproven),
        };
        if let (Err(Refused::CounterWentBack), Some(known)) = (&checked, &factor.authenticator) {
            note_copy(unit, self.request.user, known);
        }
        Ok(FactorAnswer::Webauthn(checked.ok()))
    }

    /// The session is surer; whoever has only the first factor of the user is out.
    async fn step_up(&self, unit: &mut Unit<'_>, kind: FactorKind) -> Result<Started, FactorsError> {
        let (user, session) = (self.request.user, self.request.session);
        let step_up = SessionCommand::StepUp {
            method: kind.method().to_owned(),
            aal: AssuranceLevel::Aal2,
            factor: Some(self.request.factor),
            now: unit.now(),
        };
        unit.tell_session::<FactorsError>(session, step_up).await?;
        for other in unit.live_sessions(user).await? {
            let aal = unit.session(other).await?.live().map(|live| live.aal);
            if other != session && aal == Some(AssuranceLevel::Aal1) {
                revoke::<FactorsError>(unit, other, RevocationReason::NoSecondFactor).await?;
            }
        }
        let (_, state) = account_in_session::<FactorsError>(unit, user, session).await?;
        Ok(Started { user, session, state: Box::new(state) })
    }
}

/// An answer as the library knows it.
fn parsed<T: DeserializeOwned>(json: &Value) -> Result<T, FactorsError> {
    T::deserialize(json).map_err(|_| FactorsError::CredentialMalformed)
}

/// The counter of a key went back: somebody may have a copy of it.
pub(crate) fn note_copy(unit: &mut Unit<'_>, user: UserId, known: &Authenticator) {
    let attempt = AttemptEvent::AuthenticatorSuspected {
        user,
        credential_id: known.credential_id.clone().into(),
        at: unit.now(),
    };
    unit.note(Subject::User(user), attempt);
}

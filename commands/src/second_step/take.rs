//! Taking a second step.

use evident_domain::session::{AssuranceLevel, LiveSession, SessionCommand};
use evident_domain::user::factor::FactorError;
use evident_domain::user::two_factor::{SecondAnswer, SecondStepMethod, StepKey, TwoFactorCommand};
use evident_domain::user::{Account, UserCommand, UserError, UserEvent};
use evident_domain::{FactorId, SessionId, Time, UserId};
use zeroize::Zeroizing;

use super::SecondStepError;
use super::secure::replace_session;
use crate::Commands;
use crate::execute::UseCase;
use crate::factors::{account_in_session, totp};
use crate::grant::{Grant, SessionTerms, Started, start_session_on};
use crate::tokens::{DeviceToken, OneTimeCode};
use crate::unit::{Context, Unit};

/// What somebody answers, as it was given.
#[derive(Debug, Clone)]
pub enum GivenSecondAnswer {
    /// The code that an app shows.
    App(Zeroizing<String>),
    /// A code that was mailed.
    Mailed(Zeroizing<String>),
    /// A code that was written down.
    Backup(Zeroizing<String>),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct TakeSecondStep {
    /// Whose.
    pub user: UserId,
    /// To which step.
    pub key: StepKey,
    /// The answer.
    pub answer: GivenSecondAnswer,
    /// Whether a sign-in that waited leads to a session.
    pub opens: bool,
    /// How the session lives.
    pub terms: SessionTerms,
    /// Whether the device is trusted from now on.
    pub trust: bool,
}

/// A second step that was taken.
#[derive(Debug)]
pub struct TakenSecondStep {
    /// The session that began: of a sign-in, or in the place of the one in which the account was secured.
    pub session: Option<Grant>,
    /// What the device shows from now on.
    pub device: Option<DeviceToken>,
}

impl Commands {
    /// Takes a second step.
    ///
    /// # Errors
    /// [`SecondStepError::Wrong`] for an answer that is not good; it is counted.
    pub async fn take_second_step(
        &self,
        context: &Context,
        request: TakeSecondStep,
    ) -> Result<TakenSecondStep, SecondStepError> {
        let (outcome, committed) =
            self.execute_at(context, &TakeCase { commands: self, request: &request }).await?;
        match outcome {
            Outcome::Missed => Err(SecondStepError::Wrong),
            Outcome::Exhausted => Err(SecondStepError::Exhausted),
            Outcome::Taken { session: None, device } => Ok(TakenSecondStep { session: None, device }),
            Outcome::Taken { session: Some(started), device } => {
                Ok(TakenSecondStep { session: Some(self.grant(&started, committed).await?), device })
            }
        }
    }
}

struct TakeCase<'a> {
    commands: &'a Commands,
    request: &'a TakeSecondStep,
}

/// What came of an answer; all are committed.
enum Outcome {
    Taken { session: Option<Started>, device: Option<DeviceToken> },
    Missed,
    Exhausted,
}

impl UseCase for TakeCase<'_> {
    type Output = Outcome;
    type Error = SecondStepError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome, SecondStepError> {
        let TakeSecondStep { user, key, .. } = *self.request;
        let now = unit.now();
        let unknown = SecondStepError::User(FactorError::StepNotFound.into());
        let account = match key {
            StepKey::SignIn(_) => unit.user(user).await?.account().cloned().ok_or(unknown)?,
            StepKey::Session(session) => account_in_session::<SecondStepError>(unit, user, session).await?.0,
        };
        let was_secured = account.asks_for_second_step();
        let session = match key {
            StepKey::SignIn(_) => unit.new_session(),
            StepKey::Session(session) => session,
        };
        let answer = self.answer(&account, now);
        let policy = self.commands.step_policy();
        let take = TwoFactorCommand::Take { key, answer, session, policy, now };
        let events = unit.tell_user::<SecondStepError>(user, UserCommand::TwoFactor(take)).await?;
        if events.iter().any(|event| matches!(event, UserEvent::SecondStepExhausted { .. })) {
            return Ok(Outcome::Exhausted);
        }
        let method = events.iter().find_map(|event| match event {
            UserEvent::SecondStepTaken { method, .. } => Some(*method),
            _ => None,
        });
        let Some(method) = method else { return Ok(Outcome::Missed) };
        if account.is_banned(now) {
            return Err(SecondStepError::Banned);
        }
        let factor = events.iter().find_map(|event| match event {
            UserEvent::FactorVerified { factor, .. } => Some(*factor),
            _ => None,
        });
        let started = match key {
            StepKey::SignIn(_) if self.request.opens => Some(self.open(unit, session, method, factor).await?),
            // Who secured the account goes on in a fresh session.
            StepKey::Session(_) if !was_secured => {
                let fresh = replace_session(unit, user, session, self.request.terms).await?;
                Some(self.step_up(unit, fresh.session, method, factor).await?)
            }
            StepKey::SignIn(_) | StepKey::Session(_) => None,
        };
        let trusts = self.request.trust && matches!(key, StepKey::SignIn(_)) && self.request.opens;
        let device =
            if trusts { Some(self.commands.trust::<SecondStepError>(unit, user, None).await?) } else { None };
        Ok(Outcome::Taken { session: started, device })
    }
}

impl TakeCase<'_> {
    /// The answer as the account takes it.
    fn answer(&self, account: &Account, now: Time) -> SecondAnswer {
        let (commands, user) = (self.commands, self.request.user);
        let hash = |code: &str| {
            // One that is too long is nobody's, and as wrong as any.
            let code = OneTimeCode::parse(code).unwrap_or_else(|_| OneTimeCode::fixed("-"));
            commands.codes().code_hash(user, &code)
        };
        match &self.request.answer {
            GivenSecondAnswer::Mailed(code) => SecondAnswer::Mailed(hash(code)),
            GivenSecondAnswer::Backup(code) => SecondAnswer::Backup(hash(code)),
            GivenSecondAnswer::App(code) => {
                let good_for = account.apps(false).filter_map(|app| {
                    let secret = commands.factor_keys().open(user, app.secret.as_ref()?)?;
                    Some((app.id, totp::matched_step(&secret, code, now)?))
                });
                SecondAnswer::Totp(good_for.collect())
            }
        }
    }

    async fn open(
        &self,
        unit: &mut Unit<'_>,
        session: SessionId,
        method: SecondStepMethod,
        factor: Option<FactorId>,
    ) -> Result<Started, SecondStepError> {
        let (user, terms) = (self.request.user, self.request.terms);
        start_session_on::<SecondStepError>(unit, user, session, "password", terms).await?;
        self.step_up(unit, session, method, factor).await
    }

    /// The session has shown two things.
    async fn step_up(
        &self,
        unit: &mut Unit<'_>,
        session: SessionId,
        method: SecondStepMethod,
        factor: Option<FactorId>,
    ) -> Result<Started, SecondStepError> {
        let up = SessionCommand::StepUp {
            method: method.method().to_owned(),
            aal: AssuranceLevel::Aal2,
            factor,
            now: unit.now(),
        };
        unit.tell_session::<SecondStepError>(session, up).await?;
        let state: Option<LiveSession> = unit.session(session).await?.live().cloned();
        let state = state.ok_or(SecondStepError::User(UserError::NotFound))?;
        Ok(Started { user: self.request.user, session, state: Box::new(state) })
    }
}

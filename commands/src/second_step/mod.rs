//! The second step of a sign-in: securing an account, asking for the step, taking it, trusting devices.

mod secure;
mod take;

pub use secure::SecuredAccount;
pub use take::{GivenSecondAnswer, TakeSecondStep, TakenSecondStep};

use chrono::TimeDelta;
use evident_domain::session::SessionError;
use evident_domain::user::factor::FactorError;
use evident_domain::user::two_factor::{SecondStepMethod, StepKey, StepPolicy, TwoFactorCommand};
use evident_domain::user::{Account, UserCommand, UserError};
use evident_domain::{ChallengeId, Email, Phone, Subject, Time, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::messages::{Mail, MailFields, MailTemplate, Message, Sms};
use crate::quota::OverQuota;
use crate::tokens::{DeviceToken, OneTimeCode};
use crate::unit::{Context, Unit};

/// A sign-in that waits for its second step.
#[derive(Debug, Clone)]
pub struct WaitingSignIn {
    /// Whose.
    pub user: UserId,
    /// Its id.
    pub step: ChallengeId,
    /// By what the step can be taken, besides a code that was written down.
    pub methods: Vec<SecondStepMethod>,
}

/// Why no second step was taken or prepared.
#[derive(Debug, thiserror::Error)]
pub enum SecondStepError {
    /// The answer is wrong; the try is counted.
    #[error("the answer is wrong")]
    Wrong,
    /// Too many wrong answers: the code is void, or the sign-in is over.
    #[error("too many wrong answers")]
    Exhausted,
    /// The user is kept out.
    #[error("the user is banned")]
    Banned,
    /// There is neither address nor number that a code could go to.
    #[error("there is nowhere to send a code to")]
    NoContact,
    /// Too many messages were asked for.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// What follows a right password.
#[derive(Debug)]
pub(crate) enum AfterPassword {
    /// A session; a trusted device shows this the next time.
    Session(Option<DeviceToken>),
    /// A second step.
    SecondStep(WaitingSignIn),
}

/// The time as the domain counts it.
pub(crate) fn delta(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(36_500))
}

impl Commands {
    pub(crate) fn step_policy(&self) -> StepPolicy {
        let settings = &self.settings().plugins.second_steps;
        StepPolicy {
            attempts: settings.attempts,
            lock_after: settings.lock_after,
            lock_for: delta(settings.lock),
        }
    }

    /// Whether an account whose password was right may come in at once, as part of a unit. A device that is
    /// trusted shows another token the next time.
    pub(crate) async fn after_password<E>(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        device: Option<&DeviceToken>,
    ) -> Result<AfterPassword, E>
    where
        E: From<UserError> + From<Failure>,
    {
        let now = unit.now();
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        if !account.asks_for_second_step() {
            return Ok(AfterPassword::Session(None));
        }
        let shown = device.map(DeviceToken::hash).filter(|hash| account.two_factor.trusts(hash, now));
        if let Some(instead_of) = shown {
            let fresh = self.trust::<E>(unit, user, Some(instead_of)).await?;
            return Ok(AfterPassword::Session(Some(fresh)));
        }
        let methods = methods(account);
        let step = ChallengeId(unit.store().entropy().uuid());
        let expires_at = now + self.settings().plugins.second_steps.challenge;
        let begin = TwoFactorCommand::Begin { step, now, expires_at };
        unit.tell_user::<E>(user, UserCommand::TwoFactor(begin)).await?;
        Ok(AfterPassword::SecondStep(WaitingSignIn { user, step, methods }))
    }

    /// Trusts a device from now on, as part of a unit.
    pub(crate) async fn trust<E>(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        instead_of: Option<evident_domain::TokenHash>,
    ) -> Result<DeviceToken, E>
    where
        E: From<UserError> + From<Failure>,
    {
        let now = unit.now();
        let token = DeviceToken::generate(unit.store().entropy());
        let expires_at = now + self.settings().plugins.second_steps.trust;
        let trust = TwoFactorCommand::Trust { device: token.hash(), instead_of, now, expires_at };
        unit.tell_user::<E>(user, UserCommand::TwoFactor(trust)).await?;
        Ok(token)
    }

    /// Whether a sign-in waits for its second step.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn awaits_second_step(&self, user: UserId, step: ChallengeId) -> Result<bool, Failure> {
        let now = self.clock().now();
        let mut unit = Unit::new(self.store(), self.aggregates(), now);
        let account = unit.user(user).await?.account();
        Ok(account.is_some_and(|account| account.two_factor.waiting(step, now).is_some()))
    }

    /// Sends a code for a second step to the account's address, or to its number where it has none.
    ///
    /// # Errors
    /// When no such sign-in waits, or too many codes were sent.
    pub async fn send_second_step_code(
        &self,
        context: &Context,
        user: UserId,
        key: StepKey,
    ) -> Result<(), SecondStepError> {
        let view =
            self.user_view(user).await?.ok_or(SecondStepError::User(FactorError::StepNotFound.into()))?;
        let email = view.user.email.as_deref().and_then(|text| Email::parse(text).ok());
        let phone = view.user.phone.as_deref().and_then(|text| Phone::parse(text).ok());
        let to = email.map(Contact::Email).or(phone.map(Contact::Phone)).ok_or(SecondStepError::NoContact)?;
        let case = SendCase { commands: self, user, key, to: &to };
        self.execute_sending(context, &to, &case).await?;
        Ok(())
    }

    /// The message that carries a code and nothing else.
    pub(crate) fn code_message(
        &self,
        to: &Contact,
        code: &OneTimeCode,
        expires_at: Time,
        account: Option<&Account>,
    ) -> Message {
        match to {
            Contact::Phone(phone) => Message::Sms(Sms {
                code: code.expose().to_owned(),
                expires_at: Some(expires_at),
                ..Sms::new(phone.clone(), self.templates().sms_text(code.expose()))
            }),
            Contact::Email(email) => Message::Mail(Mail {
                template: MailTemplate::Reauthentication,
                to: email.clone(),
                fields: MailFields {
                    site_url: self.settings().site.site_url.clone(),
                    email: email.to_string(),
                    token: code.expose().to_owned(),
                    data: account.map(|account| account.user_metadata.clone()).unwrap_or_default(),
                    sending_to: email.to_string(),
                    ..MailFields::default()
                },
            }),
        }
    }
}

/// By what an account takes second steps.
pub(crate) fn methods(account: &Account) -> Vec<SecondStepMethod> {
    let totp = account.apps(true).next().map(|_| SecondStepMethod::Totp);
    let reachable = account.email.is_some() || account.phone.is_some();
    totp.into_iter().chain(reachable.then_some(SecondStepMethod::MailedCode)).collect()
}

struct SendCase<'a> {
    commands: &'a Commands,
    user: UserId,
    key: StepKey,
    to: &'a Contact,
}

impl UseCase for SendCase<'_> {
    type Output = ();
    type Error = SecondStepError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SecondStepError> {
        let settings = &self.commands.settings().plugins.second_steps;
        let (now, user) = (unit.now(), self.user);
        let code = OneTimeCode::generate(unit.store().entropy(), settings.code_length);
        let expires_at = now + settings.code;
        let mail = TwoFactorCommand::MailCode {
            key: self.key,
            code: self.commands.codes().code_hash(user, &code),
            now,
            expires_at,
            most_per_hour: settings.most_codes_per_hour,
        };
        unit.tell_user::<SecondStepError>(user, UserCommand::TwoFactor(mail)).await?;
        let account = unit.user(user).await?.account().cloned();
        let message = self.commands.code_message(self.to, &code, expires_at, account.as_ref());
        unit.send(Subject::User(user), message);
        Ok(())
    }
}

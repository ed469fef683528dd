//! Asking a second factor to show itself.

use evident_domain::user::factor::{Factor, FactorCommand, FactorKind};
use evident_domain::user::{Account, UserCommand};
use evident_domain::{ChallengeId, FactorId, Phone, SessionId, Subject, Time, UserId};

use super::enroll::name_of;
use super::{FactorUse, FactorsError, account_in_session};
use crate::Commands;
use crate::execute::UseCase;
use crate::messages::{Message, Sms, SmsChannel, SmsUse};
use crate::tokens::OneTimeCode;
use crate::unit::{Context, Unit};
use crate::webauthn::{CreationOptions, RequestOptions};

/// Whom to ask.
#[derive(Debug, Clone, Copy)]
pub struct ChallengeFactor {
    /// Whose.
    pub user: UserId,
    /// In which session; only there is the answer taken.
    pub session: SessionId,
    /// Which.
    pub factor: FactorId,
    /// By which way a code goes to a phone.
    pub channel: SmsChannel,
}

/// A factor that was asked.
#[derive(Debug)]
pub struct ChallengedFactor {
    /// The challenge's id.
    pub challenge: ChallengeId,
    /// What the factor is.
    pub kind: FactorKind,
    /// From when on no answer is taken.
    pub expires_at: Time,
    /// What the page hands to an authenticator.
    pub question: Option<FactorQuestion>,
}

/// What the page hands to an authenticator.
#[derive(Debug)]
pub enum FactorQuestion {
    /// It is to make its key.
    Create(CreationOptions),
    /// It is to sign.
    Request(RequestOptions),
}

impl Commands {
    /// Asks a second factor; a phone gets a code.
    ///
    /// # Errors
    /// When there is no such factor, its kind is switched off, or it was asked a moment ago.
    pub async fn challenge_factor(
        &self,
        context: &Context,
        request: ChallengeFactor,
    ) -> Result<ChallengedFactor, FactorsError> {
        let ip = context.ip();
        let challenge = ChallengeId(self.store().entropy().uuid());
        self.execute(context, &ChallengeCase { commands: self, request, challenge, ip }).await
    }
}

struct ChallengeCase<'a> {
    commands: &'a Commands,
    request: ChallengeFactor,
    challenge: ChallengeId,
    ip: Option<std::net::IpAddr>,
}

impl UseCase for ChallengeCase<'_> {
    type Output = ChallengedFactor;
    type Error = FactorsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<ChallengedFactor, FactorsError> {
        let ChallengeFactor { user, session, factor, channel: _ } = self.request;
        let (account, _) = account_in_session::<FactorsError>(unit, user, session).await?;
        let asked = account.factors.get(factor)?;
        let settings = &self.commands.settings().second_factors;
        if !settings.switch(asked.kind).verify {
            return Err(FactorsError::Disabled(asked.kind, FactorUse::Verify));
        }
        let question = match asked.kind {
            FactorKind::Totp | FactorKind::Phone => None,
            FactorKind::Webauthn => Some(self.question(&account, asked)?),
        };
        let (now, challenge) = (unit.now(), self.challenge);
        let expires_at = now + settings.challenge_lifetime();
        let text = asked.phone.as_ref().map(|phone| {
            let code = OneTimeCode::generate(unit.store().entropy(), settings.phone_otp_length);
            (phone.clone(), code)
        });
        let interval = if text.is_some() { settings.phone_max_frequency.as_secs() } else { 0 };
        let command = FactorCommand::Challenge {
            factor,
            challenge,
            session,
            ip: self.ip,
            code: text.as_ref().map(|(_, code)| self.commands.codes().code_hash(user, code)),
            now,
            expires_at,
            min_interval_seconds: interval,
        };
        unit.tell_user::<FactorsError>(user, UserCommand::Factor(command)).await?;
        if let Some((phone, code)) = text {
            unit.send(Subject::User(user), self.message(phone, &code, expires_at));
        }
        Ok(ChallengedFactor { challenge, kind: asked.kind, expires_at, question })
    }
}

impl ChallengeCase<'_> {
    fn question(&self, account: &Account, asked: &Factor) -> Result<FactorQuestion, FactorsError> {
        let off = FactorsError::Disabled(FactorKind::Webauthn, FactorUse::Verify);
        let party = self.commands.relying_party().ok_or(off)?;
        let challenge = self.commands.factor_keys().challenge(self.challenge.0);
        let user = self.request.user;
        Ok(match &asked.authenticator {
            Some(known) => FactorQuestion::Request(party.request_factor(challenge, known)),
            None => {
                let name = name_of(user, account);
                FactorQuestion::Create(party.create_factor(challenge, user, &name))
            }
        })
    }

    fn message(&self, to: Phone, code: &OneTimeCode, expires_at: Time) -> Message {
        let text = self.commands.templates().second_factor_text(code.expose());
        Message::Sms(Sms {
            code: code.expose().to_owned(),
            channel: self.request.channel,
            usage: SmsUse::SecondFactor,
            expires_at: Some(expires_at),
            ..Sms::new(to, text)
        })
    }
}

//! Signing in with a passkey. Who it is, the answer says.

use evident_domain::user::passkey::{Passkey, PasskeyCommand};
use evident_domain::user::{Account, UserCommand};
use evident_domain::{Time, UserId};
use serde_json::Value;
use uuid::Uuid;
use webauthn_rs::prelude::PublicKeyCredential;

use super::{PasskeysError, answer_once, parsed};
use crate::Commands;
use crate::execute::UseCase;
use crate::factors::note_copy;
use crate::grant::{Grant, Started, start_session};
use crate::tokens::PasskeyPurpose;
use crate::unit::{Context, Unit};
use crate::webauthn::{Challenge, Refused, RelyingParty, RequestOptions, user_of};

/// What a page hands to whatever passkey there is.
#[derive(Debug)]
pub struct AuthenticationQuestion {
    /// The question's id.
    pub question: Uuid,
    /// What the page hands on.
    pub options: RequestOptions,
    /// From when on no answer is taken.
    pub expires_at: Time,
}

impl Commands {
    /// Asks for a passkey, whosever. Nothing is written before one answers.
    ///
    /// # Errors
    /// When passkeys are off.
    pub fn ask_passkey_sign_in(&self) -> Result<AuthenticationQuestion, PasskeysError> {
        let party = self.passkey_party()?;
        let (question, expires_at) = self.ask_passkey(PasskeyPurpose::Authentication, None);
        let options = party.request_passkey(self.factor_keys().challenge(question));
        Ok(AuthenticationQuestion { question, options, expires_at })
    }

    /// Takes the answer of a passkey and signs its user in.
    ///
    /// # Errors
    /// [`PasskeysError::Refused`] for whatever is not good: which, nobody is told.
    pub async fn sign_in_with_passkey(
        &self,
        context: &Context,
        question: Uuid,
        answer: &Value,
    ) -> Result<Grant, PasskeysError> {
        let party = self.passkey_party()?;
        let answer = parsed(answer)?;
        self.check_question(question, PasskeyPurpose::Authentication, None)?;
        let challenge = self.factor_keys().challenge(question);
        let case = SignInCase { party, question, challenge, answer: &answer };
        let (outcome, committed) = self.execute_at(context, &case).await?;
        match outcome {
            Outcome::In(started) => Ok(self.grant(&started, committed).await?),
            Outcome::Refused(error) => Err(error),
        }
    }
}

struct SignInCase<'a> {
    party: &'a RelyingParty,
    question: Uuid,
    challenge: Challenge,
    answer: &'a PublicKeyCredential,
}

/// What came of an answer; both are committed.
enum Outcome {
    In(Started),
    Refused(PasskeysError),
}

impl UseCase for SignInCase<'_> {
    type Output = Outcome;
    type Error = PasskeysError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome, PasskeysError> {
        let Some((user, account, passkey)) = self.candidate(unit).await? else {
            return self.refuse(unit, None, PasskeysError::Refused).await;
        };
        let known = &passkey.authenticator;
        let authenticator = match self.party.authenticate(self.challenge, self.answer, known) {
            Ok(authenticator) => authenticator,
            Err(refused) => {
                if refused == Refused::CounterWentBack {
                    note_copy(unit, user, known);
                }
                return self.refuse(unit, Some(user), PasskeysError::Refused).await;
            }
        };
        let now = unit.now();
        if account.is_banned(now) {
            return self.refuse(unit, Some(user), PasskeysError::Banned).await;
        }
        if account.email.as_ref().is_some_and(|email| !email.confirmed) {
            return self.refuse(unit, Some(user), PasskeysError::EmailNotConfirmed).await;
        }
        if account.email.is_none() && account.phone.as_ref().is_some_and(|phone| !phone.confirmed) {
            return self.refuse(unit, Some(user), PasskeysError::PhoneNotConfirmed).await;
        }
        answer_once(unit, self.question, Some(user), true).await?;
        let command = PasskeyCommand::Use { passkey: passkey.id, authenticator, now };
        unit.tell_user::<PasskeysError>(user, UserCommand::Passkey(command)).await?;
        let session = unit.new_session();
        Ok(Outcome::In(start_session::<PasskeysError>(unit, user, session, "passkey").await?))
    }
}

impl SignInCase<'_> {
    /// The user whom the answer names, and their passkey of its id.
    async fn candidate(
        &self,
        unit: &mut Unit<'_>,
    ) -> Result<Option<(UserId, Account, Passkey)>, PasskeysError> {
        let Some(user) = user_of(self.answer) else { return Ok(None) };
        let Some(account) = unit.user(user).await?.account().cloned() else { return Ok(None) };
        let of_id = |passkey: &&Passkey| passkey.authenticator.is(self.answer.get_credential_id());
        let passkey = account.passkeys.iter().find(of_id).cloned();
        Ok(passkey.map(|passkey| (user, account, passkey)))
    }

    async fn refuse(
        &self,
        unit: &mut Unit<'_>,
        user: Option<UserId>,
        error: PasskeysError,
    ) -> Result<Outcome, PasskeysError> {
        answer_once(unit, self.question, user, false).await?;
        Ok(Outcome::Refused(error))
    }
}

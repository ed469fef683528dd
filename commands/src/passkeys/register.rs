//! Adding a passkey.

use evident_domain::user::factor::{Authenticator, FactorError};
use evident_domain::user::passkey::{PasskeyCommand, may_add, may_manage};
use evident_domain::user::{Account, UserCommand, passkey_claim};
use evident_domain::{PasskeyId, SessionId, Time, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::{PasskeysError, answer_once, parsed};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::factors::{account_in_session, name_of};
use crate::tokens::PasskeyPurpose;
use crate::unit::{Context, Unit};
use crate::webauthn::{CreationOptions, model_name};

/// What a page hands to an authenticator that is to become a passkey.
#[derive(Debug)]
pub struct RegistrationQuestion {
    /// The question's id.
    pub question: Uuid,
    /// What the page hands on.
    pub options: CreationOptions,
    /// From when on no answer is taken.
    pub expires_at: Time,
}

impl Commands {
    /// Asks an authenticator to become a passkey. Nothing is written before it answers.
    ///
    /// # Errors
    /// When passkeys are off, or the account may have no further one.
    pub async fn ask_new_passkey(
        &self,
        context: &Context,
        user: UserId,
        session: SessionId,
    ) -> Result<RegistrationQuestion, PasskeysError> {
        let party = self.passkey_party()?;
        let limit = self.settings().passkeys.max_per_user;
        let account = self.execute(context, &MayAdd { user, session, limit }).await?;
        let (question, expires_at) = self.ask_passkey(PasskeyPurpose::Registration, Some(user));
        let known = account.passkeys.iter().map(|passkey| &passkey.authenticator);
        let challenge = self.factor_keys().challenge(question);
        let options = party.create_passkey(challenge, user, &name_of(user, &account), known);
        Ok(RegistrationQuestion { question, options, expires_at })
    }

    /// Takes the answer of an authenticator: it is a passkey from then on.
    ///
    /// # Errors
    /// When the answer is not good, or the account may have no further passkey.
    pub async fn add_passkey(
        &self,
        context: &Context,
        user: UserId,
        session: SessionId,
        question: Uuid,
        answer: &Value,
    ) -> Result<PasskeyId, PasskeysError> {
        let party = self.passkey_party()?;
        let answer = parsed(answer)?;
        self.check_question(question, PasskeyPurpose::Registration, Some(user))?;
        let limit = self.settings().passkeys.max_per_user;
        let authenticator = party.register(self.factor_keys().challenge(question), &answer).ok();
        let passkey = PasskeyId(self.store().entropy().uuid());
        let case = AddCase { may: MayAdd { user, session, limit }, question, passkey, authenticator };
        if self.execute(context, &case).await? { Ok(passkey) } else { Err(PasskeysError::Refused) }
    }
}

/// Only looks whether a passkey may be added.
struct MayAdd {
    user: UserId,
    session: SessionId,
    limit: usize,
}

impl UseCase for MayAdd {
    type Output = Account;
    type Error = PasskeysError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Account, PasskeysError> {
        let (account, live) = account_in_session::<PasskeysError>(unit, self.user, self.session).await?;
        if account.identities.iter().any(|identity| identity.provider.starts_with("sso:")) {
            return Err(PasskeysError::SingleSignOn);
        }
        may_manage(live.aal, account.factors.any_verified())?;
        may_add(&account.passkeys, self.limit)?;
        Ok(account)
    }
}

struct AddCase {
    may: MayAdd,
    question: Uuid,
    passkey: PasskeyId,
    /// None where the answer proves nothing.
    authenticator: Option<Authenticator>,
}

impl UseCase for AddCase {
    /// Whether it was added.
    type Output = bool;
    type Error = PasskeysError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<bool, PasskeysError> {
        let MayAdd { user, session, limit } = self.may;
        self.may.run(unit).await?;
        let accepted = self.authenticator.is_some();
        answer_once(unit, self.question, Some(user), accepted).await?;
        let Some(authenticator) = self.authenticator.clone() else { return Ok(false) };
        let claim = passkey_claim(&authenticator.credential_id);
        if unit.store().holder(&claim).await.map_err(Failure::from)?.is_some() {
            return Err(FactorError::PasskeyExists.into());
        }
        let (_, live) = account_in_session::<PasskeysError>(unit, user, session).await?;
        let command = PasskeyCommand::Add {
            passkey: self.passkey,
            name: model_name(authenticator.aaguid).to_owned(),
            authenticator,
            aal: live.aal,
            limit,
        };
        unit.tell_user::<PasskeysError>(user, UserCommand::Passkey(command)).await?;
        Ok(true)
    }
}

//! Passkeys: adding them, signing in with them, looking after them.

mod manage;
mod register;
mod sign_in;

pub use register::RegistrationQuestion;
pub use sign_in::AuthenticationQuestion;

use evident_domain::flow::{Flow, FlowCommand, FlowError};
use evident_domain::session::SessionError;
use evident_domain::user::UserError;
use evident_domain::user::factor::FactorError;
use evident_domain::{Time, UserId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::Commands;
use crate::execute::Failure;
use crate::tokens::PasskeyPurpose;
use crate::unit::Unit;
use crate::webauthn::RelyingParty;

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum PasskeysError {
    /// The owner switched passkeys off, or did not say whom they belong to.
    #[error("passkeys are switched off")]
    Disabled,
    /// Whoever signs in at an organization's identity provider does so there only.
    #[error("the user signs in at an identity provider")]
    SingleSignOn,
    /// Nobody asked that, it was answered, or it was asked of somebody else.
    #[error("the question does not exist, or was answered")]
    QuestionNotFound,
    /// The question is too old.
    #[error("the question has expired")]
    QuestionExpired,
    /// The answer is none of an authenticator.
    #[error("the answer does not read")]
    Malformed,
    /// The answer proves nothing; the question is used up.
    #[error("the answer proves nothing")]
    Refused,
    /// The passkey is good, and the user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The passkey is good, and the address is not confirmed.
    #[error("the e-mail address is not confirmed")]
    EmailNotConfirmed,
    /// The passkey is good, and the number is not confirmed.
    #[error("the phone number is not confirmed")]
    PhoneNotConfirmed,
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

impl From<FactorError> for PasskeysError {
    fn from(error: FactorError) -> Self {
        Self::User(error.into())
    }
}

impl From<FlowError> for PasskeysError {
    fn from(_: FlowError) -> Self {
        Self::QuestionNotFound
    }
}

impl Commands {
    /// The relying party, where passkeys are on.
    fn passkey_party(&self) -> Result<&RelyingParty, PasskeysError> {
        let party = self.relying_party().filter(|_| self.settings().passkeys.enabled);
        party.ok_or(PasskeysError::Disabled)
    }

    /// Whether passkeys may be added and may sign in.
    pub fn passkeys_enabled(&self) -> bool {
        self.passkey_party().is_ok()
    }

    /// A fresh question, and until when it may be answered.
    fn ask_passkey(&self, purpose: PasskeyPurpose, user: Option<UserId>) -> (Uuid, Time) {
        let expires_at = self.clock().now() + self.settings().webauthn.challenge_expiry;
        (self.factor_keys().question(self.store().entropy(), purpose, user, expires_at), expires_at)
    }

    /// Whether a question was asked so, and may still be answered.
    fn check_question(
        &self,
        question: Uuid,
        purpose: PasskeyPurpose,
        user: Option<UserId>,
    ) -> Result<(), PasskeysError> {
        let until = self.factor_keys().good_until(question, purpose, user);
        let until = until.ok_or(PasskeysError::QuestionNotFound)?;
        if until <= self.clock().now() { Err(PasskeysError::QuestionExpired) } else { Ok(()) }
    }
}

/// The answer to a question, whatever it is worth, is the only one.
async fn answer_once(
    unit: &mut Unit<'_>,
    question: Uuid,
    user: Option<UserId>,
    accepted: bool,
) -> Result<(), PasskeysError> {
    let answer = FlowCommand::Answer { user, accepted, now: unit.now() };
    unit.tell::<Flow, PasskeysError>(question, answer).await?;
    Ok(())
}

fn parsed<T: DeserializeOwned>(json: &Value) -> Result<T, PasskeysError> {
    T::deserialize(json).map_err(|_| PasskeysError::Malformed)
}

//! Proving that a message arrived: by its link or its code.

use evident_domain::session::SessionError;
use evident_domain::user::{Proof, TokenPurpose, UserCommand, UserError, UserEvent};
use evident_domain::{Email, Phone, SessionId, UserId};
use evident_eventstore::StoreError;

use crate::Commands;
use crate::contact::{Contact, GivenContact};
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, Started, start_session};
use crate::tokens::{LinkToken, OneTimeCode};
use crate::unit::{Context, Unit};

/// What the caller says the message was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyKind {
    /// A sign-up by mail.
    SignUp,
    /// Any mail that signs in.
    Email,
    /// A sign-up or sign-in by text.
    Sms,
}

/// What the caller shows.
#[derive(Debug, Clone)]
pub enum VerifyProof {
    /// The token of a link.
    LinkToken(String),
    /// A code, and the address or number that it went to.
    Code {
        /// Where it went.
        contact: GivenContact,
        /// What was typed.
        code: String,
    },
}

/// A proof as it was shown.
#[derive(Debug, Clone)]
pub struct Verify {
    /// What the message was for.
    pub kind: VerifyKind,
    /// The proof.
    pub proof: VerifyProof,
}

/// Why nothing was proven.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Unknown, used, superseded, guessed at too often or too old: which, nobody is told.
    #[error("the code or link is invalid or has expired")]
    Invalid,
    /// The proof is good, and the user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<UserError> for VerifyError {
    fn from(_: UserError) -> Self {
        Self::Invalid
    }
}

impl Commands {
    /// Confirms an address or number by what was sent there, and signs in.
    ///
    /// # Errors
    /// [`VerifyError::Invalid`] for whatever is not good; a wrong code is counted.
    pub async fn verify(&self, context: &Context, request: Verify) -> Result<Grant, VerifyError> {
        let (user, proof) = match &request.proof {
            VerifyProof::LinkToken(token) => {
                let link = LinkToken::parse(token).map_err(|_| VerifyError::Invalid)?;
                (link.user(), Proof::Link(link.hash()))
            }
            VerifyProof::Code { contact, code } => {
                let contact = contact_of(contact).ok_or(VerifyError::Invalid)?;
                let user = contact.owner(self.store()).await?.ok_or(VerifyError::Invalid)?;
                let code = OneTimeCode::parse(code).map_err(|_| VerifyError::Invalid)?;
                (user, Proof::Code(self.codes().code_hash(user, &code)))
            }
        };
        let case = VerifyCase { user, proof, kind: request.kind };
        let (done, committed) = self.execute_at(context, &case).await?;
        match done {
            Some(started) => Ok(self.grant(&started, committed).await?),
            None => Err(VerifyError::Invalid),
        }
    }
}

fn contact_of(given: &GivenContact) -> Option<Contact> {
    match (given.email.is_empty(), given.phone.is_empty()) {
        (false, true) => Email::parse(&given.email).ok().map(Contact::Email),
        (true, false) => Phone::parse(&given.phone).ok().map(Contact::Phone),
        (true, true) | (false, false) => None,
    }
}

struct VerifyCase {
    user: UserId,
    proof: Proof,
    kind: VerifyKind,
}

impl UseCase for VerifyCase {
    type Output = Option<Started>;
    type Error = VerifyError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Option<Started>, VerifyError> {
        let now = unit.now();
        let purposes = match self.kind {
            VerifyKind::SignUp => vec![TokenPurpose::EmailConfirmation],
            VerifyKind::Email => vec![TokenPurpose::EmailConfirmation, TokenPurpose::Recovery],
            VerifyKind::Sms => vec![TokenPurpose::PhoneConfirmation],
        };
        let account = unit.user(self.user).await?.account().ok_or(VerifyError::Invalid)?;
        let banned = account.is_banned(now);
        let command = UserCommand::Redeem { purposes, proof: self.proof.clone(), now };
        let events = unit.tell_user::<VerifyError>(self.user, command).await?;
        if !events.iter().any(|event| matches!(event, UserEvent::OneTimeTokenRedeemed { .. })) {
            // The miss is committed; the caller hears that the code is not good.
            return Ok(None);
        }
        if banned {
            return Err(VerifyError::Banned);
        }
        let session = SessionId(unit.store().entropy().uuid());
        Ok(Some(start_session::<VerifyError>(unit, self.user, session, "otp")?))
    }
}

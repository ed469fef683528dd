//! Codes that go to an address or number and let its owner in, confirm it, or set another password.
//!
//! Whether anybody has the address plays no part: for one that nobody has a code is made as well, which
//! nobody gets, so that trying, counting and waiting are the same for all. A code belongs to the account as
//! it was when the code was made: with another password, or after a ban, it is worth nothing.

mod change;
mod reset;
mod send;
mod sign_in;

pub use send::SendCode;
pub use sign_in::{CodeEntry, CodeSignIn, ConfirmedByCode};

use evident_domain::recipient::{AskedTooSoon, CodeAnswer, CodePurpose, Recipient, RecipientCommand};
use evident_domain::session::SessionError;
use evident_domain::user::UserError;
use evident_domain::{TokenHash, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::password::{LengthError, Weakness};
use crate::quota::OverQuota;
use crate::settings::CodeRules;
use crate::tokens::OneTimeCode;
use crate::unit::{Context, Unit};

/// Why nothing came of a code.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// It is another than was sent; the try is counted.
    #[error("the code is wrong")]
    Wrong,
    /// None was sent, or it was used.
    #[error("there is no such code")]
    Absent,
    /// It is too old.
    #[error("the code has expired")]
    Expired,
    /// Too many wrong ones were tried.
    #[error("too many wrong codes")]
    Exhausted,
    /// Nobody may sign up.
    #[error("sign-ups are disabled")]
    SignUpDisabled,
    /// The user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The address or number is somebody else's.
    #[error("the address or number is taken")]
    Taken,
    /// The account has that address already.
    #[error("the address is the same")]
    Same,
    /// The owner does not offer it.
    #[error("this is switched off")]
    Disabled,
    /// The password has not the length that passwords have.
    #[error(transparent)]
    Length(#[from] LengthError),
    /// The password is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
    /// Too many codes went there.
    #[error(transparent)]
    TooSoon(#[from] AskedTooSoon),
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

/// To whom a code belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The account, where somebody has the address or asked for it.
    pub user: Option<UserId>,
    /// How often its credentials have changed.
    pub credentials: u64,
}

impl Commands {
    /// The rules of codes that go to an address.
    pub(crate) fn code_rules(&self, to: &Contact) -> CodeRules {
        match to {
            Contact::Email(_) => self.settings().plugins.email_codes.rules,
            Contact::Phone(_) => self.settings().plugins.phone_codes.rules,
        }
    }

    /// To whom a code for an address belongs: who has it.
    pub(crate) async fn bound(&self, unit: &mut Unit<'_>, to: &Contact) -> Result<Bound, Failure> {
        let user = to.owner(unit.store()).await?;
        self.bound_to(unit, user).await
    }

    /// To whom a code belongs that a user asked for.
    pub(crate) async fn bound_to(&self, unit: &mut Unit<'_>, user: Option<UserId>) -> Result<Bound, Failure> {
        // Nobody's stream is read as well, so that the time tells nothing.
        let id = user.unwrap_or_else(|| UserId(unit.store().entropy().uuid()));
        let credentials = unit.user(id).await?.account().map_or(0, |account| account.credentials);
        Ok(Bound { user, credentials })
    }

    /// Makes a code as part of a unit, and notes it with the address.
    pub(crate) async fn make_code<E>(
        &self,
        unit: &mut Unit<'_>,
        to: &Contact,
        purpose: CodePurpose,
        bound: Bound,
    ) -> Result<(OneTimeCode, evident_domain::Time), E>
    where
        E: From<AskedTooSoon> + From<Failure>,
    {
        let (rules, now) = (self.code_rules(to), unit.now());
        let fixed = match to {
            Contact::Phone(phone) => self.settings().sms.test_code(phone.as_str(), now),
            Contact::Email(_) => None,
        };
        let code = match fixed {
            Some(code) => OneTimeCode::fixed(code),
            None => OneTimeCode::generate(unit.store().entropy(), rules.length),
        };
        let expires_at = now + rules.lifetime;
        let issue = RecipientCommand::IssueCode {
            purpose,
            code: self.address_code_hash(to, bound, &code),
            now,
            expires_at,
            most_per_hour: rules.most_per_hour,
        };
        unit.tell::<Recipient, E>(self.recipient(to), issue).await?;
        Ok((code, expires_at))
    }

    fn address_code_hash(&self, to: &Contact, bound: Bound, code: &OneTimeCode) -> TokenHash {
        self.codes().address_code_hash(to.as_str(), bound.user, bound.credentials, code)
    }

    /// Tries a code as part of a unit; what came of it is noted with the address.
    pub(crate) async fn try_code(
        &self,
        unit: &mut Unit<'_>,
        to: &Contact,
        purpose: CodePurpose,
        bound: Bound,
        (code, consume): (&str, bool),
    ) -> Result<CodeAnswer, CodeError> {
        // One that is too long is nobody's, and as wrong as any.
        let code = OneTimeCode::parse(code).unwrap_or_else(|_| OneTimeCode::fixed("-"));
        let (hash, now) = (self.address_code_hash(to, bound, &code), unit.now());
        let (stream, attempts) = (self.recipient(to), self.code_rules(to).attempts);
        let answer = unit.read::<Recipient>(stream).await?.answer(purpose, &hash, attempts, now);
        let attempt = RecipientCommand::TryCode { purpose, code: hash, attempts, consume, now };
        unit.tell::<Recipient, CodeError>(stream, attempt).await?;
        Ok(answer)
    }

    /// Looks at a code without using it up.
    ///
    /// # Errors
    /// Says what is wrong with it; a wrong one is counted.
    pub async fn check_code(
        &self,
        context: &Context,
        to: &Contact,
        purpose: CodePurpose,
        code: &str,
    ) -> Result<(), CodeError> {
        settled(self.execute(context, &CheckCase { commands: self, to, purpose, code }).await?)
    }
}

/// The error of an answer that is not right.
pub(crate) fn settled(answer: CodeAnswer) -> Result<(), CodeError> {
    match answer {
        CodeAnswer::Right => Ok(()),
        CodeAnswer::Wrong => Err(CodeError::Wrong),
        CodeAnswer::Absent => Err(CodeError::Absent),
        CodeAnswer::Expired => Err(CodeError::Expired),
        CodeAnswer::Exhausted => Err(CodeError::Exhausted),
    }
}

struct CheckCase<'a> {
    commands: &'a Commands,
    to: &'a Contact,
    purpose: CodePurpose,
    code: &'a str,
}

impl UseCase for CheckCase<'_> {
    type Output = CodeAnswer;
    type Error = CodeError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<CodeAnswer, CodeError> {
        let bound = self.commands.bound(unit, self.to).await?;
        self.commands.try_code(unit, self.to, self.purpose, bound, (self.code, false)).await
    }
}

//! Coming in by a code, and showing by a code that an address or number is one's own.

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::recipient::{CodeAnswer, CodePurpose};
use evident_domain::user::{Confirmed, SignUpMethod, UserCommand};
use evident_domain::{Metadata, Subject, UserId};

use super::{CodeError, settled};
use crate::Commands;
use crate::contact::Contact;
use crate::execute::UseCase;
use crate::grant::{Grant, SessionTerms, Started, start_session_on};
use crate::new_account::NewAccount;
use crate::sign_out::drop_unproven_password;
use crate::unit::{Context, Unit};

/// A code that was typed.
#[derive(Debug, Clone)]
pub struct CodeSignIn {
    /// Where it went.
    pub to: Contact,
    /// What for.
    pub purpose: CodePurpose,
    /// What was typed.
    pub code: String,
    /// What it leads to.
    pub entry: CodeEntry,
}

/// What a right code leads to.
#[derive(Debug, Clone)]
pub struct CodeEntry {
    /// The session that begins, where one does.
    pub terms: Option<SessionTerms>,
    /// The data of the account that is made where nobody has the address; none: none is made.
    pub sign_up: Option<Metadata>,
    /// Whether who signed up asked for the code; else a password from before the address was shown to be
    /// theirs may be a stranger's, and goes.
    pub asked_by_owner: bool,
}

/// What came of a right code.
#[derive(Debug)]
pub struct ConfirmedByCode {
    /// Whose address it is.
    pub user: UserId,
    /// The session that began.
    pub session: Option<Grant>,
}

impl Commands {
    /// Takes a code: the address is confirmed, an account is made where nobody has it and one may be made,
    /// and a session begins where one is asked for.
    ///
    /// # Errors
    /// Says what is wrong with the code; a wrong one is counted.
    pub async fn sign_in_by_code(
        &self,
        context: &Context,
        request: &CodeSignIn,
    ) -> Result<ConfirmedByCode, CodeError> {
        let (outcome, committed) = self.execute_at(context, &SignInCase { commands: self, request }).await?;
        match outcome {
            Outcome::Refused(answer) => {
                settled(answer)?;
                Err(CodeError::Absent)
            }
            Outcome::Confirmed(user, None) => Ok(ConfirmedByCode { user, session: None }),
            Outcome::Confirmed(user, Some(started)) => {
                let session = Some(self.grant(&started, committed).await?);
                Ok(ConfirmedByCode { user, session })
            }
        }
    }
}

struct SignInCase<'a> {
    commands: &'a Commands,
    request: &'a CodeSignIn,
}

/// What came of a try; both are committed.
enum Outcome {
    Confirmed(UserId, Option<Started>),
    Refused(CodeAnswer),
}

impl UseCase for SignInCase<'_> {
    type Output = Outcome;
    type Error = CodeError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome, CodeError> {
        let CodeSignIn { to, purpose, code, entry } = self.request;
        let (commands, now) = (self.commands, unit.now());
        let bound = commands.bound(unit, to).await?;
        let answer = commands.try_code(unit, to, *purpose, bound, (code, true)).await?;
        if answer != CodeAnswer::Right {
            note_refusal(commands, unit, to, bound.user);
            return Ok(Outcome::Refused(answer));
        }
        let user = match (bound.user, &entry.sign_up) {
            (Some(user), _) => {
                let account = unit.user(user).await?.account().ok_or(CodeError::Absent)?;
                if account.is_banned(now) {
                    return Err(CodeError::Banned);
                }
                if !to.is_confirmed_in(account) {
                    if !entry.asked_by_owner {
                        drop_unproven_password::<CodeError>(unit, user).await?;
                    }
                    let confirm = match to {
                        Contact::Email(_) => UserCommand::ConfirmEmail,
                        Contact::Phone(_) => UserCommand::ConfirmPhone,
                    };
                    unit.tell_user::<CodeError>(user, confirm).await?;
                }
                user
            }
            (None, Some(_)) if commands.settings().sign_up.disabled => return Err(CodeError::SignUpDisabled),
            (None, Some(data)) => {
                let new = NewAccount {
                    contact: to,
                    confirmed: Confirmed::Yes,
                    method: SignUpMethod::OneTimeToken,
                    aud: &commands.settings().tokens.default_aud,
                    password: None,
                    data,
                };
                commands.make_account::<CodeError>(unit, &new).await?
            }
            // The code is used up, and nothing tells that nobody has the address.
            (None, None) => return Ok(Outcome::Refused(CodeAnswer::Absent)),
        };
        let Some(terms) = entry.terms else { return Ok(Outcome::Confirmed(user, None)) };
        let session = unit.new_session();
        let started = start_session_on::<CodeError>(unit, user, session, "otp", terms).await?;
        Ok(Outcome::Confirmed(user, Some(started)))
    }
}

/// Notes that a wrong code was tried for an address, known or not.
pub(super) fn note_refusal(commands: &Commands, unit: &mut Unit<'_>, to: &Contact, user: Option<UserId>) {
    let at = unit.now();
    let attempt = AttemptEvent::SignInFailed {
        // Counted apart from wrong passwords: who types codes for somebody must not keep their password out.
        account: commands.codes().account_hash(&format!("code:{}", to.as_str())),
        identifier: to.as_str().to_owned().into(),
        user,
        reason: SignInRefusal::InvalidToken,
        at,
    };
    unit.note(user.map_or_else(|| Subject::period_of(at), Subject::User), attempt);
}

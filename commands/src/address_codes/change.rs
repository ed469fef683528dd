//! Taking another address or number by a code that went there.

use std::time::Instant;

use evident_domain::recipient::{CodeAnswer, CodePurpose};
use evident_domain::user::{Confirmed, UserCommand};
use evident_domain::{IdentityId, Subject, UserId};

use super::{CodeError, settled};
use crate::Commands;
use crate::contact::Contact;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

impl Commands {
    /// Sends a code to the address that a user wants to have. Nothing goes to one that somebody has, and
    /// nobody is told.
    ///
    /// # Errors
    /// When it is the user's own already, or the code of the present address is not good.
    pub async fn ask_for_change_by_code(
        &self,
        context: &Context,
        user: UserId,
        wanted: &Contact,
        current_code: Option<&str>,
    ) -> Result<(), CodeError> {
        if !self.settings().plugins.email_codes.change_email {
            return Err(CodeError::Disabled);
        }
        let since = Instant::now();
        let case = AskCase { commands: self, user, wanted, current_code };
        let done = self.execute_sending(context, wanted, &case).await;
        self.keep_the_beat(since).await;
        settled(done?.0)
    }

    /// Gives a user the address or number that a code went to. The code is one that the user asked for, or
    /// for a number one that anybody asked for.
    ///
    /// # Errors
    /// Says what is wrong with the code, or that somebody else has the address.
    pub async fn change_by_code(
        &self,
        context: &Context,
        user: UserId,
        wanted: &Contact,
        code: &str,
    ) -> Result<(), CodeError> {
        if matches!(wanted, Contact::Email(_)) && !self.settings().plugins.email_codes.change_email {
            return Err(CodeError::Disabled);
        }
        settled(self.execute(context, &ChangeCase { commands: self, user, wanted, code }).await?)
    }
}

struct AskCase<'a> {
    commands: &'a Commands,
    user: UserId,
    wanted: &'a Contact,
    current_code: Option<&'a str>,
}

impl UseCase for AskCase<'_> {
    type Output = CodeAnswer;
    type Error = CodeError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<CodeAnswer, CodeError> {
        let (commands, user) = (self.commands, self.user);
        let account = unit.user(user).await?.account().cloned().ok_or(CodeError::Absent)?;
        let current = account.email.as_ref().map(|own| Contact::Email(own.value.clone()));
        if current.as_ref() == Some(self.wanted) {
            return Err(CodeError::Same);
        }
        if let (true, Some(current)) = (commands.settings().plugins.email_codes.verify_current, current) {
            let bound = commands.bound(unit, &current).await?;
            let tried = (self.current_code.unwrap_or_default(), true);
            let answer = commands.try_code(unit, &current, CodePurpose::Verification, bound, tried).await?;
            if answer != CodeAnswer::Right {
                return Ok(answer);
            }
        }
        let bound = commands.bound_to(unit, Some(user)).await?;
        let (code, expires_at) =
            commands.make_code::<CodeError>(unit, self.wanted, CodePurpose::Change, bound).await?;
        if self.wanted.owner(unit.store()).await?.is_none() {
            let message = commands.code_message(self.wanted, &code, expires_at, Some(&account));
            unit.send(Subject::User(user), message);
        }
        Ok(CodeAnswer::Right)
    }
}

struct ChangeCase<'a> {
    commands: &'a Commands,
    user: UserId,
    wanted: &'a Contact,
    code: &'a str,
}

impl UseCase for ChangeCase<'_> {
    type Output = CodeAnswer;
    type Error = CodeError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<CodeAnswer, CodeError> {
        let (commands, user, wanted) = (self.commands, self.user, self.wanted);
        let account = unit.user(user).await?.account().ok_or(CodeError::Absent)?;
        let same = match wanted {
            Contact::Email(email) => account.email.as_ref().is_some_and(|own| own.value == *email),
            Contact::Phone(_) => false,
        };
        if same {
            return Err(CodeError::Same);
        }
        let (bound, purpose) = match wanted {
            Contact::Email(_) => (commands.bound_to(unit, Some(user)).await?, CodePurpose::Change),
            // A code for a number is asked for by whoever has it, signed in or not.
            Contact::Phone(_) => (commands.bound(unit, wanted).await?, CodePurpose::Verification),
        };
        let answer = commands.try_code(unit, wanted, purpose, bound, (self.code, true)).await?;
        if answer != CodeAnswer::Right {
            return Ok(answer);
        }
        if wanted.is_taken_from(user, unit.store()).await? {
            return Err(CodeError::Taken);
        }
        let new_identity = IdentityId(unit.store().entropy().uuid());
        let confirmed = Confirmed::Yes;
        let command = match wanted.clone() {
            Contact::Email(email) => UserCommand::ChangeEmail { user, email, confirmed, new_identity },
            Contact::Phone(phone) => UserCommand::ChangePhone { user, phone, confirmed, new_identity },
        };
        unit.tell_user::<CodeError>(user, command).await?;
        Ok(answer)
    }
}

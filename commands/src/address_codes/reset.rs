//! Setting another password by a code.

use evident_domain::PasswordHash;
use evident_domain::recipient::{CodeAnswer, CodePurpose};
use evident_domain::session::RevocationReason;
use evident_domain::user::UserCommand;
use zeroize::Zeroizing;

use super::sign_in::note_refusal;
use super::{CodeError, settled};
use crate::Commands;
use crate::contact::Contact;
use crate::execute::UseCase;
use crate::password::{Password, PasswordLength};
use crate::sign_out::revoke_all;
use crate::unit::{Context, Unit};

impl Commands {
    /// Sets another password for whoever has an address, by a code that went there. The address is confirmed
    /// then. `ends_sessions`: whether the user is signed out everywhere.
    ///
    /// # Errors
    /// Says what is wrong with the code or the password; a wrong code is counted.
    pub async fn reset_password_by_code(
        &self,
        context: &Context,
        to: &Contact,
        code: &str,
        (password, length): (Zeroizing<String>, PasswordLength),
        ends_sessions: bool,
    ) -> Result<(), CodeError> {
        let password = Password::within(password.to_string(), length)?;
        if let Some(weakness) = self.weakness(&password).await? {
            return Err(CodeError::Weak(weakness));
        }
        let password = self.hash(password).await?;
        let case = ResetCase { commands: self, to, code, password, ends_sessions };
        settled(self.execute(context, &case).await?)
    }
}

struct ResetCase<'a> {
    commands: &'a Commands,
    to: &'a Contact,
    code: &'a str,
    password: PasswordHash,
    ends_sessions: bool,
}

impl UseCase for ResetCase<'_> {
    type Output = CodeAnswer;
    type Error = CodeError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<CodeAnswer, CodeError> {
        let commands = self.commands;
        let bound = commands.bound(unit, self.to).await?;
        let tried = (self.code, true);
        let answer = commands.try_code(unit, self.to, CodePurpose::PasswordReset, bound, tried).await?;
        let Some(user) = bound.user.filter(|_| answer == CodeAnswer::Right) else {
            note_refusal(commands, unit, self.to, bound.user);
            return Ok(if answer == CodeAnswer::Right { CodeAnswer::Absent } else { answer });
        };
        let account = unit.user(user).await?.account().ok_or(CodeError::Absent)?;
        if !self.to.is_confirmed_in(account) {
            // Whoever set the password before may be somebody else, and is out.
            revoke_all::<CodeError>(unit, user, None, RevocationReason::PasswordChanged).await?;
            let confirm = match self.to {
                Contact::Email(_) => UserCommand::ConfirmEmail,
                Contact::Phone(_) => UserCommand::ConfirmPhone,
            };
            unit.tell_user::<CodeError>(user, confirm).await?;
        }
        let change = UserCommand::ChangePassword { password: self.password.clone() };
        unit.tell_user::<CodeError>(user, change).await?;
        if self.ends_sessions {
            revoke_all::<CodeError>(unit, user, None, RevocationReason::PasswordChanged).await?;
        }
        Ok(answer)
    }
}

//! Sending a code.

use std::time::Instant;

use evident_domain::Subject;
use evident_domain::recipient::CodePurpose;

use super::CodeError;
use crate::Commands;
use crate::contact::Contact;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

/// A code that is asked for.
#[derive(Debug, Clone)]
pub struct SendCode {
    /// Where it goes.
    pub to: Contact,
    /// What for.
    pub purpose: CodePurpose,
    /// Whether it goes to an address that nobody has, too: whoever has the code may sign up by it.
    pub to_strangers: bool,
}

impl Commands {
    /// Sends a code to whoever has the address.
    ///
    /// # Errors
    /// The same for known and unknown addresses.
    pub async fn send_code(&self, context: &Context, request: &SendCode) -> Result<(), CodeError> {
        let since = Instant::now();
        if let Contact::Email(email) = &request.to {
            self.check_recipient(email)?;
        }
        let case = SendCase { commands: self, request };
        let done = self.execute_sending(context, &request.to, &case).await;
        self.keep_the_beat(since).await;
        done.map(|_| ())
    }
}

struct SendCase<'a> {
    commands: &'a Commands,
    request: &'a SendCode,
}

impl UseCase for SendCase<'_> {
    type Output = ();
    type Error = CodeError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CodeError> {
        let SendCode { to, purpose, to_strangers } = self.request;
        let bound = self.commands.bound(unit, to).await?;
        let (code, expires_at) = self.commands.make_code::<CodeError>(unit, to, *purpose, bound).await?;
        let subject = match bound.user {
            Some(user) => Subject::User(user),
            None if *to_strangers => Subject::period_of(unit.now()),
            None => return Ok(()),
        };
        let account = match bound.user {
            Some(user) => unit.user(user).await?.account().cloned(),
            None => None,
        };
        if let Contact::Phone(phone) = to
            && self.commands.settings().sms.test_code(phone.as_str(), unit.now()).is_some()
        {
            return Ok(());
        }
        let message = self.commands.code_message(to, &code, expires_at, account.as_ref());
        unit.send(subject, message);
        Ok(())
    }
}

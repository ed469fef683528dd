//! Another address, by links that the addresses open one after the other.

use std::time::Instant;

use evident_domain::contact::EmailError;
use evident_domain::recipient::{AskedTooSoon, MessageKind};
use evident_domain::session::SessionError;
use evident_domain::user::{Confirmed, TokenPurpose, UserCommand, UserError};
use evident_domain::{Email, IdentityId, SessionId, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::messages::{LinkForm, LinkType, MailTemplate, SmsChannel};
use crate::one_time::{Dispatch, Pace};
use crate::quota::OverQuota;
use crate::unit::{Context, Unit};

/// A wish for another address.
#[derive(Debug, Clone)]
pub struct ChangeEmail {
    /// Who.
    pub user: UserId,
    /// The session that asks.
    pub session: SessionId,
    /// The address.
    pub email: String,
    /// Who is asked.
    pub way: EmailChangeWay,
    /// The form of the link of the mail.
    pub form: LinkForm,
}

/// Who is asked before an address changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailChangeWay {
    /// The current address, where it is confirmed, and after it the new one.
    pub current_first: bool,
    /// Nobody, where the current address is not confirmed; the new one is to be confirmed after that.
    pub unconfirmed_at_once: bool,
}

/// Why the address stays.
#[derive(Debug, thiserror::Error)]
pub enum ChangeEmailError {
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// It is the address that the user has.
    #[error("the address is the same")]
    Same,
    /// A mail to that address was asked for a moment ago.
    #[error(transparent)]
    TooSoon(#[from] AskedTooSoon),
    /// Too many mails were asked for.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session is over.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Asks for another address. That somebody else has it is not told.
    ///
    /// # Errors
    /// When it is no address, or the one that the user has; when mails follow each other too fast.
    pub async fn change_email(
        &self,
        context: &Context,
        request: ChangeEmail,
    ) -> Result<(), ChangeEmailError> {
        let since = Instant::now();
        let email = Email::parse(&request.email)?;
        let case = ChangeCase { commands: self, request: &request, email: &email };
        let done = self.execute_sending(context, &Contact::Email(email.clone()), &case).await;
        self.keep_the_beat(since).await;
        done.map(|_| ())
    }
}

struct ChangeCase<'a> {
    commands: &'a Commands,
    request: &'a ChangeEmail,
    email: &'a Email,
}

impl UseCase for ChangeCase<'_> {
    type Output = ();
    type Error = ChangeEmailError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), ChangeEmailError> {
        let (user, way) = (self.request.user, self.request.way);
        unit.session(self.request.session).await?.live().ok_or(SessionError::NotFound)?;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let current = account.email.clone();
        if current.as_ref().is_some_and(|current| current.value == *self.email) {
            return Err(ChangeEmailError::Same);
        }
        let new = Contact::Email(self.email.clone());
        // Asked for in any case, so that a taken address looks like a free one.
        self.commands.ask_for_message::<ChangeEmailError>(unit, &new, MessageKind::Change).await?;
        if new.is_taken_from(user, unit.store()).await? {
            return Ok(());
        }
        let confirmed = current.as_ref().filter(|current| current.confirmed);
        match confirmed {
            None if way.unconfirmed_at_once => {
                let command = UserCommand::ChangeEmail {
                    user,
                    email: self.email.clone(),
                    confirmed: Confirmed::No,
                    new_identity: IdentityId(unit.store().entropy().uuid()),
                };
                unit.tell_user::<ChangeEmailError>(user, command).await?;
                let mail = (MailTemplate::Confirmation, LinkType::Signup);
                self.send(unit, TokenPurpose::EmailConfirmation, new, mail).await
            }
            current => {
                let command = UserCommand::RequestEmailChange { new_email: self.email.clone() };
                unit.tell_user::<ChangeEmailError>(user, command).await?;
                let mail = (MailTemplate::EmailChange, LinkType::EmailChange);
                match current.filter(|_| way.current_first) {
                    Some(current) => {
                        let to = Contact::Email(current.value.clone());
                        self.send(unit, TokenPurpose::EmailChangeCurrent, to, mail).await
                    }
                    None => self.send(unit, TokenPurpose::EmailChangeNew, new, mail).await,
                }
            }
        }
    }
}

impl ChangeCase<'_> {
    async fn send(
        &self,
        unit: &mut Unit<'_>,
        purpose: TokenPurpose,
        to: Contact,
        mail: (MailTemplate, LinkType),
    ) -> Result<(), ChangeEmailError> {
        let dispatch = Dispatch {
            purpose,
            to,
            mail,
            form: Some(self.request.form.clone()),
            redirect_to: String::new(),
            flow: None,
            pace: Pace::Elsewhere,
            channel: SmsChannel::default(),
        };
        self.commands.dispatch::<ChangeEmailError>(unit, self.request.user, &dispatch).await
    }
}

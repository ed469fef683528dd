//! Sending once more what confirms an address or number.

use std::time::Instant;

use evident_domain::flow::{CodeChallenge, FlowPurpose};
use evident_domain::recipient::MessageKind;
use evident_domain::user::{Account, TokenPurpose, UserError};
use evident_domain::{Email, Phone, UserId};
use evident_projections::views;

use crate::Commands;
use crate::contact::{Contact, GivenContact};
use crate::execute::{Failure, UseCase};
use crate::messages::{LinkForm, LinkType, MailTemplate, SmsChannel};
use crate::one_time::{Dispatch, Pace};
use crate::request_access::RequestError;
use crate::unit::{Context, Unit};

/// What is to be sent once more.
#[derive(Debug, Clone)]
pub struct Resend {
    /// What it confirms.
    pub what: Resent,
    /// The address or number: the current one, or the one that was asked for.
    pub contact: GivenContact,
    /// What the client proves when it fetches what comes of the link.
    pub challenge: Option<CodeChallenge>,
    /// Where the link in a mail leads in the end, as the caller wishes.
    pub redirect_to: Option<String>,
    /// The form of the link, where the protocol has one of its own.
    pub form: Option<LinkForm>,
}

/// What a message confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resent {
    /// A sign-up.
    SignUp,
    /// Another address or number.
    Change,
}

impl Commands {
    /// Sends a confirmation once more, where one is waited for.
    ///
    /// # Errors
    /// The same for known and unknown addresses.
    pub async fn resend(&self, context: &Context, request: Resend) -> Result<(), RequestError> {
        let since = Instant::now();
        let contact = self.contact_for_resend(&request.contact)?;
        if let Contact::Email(email) = &contact {
            self.check_recipient(email)?;
        }
        let case = ResendCase { commands: self, contact: &contact, request: &request };
        let done = self.execute_sending(context, &contact, &case).await;
        self.keep_the_beat(since).await;
        done.map(|_| ())
    }

    fn contact_for_resend(&self, given: &GivenContact) -> Result<Contact, RequestError> {
        let settings = &self.settings().sign_up;
        match (given.email.is_empty(), given.phone.is_empty()) {
            (false, false) => Err(RequestError::BothContacts),
            (true, true) => Err(RequestError::NoContact),
            (false, true) if !settings.email_enabled => Err(RequestError::EmailDisabled),
            (false, true) => Ok(Contact::Email(Email::parse(&given.email)?)),
            (true, false) if !settings.phone_enabled => Err(RequestError::PhoneDisabled),
            (true, false) => Ok(Contact::Phone(Phone::parse(&given.phone)?)),
        }
    }
}

struct ResendCase<'a> {
    commands: &'a Commands,
    contact: &'a Contact,
    request: &'a Resend,
}

impl UseCase for ResendCase<'_> {
    type Output = ();
    type Error = RequestError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), RequestError> {
        let kind = match self.request.what {
            Resent::SignUp => MessageKind::Resend,
            Resent::Change => MessageKind::Change,
        };
        self.commands.ask_for_message::<RequestError>(unit, self.contact, kind).await?;
        let Some(user) = self.user(unit).await? else { return Ok(()) };
        let Some(account) = unit.user(user).await?.account().cloned() else { return Ok(()) };
        match (self.request.what, self.contact) {
            (Resent::SignUp, _) if self.contact.is_confirmed_in(&account) => Ok(()),
            (Resent::SignUp, Contact::Email(_)) => {
                let mail = (MailTemplate::Confirmation, LinkType::Signup);
                let to = vec![(TokenPurpose::EmailConfirmation, self.contact.clone())];
                self.send(unit, user, to, mail, FlowPurpose::SignUp).await
            }
            (Resent::SignUp, Contact::Phone(_)) => {
                let mail = (MailTemplate::Confirmation, LinkType::Signup);
                let to = vec![(TokenPurpose::PhoneConfirmation, self.contact.clone())];
                self.send(unit, user, to, mail, FlowPurpose::SignUp).await
            }
            (Resent::Change, Contact::Email(_)) => {
                let mail = (MailTemplate::EmailChange, LinkType::EmailChange);
                self.send(unit, user, sides(&account), mail, FlowPurpose::EmailChange).await
            }
            (Resent::Change, Contact::Phone(_)) => {
                let Some(new) = account.new_phone.filter(|phone| !phone.confirmed) else { return Ok(()) };
                let mail = (MailTemplate::Confirmation, LinkType::Signup);
                let to = vec![(TokenPurpose::PhoneChange, Contact::Phone(new.value))];
                self.send(unit, user, to, mail, FlowPurpose::EmailChange).await
            }
        }
    }
}

/// The addresses of a change that have still to agree.
fn sides(account: &Account) -> Vec<(TokenPurpose, Contact)> {
    let state = &account.email_change;
    let new = account.new_email.clone().filter(|_| !state.new_agreed);
    let current = account
        .email
        .as_ref()
        .filter(|_| account.new_email.is_some() && state.asks_current && !state.current_agreed);
    let new = new.map(|email| (TokenPurpose::EmailChangeNew, Contact::Email(email)));
    let current =
        current.map(|email| (TokenPurpose::EmailChangeCurrent, Contact::Email(email.value.clone())));
    new.into_iter().chain(current).collect()
}

impl ResendCase<'_> {
    /// Whose address it is; of a change, also who asked for it last.
    async fn user(&self, unit: &Unit<'_>) -> Result<Option<UserId>, Failure> {
        let owner = self.contact.owner(unit.store()).await?;
        if owner.is_some() || self.request.what == Resent::SignUp {
            return Ok(owner);
        }
        let asked = views::who_asked_for(unit.store().database(), self.contact.as_str(), 1).await?;
        Ok(asked.into_iter().next())
    }

    async fn send(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        to: Vec<(TokenPurpose, Contact)>,
        mail: (MailTemplate, LinkType),
        flow: FlowPurpose,
    ) -> Result<(), RequestError> {
        if to.is_empty() {
            return Ok(());
        }
        let redirect_to = self.commands.redirects().resolve(self.request.redirect_to.as_deref());
        let challenge = self.request.challenge.as_ref().filter(|_| matches!(self.contact, Contact::Email(_)));
        let flow = self.commands.mail_flow::<RequestError>(unit, flow, challenge, &redirect_to).await?;
        // A hook hears of both mails of a change in one call.
        let pair = to.len() == 2 && self.commands.hooks().sends_mails();
        for (purpose, to) in to {
            let redirect_to = redirect_to.clone();
            let dispatch = Dispatch {
                form: self.request.form.clone(),
                purpose,
                to,
                mail,
                redirect_to,
                flow,
                pace: Pace::Elsewhere,
                channel: SmsChannel::default(),
            };
            match self.commands.dispatch::<RequestError>(unit, user, &dispatch).await {
                // Closed since it was looked up: nobody waits for it.
                Err(RequestError::User(UserError::NotFound)) => return Ok(()),
                done => done?,
            }
        }
        if pair {
            unit.pair_mails();
        }
        Ok(())
    }
}

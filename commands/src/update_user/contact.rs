//! Another address or number: asked for here, made when its owner has agreed.

use evident_domain::flow::FlowPurpose;
use evident_domain::recipient::MessageKind;
use evident_domain::user::{Confirmed, TokenPurpose, UserCommand, UserError};
use evident_domain::{Email, IdentityId, Phone};

use super::{Outcome, UpdateCase, UpdateUserError};
use crate::contact::Contact;
use crate::messages::{LinkType, MailTemplate, SmsChannel};
use crate::notify::Notification;
use crate::one_time::{Dispatch, Pace};
use crate::unit::Unit;

impl UpdateCase<'_> {
    /// One mail to the new address, and one to the current one where both must agree.
    pub(super) async fn change_email(&self, unit: &mut Unit<'_>, email: &Email) -> Outcome {
        let user = self.request.user;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let current = account.email.as_ref().map(|contact| contact.value.clone());
        if current.as_ref() == Some(email) {
            return Ok(());
        }
        if account.anonymous && self.commands.settings().sign_up.mail_autoconfirm {
            let command = UserCommand::ChangeEmail {
                user,
                email: email.clone(),
                confirmed: Confirmed::Yes,
                new_identity: IdentityId(unit.store().entropy().uuid()),
            };
            return self.tell(unit, command).await;
        }
        self.tell(unit, UserCommand::RequestEmailChange { new_email: email.clone() }).await?;
        let redirect_to = self.commands.redirects().resolve(self.request.redirect_to.as_deref());
        let (purpose, challenge) = (FlowPurpose::EmailChange, self.request.challenge.as_ref());
        let flow = self.commands.mail_flow::<UpdateUserError>(unit, purpose, challenge, &redirect_to).await?;
        let mut dispatch = Dispatch {
            form: None,
            purpose: TokenPurpose::EmailChangeNew,
            to: Contact::Email(email.clone()),
            mail: (MailTemplate::EmailChange, LinkType::EmailChange),
            redirect_to,
            flow,
            pace: Pace::Account,
            channel: SmsChannel::default(),
        };
        self.commands.note_message::<UpdateUserError>(unit, &dispatch.to, MessageKind::Change).await?;
        self.commands.dispatch::<UpdateUserError>(unit, user, &dispatch).await?;
        if let Some(current) = current.filter(|_| self.commands.settings().security.secure_email_change) {
            dispatch.purpose = TokenPurpose::EmailChangeCurrent;
            dispatch.to = Contact::Email(current);
            self.commands.note_message::<UpdateUserError>(unit, &dispatch.to, MessageKind::Change).await?;
            self.commands.dispatch::<UpdateUserError>(unit, user, &dispatch).await?;
            if self.commands.hooks().sends_mails() {
                // A hook hears of both in one call.
                unit.pair_mails();
            }
        }
        Ok(())
    }

    pub(super) async fn change_phone(&self, unit: &mut Unit<'_>, phone: &Phone) -> Outcome {
        let user = self.request.user;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        if account.phone.as_ref().is_some_and(|contact| contact.value == *phone) {
            return Ok(());
        }
        if self.commands.settings().sign_up.sms_autoconfirm {
            let old = account.phone.as_ref().map(|contact| contact.value.clone());
            let command = UserCommand::ChangePhone {
                user,
                phone: phone.clone(),
                confirmed: Confirmed::Yes,
                new_identity: IdentityId(unit.store().entropy().uuid()),
            };
            let events = unit.tell_user::<UpdateUserError>(user, command).await?;
            self.commands.notify_of_new_phone(unit, user, &events).await?;
            return Ok(self.commands.notify(unit, user, Notification::PhoneChanged { old }).await?);
        }
        let current = account.phone.as_ref().map(|contact| Contact::Phone(contact.value.clone()));
        self.tell(unit, UserCommand::RequestPhoneChange { new_phone: phone.clone() }).await?;
        for contact in current.into_iter().chain([Contact::Phone(phone.clone())]) {
            self.commands.note_message::<UpdateUserError>(unit, &contact, MessageKind::Change).await?;
        }
        let dispatch = Dispatch {
            form: None,
            purpose: TokenPurpose::PhoneChange,
            to: Contact::Phone(phone.clone()),
            mail: (MailTemplate::PhoneChangedNotification, LinkType::Signup),
            redirect_to: String::new(),
            flow: None,
            pace: Pace::Account,
            channel: self.request.channel,
        };
        self.commands.dispatch::<UpdateUserError>(unit, user, &dispatch).await
    }
}

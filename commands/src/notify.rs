//! Mails that tell a person what was changed on their account.

use evident_domain::user::UserEvent;
use evident_domain::{Email, Phone, Subject, UserId};

use crate::Commands;
use crate::execute::Failure;
use crate::messages::{Mail, MailFields, MailTemplate, Message};
use crate::unit::Unit;

/// What was changed.
#[derive(Debug, Clone)]
pub enum Notification {
    /// The password.
    PasswordChanged,
    /// The address; the old one is told.
    EmailChanged {
        /// The address that was.
        old: Email,
    },
    /// The number.
    PhoneChanged {
        /// The number that was.
        old: Option<Phone>,
    },
    /// A way to sign in was added.
    IdentityLinked {
        /// Its provider.
        provider: String,
    },
    /// A way to sign in was removed.
    IdentityUnlinked {
        /// Its provider.
        provider: String,
    },
    /// A second factor was added.
    FactorEnrolled {
        /// Its kind.
        factor_type: String,
    },
    /// A second factor was removed.
    FactorUnenrolled {
        /// Its kind.
        factor_type: String,
    },
}

impl Notification {
    fn template(&self) -> MailTemplate {
        match self {
            Self::PasswordChanged => MailTemplate::PasswordChangedNotification,
            Self::EmailChanged { .. } => MailTemplate::EmailChangedNotification,
            Self::PhoneChanged { .. } => MailTemplate::PhoneChangedNotification,
            Self::IdentityLinked { .. } => MailTemplate::IdentityLinkedNotification,
            Self::IdentityUnlinked { .. } => MailTemplate::IdentityUnlinkedNotification,
            Self::FactorEnrolled { .. } => MailTemplate::MfaFactorEnrolledNotification,
            Self::FactorUnenrolled { .. } => MailTemplate::MfaFactorUnenrolledNotification,
        }
    }
}

impl Commands {
    /// Puts the mail into the unit that tells the person, where the owner wants it and there is an address
    /// that is known to be theirs. To be called after the change is told to the account, in the same unit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn notify(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        notification: Notification,
    ) -> Result<(), Failure> {
        let template = notification.template();
        if !self.settings().mail.notifications.wants(template) {
            return Ok(());
        }
        let Some(account) = unit.user(user).await?.account() else { return Ok(()) };
        let current = account.email.as_ref().filter(|email| email.confirmed).map(|email| &email.value);
        let text = |text: Option<String>| text.unwrap_or_default();
        let mut fields = MailFields {
            site_url: self.settings().site.site_url.clone(),
            email: text(account.email.as_ref().map(|email| email.value.to_string())),
            data: account.user_metadata.clone(),
            ..MailFields::default()
        };
        let mut to = current.cloned();
        match notification {
            Notification::PasswordChanged => {}
            Notification::EmailChanged { old } => {
                fields.old_email = old.to_string();
                to = Some(old);
            }
            Notification::PhoneChanged { old } => {
                fields.phone = text(account.phone.as_ref().map(|phone| phone.value.to_string()));
                fields.old_phone = text(old.map(|old| old.to_string()));
            }
            Notification::IdentityLinked { provider } | Notification::IdentityUnlinked { provider } => {
                fields.provider = provider;
            }
            Notification::FactorEnrolled { factor_type } | Notification::FactorUnenrolled { factor_type } => {
                fields.factor_type = factor_type;
            }
        }
        if let Some(to) = to.filter(|to| self.check_recipient(to).is_ok()) {
            unit.send(Subject::User(user), Message::Mail(Mail { template, to, fields }));
        }
        Ok(())
    }

    /// Tells of a number that became a way to sign in, where that is among the events.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn notify_of_new_phone(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        events: &[UserEvent],
    ) -> Result<(), Failure> {
        for event in events {
            if let UserEvent::IdentityLinked { provider, .. } = event
                && provider == "phone"
            {
                let provider = provider.clone();
                self.notify(unit, user, Notification::IdentityLinked { provider }).await?;
            }
        }
        Ok(())
    }
}

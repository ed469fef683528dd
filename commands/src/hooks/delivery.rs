//! Hooks that carry messages in place of the mail server and the text message service, and the one that
//! is told of new accounts. All of them are called from the outbox, and so again until they agree.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Endpoint, HookError};
use crate::Commands;
use crate::messages::{
    AccountPort, DeliveryError, Failure, Mail, MailPair, MailPort, MailTemplate, Slip, Sms, SmsPort, SmsUse,
};

/// Hands messages to hooks. Where none is set for a kind, the message is gone: see to it that it does not
/// get here.
#[derive(Debug, Clone)]
pub struct HookCarrier {
    commands: Commands,
}

#[derive(Serialize)]
pub(super) struct UserInput<'a> {
    pub(super) user: &'a RawValue,
}

#[derive(Serialize)]
struct MailInput<'a> {
    user: &'a RawValue,
    email_data: EmailData<'a>,
}

/// What a mail would have said. With two mails for one change, each code stands beside the hash for the
/// other address: that is how hooks know it.
#[derive(Debug, Default, PartialEq, Serialize)]
struct EmailData<'a> {
    token: &'a str,
    token_hash: &'a str,
    redirect_to: &'a str,
    email_action_type: &'a str,
    site_url: &'a str,
    token_new: &'a str,
    token_hash_new: &'a str,
    old_email: &'a str,
    old_phone: &'a str,
    provider: &'a str,
    factor_type: &'a str,
}

#[derive(Serialize)]
struct SmsInput<'a> {
    user: &'a RawValue,
    sms: SmsData<'a>,
}

#[derive(Serialize)]
struct SmsData<'a> {
    otp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_type: Option<&'static str>,
    phone: &'a str,
}

impl<'a> EmailData<'a> {
    fn of(mail: &'a Mail, external_url: &'a str) -> Self {
        let fields = &mail.fields;
        let redirect_to = if fields.redirect_to.is_empty() { &fields.site_url } else { &fields.redirect_to };
        Self {
            token: &fields.token,
            token_hash: &fields.token_hash,
            redirect_to,
            email_action_type: action_type(mail.template),
            site_url: external_url,
            old_email: &fields.old_email,
            old_phone: &fields.old_phone,
            provider: &fields.provider,
            factor_type: &fields.factor_type,
            ..Self::default()
        }
    }

    fn of_pair(pair: &'a MailPair, external_url: &'a str) -> Self {
        let (new, current) = (&pair.new.fields, &pair.current.fields);
        Self {
            token: &current.token,
            token_hash_new: &current.token_hash,
            token_new: &new.token,
            token_hash: &new.token_hash,
            ..Self::of(&pair.new, external_url)
        }
    }
}

/// What hooks call a mail.
fn action_type(template: MailTemplate) -> &'static str {
    template.link_type().map_or_else(|| template.name(), crate::messages::LinkType::as_str)
}

impl HookCarrier {
    /// Carries messages for these use cases.
    pub fn new(commands: Commands) -> Self {
        Self { commands }
    }

    /// The account that a message is about, as hooks see it; none when it is gone.
    async fn user(&self, slip: &Slip) -> Result<Option<Box<RawValue>>, DeliveryError> {
        let Some(user) = slip.user else { return Ok(None) };
        let view = self.commands.user_view(user).await;
        let view = view.map_err(|_| DeliveryError::Transient(Failure::Unreadable))?;
        let document = view.map(|view| self.commands.hooks().parts.documents.user(&view)).transpose();
        document.map_err(|_| undelivered(&HookError::Input))
    }

    async fn tell(
        &self,
        endpoint: Option<&Endpoint>,
        name: &'static str,
        slip: &Slip,
        input: impl Serialize + Send,
    ) -> Result<(), DeliveryError> {
        let Some(endpoint) = endpoint else { return Ok(()) };
        let told = self.commands.hooks().ask(endpoint, name, slip.ip, input).await;
        told.map(drop).map_err(|error| undelivered(&error))
    }

    async fn tell_of_mail(&self, slip: &Slip, email_data: EmailData<'_>) -> Result<(), DeliveryError> {
        let Some(user) = self.user(slip).await? else { return Ok(()) };
        let endpoint = self.commands.hooks().send_email.as_ref();
        self.tell(endpoint, "send-email", slip, MailInput { user: &user, email_data }).await
    }

    fn external_url(&self) -> &str {
        &self.commands.hooks().parts.external_url
    }
}

fn undelivered(error: &HookError) -> DeliveryError {
    let failure = Failure::Hook(error.for_log());
    if error.is_transient() { DeliveryError::Transient(failure) } else { DeliveryError::Permanent(failure) }
}

#[async_trait]
impl MailPort for HookCarrier {
    async fn deliver_mail(&self, slip: &Slip, mail: &Mail) -> Result<(), DeliveryError> {
        self.tell_of_mail(slip, EmailData::of(mail, self.external_url())).await
    }

    async fn deliver_pair(&self, slip: &Slip, pair: &MailPair) -> Result<(), DeliveryError> {
        self.tell_of_mail(slip, EmailData::of_pair(pair, self.external_url())).await
    }
}

#[async_trait]
impl SmsPort for HookCarrier {
    async fn deliver_sms(&self, slip: &Slip, sms: &Sms) -> Result<(), DeliveryError> {
        let Some(user) = self.user(slip).await? else { return Ok(()) };
        let sms_type = match sms.usage {
            SmsUse::Account => None,
            SmsUse::SecondFactor => Some("mfa"),
        };
        let input =
            SmsInput { user: &user, sms: SmsData { otp: &sms.code, sms_type, phone: sms.to.as_str() } };
        self.tell(self.commands.hooks().send_sms.as_ref(), "send-sms", slip, input).await
    }
}

#[async_trait]
impl AccountPort for HookCarrier {
    async fn deliver_user_created(&self, slip: &Slip) -> Result<(), DeliveryError> {
        let Some(user) = self.user(slip).await? else { return Ok(()) };
        let endpoint = self.commands.hooks().after_user_created.as_ref();
        self.tell(endpoint, "after-user-created", slip, UserInput { user: &user }).await
    }
}

#[cfg(test)]
mod tests {
    use evident_domain::Email;

    use super::*;
    use crate::messages::MailFields;

    fn mail(to: &str, token: &str, token_hash: &str) -> Mail {
        Mail {
            template: MailTemplate::EmailChange,
            to: Email::parse(to).unwrap(),
            fields: MailFields {
                site_url: "https://app.example.com".to_owned(),
                token: token.to_owned(),
                token_hash: token_hash.to_owned(),
                ..MailFields::default()
            },
        }
    }

    #[test]
    fn a_single_mail_brings_its_own_code_and_hash() {
        let mail = mail("new@example.com", "111111", "hash");
        let expected = EmailData {
            token: "111111",
            token_hash: "hash",
            redirect_to: "https://app.example.com",
            email_action_type: "email_change",
            site_url: "https://auth.example.com",
            ..EmailData::default()
        };
        assert_eq!(EmailData::of(&mail, "https://auth.example.com"), expected);
    }

    #[test]
    fn of_two_mails_each_code_stands_beside_the_hash_of_the_other() {
        let pair = MailPair {
            new: mail("new@example.com", "111111", "new hash"),
            current: mail("old@example.com", "222222", "current hash"),
        };
        let data = EmailData::of_pair(&pair, "https://auth.example.com");
        assert_eq!((data.token, data.token_hash_new), ("222222", "current hash"));
        assert_eq!((data.token_new, data.token_hash), ("111111", "new hash"));
    }

    #[test]
    fn mails_have_the_names_that_hooks_know() {
        assert_eq!(action_type(MailTemplate::Confirmation), "signup");
        assert_eq!(action_type(MailTemplate::MagicLink), "magiclink");
        assert_eq!(action_type(MailTemplate::Reauthentication), "reauthentication");
        assert_eq!(action_type(MailTemplate::PasswordChangedNotification), "password_changed_notification");
    }
}

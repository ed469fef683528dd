//! One-time codes and links: made, noted with the user, and sent by mail or text.

use evident_domain::user::{Account, TokenPurpose, UserCommand, UserError};
use evident_domain::{Subject, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::Failure;
use crate::messages::{LinkType, Mail, MailFields, MailTemplate, Message, Sms};
use crate::tokens::{LinkToken, OneTimeCode};
use crate::unit::Unit;

/// A code and a link to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    /// What they are good for.
    pub purpose: TokenPurpose,
    /// Where they go.
    pub to: Contact,
    /// The mail that carries them, and the type in its link.
    pub mail: (MailTemplate, LinkType),
    /// Where the link leads in the end; allowed already.
    pub redirect_to: String,
}

impl Commands {
    /// Makes a code and a link, notes their hashes with the user, and puts the message into the unit.
    pub(crate) async fn dispatch<E>(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        dispatch: &Dispatch,
    ) -> Result<(), E>
    where
        E: From<UserError> + From<Failure>,
    {
        let settings = self.settings();
        let (length, lifetime, interval) = match &dispatch.to {
            Contact::Email(_) => {
                (settings.mail.otp_length, settings.mail.otp_exp_seconds, settings.mail.max_frequency)
            }
            Contact::Phone(_) => {
                (settings.sms.otp_length, settings.sms.otp_exp_seconds, settings.sms.max_frequency)
            }
        };
        let (now, entropy) = (unit.now(), unit.store().entropy());
        let link = LinkToken::generate(entropy, user);
        let code = match &dispatch.to {
            Contact::Phone(phone) => match settings.sms.test_code(phone.as_str(), now) {
                Some(fixed) => OneTimeCode::fixed(fixed),
                None => OneTimeCode::generate(entropy, length),
            },
            Contact::Email(_) => OneTimeCode::generate(entropy, length),
        };
        let command = UserCommand::IssueOneTimeToken {
            purpose: dispatch.purpose,
            link: matches!(dispatch.to, Contact::Email(_)).then(|| link.hash()),
            code: self.codes().code_hash(user, &code),
            now,
            expires_at: now + std::time::Duration::from_secs(lifetime),
            min_interval_seconds: interval.as_secs(),
        };
        unit.tell_user::<E>(user, command).await?;
        let account = unit.user(user).await?.account().cloned();
        let message = self.message(dispatch, &link, &code, account.as_ref());
        unit.send(Subject::User(user), message);
        Ok(())
    }

    fn message(
        &self,
        dispatch: &Dispatch,
        link: &LinkToken,
        code: &OneTimeCode,
        account: Option<&Account>,
    ) -> Message {
        match &dispatch.to {
            Contact::Phone(phone) => {
                Message::Sms(Sms { to: phone.clone(), text: self.templates().sms_text(code.expose()) })
            }
            Contact::Email(email) => {
                let (template, link_type) = dispatch.mail;
                let current = account.and_then(|a| a.email.as_ref()).map(|e| e.value.to_string());
                Message::Mail(Mail {
                    template,
                    to: email.clone(),
                    fields: MailFields {
                        site_url: self.settings().site.site_url.clone(),
                        confirmation_url: self.links().verification(
                            link_type,
                            link.expose(),
                            &dispatch.redirect_to,
                        ),
                        email: current.unwrap_or_default(),
                        token: code.expose().to_owned(),
                        token_hash: link.expose().to_owned(),
                        redirect_to: dispatch.redirect_to.clone(),
                        data: account.map(|a| a.user_metadata.clone()).unwrap_or_default(),
                        new_email: account
                            .and_then(|a| a.new_email.as_ref())
                            .map(ToString::to_string)
                            .unwrap_or_default(),
                        sending_to: email.to_string(),
                        ..MailFields::default()
                    },
                })
            }
        }
    }
}

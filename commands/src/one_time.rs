//! One-time codes and links: made, noted with the user, and sent by mail or text.

use evident_domain::flow::{CodeChallenge, FlowError, FlowPurpose};
use evident_domain::user::{Account, TokenPurpose, UserCommand, UserError};
use evident_domain::{FlowId, Subject, Time, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::Failure;
use crate::flow::{NewFlow, start_flow};
use crate::messages::{LinkForm, LinkType, Mail, MailFields, MailTemplate, Message, Sms, SmsChannel};
use crate::tokens::{LinkToken, OneTimeCode};
use crate::unit::Unit;

/// For so long the fixed codes of test suites are good, in seconds: long enough for a person at a screen,
/// and not much longer than they stand in the configuration.
const TEST_CODE_LIFETIME: u64 = 3600;

/// A code and a link to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    /// What they are good for.
    pub purpose: TokenPurpose,
    /// Where they go.
    pub to: Contact,
    /// The mail that carries them, and the type in its link.
    pub mail: (MailTemplate, LinkType),
    /// The form of its link, where the protocol has one of its own.
    pub form: Option<LinkForm>,
    /// Where the link leads in the end; allowed already.
    pub redirect_to: String,
    /// The flow that the link goes on with.
    pub flow: Option<FlowId>,
    /// By which way a text message goes.
    pub channel: SmsChannel,
    /// Who sees to it that messages do not follow each other too fast.
    pub pace: Pace,
}

/// Who sees to it that messages do not follow each other too fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The account: it is its own user who asks.
    Account,
    /// The recipient, or nobody: an administrator may.
    Elsewhere,
}

/// A code and a link that were made.
#[derive(Debug)]
pub(crate) struct Issued {
    /// The link's token.
    pub link: LinkToken,
    /// The code.
    pub code: OneTimeCode,
    /// Whether the code is a fixed one: nothing is to be sent.
    pub fixed: bool,
    /// From when on they are refused.
    pub expires_at: Time,
}

impl Commands {
    /// Begins the flow that a link goes on with, where the client gave a challenge.
    pub(crate) async fn mail_flow<E>(
        &self,
        unit: &mut Unit<'_>,
        purpose: FlowPurpose,
        challenge: Option<&CodeChallenge>,
        redirect_to: &str,
    ) -> Result<Option<FlowId>, E>
    where
        E: From<FlowError> + From<Failure>,
    {
        let Some(challenge) = challenge else { return Ok(None) };
        let new = NewFlow {
            purpose,
            provider: None,
            challenge: Some(challenge.clone()),
            redirect_to: redirect_to.to_owned(),
            kept: None,
            lifetime: std::time::Duration::from_secs(self.settings().mail.otp_exp_seconds),
        };
        Ok(Some(start_flow::<E>(unit, new).await?))
    }

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
        if let Contact::Email(email) = &dispatch.to {
            self.check_recipient(email)?;
        }
        let issued = self.issue::<E>(unit, user, dispatch).await?;
        if issued.fixed {
            return Ok(());
        }
        let account = unit.user(user).await?.account().cloned();
        let url = self.action_link(unit, dispatch, &issued.link)?;
        let message = self.message(dispatch, &issued, url, account.as_ref());
        unit.send(Subject::User(user), message);
        Ok(())
    }

    /// Makes a code and a link, and notes their hashes with the user.
    pub(crate) async fn issue<E>(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        dispatch: &Dispatch,
    ) -> Result<Issued, E>
    where
        E: From<UserError> + From<Failure>,
    {
        let settings = self.settings();
        let (now, entropy) = (unit.now(), unit.store().entropy());
        let (length, mut lifetime, interval, fixed) = match &dispatch.to {
            Contact::Email(_) => {
                let mail = &settings.mail;
                (mail.otp_length, mail.otp_exp_seconds, mail.max_frequency, None)
            }
            Contact::Phone(phone) => {
                let sms = &settings.sms;
                (sms.otp_length, sms.otp_exp_seconds, sms.max_frequency, sms.test_code(phone.as_str(), now))
            }
        };
        let link = LinkToken::generate(entropy, user);
        let link = if dispatch.flow.is_some() { link.of_flow() } else { link };
        let code = match fixed {
            Some(fixed) => {
                lifetime = lifetime.max(TEST_CODE_LIFETIME);
                OneTimeCode::fixed(fixed)
            }
            None => OneTimeCode::generate(entropy, length),
        };
        let lifetime = match &dispatch.form {
            Some(form) => form.lifetime,
            None => std::time::Duration::from_secs(lifetime),
        };
        let expires_at = now + lifetime;
        let fixed_until = settings.sms.test_otp_valid_until.filter(|_| fixed.is_some());
        let expires_at = fixed_until.map_or(expires_at, |until| until.min(expires_at));
        let command = UserCommand::IssueOneTimeToken {
            purpose: dispatch.purpose,
            link: matches!(dispatch.to, Contact::Email(_)).then(|| link.hash()),
            code: self.codes().code_hash(user, &code),
            flow: dispatch.flow,
            now,
            expires_at,
            min_interval_seconds: match dispatch.pace {
                Pace::Account => interval.as_secs(),
                Pace::Elsewhere => 0,
            },
        };
        unit.tell_user::<E>(user, command).await?;
        Ok(Issued { link, code, fixed: fixed.is_some(), expires_at })
    }

    /// The link of a mail, at the address by which the request reached us where the owner lists it.
    pub(crate) fn action_link(
        &self,
        unit: &Unit<'_>,
        dispatch: &Dispatch,
        link: &LinkToken,
    ) -> Result<String, Failure> {
        if let Some(form) = &dispatch.form {
            return Ok(form.link(link.expose()));
        }
        let (_, link_type) = dispatch.mail;
        let elsewhere = unit.reached_at().map(|url| self.links().elsewhere(url)).transpose();
        let elsewhere = elsewhere.map_err(|_| Failure::Internal("a listed host makes no link"))?;
        let links = elsewhere.as_ref().unwrap_or_else(|| self.links());
        Ok(links.verification(link_type, link.expose(), &dispatch.redirect_to))
    }

    fn message(
        &self,
        dispatch: &Dispatch,
        issued: &Issued,
        confirmation_url: String,
        account: Option<&Account>,
    ) -> Message {
        let code = issued.code.expose();
        match &dispatch.to {
            Contact::Phone(phone) => {
                let text = self.templates().sms_text(code);
                Message::Sms(Sms {
                    code: code.to_owned(),
                    channel: dispatch.channel,
                    expires_at: Some(issued.expires_at),
                    ..Sms::new(phone.clone(), text)
                })
            }
            Contact::Email(email) => {
                let (template, _) = dispatch.mail;
                let current = account.and_then(|a| a.email.as_ref()).map(|e| e.value.to_string());
                Message::Mail(Mail {
                    template,
                    to: email.clone(),
                    fields: MailFields {
                        site_url: self.settings().site.site_url.clone(),
                        confirmation_url,
                        email: current.unwrap_or_default(),
                        token: code.to_owned(),
                        token_hash: issued.link.expose().to_owned(),
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

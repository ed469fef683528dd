//! Mails.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use super::Secret;
use crate::messages::{
    LinkPaths, MailTemplate, SmtpLogin, SmtpSettings, SmtpTls, TemplateError, TemplateSource,
};

/// How long one mail may take on its way to the server.
const SMTP_TIMEOUT: Duration = Duration::from_secs(15);

/// Mails.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The server that takes them.
    pub smtp: SmtpServer,
    /// The address that they come from.
    pub admin_email: String,
    /// The name that they come from.
    pub sender_name: Option<String>,
    /// Further headers, name and value; `$messageType` in a value becomes the template's name.
    pub headers: Vec<(String, String)>,
    /// How long links and codes are good, in seconds.
    pub otp_exp_seconds: u64,
    /// How many digits a code has, 6 to 10.
    pub otp_length: usize,
    /// Between two mails of one kind to one person so much time passes.
    pub max_frequency: Duration,
    /// Own subjects and bodies.
    pub texts: MailTexts,
    /// Where links lead, below the external address.
    pub url_paths: LinkPaths,
    /// Whoever opens a link is asked on a page of the server's whether to go on, so that programs which open
    /// links to look at them use none up.
    pub links_ask_first: bool,
    /// Which changes people are told of.
    pub notifications: MailNotifications,
    /// The only addresses that get mails; empty: all do. What stands after a plus is no part of them.
    pub authorized_addresses: Vec<String>,
    /// Addresses that nobody can have get no mail.
    pub extended_validation: bool,
    /// The largest template that is fetched, in bytes.
    pub template_max_size: usize,
    /// How long a fetched template is good.
    pub template_max_age: Duration,
    /// After how long a template is tried again that could not be fetched.
    pub template_retry_interval: Duration,
    /// Hosts that links may name in place of the external address's, when a request came by them.
    pub external_hosts: Vec<String>,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            smtp: SmtpServer::default(),
            admin_email: "noreply@localhost".to_owned(),
            sender_name: None,
            headers: Vec::new(),
            otp_exp_seconds: 86_400,
            otp_length: 6,
            max_frequency: Duration::from_secs(60),
            texts: MailTexts::default(),
            url_paths: LinkPaths::default(),
            links_ask_first: false,
            notifications: MailNotifications::default(),
            authorized_addresses: Vec::new(),
            extended_validation: false,
            template_max_size: 1_000_000,
            template_max_age: Duration::from_secs(600),
            template_retry_interval: Duration::from_secs(10),
            external_hosts: Vec::new(),
        }
    }
}

/// Which changes of an account its person is told of. None by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the owner's, none excludes another")]
pub struct MailNotifications {
    /// Another password.
    pub password_changed: bool,
    /// Another address; the old one is told.
    pub email_changed: bool,
    /// Another number.
    pub phone_changed: bool,
    /// A way to sign in was added.
    pub identity_linked: bool,
    /// A way to sign in was removed.
    pub identity_unlinked: bool,
    /// A second factor was added.
    pub mfa_factor_enrolled: bool,
    /// A second factor was removed.
    pub mfa_factor_unenrolled: bool,
}

impl MailNotifications {
    /// Whether a mail that tells of a change is wanted.
    pub fn wants(&self, template: MailTemplate) -> bool {
        match template {
            MailTemplate::PasswordChangedNotification => self.password_changed,
            MailTemplate::EmailChangedNotification => self.email_changed,
            MailTemplate::PhoneChangedNotification => self.phone_changed,
            MailTemplate::IdentityLinkedNotification => self.identity_linked,
            MailTemplate::IdentityUnlinkedNotification => self.identity_unlinked,
            MailTemplate::MfaFactorEnrolledNotification => self.mfa_factor_enrolled,
            MailTemplate::MfaFactorUnenrolledNotification => self.mfa_factor_unenrolled,
            MailTemplate::Invite
            | MailTemplate::Confirmation
            | MailTemplate::Recovery
            | MailTemplate::MagicLink
            | MailTemplate::EmailChange
            | MailTemplate::Reauthentication
            | MailTemplate::DeleteAccount
            | MailTemplate::OrganizationInvitation => true,
        }
    }
}

/// The mail server.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// Its name or address; none: mails become files in the data folder.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// Who we are to it.
    pub user: Option<String>,
    /// The password that goes with the user.
    pub password: Option<Secret>,
    /// The encryption.
    pub tls: SmtpTls,
    /// A file with certificates (PEM) that are trusted besides the usual ones.
    pub ca_file: Option<PathBuf>,
}

impl SmtpServer {
    /// What the mailer needs; none without a host.
    pub fn connection(&self) -> Option<SmtpSettings> {
        let login = self.user.as_ref().map(|user| SmtpLogin {
            user: user.clone(),
            password: Zeroizing::new(
                self.password.as_ref().map(Secret::expose).unwrap_or_default().to_owned(),
            ),
        });
        Some(SmtpSettings {
            host: self.host.clone()?,
            port: self.port,
            login,
            tls: self.tls,
            ca_file: self.ca_file.clone(),
            timeout: SMTP_TIMEOUT,
        })
    }
}

impl Default for SmtpServer {
    fn default() -> Self {
        Self { host: None, port: 587, user: None, password: None, tls: SmtpTls::default(), ca_file: None }
    }
}

/// Own subjects and bodies of mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailTexts {
    /// An administrator invites somebody.
    pub invite: TemplateText,
    /// A new account's address is to be confirmed.
    pub confirmation: TemplateText,
    /// A password was forgotten.
    pub recovery: TemplateText,
    /// Sign-in without a password.
    pub magic_link: TemplateText,
    /// The address is to change.
    pub email_change: TemplateText,
    /// A code before a sensitive change.
    pub reauthentication: TemplateText,
    /// The account is to be deleted.
    pub delete_account: TemplateText,
    /// The password was changed.
    pub password_changed_notification: TemplateText,
    /// The address was changed.
    pub email_changed_notification: TemplateText,
    /// The number was changed.
    pub phone_changed_notification: TemplateText,
    /// A way to sign in was added.
    pub identity_linked_notification: TemplateText,
    /// A way to sign in was removed.
    pub identity_unlinked_notification: TemplateText,
    /// A second factor was added.
    pub mfa_factor_enrolled_notification: TemplateText,
    /// A second factor was removed.
    pub mfa_factor_unenrolled_notification: TemplateText,
    /// A member of an organization invites somebody.
    pub organization_invitation: TemplateText,
}

/// What stands in place of one built-in mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateText {
    /// The subject, in Go's template syntax.
    pub subject: Option<String>,
    /// The body: a file, or a web address, whole or relative to the application's.
    pub body: Option<String>,
}

impl MailTexts {
    /// What the templates are loaded from, and what cannot be used: the built-in mail stands in for it.
    /// Relative web addresses are below the application's.
    pub fn sources(&self, site_url: &str) -> (BTreeMap<MailTemplate, TemplateSource>, Vec<TemplateError>) {
        let (mut sources, mut refused) = (BTreeMap::new(), Vec::new());
        for (template, text) in [
            (MailTemplate::Invite, &self.invite),
            (MailTemplate::Confirmation, &self.confirmation),
            (MailTemplate::Recovery, &self.recovery),
            (MailTemplate::MagicLink, &self.magic_link),
            (MailTemplate::EmailChange, &self.email_change),
            (MailTemplate::Reauthentication, &self.reauthentication),
            (MailTemplate::DeleteAccount, &self.delete_account),
            (MailTemplate::PasswordChangedNotification, &self.password_changed_notification),
            (MailTemplate::EmailChangedNotification, &self.email_changed_notification),
            (MailTemplate::PhoneChangedNotification, &self.phone_changed_notification),
            (MailTemplate::IdentityLinkedNotification, &self.identity_linked_notification),
            (MailTemplate::IdentityUnlinkedNotification, &self.identity_unlinked_notification),
            (MailTemplate::MfaFactorEnrolledNotification, &self.mfa_factor_enrolled_notification),
            (MailTemplate::MfaFactorUnenrolledNotification, &self.mfa_factor_unenrolled_notification),
            (MailTemplate::OrganizationInvitation, &self.organization_invitation),
        ] {
            let mut source = TemplateSource::default();
            if let Some(subject) = &text.subject {
                source = source.with_subject(subject);
            }
            if let Some(body) = &text.body {
                match source.clone().with_location(body, site_url) {
                    Ok(with_body) => source = with_body,
                    Err(error) => refused.push(error),
                }
            }
            sources.insert(template, source);
        }
        (sources, refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_host_there_is_no_mail_server() {
        assert!(SmtpServer::default().connection().is_none());
        let server = SmtpServer { host: Some("mail.example.com".to_owned()), ..SmtpServer::default() };
        let connection = server.connection().unwrap();
        assert_eq!((connection.host.as_str(), connection.port), ("mail.example.com", 587));
        assert!(connection.login.is_none());
    }

    #[test]
    fn a_template_is_a_file_or_behind_a_web_address() {
        let mut texts = MailTexts::default();
        texts.recovery.subject = Some("Come back".to_owned());
        texts.recovery.body = Some("https://example.com/mail.html".to_owned());
        texts.invite.body = Some("/templates/invite.html".to_owned());
        texts.confirmation.body = Some("http://[".to_owned());
        let (sources, refused) = texts.sources("https://app.example.com/start");
        let with = |subject: Option<&str>, url: &str| {
            let source = TemplateSource::default();
            let source = subject.map_or(source.clone(), |subject| source.with_subject(subject));
            source.with_location(url, "https://unused.example.com").unwrap()
        };
        assert_eq!(
            sources[&MailTemplate::Recovery],
            with(Some("Come back"), "https://example.com/mail.html")
        );
        assert_eq!(
            sources[&MailTemplate::Invite],
            with(None, "https://app.example.com/templates/invite.html")
        );
        assert!(matches!(refused[..], [TemplateError::Location(_)]));
    }

    #[test]
    fn debug_shows_no_password() {
        let server = SmtpServer { password: Some(Secret::new("hunter2")), ..SmtpServer::default() };
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}

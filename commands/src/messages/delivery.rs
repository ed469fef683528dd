//! What carries messages, and what can go wrong on the way.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use evident_domain::Time;
use uuid::Uuid;

use super::{Mail, Message, Sms};

/// What identifies one message across retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slip {
    /// The message's own id; it becomes part of the Message-ID and of file names.
    pub id: Uuid,
    /// When it was put into the outbox.
    pub queued_at: Time,
}

/// Carries any message.
#[async_trait]
pub trait MessagePort: Send + Sync + Debug {
    /// Delivers a message, or says whether it is worth another try. Delivering the same slip twice is
    /// harmless where the way allows to notice it.
    async fn deliver(&self, slip: &Slip, message: &Message) -> Result<(), DeliveryError>;
}

/// Carries mails.
#[async_trait]
pub trait MailPort: Send + Sync + Debug {
    /// Delivers a mail.
    async fn deliver_mail(&self, slip: &Slip, mail: &Mail) -> Result<(), DeliveryError>;
}

/// Carries text messages.
#[async_trait]
pub trait SmsPort: Send + Sync + Debug {
    /// Delivers a text message.
    async fn deliver_sms(&self, slip: &Slip, sms: &Sms) -> Result<(), DeliveryError>;
}

/// Gives each message to the carrier of its kind.
#[derive(Debug, Clone)]
pub struct Carriers {
    /// Carries mails.
    pub mail: Arc<dyn MailPort>,
    /// Carries text messages.
    pub sms: Arc<dyn SmsPort>,
}

#[async_trait]
impl MessagePort for Carriers {
    async fn deliver(&self, slip: &Slip, message: &Message) -> Result<(), DeliveryError> {
        match message {
            Message::Mail(mail) => self.mail.deliver_mail(slip, mail).await,
            Message::Sms(sms) => self.sms.deliver_sms(slip, sms).await,
        }
    }
}

/// A message was not delivered. Neither addresses nor contents appear here, so that it can be logged.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Another try may help.
    #[error("not delivered for now: {0}")]
    Transient(#[source] Failure),
    /// Another try cannot help.
    #[error("not deliverable: {0}")]
    Permanent(#[source] Failure),
}

impl DeliveryError {
    /// Whether another try may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient(_))
    }
}

/// Why a message was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The mail server refused.
    #[error("the mail server answered {code} {status}")]
    Refused {
        /// The reply code (RFC 5321).
        code: u16,
        /// The enhanced status (RFC 3463), `-` when there was none.
        status: String,
    },
    /// The mail server refused the user name and password, or wants some.
    #[error("the mail server does not accept the SMTP user or password ({0})")]
    Login(u16),
    /// The mail server offers no encryption, and the setting asks for it.
    #[error(
        "the mail server offers no STARTTLS; mail leaves without encryption only if SMTP TLS is set to off"
    )]
    Unencrypted,
    /// The mail server wants a password over a connection that is not encrypted.
    #[error("the SMTP password is not sent without encryption unless SMTP TLS is set to off")]
    PlainPassword,
    /// The encryption failed: mostly a certificate that is not trusted.
    #[error("no encrypted connection to the mail server: {0}")]
    Tls(String),
    /// The connection failed.
    #[error("no connection to the mail server: {0}")]
    Connection(String),
    /// Nobody answered in time.
    #[error("the mail server did not answer in time")]
    Timeout,
    /// The recipient's address cannot stand in a mail.
    #[error("the recipient's address cannot stand in a mail")]
    Recipient,
    /// The mail cannot be written.
    #[error("the mail cannot be written")]
    Unwritable,
    /// The template failed.
    #[error("the template failed")]
    Template,
    /// A file cannot be written.
    #[error("the message's file cannot be written: {0}")]
    File(#[from] std::io::Error),
}

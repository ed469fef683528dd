//! What carries messages, and what can go wrong on the way.

use std::{fmt::Debug, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use evident_domain::{Time, UserId};
use uuid::Uuid;

use super::{Mail, MailPair, Message, Sms};

/// What identifies one message across retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slip {
    /// The message's own id; it becomes part of the Message-ID and of file names.
    pub id: Uuid,
    /// When it was put into the outbox.
    pub queued_at: Time,
    /// Whom it is about.
    pub user: Option<UserId>,
    /// Where the request came from that caused it.
    pub ip: Option<IpAddr>,
}

impl Slip {
    /// What identifies the second of two messages that were put into the outbox as one.
    pub(super) fn second(&self) -> Self {
        Self { id: Uuid::from_u128(self.id.as_u128() ^ 1), ..*self }
    }
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

    /// Delivers two mails that belong together.
    async fn deliver_pair(&self, slip: &Slip, pair: &MailPair) -> Result<(), DeliveryError> {
        self.deliver_mail(slip, &pair.new).await?;
        self.deliver_mail(&slip.second(), &pair.current).await
    }
}

/// Carries text messages.
#[async_trait]
pub trait SmsPort: Send + Sync + Debug {
    /// Delivers a text message.
    async fn deliver_sms(&self, slip: &Slip, sms: &Sms) -> Result<(), DeliveryError>;
}

/// Tells of accounts.
#[async_trait]
pub trait AccountPort: Send + Sync + Debug {
    /// Tells that the account of the slip was made.
    async fn deliver_user_created(&self, slip: &Slip) -> Result<(), DeliveryError>;
}

/// Gives each message to the carrier of its kind.
#[derive(Debug, Clone)]
pub struct Carriers {
    /// Carries mails.
    pub mail: Arc<dyn MailPort>,
    /// Carries text messages.
    pub sms: Arc<dyn SmsPort>,
    /// Tells of accounts; none where nobody wants to know.
    pub accounts: Option<Arc<dyn AccountPort>>,
}

#[async_trait]
impl MessagePort for Carriers {
    async fn deliver(&self, slip: &Slip, message: &Message) -> Result<(), DeliveryError> {
        match message {
            Message::Mail(mail) => self.mail.deliver_mail(slip, mail).await,
            Message::MailPair(pair) => self.mail.deliver_pair(slip, pair).await,
            Message::Sms(sms) => self.sms.deliver_sms(slip, sms).await,
            Message::UserCreated {} => match &self.accounts {
                Some(accounts) => accounts.deliver_user_created(slip).await,
                None => Ok(()),
            },
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
    /// The text message service refused.
    #[error("the text message service {provider} answered {status} {code}")]
    SmsRefused {
        /// Which service.
        provider: &'static str,
        /// The HTTP status.
        status: u16,
        /// The service's own number for it, `-` when there was none.
        code: String,
    },
    /// The text message service did not answer.
    #[error("no answer of the text message service: {0}")]
    SmsUnreachable(String),
    /// The hook that should carry it does not.
    #[error("the hook failed: {0}")]
    Hook(String),
    /// The account that it is about cannot be read.
    #[error("the account that it is about cannot be read")]
    Unreadable,
    /// A file cannot be written.
    #[error("the message's file cannot be written: {0}")]
    File(#[from] std::io::Error),
}

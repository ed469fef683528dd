//! Mail and SMS: what is to be sent, how it reads, where its links lead, and what carries it.
//!
//! A use case puts a [`Message`] into the outbox, in the same transaction as its events. Later a worker
//! hands it to a [`MessagePort`], which renders and delivers it. Nothing is rendered before that, so a
//! mended template helps mails that already wait.

mod builtin;
mod delivery;
mod files;
mod go;
mod html;
mod letter;
mod links;
mod message;
pub mod redirect;
pub mod sms;
mod smtp;
mod templates;

pub use delivery::{AccountPort, Carriers, DeliveryError, Failure, MailPort, MessagePort, Slip, SmsPort};
pub use files::{EmlFiles, SmsFiles};
pub use go::GoError;
pub use letter::{Letterhead, LetterheadError};
pub use links::{LinkError, LinkForm, LinkPaths, LinkType, Links};
pub use message::{Mail, MailFields, MailPair, MailTemplate, Message, Queued, Sms, SmsChannel, SmsUse};
pub use redirect::{RedirectError, RedirectPolicy};
pub use smtp::{SmtpLogin, SmtpMailer, SmtpSettings, SmtpTls};
pub use templates::{RemoteTemplates, RenderedMail, TemplateError, TemplateSource, Templates};

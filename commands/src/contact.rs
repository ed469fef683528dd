//! Finding people by their address or number.

use evident_domain::contact::{EmailError, PhoneError};
use evident_domain::user::Account;
use evident_domain::{Claim, ClaimKind, Email, Phone, UserId};
use evident_eventstore::EventStore;

use crate::Commands;
use crate::execute::Failure;
use crate::messages::SmsChannel;

/// The services that carry WhatsApp messages.
const WHATSAPP_PROVIDERS: [&str; 2] = ["twilio", "twilio_verify"];

/// How a person is addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// By mail.
    Email(Email),
    /// By phone.
    Phone(Phone),
}

impl Contact {
    /// The normalized text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
        }
    }

    /// The provider whose identity it is: `email` or `phone`.
    pub fn provider(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    /// Whether an account has shown that it is its own.
    pub fn is_confirmed_in(&self, account: &Account) -> bool {
        match self {
            Self::Email(email) => {
                account.email.as_ref().is_some_and(|own| own.confirmed && own.value == *email)
            }
            Self::Phone(phone) => {
                account.phone.as_ref().is_some_and(|own| own.confirmed && own.value == *phone)
            }
        }
    }

    /// The unique claim on it.
    pub fn claim(&self) -> Claim {
        let kind = match self {
            Self::Email(_) => ClaimKind::Email,
            Self::Phone(_) => ClaimKind::Phone,
        };
        Claim { kind, value: self.as_str().to_owned() }
    }

    /// Whose it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn owner(&self, store: &EventStore) -> Result<Option<UserId>, Failure> {
        Ok(store.holder(&self.claim()).await?.map(UserId))
    }

    /// Whether it is somebody else's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_taken_from(&self, user: UserId, store: &EventStore) -> Result<bool, Failure> {
        Ok(self.owner(store).await?.is_some_and(|owner| owner != user))
    }
}

/// The address and number that a request wants for an account; empty texts count as none.
pub(crate) fn wanted<E>(email: Option<&str>, phone: Option<&str>) -> Result<(Option<Email>, Option<Phone>), E>
where
    E: From<EmailError> + From<PhoneError>,
{
    let email = email.filter(|text| !text.is_empty()).map(Email::parse).transpose()?;
    let phone = phone.filter(|text| !text.is_empty()).map(Phone::parse).transpose()?;
    Ok((email, phone))
}

/// The name of a channel that text messages do not go by here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("text messages do not go by this channel")]
pub struct UnknownChannel;

impl Commands {
    /// The channel that a caller names for a text message; an empty name is `sms`. WhatsApp takes a service
    /// that knows it; a hook gets any.
    ///
    /// # Errors
    /// When messages do not go by it here.
    pub fn sms_channel(&self, name: &str) -> Result<SmsChannel, UnknownChannel> {
        let channel = if name.is_empty() { Some(SmsChannel::Sms) } else { SmsChannel::from_name(name) };
        if self.hooks().sends_texts() {
            return Ok(channel.unwrap_or_default());
        }
        let provider = self.settings().sms.provider.as_deref().unwrap_or_default();
        match channel {
            Some(SmsChannel::Sms) => Ok(SmsChannel::Sms),
            Some(SmsChannel::Whatsapp) if WHATSAPP_PROVIDERS.contains(&provider) => Ok(SmsChannel::Whatsapp),
            Some(SmsChannel::Whatsapp) | None => Err(UnknownChannel),
        }
    }
}

/// What a caller gave to say who they are: nothing, one of the two, or both.
#[derive(Debug, Clone, Default)]
pub struct GivenContact {
    /// The text given as e-mail address; empty counts as none.
    pub email: String,
    /// The text given as phone number; empty counts as none.
    pub phone: String,
}

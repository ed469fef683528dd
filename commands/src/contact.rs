//! Finding people by their address or number.

use evident_domain::{Claim, ClaimKind, Email, Phone, UserId};
use evident_eventstore::{EventStore, StoreError};

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
    pub async fn owner(&self, store: &EventStore) -> Result<Option<UserId>, StoreError> {
        Ok(store.holder(&self.claim()).await?.map(UserId))
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

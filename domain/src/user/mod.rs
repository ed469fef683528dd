//! A person's account: contact, credentials, identities, bans, metadata.

mod command;
mod decide;
mod error;
mod event;
pub mod factor;
pub mod passkey;
mod state;
mod tokens;
pub mod two_factor;
pub mod username;
mod ways_in;

pub use command::{Agreement, Arrival, Confirmed, Proof, SignUp, UnprovenPassword, UserCommand, WaysInLeft};
pub use error::UserError;
pub use event::{UserEvent, passkey_claim, username_claim};
pub use state::{
    Account, Ban, Contact, EmailChangeState, Guesses, IdentityState, MAX_MISSES, MAX_MISSES_A_DAY,
    OneTimeToken, User,
};

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::root::Root;
use crate::{Event, IdentityId, Metadata, StreamKind, Subject, Time, UserId};

described! {
    /// How an account came to be.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SignUpMethod {
        /// The person chose a password.
        Password,
        /// An administrator made it.
        Admin,
        /// The person was invited.
        Invited,
        /// It was taken over from another server.
        Imported,
        /// The person came by a code or link.
        OneTimeToken,
        /// The person came by another provider.
        External,
        /// Nobody is known behind it.
        Anonymous,
    }
}

described! {
    /// What a one-time code or link is good for. One of each is alive at most.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum TokenPurpose {
        /// To confirm the address the account has.
        EmailConfirmation,
        /// To confirm the number the account has.
        PhoneConfirmation,
        /// To accept an invitation.
        Invitation,
        /// To get in again without a password, by mail.
        Recovery,
        /// To confirm a new address, from that address.
        EmailChangeNew,
        /// To confirm a new address, from the old one.
        EmailChangeCurrent,
        /// To confirm a new number.
        PhoneChange,
        /// To confirm that the user is who signed in.
        Reauthentication,
        /// To confirm that the account is to be deleted.
        AccountDeletion,
    }
}

impl TokenPurpose {
    /// Whether using it is only a step of something that asks for more: the other address, too, or the
    /// change for which the user was asked again. Only the token itself is used up then.
    pub const fn is_one_step_of_several(self) -> bool {
        match self {
            Self::EmailChangeNew
            | Self::EmailChangeCurrent
            | Self::Reauthentication
            | Self::AccountDeletion => true,
            Self::EmailConfirmation
            | Self::PhoneConfirmation
            | Self::Invitation
            | Self::Recovery
            | Self::PhoneChange => false,
        }
    }

    /// Whether somebody else than who signed up may have asked for it: then a password that was set
    /// before the address was confirmed may be a stranger's.
    pub const fn vouches_for_no_password(self) -> bool {
        match self {
            Self::Invitation | Self::Recovery => true,
            Self::EmailConfirmation
            | Self::PhoneConfirmation
            | Self::EmailChangeNew
            | Self::EmailChangeCurrent
            | Self::PhoneChange
            | Self::Reauthentication
            | Self::AccountDeletion => false,
        }
    }
}

/// An identity to be linked.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityData {
    /// Its id.
    pub id: IdentityId,
    /// `email`, `phone`, `google` …
    pub provider: String,
    /// What the provider calls the user.
    pub provider_id: String,
    /// What the provider tells of the user.
    pub data: Metadata,
}

impl Root for User {
    const KIND: StreamKind = StreamKind::User;

    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        User::decide(self, command)
    }

    fn fold(&mut self, event: &UserEvent) {
        User::fold(self, event);
    }

    fn own(event: &Event) -> Option<&UserEvent> {
        if let Event::User(event) = event { Some(event) } else { None }
    }

    fn subject(&self, id: Uuid, _: Time) -> Subject {
        Subject::User(UserId(id))
    }
}

impl Aggregate for User {
    const TYPE: &'static str = "user";
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.fold(&event);
    }
}

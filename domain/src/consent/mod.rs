//! What a user granted to a client: the scopes, until they are taken back.

mod command;
mod error;
mod event;

pub use command::ConsentCommand;
pub use error::ConsentError;
pub use event::ConsentEvent;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::root::Root;
use crate::{ClientId, ConsentId, Event, Scopes, StreamKind, Subject, Time, UserId};

impl ConsentId {
    /// The id of what a user granted to a client: there is one for each pair, and it follows from both.
    pub fn of(user: UserId, client: ClientId) -> Self {
        let digest = Sha256::new()
            .chain_update(b"consent")
            .chain_update(user.0.as_bytes())
            .chain_update(client.0.as_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        // Version 8: an id of the application's own making (RFC 9562, section 5.8).
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// A consent's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Consent {
    /// No event yet.
    #[default]
    Absent,
    /// Granted.
    Given(Given),
    /// Taken back.
    Revoked {
        /// Whose it was.
        user: UserId,
    },
}

/// What is granted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// By whom.
    pub user: UserId,
    /// To whom.
    pub client: ClientId,
    /// What.
    pub scopes: Scopes,
}

impl Consent {
    /// Whether all of these scopes are granted.
    pub fn covers(&self, scopes: &Scopes) -> bool {
        match self {
            Self::Given(given) => given.scopes.cover(scopes),
            Self::Absent | Self::Revoked { .. } => false,
        }
    }
}

impl Root for Consent {
    const KIND: StreamKind = StreamKind::Consent;

    fn decide(&self, command: ConsentCommand) -> Result<Vec<ConsentEvent>, ConsentError> {
        match (self, command) {
            (Self::Given(given), ConsentCommand::Give { scopes, .. }) if given.scopes.cover(&scopes) => {
                Ok(Vec::new())
            }
            (Self::Given(given), ConsentCommand::Give { user, client, scopes, now }) => {
                let scopes = given.scopes.clone().with(&scopes);
                Ok(vec![ConsentEvent::Given { user, client, scopes, given_at: now }])
            }
            (Self::Absent | Self::Revoked { .. }, ConsentCommand::Give { user, client, scopes, now }) => {
                Ok(vec![ConsentEvent::Given { user, client, scopes, given_at: now }])
            }
            (Self::Given(given), ConsentCommand::Revoke) => {
                Ok(vec![ConsentEvent::Revoked { user: given.user, client: given.client }])
            }
            (Self::Absent | Self::Revoked { .. }, ConsentCommand::Revoke) => Err(ConsentError::NotGiven),
        }
    }

    fn fold(&mut self, event: &ConsentEvent) {
        *self = match event {
            ConsentEvent::Given { user, client, scopes, .. } => {
                Self::Given(Given { user: *user, client: *client, scopes: scopes.clone() })
            }
            ConsentEvent::Revoked { user, .. } => Self::Revoked { user: *user },
        };
    }

    fn own(event: &Event) -> Option<&ConsentEvent> {
        if let Event::Consent(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        match self {
            Self::Given(Given { user, .. }) | Self::Revoked { user } => Subject::User(*user),
            Self::Absent => Subject::period_of(now),
        }
    }
}

impl Aggregate for Consent {
    const TYPE: &'static str = "consent";
    type Command = ConsentCommand;
    type Event = ConsentEvent;
    type Error = ConsentError;
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

//! An OAuth client: an application that users let act with a part of what they may (RFC 6749).

mod command;
mod details;
mod error;
mod event;
mod redirect_uri;

pub use command::ClientCommand;
pub use details::{
    AuthMethod, ClientDetails, ClientDraft, ClientType, DetailsError, GrantType, LONGEST_NAME,
    MOST_REDIRECT_URIS, Page,
};
pub use error::ClientError;
pub use event::ClientEvent;
pub use redirect_uri::{RedirectUri, RedirectUriError};

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::root::Root;
use crate::{Event, StreamKind, Subject, Time, TokenHash};

described! {
    /// How a client came to be known.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Registration {
        /// An administrator made it.
        Manual,
        /// It registered itself (RFC 7591).
        Dynamic,
    }
}

impl Registration {
    /// The name on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Dynamic => "dynamic",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Manual, Self::Dynamic].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A client's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Client {
    /// No event yet.
    #[default]
    Absent,
    /// Known.
    Registered(Box<RegisteredClient>),
    /// Gone.
    Deleted,
}

/// A client that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisteredClient {
    /// What is known of it.
    pub details: ClientDetails,
    /// The hash of its secret, where it keeps one.
    pub secret: Option<TokenHash>,
}

impl RegisteredClient {
    /// Whether codes may be sent to an address: one of its own, character by character.
    pub fn redirect_uri(&self, text: &str) -> Option<&RedirectUri> {
        self.details.redirect_uris.iter().find(|uri| uri.as_str() == text)
    }

    /// Whether it may exchange something of this kind for tokens.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.details.grant_types.contains(&grant)
    }
}

impl Client {
    /// The client, where it is known.
    pub fn registered(&self) -> Option<&RegisteredClient> {
        match self {
            Self::Registered(client) => Some(client),
            Self::Absent | Self::Deleted => None,
        }
    }
}

impl Root for Client {
    const KIND: StreamKind = StreamKind::Client;

    fn decide(&self, command: ClientCommand) -> Result<Vec<ClientEvent>, ClientError> {
        match (self, command) {
            (Self::Absent, ClientCommand::Register { registration, details, secret, now }) => {
                let secret = (details.client_type() == ClientType::Confidential).then_some(secret);
                Ok(vec![ClientEvent::Registered { registration, details, secret, registered_at: now }])
            }
            (_, ClientCommand::Register { .. }) => Err(ClientError::AlreadyRegistered),
            (Self::Registered(client), ClientCommand::Update { draft, now }) => {
                let details = client.details.clone().with(draft)?;
                let same = details == client.details;
                Ok(if same { Vec::new() } else { vec![ClientEvent::Updated { details, at: now }] })
            }
            (Self::Registered(client), ClientCommand::RegenerateSecret { secret, now }) => {
                match client.details.client_type() {
                    ClientType::Public => Err(ClientError::Public),
                    ClientType::Confidential => Ok(vec![ClientEvent::SecretRegenerated { secret, at: now }]),
                }
            }
            (Self::Registered(_), ClientCommand::Delete) => Ok(vec![ClientEvent::Deleted {}]),
            (Self::Absent | Self::Deleted, _) => Err(ClientError::NotFound),
        }
    }

    fn fold(&mut self, event: &ClientEvent) {
        match (&mut *self, event) {
            (_, ClientEvent::Registered { details, secret, .. }) => {
                *self = Self::Registered(Box::new(RegisteredClient {
                    details: details.clone(),
                    secret: secret.clone(),
                }));
            }
            (Self::Registered(client), ClientEvent::Updated { details, .. }) => {
                client.details = details.clone();
            }
            (Self::Registered(client), ClientEvent::SecretRegenerated { secret, .. }) => {
                client.secret = Some(secret.clone());
            }
            (_, ClientEvent::Deleted {}) => *self = Self::Deleted,
            (
                Self::Absent | Self::Deleted,
                ClientEvent::Updated { .. } | ClientEvent::SecretRegenerated { .. },
            ) => {}
        }
    }

    fn own(event: &Event) -> Option<&ClientEvent> {
        if let Event::Client(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        Subject::period_of(now)
    }
}

impl Aggregate for Client {
    const TYPE: &'static str = "client";
    type Command = ClientCommand;
    type Event = ClientEvent;
    type Error = ClientError;
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

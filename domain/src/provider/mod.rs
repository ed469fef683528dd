//! A provider to sign in with that an administrator registered while the server runs.

mod command;
mod error;
mod event;

pub use command::ProviderCommand;
pub use error::ProviderError;
pub use event::ProviderEvent;

use std::collections::BTreeMap;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::root::Root;
use crate::{Event, Metadata, StreamKind, Subject, Time};

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OAuth 2.0, and a document about the user (RFC 6749).
    Oauth2,
    /// OpenID Connect.
    Oidc,
}

impl ProviderKind {
    /// The name in requests and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oauth2 => "oauth2",
            Self::Oidc => "oidc",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Oauth2, Self::Oidc].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// All that may be shown of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the administrator's, none excludes another"
)]
pub struct ProviderDefinition {
    /// What it speaks.
    pub kind: ProviderKind,
    /// What people call it.
    pub name: String,
    /// The client that is registered there.
    pub client_id: String,
    /// Further clients whose ID tokens are taken.
    pub acceptable_client_ids: Vec<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// It knows PKCE (RFC 7636).
    pub pkce_enabled: bool,
    /// Under which names its claims are kept: a text names another claim, anything else is the value.
    pub attribute_mapping: Metadata,
    /// Claims that are kept under their own names.
    pub custom_claims_allowlist: Vec<String>,
    /// What is sent along with everybody.
    pub authorization_params: BTreeMap<String, String>,
    /// People may come by it.
    pub enabled: bool,
    /// People may come without an e-mail address.
    pub email_optional: bool,
    /// Its issuer.
    pub issuer: Option<String>,
    /// Where its discovery document is, if not where its issuer says.
    pub discovery_url: Option<String>,
    /// ID tokens are taken without a nonce.
    pub skip_nonce_check: bool,
    /// Where people are sent.
    pub authorization_url: Option<String>,
    /// Where codes are exchanged.
    pub token_url: Option<String>,
    /// Where the document about the user is.
    pub userinfo_url: Option<String>,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
}

/// A secret, enciphered by whoever stores it: the log never sees it in clear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedSecret(…)")
    }
}

/// A provider's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provider {
    /// No event yet.
    #[default]
    Absent,
    /// Registered.
    Registered(Box<Registration>),
    /// Removed.
    Removed,
}

/// A registered provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The name in requests and identities: `custom:intranet`.
    pub identifier: String,
    /// What may be shown.
    pub definition: ProviderDefinition,
    /// The secret of the client.
    pub client_secret: SealedSecret,
}

impl Root for Provider {
    const KIND: StreamKind = StreamKind::Provider;

    fn decide(&self, command: ProviderCommand) -> Result<Vec<ProviderEvent>, ProviderError> {
        match (self, command) {
            (Self::Absent, ProviderCommand::Register(registration)) => {
                let Registration { identifier, definition, client_secret } = *registration;
                Ok(vec![ProviderEvent::Registered { identifier, definition, client_secret }])
            }
            (_, ProviderCommand::Register(_)) => Err(ProviderError::AlreadyRegistered),
            (Self::Registered(known), ProviderCommand::Change { definition, client_secret }) => {
                if known.definition == *definition && client_secret.is_none() {
                    return Ok(Vec::new());
                }
                if known.definition.kind != definition.kind {
                    return Err(ProviderError::OtherKind);
                }
                Ok(vec![ProviderEvent::Changed { definition: *definition, client_secret }])
            }
            (Self::Registered(_), ProviderCommand::Remove) => Ok(vec![ProviderEvent::Removed {}]),
            (Self::Absent | Self::Removed, _) => Err(ProviderError::NotFound),
        }
    }

    fn fold(&mut self, event: &ProviderEvent) {
        match (&mut *self, event) {
            (_, ProviderEvent::Registered { identifier, definition, client_secret }) => {
                *self = Self::Registered(Box::new(Registration {
                    identifier: identifier.clone(),
                    definition: definition.clone(),
                    client_secret: client_secret.clone(),
                }));
            }
            (Self::Registered(known), ProviderEvent::Changed { definition, client_secret }) => {
                known.definition = definition.clone();
                if let Some(secret) = client_secret {
                    known.client_secret = secret.clone();
                }
            }
            (_, ProviderEvent::Removed {}) => *self = Self::Removed,
            (Self::Absent | Self::Removed, ProviderEvent::Changed { .. }) => {}
        }
    }

    fn own(event: &Event) -> Option<&ProviderEvent> {
        if let Event::Provider(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        Subject::period_of(now)
    }
}

impl Aggregate for Provider {
    const TYPE: &'static str = "provider";
    type Command = ProviderCommand;
    type Event = ProviderEvent;
    type Error = ProviderError;
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

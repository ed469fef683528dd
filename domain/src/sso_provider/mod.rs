//! The identity provider of an organization, as administrators describe it (SAML). Its domains, its entity
//! id and its name are unique over all providers.

mod command;
mod error;
mod event;

pub use command::{Change, Register, SsoProviderCommand};
pub use error::SsoProviderError;
pub use event::SsoProviderEvent;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::root::Root;
use crate::{Event, Metadata, StreamKind, Subject, Time};

/// A provider's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum SsoProvider {
    /// No event yet.
    #[default]
    Absent,
    /// It is known.
    Known(Box<Description>),
    /// It was removed.
    Removed,
}

/// What is known of a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// What the provider calls itself in its metadata.
    pub entity_id: String,
    /// Its metadata, an XML document.
    pub metadata_xml: String,
    /// Where the metadata came from, where they were fetched.
    pub metadata_url: Option<String>,
    /// How claims are made of the provider's attributes.
    pub attribute_mapping: Metadata,
    /// The form of names that the provider is asked for.
    pub name_id_format: Option<String>,
    /// Addresses in these domains belong to it; in lower case, each once.
    pub domains: Vec<String>,
    /// What the application calls it.
    pub resource_id: Option<String>,
    /// Whether nobody may sign in by it; not said yet where there is none.
    pub disabled: Option<bool>,
}

impl Root for SsoProvider {
    const KIND: StreamKind = StreamKind::SsoProvider;

    fn decide(&self, command: SsoProviderCommand) -> Result<Vec<SsoProviderEvent>, SsoProviderError> {
        match (self, command) {
            (Self::Absent, SsoProviderCommand::Register(register)) => Ok(vec![register.into_event()]),
            (_, SsoProviderCommand::Register(_)) => Err(SsoProviderError::AlreadyRegistered),
            (Self::Known(known), SsoProviderCommand::Change(change)) => known.change(*change),
            (Self::Known(_), SsoProviderCommand::Remove) => Ok(vec![SsoProviderEvent::Removed {}]),
            (Self::Absent | Self::Removed, _) => Err(SsoProviderError::NotFound),
        }
    }

    fn fold(&mut self, event: &SsoProviderEvent) {
        match (&mut *self, event) {
            (
                _,
                SsoProviderEvent::Registered {
                    entity_id,
                    metadata_xml,
                    metadata_url,
                    attribute_mapping,
                    name_id_format,
                    domains,
                    resource_id,
                    disabled,
                },
            ) => {
                *self = Self::Known(Box::new(Description {
                    entity_id: entity_id.clone(),
                    metadata_xml: metadata_xml.clone(),
                    metadata_url: metadata_url.clone(),
                    attribute_mapping: attribute_mapping.clone(),
                    name_id_format: name_id_format.clone(),
                    domains: domains.clone(),
                    resource_id: resource_id.clone(),
                    disabled: *disabled,
                }));
            }
            (_, SsoProviderEvent::Removed {}) => *self = Self::Removed,
            (Self::Known(known), event) => known.follow(event),
            (Self::Absent | Self::Removed, _) => {}
        }
    }

    fn own(event: &Event) -> Option<&SsoProviderEvent> {
        if let Event::SsoProvider(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        Subject::period_of(now)
    }
}

impl Description {
    /// One event for each thing that becomes another.
    fn change(&self, change: Change) -> Result<Vec<SsoProviderEvent>, SsoProviderError> {
        let mut events = Vec::new();
        if let Some((entity_id, metadata_xml, metadata_url)) = change.metadata {
            // Users are known by their names at this provider: another one's users are others.
            if entity_id != self.entity_id {
                return Err(SsoProviderError::EntityMismatch {
                    expected: self.entity_id.clone(),
                    given: entity_id,
                });
            }
            if metadata_xml != self.metadata_xml || metadata_url != self.metadata_url {
                events.push(SsoProviderEvent::MetadataReplaced { metadata_xml, metadata_url });
            }
        }
        if let Some(attribute_mapping) = change.attribute_mapping
            && attribute_mapping != self.attribute_mapping
        {
            events.push(SsoProviderEvent::AttributesMapped { attribute_mapping });
        }
        if let Some(name_id_format) = change.name_id_format
            && name_id_format != self.name_id_format
        {
            events.push(SsoProviderEvent::NameIdFormatChosen { name_id_format });
        }
        if let Some(domains) = change.domains {
            let missing = |from: &[String], in_: &[String]| -> Vec<String> {
                from.iter().filter(|domain| !in_.contains(domain)).cloned().collect()
            };
            let (added, removed) = (missing(&domains, &self.domains), missing(&self.domains, &domains));
            if !added.is_empty() || !removed.is_empty() {
                events.push(SsoProviderEvent::DomainsChanged { added, removed });
            }
        }
        if let Some(resource_id) = change.resource_id
            && resource_id != self.resource_id
        {
            events.push(SsoProviderEvent::Renamed { resource_id });
        }
        match change.disabled.filter(|disabled| Some(*disabled) != self.disabled) {
            Some(true) => events.push(SsoProviderEvent::Disabled {}),
            Some(false) => events.push(SsoProviderEvent::Enabled {}),
            None => {}
        }
        Ok(events)
    }

    fn follow(&mut self, event: &SsoProviderEvent) {
        match event {
            SsoProviderEvent::MetadataReplaced { metadata_xml, metadata_url } => {
                self.metadata_xml.clone_from(metadata_xml);
                self.metadata_url.clone_from(metadata_url);
            }
            SsoProviderEvent::AttributesMapped { attribute_mapping } => {
                self.attribute_mapping = attribute_mapping.clone();
            }
            SsoProviderEvent::NameIdFormatChosen { name_id_format } => {
                self.name_id_format.clone_from(name_id_format);
            }
            SsoProviderEvent::DomainsChanged { added, removed } => {
                self.domains.retain(|domain| !removed.contains(domain));
                self.domains.extend(added.iter().cloned());
            }
            SsoProviderEvent::Renamed { resource_id } => self.resource_id.clone_from(resource_id),
            SsoProviderEvent::Disabled {} => self.disabled = Some(true),
            SsoProviderEvent::Enabled {} => self.disabled = Some(false),
            SsoProviderEvent::Registered { .. } | SsoProviderEvent::Removed {} => {}
        }
    }
}

impl Aggregate for SsoProvider {
    const TYPE: &'static str = "sso_provider";
    type Command = SsoProviderCommand;
    type Event = SsoProviderEvent;
    type Error = SsoProviderError;
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

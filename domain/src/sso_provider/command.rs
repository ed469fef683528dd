//! What may be asked of a provider.

use super::SsoProviderEvent;
use crate::Metadata;

/// A new provider.
#[derive(Debug, Clone)]
pub struct Register {
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
    /// Whether nobody may sign in by it.
    pub disabled: Option<bool>,
}

impl Register {
    pub(super) fn into_event(self) -> SsoProviderEvent {
        SsoProviderEvent::Registered {
            entity_id: self.entity_id,
            metadata_xml: self.metadata_xml,
            metadata_url: self.metadata_url,
            attribute_mapping: self.attribute_mapping,
            name_id_format: self.name_id_format,
            domains: self.domains,
            resource_id: self.resource_id,
            disabled: self.disabled,
        }
    }
}

/// What is to be another about a provider; what is not said stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The entity id in new metadata, these, and where they came from.
    pub metadata: Option<(String, String, Option<String>)>,
    /// How claims are made of the provider's attributes.
    pub attribute_mapping: Option<Metadata>,
    /// The form of names that the provider is asked for, or none.
    pub name_id_format: Option<Option<String>>,
    /// All domains from now on; in lower case, each once.
    pub domains: Option<Vec<String>>,
    /// What the application calls it, or nothing.
    pub resource_id: Option<Option<String>>,
    /// Whether nobody may sign in by it.
    pub disabled: Option<bool>,
}

/// A command on a provider.
#[derive(Debug, Clone)]
pub enum SsoProviderCommand {
    /// Make it known.
    Register(Box<Register>),
    /// Describe it anew.
    Change(Box<Change>),
    /// Know it no more; its domains, its entity id and its name are free again.
    Remove,
}

//! What can have happened to a provider.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::catalogue::described;
use crate::{Claim, ClaimChange, ClaimKind, Metadata};

described! {
    /// An event of a provider's stream.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum SsoProviderEvent {
        /// An organization's identity provider is known.
        #[serde(rename = "sso_provider.registered")]
        Registered {
            /// What the provider calls itself.
            entity_id: String,
            /// Its metadata, an XML document.
            metadata_xml: String,
            /// Where they were fetched.
            metadata_url: Option<String>,
            /// How claims are made of the provider's attributes.
            attribute_mapping: Metadata,
            /// The form of names that the provider is asked for.
            name_id_format: Option<String>,
            /// The domains whose addresses belong to it.
            domains: Vec<String>,
            /// What the application calls it.
            resource_id: Option<String>,
            /// Whether nobody may sign in by it.
            disabled: Option<bool>,
        },
        /// The provider has other metadata: other keys, or other addresses.
        #[serde(rename = "sso_provider.metadata_replaced")]
        MetadataReplaced {
            /// The new ones.
            metadata_xml: String,
            /// Where they were fetched.
            metadata_url: Option<String>,
        },
        /// Claims are made in another way of the provider's attributes.
        #[serde(rename = "sso_provider.attributes_mapped")]
        AttributesMapped {
            /// Replaces what was there.
            attribute_mapping: Metadata,
        },
        /// The provider is asked for names of another form, or of any.
        #[serde(rename = "sso_provider.name_id_format_chosen")]
        NameIdFormatChosen {
            /// The form.
            name_id_format: Option<String>,
        },
        /// Other domains belong to the provider.
        #[serde(rename = "sso_provider.domains_changed")]
        DomainsChanged {
            /// Those that came.
            added: Vec<String>,
            /// Those that went.
            removed: Vec<String>,
        },
        /// The application calls the provider by another name, or by none.
        #[serde(rename = "sso_provider.renamed")]
        Renamed {
            /// The name.
            resource_id: Option<String>,
        },
        /// Nobody may sign in by the provider for now.
        #[serde(rename = "sso_provider.disabled")]
        Disabled {},
        /// The provider's users may sign in again.
        #[serde(rename = "sso_provider.enabled")]
        Enabled {},
        /// The provider is known no more.
        #[serde(rename = "sso_provider.removed")]
        Removed {},
    }
}

impl SsoProviderEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Registered { .. } => ("sso_provider.registered", "1.0"),
            Self::MetadataReplaced { .. } => ("sso_provider.metadata_replaced", "1.0"),
            Self::AttributesMapped { .. } => ("sso_provider.attributes_mapped", "1.0"),
            Self::NameIdFormatChosen { .. } => ("sso_provider.name_id_format_chosen", "1.0"),
            Self::DomainsChanged { .. } => ("sso_provider.domains_changed", "1.0"),
            Self::Renamed { .. } => ("sso_provider.renamed", "1.0"),
            Self::Disabled {} => ("sso_provider.disabled", "1.0"),
            Self::Enabled {} => ("sso_provider.enabled", "1.0"),
            Self::Removed {} => ("sso_provider.removed", "1.0"),
        }
    }

    /// What it does to the provider's unique claims.
    pub fn claims(&self) -> Vec<ClaimChange> {
        let domain = |domain: &String| Claim { kind: ClaimKind::SsoDomain, value: domain.clone() };
        let name = |name: &String| Claim { kind: ClaimKind::SsoResource, value: name.clone() };
        match self {
            Self::Registered { entity_id, domains, resource_id, .. } => {
                let entity = Claim { kind: ClaimKind::SsoEntity, value: entity_id.clone() };
                let domains = domains.iter().map(domain);
                let claims = std::iter::once(entity).chain(domains).chain(resource_id.as_ref().map(name));
                claims.map(ClaimChange::Take).collect()
            }
            Self::DomainsChanged { added, removed } => {
                let removed = removed.iter().map(domain).map(ClaimChange::Release);
                removed.chain(added.iter().map(domain).map(ClaimChange::Take)).collect()
            }
            Self::Renamed { resource_id: Some(resource_id) } => vec![ClaimChange::Take(name(resource_id))],
            Self::Renamed { resource_id: None } => vec![ClaimChange::ReleaseKind(ClaimKind::SsoResource)],
            Self::Removed {} => vec![ClaimChange::ReleaseAll],
            Self::MetadataReplaced { .. }
            | Self::AttributesMapped { .. }
            | Self::NameIdFormatChosen { .. }
            | Self::Disabled {}
            | Self::Enabled {} => Vec::new(),
        }
    }
}

impl DomainEvent for SsoProviderEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

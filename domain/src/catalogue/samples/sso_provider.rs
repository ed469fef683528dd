//! Samples of what happens to identity providers of organizations.

use serde_json::json;

use crate::Metadata;
use crate::sso_provider::SsoProviderEvent;

pub(super) fn samples() -> Vec<SsoProviderEvent> {
    let metadata_xml =
        "<EntityDescriptor entityID=\"https://idp.example.com/saml\">…</EntityDescriptor>".to_owned();
    let metadata_url = Some("https://idp.example.com/metadata".to_owned());
    let attribute_mapping = Metadata::default().with("keys", json!({ "email": { "name": "mail" } }));
    let name_id_format = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".to_owned());
    vec![
        SsoProviderEvent::Registered {
            entity_id: "https://idp.example.com/saml".to_owned(),
            metadata_xml: metadata_xml.clone(),
            metadata_url: metadata_url.clone(),
            attribute_mapping: attribute_mapping.clone(),
            name_id_format: name_id_format.clone(),
            domains: vec!["corp.example.com".to_owned()],
            resource_id: Some("corp".to_owned()),
            disabled: Some(false),
        },
        SsoProviderEvent::MetadataReplaced { metadata_xml, metadata_url },
        SsoProviderEvent::AttributesMapped { attribute_mapping },
        SsoProviderEvent::NameIdFormatChosen { name_id_format },
        SsoProviderEvent::DomainsChanged {
            added: vec!["corp.example.org".to_owned()],
            removed: vec!["corp.example.com".to_owned()],
        },
        SsoProviderEvent::Renamed { resource_id: Some("corporation".to_owned()) },
        SsoProviderEvent::Disabled {},
        SsoProviderEvent::Enabled {},
        SsoProviderEvent::Removed {},
    ]
}

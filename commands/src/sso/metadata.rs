//! The metadata of an identity provider (SAML 2.0 Metadata), as far as is needed to know whose they are.
//!
//! The document is a stranger's: no document types, so no entities and nothing to fetch, and a bound on its
//! elements.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use roxmltree::{Document, Node, ParsingOptions};
use url::Url;

use crate::Commands;
use crate::outbound::Chosen;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// More elements, attributes and texts than any provider's.
const NODES: u32 = 20_000;
/// The longest entity id (SAML 2.0 Core, 8.3.6), in characters.
const LONGEST_ENTITY_ID: usize = 1_024;

/// Where the metadata of a provider are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataSource {
    /// Here.
    Document(String),
    /// At an address of the provider's.
    Address(String),
}

/// Why the metadata are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The address is none.
    #[error("metadata_url is not a valid URL")]
    Address,
    /// The address asks for no encryption.
    #[error("metadata_url is not a HTTPS URL")]
    NotHttps,
    /// They could not be fetched.
    #[error("SAML Metadata could not be fetched from metadata_url: {0}")]
    NotFetched(String),
    /// The document does not read.
    #[error("SAML Metadata is not a valid XML document")]
    NotXml,
    /// It does not describe anybody.
    #[error("SAML Metadata does not contain an EntityDescriptor with an IDPSSODescriptor")]
    NoProvider,
    /// It does not say whom it describes.
    #[error("SAML Metadata does not contain a valid EntityID")]
    NoEntityId,
    /// It does not say where to sign in, or says something else there.
    #[error("SAML Metadata does not contain a SingleSignOnService with a valid Location")]
    NoSignOn,
    /// A certificate does not read.
    #[error("SAML Metadata contains an invalid X509Certificate")]
    Certificate,
}

/// Metadata that read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// What the provider calls itself.
    pub entity_id: String,
    /// The document.
    pub xml: String,
    /// Where it was fetched.
    pub url: Option<String>,
}

impl Commands {
    /// Fetches metadata where they are at an address, and reads them.
    pub(super) async fn saml_metadata(&self, source: MetadataSource) -> Result<Metadata, MetadataError> {
        let (xml, url) = match source {
            MetadataSource::Document(xml) => (xml, None),
            MetadataSource::Address(url) => (self.fetch_metadata(&url).await?, Some(url)),
        };
        Ok(Metadata { entity_id: entity_id(&xml)?, xml, url })
    }

    async fn fetch_metadata(&self, address: &str) -> Result<String, MetadataError> {
        let url = Url::parse(address).map_err(|_| MetadataError::Address)?;
        if url.scheme() != "https" {
            return Err(MetadataError::NotHttps);
        }
        let failed = |why: &dyn ToString| MetadataError::NotFetched(why.to_string());
        let outbound = self.outbound();
        let request =
            outbound.request(Method::GET, &url, Chosen::ByStranger).map_err(|error| failed(&error))?;
        let answer = outbound.send(request).await.map_err(|error| failed(&error))?;
        if answer.status != StatusCode::OK {
            return Err(failed(&format!("the server answered {}", answer.status.as_u16())));
        }
        String::from_utf8(answer.body).map_err(|_| MetadataError::NotXml)
    }
}

/// Whose metadata a document holds: one identity provider that can be signed in at.
fn entity_id(xml: &str) -> Result<String, MetadataError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    // A byte order mark is part of how the document came, not of the document.
    let xml = xml.trim_start_matches('\u{feff}');
    let document = Document::parse_with_options(xml, options).map_err(|_| MetadataError::NotXml)?;
    let entities = document.descendants().filter(|node| is(*node, METADATA, "EntityDescriptor"));
    let described = entities.filter_map(|entity| {
        let idp = entity.children().find(|node| is(*node, METADATA, "IDPSSODescriptor"))?;
        Some((entity, idp))
    });
    let (entity, idp) = described.into_iter().next().ok_or(MetadataError::NoProvider)?;
    let id = entity.attribute("entityID").unwrap_or_default();
    if id.is_empty() || id.chars().count() > LONGEST_ENTITY_ID || id.chars().any(char::is_control) {
        return Err(MetadataError::NoEntityId);
    }
    let services = idp.children().filter(|node| is(*node, METADATA, "SingleSignOnService"));
    let locations: Vec<_> = services.map(|service| service.attribute("Location")).collect();
    if locations.is_empty() || !locations.into_iter().all(is_web_address) {
        return Err(MetadataError::NoSignOn);
    }
    let certificates = idp.descendants().filter(|node| is(*node, SIGNATURE, "X509Certificate"));
    if !certificates.into_iter().all(is_certificate) {
        return Err(MetadataError::Certificate);
    }
    Ok(id.to_owned())
}

fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.has_tag_name((namespace, name))
}

fn is_web_address(location: Option<&str>) -> bool {
    location
        .and_then(|location| Url::parse(location).ok())
        .is_some_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}

/// Whether an element holds a DER sequence in base64.
fn is_certificate(node: Node<'_, '_>) -> bool {
    let text: String = node.text().unwrap_or_default().chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).is_ok_and(|der| der.first() == Some(&0x30))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const XML: &str = r#"<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>
        MIIB
        AAAA
      </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>"#;

    #[test]
    fn metadata_say_whose_they_are() {
        assert_eq!(entity_id(XML).unwrap(), "https://idp.example.com/saml");
        assert_eq!(entity_id(&format!("\u{feff}{XML}")).unwrap(), "https://idp.example.com/saml");
        let among_others = format!(
            "<x:EntitiesDescriptor xmlns:x=\"{METADATA}\"><x:EntityDescriptor entityID=\"https://sp.example\"/>{}\
             </x:EntitiesDescriptor>",
            XML.split_once("?>").unwrap().1
        );
        assert_eq!(entity_id(&among_others).unwrap(), "https://idp.example.com/saml");
    }

    #[test]
    fn a_document_type_is_refused_and_so_are_its_entities() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
        let outside = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
        for prologue in [bomb, outside, "<!DOCTYPE x>"] {
            let xml = XML.replace("<?xml version=\"1.0\"?>", prologue);
            assert_eq!(entity_id(&xml), Err(MetadataError::NotXml), "{prologue}");
        }
    }

    #[test]
    fn what_describes_no_provider_is_refused() {
        for (from, to, expected) in [
            ("</md:EntityDescriptor>", "", MetadataError::NotXml),
            (XML, "", MetadataError::NotXml),
            (XML, "no XML", MetadataError::NotXml),
            ("SAML:2.0:metadata", "SAML:3.0:metadata", MetadataError::NoProvider),
            ("https://idp.example.com/saml", "", MetadataError::NoEntityId),
            ("https://idp.example.com/sso", "javascript:alert(1)", MetadataError::NoSignOn),
            ("Location=", "Elsewhere=", MetadataError::NoSignOn),
            ("MIIB", "!", MetadataError::Certificate),
            ("MIIB", "AAAA", MetadataError::Certificate),
        ] {
            assert_eq!(entity_id(&XML.replace(from, to)), Err(expected), "{to:?}");
        }
        let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
        assert_eq!(entity_id(&deep), Err(MetadataError::NotXml));
    }

    proptest! {
        #[test]
        fn no_document_makes_the_reader_panic(at in 0..XML.len(), with in "(?s).{0,8}") {
            let _ = entity_id(&format!("{}{with}{}", &XML[..at], &XML[at..]));
            let _ = entity_id(&XML[..at]);
        }
    }
}

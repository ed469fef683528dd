//! `sso_providers`: the identity providers of organizations.

use evident_domain::sso_provider::SsoProviderEvent;
use evident_domain::{Event, Metadata, Recorded, SsoProviderId, Time};
use evident_eventstore::{Column, ColumnType, DatabaseError, Row, Table, Value};

use super::users::json_text;
use super::{int, json, stream_key, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `sso_providers`.
#[derive(Debug, Clone, PartialEq)]
pub struct SsoProviderRow {
    /// Its id.
    pub id: SsoProviderId,
    /// What the application calls it.
    pub resource_id: Option<String>,
    /// Whether nobody may sign in by it; not said yet where there is none.
    pub disabled: Option<bool>,
    /// What the provider calls itself.
    pub entity_id: String,
    /// Its metadata, an XML document.
    pub metadata_xml: String,
    /// Where they were fetched.
    pub metadata_url: Option<String>,
    /// How claims are made of the provider's attributes: the text of a JSON object.
    pub attribute_mapping: String,
    /// The form of names that the provider is asked for.
    pub name_id_format: Option<String>,
    /// The domains whose addresses belong to it.
    pub domains: Vec<String>,
    /// When it was registered.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

const DISABLED: Column = Column::new("disabled", ColumnType::Bool);

impl SsoProviderRow {
    /// Reads a row of `sso_providers`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            resource_id: cells.maybe_text()?,
            disabled: cells.maybe_flag()?,
            entity_id: cells.text()?,
            metadata_xml: cells.text()?,
            metadata_url: cells.maybe_text()?,
            attribute_mapping: cells.text()?,
            name_id_format: cells.maybe_text()?,
            domains: cells.parsed(|domains| serde_json::from_str(domains).ok())?,
            created_at: cells.time()?,
            updated_at: cells.time()?,
        })
    }

    fn registered(event: &Recorded, registered: &SsoProviderEvent) -> Option<Self> {
        let SsoProviderEvent::Registered {
            entity_id,
            metadata_xml,
            metadata_url,
            attribute_mapping,
            name_id_format,
            domains,
            resource_id,
            disabled,
        } = registered
        else {
            return None;
        };
        Some(Self {
            id: SsoProviderId(event.stream.id),
            resource_id: resource_id.clone(),
            disabled: *disabled,
            entity_id: entity_id.clone(),
            metadata_xml: metadata_xml.clone(),
            metadata_url: metadata_url.clone(),
            attribute_mapping: mapping(attribute_mapping),
            name_id_format: name_id_format.clone(),
            domains: domains.clone(),
            created_at: event.occurred_at,
            updated_at: event.occurred_at,
        })
    }

    fn follow(&mut self, event: &SsoProviderEvent) {
        match event {
            SsoProviderEvent::MetadataReplaced { metadata_xml, metadata_url } => {
                self.metadata_xml.clone_from(metadata_xml);
                self.metadata_url.clone_from(metadata_url);
            }
            SsoProviderEvent::AttributesMapped { attribute_mapping } => {
                self.attribute_mapping = mapping(attribute_mapping);
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

fn mapping(attribute_mapping: &Metadata) -> String {
    json_text(Some(attribute_mapping))
}

impl Fold for SsoProviderRow {
    const NAME: &'static str = "sso_providers";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new(
        "sso_providers",
        &[
            text("id"),
            text("resource_id"),
            DISABLED,
            text("entity_id"),
            text("metadata_xml"),
            text("metadata_url"),
            json("attribute_mapping"),
            text("name_id_format"),
            json("domains"),
            int("created_at"),
            int("updated_at"),
        ],
    );
    const GROUP: &'static str = "id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::SsoProvider(_) => stream_key(event),
            _ => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Event::SsoProvider(provider_event) = &event.event else { return group };
        match provider_event {
            SsoProviderEvent::Removed {} => None,
            registered @ SsoProviderEvent::Registered { .. } => Self::registered(event, registered),
            changed => {
                let mut row = group?;
                row.follow(changed);
                row.updated_at = event.occurred_at;
                Some(row)
            }
        }
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        let domains: serde_json::Value = self.domains.iter().map(String::as_str).collect();
        vec![vec![
            self.id.to_string().into(),
            cells::maybe_text(self.resource_id.as_deref()),
            self.disabled.map_or(Value::Null, Value::Bool),
            cells::text(&self.entity_id),
            cells::text(&self.metadata_xml),
            cells::maybe_text(self.metadata_url.as_deref()),
            cells::text(&self.attribute_mapping),
            cells::maybe_text(self.name_id_format.as_deref()),
            cells::text(&domains.to_string()),
            cells::time(self.created_at),
            cells::time(self.updated_at),
        ]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}

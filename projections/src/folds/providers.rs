//! `providers`: those that administrators registered.

use evident_domain::provider::{ProviderDefinition, ProviderEvent, ProviderKind, SealedSecret};
use evident_domain::{Event, Recorded, Time};
use evident_eventstore::{DatabaseError, Row, Table};
use uuid::Uuid;

use super::{int, json, stream_key, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `providers`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderRow {
    /// Its id.
    pub id: Uuid,
    /// The name in requests and identities.
    pub identifier: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// All that may be shown.
    pub definition: ProviderDefinition,
    /// The secret of the client there.
    pub client_secret: SealedSecret,
    /// When it was registered.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl ProviderRow {
    /// Reads a row of `providers`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            identifier: cells.text()?,
            kind: cells.parsed(ProviderKind::from_name)?,
            definition: cells.parsed(|text| serde_json::from_str(text).ok())?,
            client_secret: SealedSecret(cells.text()?),
            created_at: cells.time()?,
            updated_at: cells.time()?,
        })
    }
}

impl Fold for ProviderRow {
    const NAME: &'static str = "providers";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new(
        "providers",
        &[
            text("id"),
            text("identifier"),
            text("provider_type"),
            json("definition"),
            text("client_secret"),
            int("created_at"),
            int("updated_at"),
        ],
    );
    const GROUP: &'static str = "id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::Provider(_) => stream_key(event),
            _ => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Event::Provider(provider_event) = &event.event else { return group };
        let at = event.occurred_at;
        match provider_event {
            ProviderEvent::Registered { identifier, definition, client_secret } => Some(Self {
                id: event.stream.id,
                identifier: identifier.clone(),
                kind: definition.kind,
                definition: definition.clone(),
                client_secret: client_secret.clone(),
                created_at: at,
                updated_at: at,
            }),
            ProviderEvent::Changed { definition, client_secret } => {
                let mut row = group?;
                row.definition = definition.clone();
                if let Some(secret) = client_secret {
                    row.client_secret = secret.clone();
                }
                row.updated_at = at;
                Some(row)
            }
            ProviderEvent::Removed {} => None,
        }
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        // A definition always serializes.
        let definition = serde_json::to_string(&self.definition).unwrap_or_default();
        vec![vec![
            self.id.to_string().into(),
            cells::text(&self.identifier),
            self.kind.as_str().into(),
            cells::text(&definition),
            cells::text(&self.client_secret.0),
            cells::time(self.created_at),
            cells::time(self.updated_at),
        ]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}

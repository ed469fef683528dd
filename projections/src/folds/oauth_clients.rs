//! `oauth_clients`: the OAuth clients that are known.

use evident_domain::client::{AuthMethod, ClientDetails, ClientEvent, Registration};
use evident_domain::{ClientId, Event, Recorded, Time};
use evident_eventstore::{DatabaseError, Row, Table};

use super::{int, json, stream_key, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `oauth_clients`. What the client's secret is hashed to stands in its stream alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientRow {
    /// Its id.
    pub id: ClientId,
    /// How it came to be known.
    pub registration: Registration,
    /// What is known of it.
    pub details: ClientDetails,
    /// When it was registered.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// The event that registered it.
    pub position: u64,
}

impl ClientRow {
    /// Reads a row of `oauth_clients`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            registration: cells.parsed(Registration::from_name)?,
            details: ClientDetails {
                name: cells.maybe_text()?,
                uri: cells.maybe_text()?,
                logo_uri: cells.maybe_text()?,
                redirect_uris: cells.json()?,
                grant_types: cells.json()?,
                auth_method: cells.parsed(AuthMethod::from_name)?,
            },
            created_at: cells.time()?,
            updated_at: cells.time()?,
            position: cells.number()?,
        })
    }
}

impl Fold for ClientRow {
    const NAME: &'static str = "oauth_clients";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new(
        "oauth_clients",
        &[
            text("id"),
            text("registration"),
            text("name"),
            text("uri"),
            text("logo_uri"),
            json("redirect_uris"),
            json("grant_types"),
            text("auth_method"),
            int("created_at"),
            int("updated_at"),
            int("position"),
        ],
    );
    const GROUP: &'static str = "id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::Client(
                ClientEvent::Registered { .. }
                | ClientEvent::Updated { .. }
                | ClientEvent::SecretRegenerated { .. }
                | ClientEvent::Deleted {},
            ) => stream_key(event),
            _ => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Event::Client(client_event) = &event.event else { return group };
        match client_event {
            ClientEvent::Registered { registration, details, registered_at, secret: _ } => Some(Self {
                id: ClientId(event.stream.id),
                registration: *registration,
                details: details.clone(),
                created_at: *registered_at,
                updated_at: *registered_at,
                position: event.position.0,
            }),
            ClientEvent::Updated { details, at } => {
                Some(Self { details: details.clone(), updated_at: *at, ..group? })
            }
            ClientEvent::SecretRegenerated { at, .. } => Some(Self { updated_at: *at, ..group? }),
            ClientEvent::Deleted {} => None,
        }
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        let details = &self.details;
        vec![vec![
            self.id.to_string().into(),
            self.registration.as_str().into(),
            cells::maybe_text(details.name.as_deref()),
            cells::maybe_text(details.uri.as_deref()),
            cells::maybe_text(details.logo_uri.as_deref()),
            cells::json(&details.redirect_uris),
            cells::json(&details.grant_types),
            details.auth_method.as_str().into(),
            cells::time(self.created_at),
            cells::time(self.updated_at),
            cells::number(self.position),
        ]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}

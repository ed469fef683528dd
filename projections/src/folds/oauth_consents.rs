//! `oauth_consents`: what users granted to clients.

use std::collections::BTreeMap;

use evident_domain::consent::ConsentEvent;
use evident_domain::user::UserEvent;
use evident_domain::{ClientId, ConsentId, Event, Recorded, Scopes, Time, UserId};
use evident_eventstore::{DatabaseError, Row, Table};

use super::{int, json, stream_key, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `oauth_consents`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentRow {
    /// Its id.
    pub id: ConsentId,
    /// Who granted it.
    pub user_id: UserId,
    /// To whom.
    pub client_id: ClientId,
    /// What.
    pub scopes: Scopes,
    /// When something was last granted.
    pub granted_at: Time,
}

impl ConsentRow {
    /// Reads a row of `oauth_consents`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Consents::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            user_id: cells.id()?,
            client_id: cells.id()?,
            scopes: cells.json()?,
            granted_at: cells.time()?,
        })
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.to_string().into(),
            self.user_id.to_string().into(),
            self.client_id.to_string().into(),
            cells::json(&self.scopes),
            cells::time(self.granted_at),
        ]
    }
}

/// All that one user granted. It makes one group, because the end of an account names the user alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consents(pub BTreeMap<ConsentId, ConsentRow>);

impl Fold for Consents {
    const NAME: &'static str = "oauth_consents";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new(
        "oauth_consents",
        &[text("id"), text("user_id"), text("client_id"), json("scopes"), int("granted_at")],
    );
    const GROUP: &'static str = "user_id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::Consent(ConsentEvent::Given { user, .. } | ConsentEvent::Revoked { user, .. }) => {
                vec![user.to_string()]
            }
            Event::User(UserEvent::Deleted { .. } | UserEvent::Erased {}) => stream_key(event),
            _ => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let mut consents = group.unwrap_or_default();
        let id = ConsentId(event.stream.id);
        match &event.event {
            Event::Consent(ConsentEvent::Given { user, client, scopes, given_at }) => {
                let (user_id, client_id, granted_at) = (*user, *client, *given_at);
                let row = ConsentRow { id, user_id, client_id, scopes: scopes.clone(), granted_at };
                consents.0.insert(id, row);
            }
            Event::Consent(ConsentEvent::Revoked { .. }) => {
                consents.0.remove(&id);
            }
            Event::User(UserEvent::Deleted { .. } | UserEvent::Erased {}) => consents.0.clear(),
            _ => {}
        }
        (!consents.0.is_empty()).then_some(consents)
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        self.0.values().map(ConsentRow::to_row).collect()
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let rows: Result<BTreeMap<_, _>, DatabaseError> = rows
            .into_iter()
            .map(|row| ConsentRow::from_row(row).map(|consent| (consent.id, consent)))
            .collect();
        Ok(Some(Self(rows?)).filter(|consents| !consents.0.is_empty()))
    }
}

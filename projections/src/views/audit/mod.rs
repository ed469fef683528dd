//! Pages of the audit log, newest first. Which entries there are the projections tell; what an entry tells is read
//! from its event, opened by the store: of who was erased nothing is left to tell.

mod authors;
mod names;
mod places;

use evident_domain::{EventId, Time};
use evident_eventstore::{EventStore, StoreError};

use crate::audit::{AuditAction, AuditActor};
use names::Names;

/// Which entries to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditScope {
    /// All.
    All,
    /// Of one of these actions; of none if empty.
    Actions(Vec<AuditAction>),
    /// By somebody whose address, number, name or role has this text, in any case, as it is now.
    Author(String),
}

impl AuditScope {
    /// Entries whose action has a text in its name.
    pub fn action(text: &str) -> Self {
        Self::actions(text, AuditAction::as_str)
    }

    /// Entries whose kind has a text in its name.
    pub fn log_type(text: &str) -> Self {
        Self::actions(text, |action| action.log_type().as_str())
    }

    fn actions(text: &str, name: impl Fn(AuditAction) -> &'static str) -> Self {
        let text = text.to_lowercase();
        Self::Actions(AuditAction::ALL.iter().copied().filter(|a| name(*a).contains(&text)).collect())
    }
}

/// Which page to read.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Of which entries.
    pub scope: AuditScope,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The event.
    pub id: EventId,
    /// What was done.
    pub action: AuditAction,
    /// Who did it.
    pub actor: AuditActor,
    /// The user's number or else address at the time, or the administrator's role; may be empty.
    pub username: String,
    /// The user's full name.
    pub name: Option<String>,
    /// What else there is to tell.
    pub traits: Vec<(&'static str, String)>,
    /// When.
    pub at: Time,
    /// From where.
    pub ip: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A page of the audit log.
///
/// # Errors
/// When the database fails or an event does not read.
pub async fn audit_page(store: &EventStore, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let database = store.database();
    let (positions, total) = match &query.scope {
        AuditScope::All => places::of(database, None, query).await?,
        AuditScope::Actions(actions) if actions.is_empty() => (Vec::new(), 0),
        AuditScope::Actions(actions) if actions.len() == AuditAction::ALL.len() => {
            places::of(database, None, query).await?
        }
        AuditScope::Actions(actions) => places::of(database, Some(actions), query).await?,
        AuditScope::Author(text) => authors::of(database, text, query).await?,
    };
    let mut events = store.at(&positions).await?;
    events.reverse();
    let names = Names::of(store, &events).await?;
    let entries = events.iter().filter_map(|event| names.entry(event)).collect();
    Ok(AuditPage { entries, total })
}

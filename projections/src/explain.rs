//! How something came to be as it is: its rows, and for each field the event that set it.
//!
//! The folds themselves say it: the events are folded one by one, and whatever a fold changes in a row is
//! that event's doing. So an explanation cannot differ from the tables.

use std::collections::BTreeMap;
use std::pin::pin;

use evident_domain::{
    EventId, OrganizationId, Position, Recorded, SessionId, StreamId, Subject, Time, UserId,
};
use evident_eventstore::{EventStore, Filter, Row};
use futures::TryStreamExt;
use serde_json::Value as Json;

use crate::ProjectionError;
use crate::facts::{facts, key};
use crate::folding::{Begun, Folding, Projection, Retain};
use crate::rebuild::chosen;
use crate::replay::{Until, resolve};

/// What can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// An account, its identities, and what the user granted to clients.
    User(UserId),
    /// A session.
    Session(SessionId),
    /// An organization, its members, invitations, teams and roles.
    Organization(OrganizationId),
}

impl Entity {
    /// The projections that tell of it; all of them in groups by its id.
    const fn projections(self) -> &'static [&'static str] {
        match self {
            Self::User(_) => &["users", "identities", "oauth_consents"],
            Self::Session(_) => &["sessions"],
            Self::Organization(_) => {
                &["organizations", "members", "invitations", "teams", "team_members", "organization_roles"]
            }
        }
    }

    /// The events that can touch those.
    fn filter(self) -> Filter {
        match self {
            Self::User(id) => Filter { subject: Some(Subject::User(id)), ..Filter::default() },
            Self::Session(id) => Filter { stream: Some(StreamId::session(id)), ..Filter::default() },
            Self::Organization(id) => {
                Filter { stream: Some(StreamId::organization(id)), ..Filter::default() }
            }
        }
    }

    fn id(self) -> String {
        match self {
            Self::User(id) => id.to_string(),
            Self::Session(id) => id.to_string(),
            Self::Organization(id) => id.to_string(),
        }
    }
}

/// The event that did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub kind: &'static str,
    /// When.
    pub at: Time,
    /// Who acted, as the log names them.
    pub actor: String,
}

impl Cause {
    fn of(event: &Recorded) -> Self {
        Self {
            position: event.position,
            id: event.id,
            kind: event.event.kind().0,
            at: event.occurred_at,
            actor: event.provenance.actor.label(),
        }
    }
}

/// A field, and the event that set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it holds.
    pub value: Json,
    /// What it held before that, where it held something.
    pub before: Option<Json>,
    /// Since which event.
    pub since: Cause,
}

/// A row, and how it came to be.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRow {
    /// Its table.
    pub table: String,
    /// Its key.
    pub key: String,
    /// The event that made it.
    pub made: Cause,
    /// The event that removed it, if it is gone: the fields are those it had before.
    pub gone: Option<Cause>,
    /// Its fields. What was never anything but empty is left out.
    pub fields: BTreeMap<String, Fact>,
}

/// An explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// As of which position.
    pub position: Position,
    /// The rows that there are or were, in the order of tables and of coming.
    pub rows: Vec<ExplainedRow>,
}

/// Explains something as of a moment. Nothing is found of what never was.
///
/// # Errors
/// When the log does not go that far, or cannot be read.
pub async fn explain(
    store: &EventStore,
    entity: Entity,
    until: Until,
) -> Result<Explanation, ProjectionError> {
    let position = resolve(store, until).await?;
    let mut traces: Vec<Trace> = chosen(entity.projections())?
        .into_iter()
        .map(|projection| Trace::new(projection, entity.id()))
        .collect();
    let filter = Filter { last: Some(position), ..entity.filter() };
    let mut events = pin!(store.read(Position(0), filter));
    while let Some(event) = events.try_next().await? {
        for trace in &mut traces {
            trace.follow(&event)?;
        }
    }
    Ok(Explanation { position, rows: traces.into_iter().flat_map(|trace| trace.rows).collect() })
}

/// One projection's rows of one group, event by event.
struct Trace {
    projection: &'static dyn Projection,
    folding: Box<dyn Folding>,
    group: String,
    standing: Vec<Row>,
    rows: Vec<ExplainedRow>,
}

impl Trace {
    fn new(projection: &'static dyn Projection, group: String) -> Self {
        Self {
            projection,
            folding: projection.folding(Retain::NOTHING),
            group,
            standing: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn follow(&mut self, event: &Recorded) -> Result<(), ProjectionError> {
        let events = std::slice::from_ref(event);
        if !self.folding.needs(events, &Begun::of(events)).touched {
            return Ok(());
        }
        let group = [self.group.clone()];
        self.folding.load(&group, std::mem::take(&mut self.standing))?;
        self.folding.fold(events);
        let mut standing = Vec::new();
        self.folding.drain_with(&mut |group, rows| {
            if group == self.group {
                standing = rows.to_vec();
            }
        });
        let cause = Cause::of(event);
        for row in &standing {
            self.row(row, &cause);
        }
        for known in self.rows.iter_mut().filter(|known| known.gone.is_none()) {
            if !standing.iter().any(|row| key(row) == known.key) {
                known.gone = Some(cause.clone());
            }
        }
        self.standing = standing;
        Ok(())
    }

    /// Notes what an event made of a row.
    fn row(&mut self, row: &Row, cause: &Cause) {
        let table = self.projection.table();
        let at = self.rows.iter().position(|known| known.gone.is_none() && known.key == key(row));
        let at = at.unwrap_or_else(|| {
            self.rows.push(ExplainedRow {
                table: table.name.to_string(),
                key: key(row).to_owned(),
                made: cause.clone(),
                gone: None,
                fields: BTreeMap::new(),
            });
            self.rows.len() - 1
        });
        let Some(known) = self.rows.get_mut(at) else { return };
        let now = facts(&table, row);
        known.fields.retain(|name, _| now.contains_key(name));
        for (name, value) in now {
            let before = known.fields.get(&name).map(|fact| fact.value.clone());
            // A field that was never filled says nothing.
            if before.as_ref().unwrap_or(&Json::Null) != &value {
                known.fields.insert(name, Fact { value, before, since: cause.clone() });
            }
        }
    }
}

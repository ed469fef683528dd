//! Guards: a decision that rests on "there is no other" holds only while none comes.
//!
//! Whoever ends all sessions of a user has listed them before; one that was started since is not on the
//! list. The guard turns that into a conflict, and the command is decided again.

use std::collections::BTreeSet;

use evident_domain::{Position, Recorded, Subject, UserId};
use serde_json::{Value as Json, json};

use crate::codec::signed;
use crate::database::{DatabaseError, Dialect, Tables, Value};
use crate::writer::Job;

/// No event of a type that concerns somebody may have come after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The type (`session.started`).
    pub event_type: &'static str,
    /// Whom it concerns.
    pub concerns: Concern,
    /// The position up to which the decision has seen everything.
    pub after: Position,
}

/// How an event concerns somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// It holds their data.
    Subject(Subject),
    /// It names them as `user`.
    User(UserId),
}

impl Guard {
    /// Whether an event of the same batch breaks it.
    pub(crate) fn is_broken_by(&self, event: &Recorded) -> bool {
        if event.event.kind().0 != self.event_type {
            return false;
        }
        match &self.concerns {
            Concern::Subject(subject) => event.subject.as_ref() == Some(subject),
            Concern::User(user) => {
                let json = event.event.to_json().ok();
                json.is_some_and(|json| json["user"].as_str() == Some(user.to_string().as_str()))
            }
        }
    }

    /// What the statement needs of it, for the change of a place.
    fn to_json(&self, place: usize) -> Json {
        let (subject, user) = match &self.concerns {
            Concern::Subject(subject) => (Some(subject.to_string()), None),
            Concern::User(user) => (None, Some(user.to_string())),
        };
        json!([place, self.event_type, subject, signed(self.after.0), user])
    }
}

/// Which changes of a batch have a guard that the log breaks, by their place in the batch.
pub(crate) async fn broken(tables: &mut dyn Tables, batch: &[Job]) -> Result<BTreeSet<usize>, DatabaseError> {
    let guards: Vec<Json> = batch
        .iter()
        .enumerate()
        .flat_map(|(place, job)| job.append.guards.iter().map(move |guard| (place, guard)))
        .map(|(place, guard)| guard.to_json(place))
        .collect();
    if guards.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = match tables.dialect() {
        Dialect::Sqlite => {
            "select g.value ->> 0 from json_each($1) g where exists (select 1 from events e \
             where e.subject = g.value ->> 2 and e.position > g.value ->> 3 and e.event_type = g.value ->> 1) \
             or exists (select 1 from events e where e.event_type = g.value ->> 1 \
             and e.position > g.value ->> 3 and e.payload ->> 'user' = g.value ->> 4)"
        }
        Dialect::Postgres => {
            "select (g ->> 0)::bigint from json_array_elements($1::json) g where exists (select 1 from events e \
             where e.subject = g ->> 2 and e.position > (g ->> 3)::bigint and e.event_type = g ->> 1) \
             or exists (select 1 from events e where e.event_type = g ->> 1 \
             and e.position > (g ->> 3)::bigint and e.payload ->> 'user' = g ->> 4)"
        }
    };
    let rows = tables.query(sql, &[Json::from(guards).to_string().into()]).await?;
    let place = |row: &Vec<Value>| row.first().and_then(Value::as_int).and_then(|p| usize::try_from(p).ok());
    Ok(rows.iter().filter_map(place).collect())
}

//! Guards: a decision that rests on "there is no other" holds only while none comes.
//!
//! Whoever ends all sessions of a user has listed them before; one that was started since is not on the
//! list. The guard turns that into a conflict, and the command is decided again.

use std::collections::BTreeSet;

use evident_domain::{Position, Recorded, Subject};
use serde_json::{Value as Json, json};

use crate::codec::signed;
use crate::database::{DatabaseError, Dialect, Tables, Value};
use crate::writer::Job;

/// No event of a type with data of a subject may have come after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The type (`session.started`).
    pub event_type: &'static str,
    /// Whose data.
    pub subject: Subject,
    /// The position up to which the decision has seen everything.
    pub after: Position,
}

impl Guard {
    /// Whether an event of the same batch breaks it.
    pub(crate) fn is_broken_by(&self, event: &Recorded) -> bool {
        event.event.kind().0 == self.event_type && event.subject.as_ref() == Some(&self.subject)
    }
}

/// Which changes of a batch have a guard that the log breaks, by their place in the batch.
pub(crate) async fn broken(tables: &mut dyn Tables, batch: &[Job]) -> Result<BTreeSet<usize>, DatabaseError> {
    let guards: Vec<Json> = batch
        .iter()
        .enumerate()
        .flat_map(|(place, job)| job.append.guards.iter().map(move |guard| (place, guard)))
        .map(|(place, g)| json!([place, g.event_type, g.subject.to_string(), signed(g.after.0)]))
        .collect();
    if guards.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = match tables.dialect() {
        Dialect::Sqlite => {
            "select g.value ->> 0 from json_each($1) g where exists (select 1 from events e \
             where e.subject = g.value ->> 2 and e.position > g.value ->> 3 and e.event_type = g.value ->> 1)"
        }
        Dialect::Postgres => {
            "select (g ->> 0)::bigint from json_array_elements($1::json) g where exists (select 1 from events e \
             where e.subject = g ->> 2 and e.position > (g ->> 3)::bigint and e.event_type = g ->> 1)"
        }
    };
    let rows = tables.query(sql, &[Json::from(guards).to_string().into()]).await?;
    let place = |row: &Vec<Value>| row.first().and_then(Value::as_int).and_then(|p| usize::try_from(p).ok());
    Ok(rows.iter().filter_map(place).collect())
}

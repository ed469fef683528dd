//! Who could sign in at a moment, from the log alone: the events of accounts up to then, folded.
//!
//! The tables say what is now; this says what was. Accounts come in the order of their beginnings, page by
//! page, so that a log of any length is read with little memory.

use std::collections::BTreeMap;

use evident_domain::{Position, Recorded, StreamKind, Time, UserId};
use evident_eventstore::{DatabaseError, EventStore, StoreError, Value};
use serde_json::Value as Json;
use uuid::Uuid;

use super::names::Named;
use crate::audit::changes::{Effect, effects, setters};

/// The fields that decide.
const DECIDING: [&str; 8] = [
    "account",
    "banned",
    "banned_until",
    "email_confirmed",
    "phone_confirmed",
    "anonymous",
    "identities",
    "password",
];

/// An account as it stood at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub user: UserId,
    /// What they are called now.
    pub name: String,
    /// The event that began it.
    pub since: Position,
    /// The last event up to the moment that had a say in whether they could sign in.
    pub decided: Position,
    /// Whether they could sign in: the account was open and not banned, and an address or number was
    /// confirmed or somebody else vouched for them.
    pub could_sign_in: bool,
    /// Whether there was a password.
    pub password: bool,
    /// The providers by which they could come in.
    pub providers: Vec<String>,
}

/// The next accounts that had begun by a moment; the position behind which there are more.
///
/// # Errors
/// When the database fails.
pub async fn standings(
    store: &EventStore,
    at: Time,
    after: Position,
    limit: usize,
) -> Result<(Vec<Standing>, Option<Position>), StoreError> {
    let begun = begun(store, at, after, limit).await?;
    let next = begun.last().filter(|_| begun.len() == limit).map(|(position, _)| *position);
    let ids: Vec<Uuid> = begun.iter().map(|(_, user)| user.0).collect();
    let heads: Vec<Effect> =
        DECIDING.iter().map(|head| Effect { field: (*head).to_owned(), value: None }).collect();
    let types = setters(StreamKind::User, &heads);
    let mut folded: BTreeMap<Uuid, Folded> = BTreeMap::new();
    let mut named = Named::default();
    for event in store.of_streams(StreamKind::User, &ids, &types).await? {
        if event.occurred_at <= at {
            named.add(&event);
            folded.entry(event.stream.id).or_default().take(&event);
        }
    }
    let names = named.names(store.database()).await?;
    let standings = begun.into_iter().map(|(since, user)| {
        let folded = folded.remove(&user.0).unwrap_or_default();
        folded.standing(user, names.user(user), since, at)
    });
    Ok((standings.collect(), next))
}

async fn begun(
    store: &EventStore,
    at: Time,
    after: Position,
    limit: usize,
) -> Result<Vec<(Position, UserId)>, DatabaseError> {
    let sql = "select position, aggregate_id from events where event_type = 'user.signed_up' \
               and position > $1 and occurred_at <= $2 order by position limit $3";
    let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let limit = number(u64::try_from(limit).unwrap_or(u64::MAX));
    let rows = store.database().query(sql, &[number(after.0), at.timestamp_micros().into(), limit]).await?;
    let read = |row: &Vec<Value>| {
        let position = u64::try_from(row.first()?.as_int()?).ok()?;
        Some((Position(position), row.get(1)?.as_text()?.parse().ok()?))
    };
    let damaged = || DatabaseError::Unexpected { table: "events".to_owned(), column: "aggregate_id" };
    rows.iter().map(|row| read(row).ok_or_else(damaged)).collect()
}

/// What the events of an account have set.
#[derive(Debug, Default)]
struct Folded {
    fields: BTreeMap<String, Json>,
    decided: Position,
}

impl Folded {
    fn take(&mut self, event: &Recorded) {
        for effect in effects(&event.event) {
            if DECIDING.contains(&effect.field.split('.').next().unwrap_or_default()) {
                // What is erased was there all the same.
                let value = effect.value.unwrap_or_else(|| Json::from("(erased)"));
                self.fields.insert(effect.field, value);
                self.decided = event.position;
            }
        }
    }

    fn is(&self, field: &str) -> bool {
        self.fields.get(field) == Some(&Json::Bool(true))
    }

    fn standing(&self, user: UserId, name: String, since: Position, at: Time) -> Standing {
        let providers: Vec<String> = self
            .fields
            .iter()
            .filter(|(field, _)| field.starts_with("identities.") && field.ends_with(".provider"))
            .filter_map(|(_, provider)| provider.as_str().map(str::to_owned))
            .collect();
        let vouched = providers.iter().any(|provider| provider != "email" && provider != "phone");
        let until = self.fields.get("banned_until").and_then(Json::as_str);
        let over = until.and_then(|until| until.parse::<Time>().ok()).is_some_and(|until| until <= at);
        let open = self.fields.get("account").and_then(Json::as_str) == Some("open");
        let known = ["email_confirmed", "phone_confirmed", "anonymous"].iter().any(|field| self.is(field));
        let banned = self.is("banned") && !over;
        Standing {
            user,
            name,
            since,
            decided: self.decided,
            could_sign_in: open && !banned && (known || vouched),
            password: self.fields.get("password").is_some_and(|value| !value.is_null()),
            providers,
        }
    }
}

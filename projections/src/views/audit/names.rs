//! Who stands in entries, by the names that they had.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use evident_domain::user::UserEvent;
use evident_domain::{Event, Personal, Position, Recorded, StreamKind, UserId};
use evident_eventstore::{Database, DatabaseError, EventStore, StoreError, Value};
use uuid::Uuid;

use super::AuditEntry;
use super::authors::placeholders;
use crate::audit::{self, AuditActor, AuditTrait};

/// What stands where a personal text stood whose key is destroyed.
const ERASED: &str = "erased";

/// The events that give a user another address or number.
const NAMING: [&str; 5] = [
    "user.signed_up",
    "user.email_changed",
    "user.email_adopted",
    "user.phone_changed",
    "user.phone_removed",
];

/// What users were called, and when.
pub(super) struct Names {
    contacts: HashMap<UserId, Vec<Naming>>,
    full_names: HashMap<UserId, String>,
}

/// A user's address or number from an event on.
struct Naming {
    from: Position,
    change: Change,
}

enum Change {
    /// This address, or none.
    Email(Option<String>),
    /// This number, or none.
    Phone(Option<String>),
}

impl Names {
    /// The names of everybody who stands in the entries of events.
    pub(super) async fn of(store: &EventStore, events: &[Recorded]) -> Result<Self, StoreError> {
        let mut users = BTreeSet::new();
        for event in events {
            if let AuditActor::User(id) = audit::actor(event) {
                users.insert(id.0);
            }
            if event.stream.kind == StreamKind::User {
                users.insert(event.stream.id);
            }
        }
        let users: Vec<Uuid> = users.into_iter().collect();
        let mut contacts: HashMap<UserId, Vec<Naming>> = HashMap::new();
        for event in store.of_streams(StreamKind::User, &users, &NAMING).await? {
            contacts.entry(UserId(event.stream.id)).or_default().extend(naming(&event));
        }
        Ok(Self { contacts, full_names: full_names(store.database(), &users).await? })
    }

    /// A user's address and number when something happened: before the change, if that is what happened.
    fn contacts_at(&self, user: UserId, at: Position) -> (Option<&str>, Option<&str>) {
        let before = self.contacts.get(&user).into_iter().flatten().filter(|naming| naming.from <= at);
        before.fold((None, None), |(email, phone), naming| match &naming.change {
            Change::Email(changed) => (changed.as_deref(), phone),
            Change::Phone(changed) => (email, changed.as_deref()),
        })
    }

    /// The entry that an event is.
    pub(super) fn entry(&self, event: &Recorded) -> Option<AuditEntry> {
        let (action, actor) = (audit::action(event)?, audit::actor(event));
        let at = event.position;
        let (username, name) = match &actor {
            AuditActor::User(id) => {
                let (email, phone) = self.contacts_at(*id, at);
                let username = phone.or(email).unwrap_or_default().to_owned();
                (username, self.full_names.get(id).cloned())
            }
            AuditActor::Admin(role) => (role.clone(), None),
            AuditActor::Operator | AuditActor::System | AuditActor::Visitor => {
                (if actor == AuditActor::Visitor { String::new() } else { actor.label() }, None)
            }
        };
        let traits = audit::traits(event).into_iter();
        let traits = traits.map(|(key, value)| (key, self.trait_text(value, at))).collect();
        let ip = event.provenance.ip.as_ref().and_then(Personal::known).map(ToString::to_string);
        Some(AuditEntry { id: event.id, action, actor, username, name, traits, at: event.occurred_at, ip })
    }

    fn trait_text(&self, value: AuditTrait, at: Position) -> String {
        match value {
            AuditTrait::Text(text) => text,
            AuditTrait::EmailOf(user) => self.contacts_at(user, at).0.unwrap_or_default().to_owned(),
            AuditTrait::PhoneOf(user) => self.contacts_at(user, at).1.unwrap_or_default().to_owned(),
            AuditTrait::ContactOf(user) => match self.contacts_at(user, at) {
                (None, Some(_)) => "phone".to_owned(),
                (Some(_) | None, _) => "email".to_owned(),
            },
            AuditTrait::Erased => ERASED.to_owned(),
        }
    }
}

fn naming(event: &Recorded) -> Vec<Naming> {
    fn shown<T: ToString>(value: &Personal<T>) -> String {
        value.known().map_or_else(|| ERASED.to_owned(), ToString::to_string)
    }
    let Event::User(user_event) = &event.event else { return Vec::new() };
    // An account has its first names at once; a change shows who the user was before.
    let after = Position(event.position.0 + 1);
    match user_event {
        UserEvent::SignedUp { email, phone, .. } => vec![
            Naming { from: event.position, change: Change::Email(email.as_ref().map(shown)) },
            Naming { from: event.position, change: Change::Phone(phone.as_ref().map(shown)) },
        ],
        UserEvent::EmailChanged { email } => {
            vec![Naming { from: after, change: Change::Email(Some(shown(email))) }]
        }
        UserEvent::EmailAdopted { email, .. } => {
            vec![Naming { from: after, change: Change::Email(email.as_ref().map(shown)) }]
        }
        UserEvent::PhoneChanged { phone } => {
            vec![Naming { from: after, change: Change::Phone(Some(shown(phone))) }]
        }
        UserEvent::PhoneRemoved {} => vec![Naming { from: after, change: Change::Phone(None) }],
        // `NAMING` asks for no others.
        _ => Vec::new(),
    }
}

/// Full names as they are now.
async fn full_names(database: &Database, users: &[Uuid]) -> Result<HashMap<UserId, String>, DatabaseError> {
    let mut names = HashMap::new();
    for some in users.chunks(500) {
        let ids: Vec<Value> = some.iter().map(|id| id.to_string().into()).collect();
        let sql = format!("select id, user_metadata from users where id in ({})", placeholders(1, ids.len()));
        for row in database.query(&sql, &ids).await? {
            let [Value::Text(id), Value::Text(data)] = &row[..] else { continue };
            let data: BTreeMap<String, serde_json::Value> = serde_json::from_str(data).unwrap_or_default();
            let name = data.get("full_name").and_then(serde_json::Value::as_str);
            if let (Ok(id), Some(name)) = (id.parse(), name.filter(|name| !name.is_empty())) {
                names.insert(id, name.to_owned());
            }
        }
    }
    Ok(names)
}

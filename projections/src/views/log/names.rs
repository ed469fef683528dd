//! What the people and organizations of a page are called.

use std::collections::BTreeSet;

use evident_domain::{Actor, Event, OrganizationId, Recorded, StreamKind, Subject, UserId};
use evident_eventstore::{Database, DatabaseError, Value};
use uuid::Uuid;

use crate::audit::words::Names;

/// How many ids stand in one statement.
const IDS: usize = 500;

/// Whom events name.
#[derive(Debug, Default)]
pub(super) struct Named {
    users: BTreeSet<UserId>,
    organizations: BTreeSet<OrganizationId>,
}

impl Named {
    pub(super) fn add(&mut self, event: &Recorded) {
        match &event.subject {
            Some(Subject::User(id)) => {
                self.users.insert(*id);
            }
            Some(Subject::Organization(id)) => {
                self.organizations.insert(*id);
            }
            Some(Subject::Invitation(_) | Subject::Server | Subject::Period(_)) | None => {}
        }
        match event.provenance.actor {
            Actor::User { id } | Actor::Admin { id: Some(id), .. } => {
                self.users.insert(id);
            }
            Actor::Impersonator { admin, user } => {
                self.users.extend([admin, user]);
            }
            Actor::Admin { id: None, .. } | Actor::Operator | Actor::Visitor | Actor::System => {}
        }
        match event.stream.kind {
            StreamKind::User => {
                self.users.insert(UserId(event.stream.id));
            }
            StreamKind::Organization => {
                self.organizations.insert(OrganizationId(event.stream.id));
            }
            _ => {}
        }
        self.add_payload(&event.event);
    }

    /// Ids in the payload, by the types that the catalogue says.
    fn add_payload(&mut self, event: &Event) {
        let fields = event.description().fields;
        let wanted = |kind: &str| matches!(kind, "UserId" | "OrganizationId");
        if !fields.iter().any(|field| wanted(field.value_type())) {
            return;
        }
        let shown = event.disclosed().fields;
        for field in fields.iter().filter(|field| wanted(field.value_type())) {
            let id = shown.get(field.name).and_then(|value| value.as_str()?.parse::<Uuid>().ok());
            match (field.value_type(), id) {
                ("UserId", Some(id)) => {
                    self.users.insert(UserId(id));
                }
                (_, Some(id)) => {
                    self.organizations.insert(OrganizationId(id));
                }
                (_, None) => {}
            }
        }
    }

    /// What they are called now.
    pub(super) async fn names(&self, database: &Database) -> Result<Names, DatabaseError> {
        let mut names = Names::default();
        let users: Vec<UserId> = self.users.iter().copied().collect();
        for some in users.chunks(IDS) {
            let ids: Vec<Value> = some.iter().map(|id| id.to_string().into()).collect();
            let sql =
                "select id, coalesce(email, ''), coalesce(phone, ''), user_metadata from users where id in";
            for row in database.query(&format!("{sql} ({})", list(ids.len())), &ids).await? {
                let [Value::Text(id), Value::Text(email), Value::Text(phone), Value::Text(data)] = &row[..]
                else {
                    continue;
                };
                if let (Ok(id), Some(name)) = (id.parse(), called(email, phone, data)) {
                    names.users.insert(id, name);
                }
            }
            let subjects: Vec<Value> = some.iter().map(|id| Subject::User(*id).to_string().into()).collect();
            let sql = format!("select subject from erased_subjects where subject in ({})", list(ids.len()));
            for row in database.query(&sql, &subjects).await? {
                let subject = row.first().and_then(Value::as_text).and_then(|subject| subject.parse().ok());
                if let Some(Subject::User(id)) = subject {
                    names.erased.insert(id);
                }
            }
        }
        let organizations: Vec<OrganizationId> = self.organizations.iter().copied().collect();
        for some in organizations.chunks(IDS) {
            let ids: Vec<Value> = some.iter().map(|id| id.to_string().into()).collect();
            let sql = format!("select id, name from organizations where id in ({})", list(ids.len()));
            for row in database.query(&sql, &ids).await? {
                let [Value::Text(id), Value::Text(name)] = &row[..] else { continue };
                if let Ok(id) = id.parse() {
                    names.organizations.insert(id, name.clone());
                }
            }
        }
        Ok(names)
    }
}

fn list(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// A name, and the address or number behind it.
fn called(email: &str, phone: &str, data: &str) -> Option<String> {
    let data: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
    let named = ["full_name", "name"].iter().find_map(|key| data.get(key)?.as_str());
    let named = named.map(str::trim).filter(|name| !name.is_empty());
    let contact = [email, phone].into_iter().find(|contact| !contact.is_empty());
    match (named, contact) {
        (Some(name), Some(contact)) => Some(format!("{name} ({contact})")),
        (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
        (None, None) => None,
    }
}

//! OCSF: every event in one of five classes of its category "Identity & Access Management".

mod class;

use evident_domain::attempt::AttemptEvent;
use evident_domain::organization::OrganizationEvent;
use evident_domain::session::SessionEvent;
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Event, EventId, Personal, Position, Recorded, Subject, UserId};
use serde_json::{Map, Value as Json, json};

use self::class::{Class, classify, classify_kind};
use super::plain::{self, moment_of};
use super::{Entry, Style};

/// The version of the schema whose attributes are written.
pub const OCSF_VERSION: &str = "1.3.0";

const CATEGORY: u32 = 3;
const CATEGORY_NAME: &str = "Identity & Access Management";

/// OCSF's numbers for kinds of users.
const USER: u32 = 1;
const ADMIN: u32 = 2;
const SYSTEM: u32 = 3;

pub(super) fn document(entry: &Entry, style: &Style) -> Json {
    let leaf = &entry.sealed.leaf;
    let event = entry.event.as_ref();
    let of = event.map_or_else(|| classify_kind(&leaf.kind), |event| classify(&event.event));
    let class = of.class;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Json| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    let activity_name = of.name(&leaf.kind);
    put("category_uid", json!(CATEGORY));
    put("category_name", json!(CATEGORY_NAME));
    put("class_uid", json!(class.uid()));
    put("class_name", json!(class.name()));
    put("activity_id", json!(of.activity));
    put("activity_name", json!(activity_name));
    put("type_uid", json!(class.uid() * 100 + of.activity));
    put("type_name", json!(format!("{}: {activity_name}", class.name())));
    put("time", json!(leaf.time.div_euclid(1_000)));
    let (severity, severity_name) = if of.failed { (2, "Low") } else { (1, "Informational") };
    put("severity_id", json!(severity));
    put("severity", json!(severity_name));
    let (status, status_name) = if of.failed { (2, "Failure") } else { (1, "Success") };
    put("status_id", json!(status));
    put("status", json!(status_name));
    put("metadata", metadata(entry, style));
    put("actor", actor(&leaf.actor, event));
    put("src_endpoint", source(event));
    put("user", user(entry));
    match class {
        Class::Authentication => {
            put("service", json!({"name": "Evident", "uid": style.source}));
            put("session", session(event));
            put("is_remote", json!(true));
            put("status_detail", reason(event));
        }
        Class::EntityManagement => put("entity", entity(&leaf.stream, event)),
        Class::UserAccess => {
            put("privileges", privileges(event));
            put("resource", resource(event));
        }
        Class::GroupManagement => {
            put("group", group(&leaf.stream, event));
            put("privileges", privileges(event));
        }
        Class::AccountChange => {}
    }
    put("unmapped", unmapped(entry, style));
    Json::Object(fields)
}

pub(super) fn place(document: &Json) -> Option<(Position, EventId)> {
    let metadata = document.get("metadata")?;
    document.get("class_uid")?;
    let position = metadata.get("sequence")?.as_u64()?;
    Some((Position(position), metadata.get("uid")?.as_str()?.parse().ok()?))
}

fn metadata(entry: &Entry, style: &Style) -> Json {
    let leaf = &entry.sealed.leaf;
    let request = entry.event.as_ref().map(|event| event.provenance.request_id);
    let mut metadata = json!({
        "version": OCSF_VERSION,
        "product": {"name": "Evident", "vendor_name": "Evident", "version": env!("CARGO_PKG_VERSION")},
        "uid": leaf.id,
        "sequence": leaf.position,
        "event_code": leaf.kind,
        "log_name": style.source,
        "log_version": leaf.version,
        "original_time": moment_of(leaf.time),
    });
    if let (Some(fields), Some(request)) = (metadata.as_object_mut(), request) {
        fields.insert("correlation_uid".to_owned(), json!(request));
    }
    metadata
}

fn person(id: UserId) -> Json {
    json!({"uid": id, "type_id": USER, "type": "User"})
}

fn actor(label: &str, event: Option<&Recorded>) -> Json {
    let user = match Actor::from_label(label) {
        Some(Actor::User { id }) => person(id),
        Some(Actor::Impersonator { admin, .. }) => json!({"uid": admin, "type_id": ADMIN, "type": "Admin"}),
        Some(Actor::Admin { role, id: Some(id) }) => {
            json!({"uid": id, "name": role, "type_id": ADMIN, "type": "Admin"})
        }
        Some(Actor::Admin { role, id: None }) => json!({"name": role, "type_id": ADMIN, "type": "Admin"}),
        Some(Actor::System) => json!({"name": label, "type_id": SYSTEM, "type": "System"}),
        _ => json!({"name": label, "type_id": 0, "type": "Unknown"}),
    };
    let mut actor = json!({"user": user});
    let session = session(event);
    if !session.is_null() {
        actor["session"] = session;
    }
    actor
}

fn session(event: Option<&Recorded>) -> Json {
    match event.map(|event| &event.event) {
        Some(Event::Session(_)) => json!({"uid": event.map(|event| event.stream.id)}),
        Some(Event::Attempt(AttemptEvent::RefreshTokenReused { session, .. })) => json!({"uid": session}),
        _ => Json::Null,
    }
}

/// From where; OCSF wants a name at least.
fn source(event: Option<&Recorded>) -> Json {
    match event.map(|event| &event.provenance.ip) {
        Some(Some(Personal::Known(ip))) => json!({"ip": ip}),
        Some(Some(Personal::Sealed(_))) => json!({"name": "sealed"}),
        Some(Some(Personal::Erased)) => json!({"name": "erased"}),
        Some(None) => json!({"name": "internal"}),
        None => json!({"name": "dropped"}),
    }
}

/// Whom it is about.
fn user(entry: &Entry) -> Json {
    let named = entry.event.as_ref().and_then(|event| match &event.event {
        Event::Organization(
            OrganizationEvent::MemberAdded { user, .. }
            | OrganizationEvent::MemberRoleChanged { user, .. }
            | OrganizationEvent::MemberRemoved { user, .. }
            | OrganizationEvent::TeamMemberAdded { user, .. }
            | OrganizationEvent::TeamMemberRemoved { user, .. },
        )
        | Event::Session(SessionEvent::Started { user, .. })
        | Event::Attempt(
            AttemptEvent::SignInFailed { user: Some(user), .. }
            | AttemptEvent::SignUpRepeated { user, .. }
            | AttemptEvent::RefreshTokenReused { user, .. }
            | AttemptEvent::AuthenticatorSuspected { user, .. },
        ) => Some(*user),
        _ => None,
    });
    let subject = entry.sealed.leaf.subject.as_deref().and_then(|subject| subject.parse().ok());
    let id = named.or(match subject {
        Some(Subject::User(id)) => Some(id),
        Some(_) | None => None,
    });
    let mut user = id.map_or_else(|| json!({"name": "unknown", "type_id": 0, "type": "Unknown"}), person);
    match entry.event.as_ref().map(|event| &event.event) {
        Some(Event::User(
            UserEvent::SignedUp { email: Some(Personal::Known(email)), .. }
            | UserEvent::EmailChanged { email: Personal::Known(email) },
        )) => user["email_addr"] = json!(email),
        Some(Event::Attempt(AttemptEvent::SignInFailed { identifier: Personal::Known(name), .. })) => {
            user["name"] = json!(name);
        }
        _ => {}
    }
    user
}

fn reason(event: Option<&Recorded>) -> Json {
    match event.map(|event| &event.event) {
        Some(Event::Attempt(AttemptEvent::SignInFailed { reason, .. })) => json!(reason),
        Some(Event::Attempt(AttemptEvent::AdminDenied { reason, .. })) => json!(reason),
        Some(Event::Session(SessionEvent::Revoked { reason })) => json!(reason),
        _ => Json::Null,
    }
}

/// What is managed: the stream's aggregate.
fn entity(stream: &str, event: Option<&Recorded>) -> Json {
    let (kind, id) = stream.split_once(':').unwrap_or((stream, ""));
    let mut entity = json!({"type": kind, "uid": id});
    if let Some(Event::Organization(OrganizationEvent::Created { name, .. })) =
        event.map(|event| &event.event)
    {
        entity["name"] = json!(name);
    }
    entity
}

/// The group whose members or rights change: an organization, a team, a role.
fn group(stream: &str, event: Option<&Recorded>) -> Json {
    let organization = stream.split_once(':').map_or(stream, |(_, id)| id);
    let group = |kind: &str, id: &dyn std::fmt::Display| json!({"type": kind, "uid": id.to_string(), "domain": organization});
    match event.map(|event| &event.event) {
        Some(Event::Organization(
            OrganizationEvent::TeamMemberAdded { team, .. }
            | OrganizationEvent::TeamMemberRemoved { team, .. },
        )) => group("team", team),
        Some(Event::Organization(
            OrganizationEvent::RoleDefined { role, name, .. } | OrganizationEvent::RoleDeleted { role, name },
        )) => {
            let mut group = group("role", role);
            group["name"] = json!(name);
            group
        }
        _ => json!({"type": "organization", "uid": organization}),
    }
}

/// The rights that change, as a list of texts.
fn privileges(event: Option<&Recorded>) -> Json {
    let roles = match event.map(|event| &event.event) {
        Some(Event::User(UserEvent::RoleChanged { role })) => json!([role]),
        Some(
            Event::User(UserEvent::AdminRolesChanged { roles })
            | Event::Organization(
                OrganizationEvent::MemberAdded { roles, .. }
                | OrganizationEvent::MemberRoleChanged { roles, .. },
            ),
        ) => json!(roles),
        Some(Event::Organization(OrganizationEvent::RoleDefined { permissions, .. })) => {
            let permissions = json!(permissions);
            let list = permissions.as_object().into_iter().flatten().flat_map(|(resource, actions)| {
                actions
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .map(move |action| format!("{resource}:{action}"))
            });
            list.collect()
        }
        _ => return Json::Null,
    };
    if roles.is_array() { roles } else { json!([roles]) }
}

fn resource(event: Option<&Recorded>) -> Json {
    match event {
        Some(event) if matches!(event.event, Event::Organization(_)) => {
            json!({"type": "organization", "uid": event.stream.id})
        }
        _ => Json::Null,
    }
}

/// What OCSF has no attribute for.
fn unmapped(entry: &Entry, style: &Style) -> Json {
    let leaf = &entry.sealed.leaf;
    let event = entry.event.as_ref();
    let provenance = event.map(|event| &event.provenance);
    let mut fields = json!({
        "stream": leaf.stream,
        "stream_sequence": leaf.sequence,
        "personal": style.opening.as_str(),
        "data": event.map(|event| plain::data(&event.event)),
        "causation": provenance.and_then(|provenance| provenance.causation),
        "surface": provenance.map(|provenance| provenance.surface.as_str()),
        "client": provenance.and_then(|provenance| provenance.client.as_deref()),
        "user_agent": event.and_then(plain::agent),
    });
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    fields
}

#[cfg(test)]
mod tests;

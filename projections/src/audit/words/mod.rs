//! Events in plain words: one sentence each, for people who never saw the code.
//!
//! Every event has its sentence; there is no "something happened". Who did it stands at the end, where it is
//! not the person whom it is about.

mod accounts;
mod factors;
mod oauth;
mod organizations;
mod others;
mod sessions;

use std::collections::HashMap;
use std::fmt::Display;

use evident_domain::reading::AuditEvent;
use evident_domain::{Actor, Event, OrganizationId, Personal, Recorded, StreamKind, Subject, Time, UserId};
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

/// What is told of an event whose content is gone, by retention or by damage.
pub const DROPPED: &str = "what this event held is not there any more; its leaf in the log stands";

/// What people and organizations are called.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub(crate) users: HashMap<UserId, String>,
    pub(crate) erased: std::collections::HashSet<UserId>,
    pub(crate) organizations: HashMap<OrganizationId, String>,
}

impl Names {
    /// What a person is called now; who was erased has no name any more.
    pub fn user(&self, id: UserId) -> String {
        match self.users.get(&id) {
            Some(name) => name.clone(),
            None if self.erased.contains(&id) => format!("user {} (erased)", short(id.0)),
            None => format!("user {}", short(id.0)),
        }
    }

    /// What an organization is called now.
    pub fn organization(&self, id: OrganizationId) -> String {
        match self.organizations.get(&id) {
            Some(name) => format!("the organization {name}"),
            None => format!("organization {}", short(id.0)),
        }
    }
}

/// An event in a sentence, without a full stop.
pub fn sentence(event: &Recorded, names: &Names) -> String {
    let mut text = match &event.event {
        Event::User(of) => accounts::sentence(of, &names.user(UserId(event.stream.id))),
        Event::Session(of) => sessions::sentence(of, &subject(event, names), names),
        Event::Organization(of) => {
            organizations::sentence(of, &names.organization(OrganizationId(event.stream.id)), names)
        }
        Event::SsoProvider(of) => others::sso_provider(of, &short(event.stream.id)),
        Event::Flow(of) => others::flow(of, names),
        Event::Recipient(of) => others::recipient(of),
        Event::Provider(of) => others::provider(of, &short(event.stream.id)),
        Event::Client(of) => oauth::client(of, &short(event.stream.id)),
        Event::Authorization(of) => oauth::authorization(of, names),
        Event::Consent(of) => oauth::consent(of, names),
        Event::Attempt(of) => others::attempt(of, names),
        Event::Hold(of) => others::hold(of),
        Event::Log(of) => others::log(of),
        Event::Audit(AuditEvent::Read { operation }) => format!("the log was read ({operation})"),
        Event::Dropped(_) => DROPPED.to_owned(),
    };
    if let Some(actor) = by(event, names) {
        text.push_str(", by ");
        text.push_str(&actor);
    }
    text
}

/// Who did it, where that is not clear from whom it is about.
fn by(event: &Recorded, names: &Names) -> Option<String> {
    match &event.provenance.actor {
        Actor::User { id } => {
            let own =
                event.subject == Some(Subject::User(*id)) && event.stream.kind != StreamKind::Organization;
            (!own).then(|| names.user(*id))
        }
        Actor::Impersonator { admin, user } => {
            Some(format!("{} in the name of {}", names.user(*admin), names.user(*user)))
        }
        Actor::Admin { role, id: None } => Some(format!("admin {role}")),
        Actor::Admin { role, id: Some(id) } => Some(format!("admin {role} ({})", names.user(*id))),
        Actor::Operator => Some("an operator at the command line".to_owned()),
        Actor::System => Some("the server itself".to_owned()),
        Actor::Visitor => None,
    }
}

fn subject(event: &Recorded, names: &Names) -> String {
    match &event.subject {
        Some(Subject::User(id)) => names.user(*id),
        Some(Subject::Organization(id)) => names.organization(*id),
        Some(Subject::Invitation(_) | Subject::Server | Subject::Period(_)) | None => {
            "somebody unknown".to_owned()
        }
    }
}

/// The first part of an id: enough to find it again in the data beside.
fn short(id: Uuid) -> String {
    let text = id.to_string();
    text.get(..8).unwrap_or(&text).to_owned()
}

/// A personal value, or that it is gone.
fn shown<T: Display>(value: &Personal<T>) -> String {
    value.known().map_or_else(|| "(erased)".to_owned(), ToString::to_string)
}

/// A moment, to the second.
fn moment(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A stored name in words: `signed_out` as `signed out`.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Json::String(name)) => name.replace(['_', '-'], " "),
        _ => String::new(),
    }
}

/// Names between commas.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use evident_domain::catalogue::samples;
    use evident_domain::user::UserEvent;
    use evident_domain::{EventId, Position, Provenance, StreamId, Surface};

    use super::*;

    fn recorded(event: Event, actor: Actor) -> Recorded {
        let id = UserId(Uuid::from_u128(0x0a11_a11a_0000_4000_8000_0000_0000_0001));
        Recorded {
            position: Position(1),
            id: EventId(Uuid::nil()),
            stream: StreamId { kind: event.stream_kind(), id: id.0 },
            sequence: 1,
            occurred_at: Time::default(),
            subject: Some(Subject::User(id)),
            provenance: Provenance::internal(actor, Surface::Internal, Uuid::nil()),
            event,
        }
    }

    #[test]
    fn every_event_has_a_sentence_that_gives_no_secret_away() {
        for sample in samples() {
            let kind = sample.kind().0;
            let text = sentence(&recorded(sample, Actor::Visitor), &Names::default());
            assert!(text.len() > 12 && !text.ends_with('.'), "{kind}: {text}");
            assert!(text.chars().next().is_some_and(|first| !first.is_whitespace()), "{kind}: {text}");
            assert!(!text.contains("  ") && !text.contains("()"), "{kind}: {text}");
            let secrets = [
                "$argon2", "5e5e", "9c9c", "3d3d", "b7b7", "ya29", "BwcH", "E9Mel", "hj9Xq2", "9m2Vq", "st-1",
            ];
            for secret in secrets.into_iter().chain(["Personal(", "{", "$"]) {
                assert!(!text.contains(secret), "{kind}: {text}");
            }
        }
    }

    #[test]
    fn a_sentence_says_whom_what_and_who_did_it() {
        let until = Time::from_timestamp_micros(1_795_226_118_540_517);
        let banned = Event::from(UserEvent::Banned { until, reason: Some("spam".to_owned().into()) });
        let id = UserId(Uuid::from_u128(0x0a11_a11a_0000_4000_8000_0000_0000_0001));
        let mut names = Names::default();
        names.users.insert(id, "Ada (ada@example.com)".to_owned());
        let admin = Actor::Admin { role: "service_role".to_owned(), id: None };
        assert_eq!(
            sentence(&recorded(banned.clone(), admin), &names),
            "Ada (ada@example.com) was banned until 2026-11-21 01:55:18 UTC (spam), by admin service_role"
        );
        let mut gone = Names::default();
        gone.erased.insert(id);
        let forever = Event::from(UserEvent::Banned { until: None, reason: Some(Personal::Erased) });
        assert_eq!(
            sentence(&recorded(forever, Actor::System), &gone),
            "user 0a11a11a (erased) was banned without end (reason erased), by the server itself"
        );
        let own = Event::from(UserEvent::PasswordChanged { password: Personal::Erased });
        assert_eq!(
            sentence(&recorded(own, Actor::User { id }), &names),
            "Ada (ada@example.com) got a new password"
        );
    }
}

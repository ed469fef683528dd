//! What may be asked for, and whether an event is it.

use std::net::IpAddr;

use evident_domain::catalogue::descriptions;
use evident_domain::{
    Actor, OrganizationId, Personal, Position, Recorded, SessionId, StreamId, StreamKind, Subject, Surface,
    Time, UserId,
};
use evident_eventstore::merkle::Leaf;
use uuid::Uuid;

use super::{LogItem, text};

/// Which events to read; all of what is set has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Of one of these types (`user.banned`); any if none.
    pub types: Option<Vec<String>>,
    /// With data of this subject.
    pub subject: Option<Subject>,
    /// Done by this actor ([`evident_domain::Actor::label`]).
    pub actor: Option<String>,
    /// Of this stream.
    pub stream: Option<StreamId>,
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// Of this session, or naming it.
    pub session: Option<SessionId>,
    /// About this user, by them (also for others, and by others in their name), or naming them.
    pub user: Option<UserId>,
    /// About this user, or naming them.
    pub about: Option<UserId>,
    /// From this address.
    pub ip: Option<IpAddr>,
    /// Not before.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
    /// Of this request.
    pub request: Option<Uuid>,
    /// Through this door.
    pub surface: Option<Surface>,
    /// With each of these words, in lower case, in what is not sealed.
    pub words: Vec<String>,
}

/// The types of events that a pattern means: one type (`user.banned`), or all that begin so (`user.*`).
pub fn types_like(pattern: &str) -> Vec<&'static str> {
    let all = StreamKind::ALL.into_iter().flat_map(descriptions).map(|described| described.name);
    match pattern.strip_suffix('*') {
        Some(prefix) => all.filter(|name| name.starts_with(prefix)).collect(),
        None => all.filter(|name| *name == pattern).collect(),
    }
}

/// Which part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCursor {
    /// Only behind this position.
    pub after: Position,
    /// Only in front of this position.
    pub before: Position,
    /// In which order.
    pub order: Order,
    /// How many at most; one at least.
    pub limit: usize,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// At the oldest.
    OldestFirst,
    /// At the newest.
    NewestFirst,
}

impl Order {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::OldestFirst => "asc",
            Self::NewestFirst => "desc",
        }
    }
}

/// What is asked of an event, whether or not its content is there.
struct Facts<'a> {
    kind: &'a str,
    stream: String,
    subject: Option<String>,
    actor: String,
    time: i64,
}

impl<'a> Facts<'a> {
    fn of_event(event: &'a Recorded) -> Self {
        Self {
            kind: event.event.kind().0,
            stream: event.stream.to_string(),
            subject: event.subject.as_ref().map(ToString::to_string),
            actor: event.provenance.actor.label(),
            time: event.occurred_at.timestamp_micros(),
        }
    }

    fn of_leaf(leaf: &'a Leaf<'_>) -> Self {
        Self {
            kind: &leaf.kind,
            stream: leaf.stream.clone(),
            subject: leaf.subject.as_deref().map(str::to_owned),
            actor: leaf.actor.to_string(),
            time: leaf.time,
        }
    }

    fn fit(&self, filter: &LogFilter) -> bool {
        let is =
            |wanted: Option<&str>, found: Option<&str>| wanted.is_none_or(|wanted| Some(wanted) == found);
        let subject = filter.subject.as_ref().map(ToString::to_string);
        let organization = filter.organization.map(|id| Subject::Organization(id).to_string());
        filter.types.as_ref().is_none_or(|types| types.iter().any(|kind| kind == self.kind))
            && is(subject.as_deref(), self.subject.as_deref())
            && (is(organization.as_deref(), self.subject.as_deref())
                || is(organization.as_deref(), Some(&self.stream)))
            && is(filter.actor.as_deref(), Some(&self.actor))
            && filter.stream.is_none_or(|stream| stream.to_string() == self.stream)
            && filter.from.is_none_or(|from| self.time >= from.timestamp_micros())
            && filter.to.is_none_or(|to| self.time < to.timestamp_micros())
    }

    fn is_about(&self, user: UserId) -> bool {
        self.subject.as_deref() == Some(&Subject::User(user).to_string())
    }

    fn is_by(&self, user: UserId) -> bool {
        match Actor::from_label(&self.actor) {
            Some(Actor::User { id } | Actor::Admin { id: Some(id), .. }) => id == user,
            Some(Actor::Impersonator { admin, user: other }) => admin == user || other == user,
            Some(Actor::Admin { id: None, .. } | Actor::Operator | Actor::Visitor | Actor::System) | None => {
                false
            }
        }
    }

    fn is_of(&self, session: SessionId) -> bool {
        self.stream == format!("{}:{session}", StreamKind::Session.as_str())
    }
}

/// Whether an event passes a filter. The SQL of [`super::plan`] asks the same; this is the last word.
pub(super) fn admits(filter: &LogFilter, item: &LogItem) -> bool {
    match item {
        LogItem::Event(event) => {
            let facts = Facts::of_event(event);
            let payload = payload_names(filter, event);
            let provenance = &event.provenance;
            facts.fit(filter)
                && filter.session.is_none_or(|session| facts.is_of(session) || payload.session)
                && filter.about.is_none_or(|user| facts.is_about(user) || payload.about)
                && filter.user.is_none_or(|user| facts.is_about(user) || facts.is_by(user) || payload.user)
                && filter.request.is_none_or(|request| provenance.request_id == request)
                && filter.surface.is_none_or(|surface| provenance.surface == surface)
                && filter.ip.is_none_or(|ip| provenance.ip.as_ref().and_then(Personal::known) == Some(&ip))
                && text::holds(&filter.words, || text::of_event(event))
        }
        LogItem::Leaf(leaf) => {
            let facts = Facts::of_leaf(leaf);
            facts.fit(filter)
                && filter.session.is_none_or(|session| facts.is_of(session))
                && filter.about.is_none_or(|user| facts.is_about(user))
                && filter.user.is_none_or(|user| facts.is_about(user) || facts.is_by(user))
                && filter.request.is_none()
                && filter.surface.is_none()
                && filter.ip.is_none()
                && text::holds(&filter.words, || text::of_leaf(leaf))
        }
    }
}

/// Whom the payload names, of those that are asked for.
#[derive(Default)]
struct Named {
    session: bool,
    about: bool,
    user: bool,
}

fn payload_names(filter: &LogFilter, event: &Recorded) -> Named {
    if filter.session.is_none() && filter.about.is_none() && filter.user.is_none() {
        return Named::default();
    }
    let fields = event.event.disclosed().fields;
    let is = |field: &str, id: Option<Uuid>| {
        id.is_some_and(|id| fields.get(field).and_then(|value| value.as_str()) == Some(&id.to_string()))
    };
    Named {
        session: is("session", filter.session.map(|id| id.0)),
        about: is("user", filter.about.map(|id| id.0)),
        user: is("user", filter.user.map(|id| id.0)),
    }
}

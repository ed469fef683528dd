//! Which events a command is about: the same words for all of them.

use clap::Args;
use evident_domain::{
    OrganizationId, Position, SessionId, StreamId, StreamKind, Subject, Surface, Time, UserId,
};
use evident_eventstore::Filter;
use uuid::Uuid;

/// Which events.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub(super) struct Selection {
    /// Only of these types (`user.banned`, or `user.*`); may be given again
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only with data of this subject (`user:<id>`, or just a user's id)
    #[arg(long, value_parser = subject)]
    subject: Option<Subject>,
    /// Only by this actor (`user:<id>`, `admin:service_role`, `visitor` …)
    #[arg(long)]
    actor: Option<String>,
    /// Only of this stream (`user:<id>`, `session:<id>`)
    #[arg(long, value_parser = stream)]
    stream: Option<StreamId>,
    /// What this user did, and what happened to them
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// What happened in this organization
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// What happened to this session and in it
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    /// What this request did, as the server's own log names it
    #[arg(long, value_name = "ID")]
    request_id: Option<Uuid>,
    /// Only through this door (gotrue, `better_auth`, ops, cli, internal)
    #[arg(long, value_parser = surface)]
    surface: Option<Surface>,
    /// Not before this time (2026-11-21T10:00:00Z)
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
    /// After this position
    #[arg(long, default_value_t = 0, value_name = "POSITION")]
    after: u64,
    /// Up to this position, inclusive
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
}

fn subject(text: &str) -> Result<Subject, String> {
    text.parse().or_else(|_| text.parse().map(Subject::User)).map_err(|_| "write user:<id>".to_owned())
}

fn stream(text: &str) -> Result<StreamId, String> {
    let parse = || {
        let (kind, id) = text.split_once(':')?;
        Some(StreamId { kind: StreamKind::from_name(kind)?, id: id.parse().ok()? })
    };
    parse().ok_or_else(|| "write user:<id> or session:<id>".to_owned())
}

fn surface(text: &str) -> Result<Surface, String> {
    Surface::from_name(text).ok_or_else(|| "write gotrue, better_auth, ops, cli or internal".to_owned())
}

impl Selection {
    /// The position that reading begins behind.
    pub(super) fn after(&self) -> Position {
        Position(self.after)
    }

    /// The position that reading ends at, where one is named.
    pub(super) fn until(&self) -> Option<Position> {
        self.until.map(Position)
    }

    /// Whether it is the log from its first event on, none left out.
    pub(super) fn is_whole(&self) -> bool {
        let Self { types, subject, actor, stream, user, organization, session, request_id, surface, .. } =
            self;
        types.is_empty()
            && subject.is_none()
            && actor.is_none()
            && stream.is_none()
            && user.is_none()
            && organization.is_none()
            && session.is_none()
            && request_id.is_none()
            && surface.is_none()
            && self.from.is_none()
            && self.to.is_none()
            && self.after == 0
    }

    /// The events, up to a position at most.
    pub(super) fn filter(&self, head: Option<Position>) -> Filter {
        let last = match (self.until(), head) {
            (Some(until), Some(head)) => Some(until.min(head)),
            (until, head) => until.or(head),
        };
        Filter {
            types: self.types.clone(),
            subject: self.subject.clone(),
            actor: self.actor.clone(),
            stream: self.stream,
            user: self.user,
            organization: self.organization,
            session: self.session,
            request: self.request_id,
            surface: self.surface,
            from: self.from,
            to: self.to,
            last,
        }
    }
}

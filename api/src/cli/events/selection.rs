//! Which events a command is about: the same words for all of them.

use clap::Args;
use evident_domain::{
    OrganizationId, Position, SessionId, StreamId, StreamKind, Subject, Surface, Time, UserId,
};
use evident_eventstore::{EventStore, StoreError};
use evident_projections::views::log::{self, LogCursor, LogFilter, Order, types_like};
use uuid::Uuid;

/// Which events.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which events")]
pub(super) struct Selection {
    /// Only of these types (`user.banned`, or `user.*`); may be given again
    #[arg(long = "type", value_name = "TYPE", value_parser = types)]
    types: Vec<Types>,
    /// Only with data of this subject (`user:<id>`, or just a user's id)
    #[arg(long, value_parser = subject)]
    subject: Option<Subject>,
    /// Only by this actor (`user:<id>`, `admin:service_role`, `visitor` …)
    #[arg(long)]
    actor: Option<String>,
    /// Only of this stream (`user:<id>`, `session:<id>`)
    #[arg(long, value_parser = stream)]
    stream: Option<StreamId>,
    /// What this user did, also for others, and what happened to them
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

/// The types that one word means.
#[derive(Debug, Clone)]
struct Types(Vec<&'static str>);

fn types(text: &str) -> Result<Types, String> {
    let found = types_like(text);
    if found.is_empty() { Err("there is no such type of event".to_owned()) } else { Ok(Types(found)) }
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

    fn filter(&self) -> LogFilter {
        let types: Vec<String> =
            self.types.iter().flat_map(|types| &types.0).map(|name| (*name).to_owned()).collect();
        LogFilter {
            types: (!types.is_empty()).then_some(types),
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
            ..LogFilter::default()
        }
    }

    /// The next positions of what is selected, behind one and up to another.
    pub(super) async fn next(
        &self,
        store: &EventStore,
        after: Position,
        last: Position,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        let filter = self.filter();
        if filter == LogFilter::default() {
            // Positions have no gaps.
            return Ok((after.0 + 1..=last.0).take(limit).map(Position).collect());
        }
        let cursor = LogCursor { after, before: Position(last.0 + 1), order: Order::OldestFirst, limit };
        log::positions(store, &filter, &cursor).await
    }

    /// The position before the last so many of what is selected, up to a position: reading on from there gives
    /// just those. Where there are none it is that position.
    pub(super) async fn before_the_last(
        &self,
        store: &EventStore,
        last: Position,
        count: usize,
    ) -> Result<Position, StoreError> {
        let before = Position(last.0 + 1);
        let cursor = LogCursor { after: self.after(), before, order: Order::NewestFirst, limit: count };
        let found = log::positions(store, &self.filter(), &cursor).await?;
        Ok(found.last().map_or(last, |first| Position(first.0 - 1)))
    }
}

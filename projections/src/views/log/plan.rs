//! How the events of a filter are found: along which indexes, and what else they have to fulfil.

use evident_domain::catalogue::descriptions;
use evident_domain::{Position, SessionId, StreamKind, Subject, UserId};
use evident_eventstore::{Database, DatabaseError, Dialect, EventStore, StoreError, Value};

use super::LogItem;
use super::query::{LogFilter, Order, admits};

/// So many positions one step looks at where it has to look at each of them.
const SCANNED: u64 = 25_000;

/// So many where an index leads, but not everything that it leads to fits.
const WALKED: u64 = 200_000;

/// What the index by actor holds.
const OF_OTHERS: &str = "actor <> 'visitor' and actor <> subject";

/// A condition with `?` for its parameters.
#[derive(Debug, Clone, Default)]
struct Condition {
    sql: String,
    params: Vec<Value>,
}

impl Condition {
    fn new(sql: impl Into<String>, params: Vec<Value>) -> Self {
        Self { sql: sql.into(), params }
    }

    fn and(&mut self, other: Self) {
        if !self.sql.is_empty() {
            self.sql.push_str(" and ");
        }
        self.sql.push_str(&other.sql);
        self.params.extend(other.params);
    }
}

/// The way to the events of a filter.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    filter: &'a LogFilter,
    /// Each finds some of them along an index; all together find all. None: the log itself is walked.
    walks: Vec<Condition>,
    /// What everything has to fulfil besides.
    rest: Condition,
    window: Option<u64>,
}

impl<'a> Plan<'a> {
    pub(super) async fn of(store: &EventStore, filter: &'a LogFilter) -> Result<Self, StoreError> {
        let walks = walks(store.database(), filter).await?;
        let rest = rest(store.database().dialect(), filter);
        let window = match (walks.is_empty(), rest.sql.is_empty() && !opens(filter)) {
            (_, true) => None,
            (true, false) => Some(SCANNED),
            (false, false) => Some(WALKED),
        };
        Ok(Self { filter, walks, rest, window })
    }

    /// Whether only an opened event tells whether it fits.
    pub(super) fn opens(&self) -> bool {
        opens(self.filter)
    }

    /// The part of a stretch, both ends exclusive, that the next step looks at.
    pub(super) fn window(&self, after: Position, before: Position, order: Order) -> (Position, Position) {
        match (self.window, order) {
            (None, _) => (after, before),
            (Some(size), Order::OldestFirst) => (after, before.min(Position(after.0 + size + 1))),
            (Some(size), Order::NewestFirst) => {
                (after.max(Position(before.0.saturating_sub(size + 1))), before)
            }
        }
    }

    /// Whether what was found is what was asked for.
    pub(super) fn admits(&self, item: &LogItem) -> bool {
        admits(self.filter, item)
    }

    /// The next positions in a stretch whose events may fit.
    pub(super) async fn positions(
        &self,
        database: &Database,
        after: Position,
        before: Position,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Position>, DatabaseError> {
        let count = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut params = vec![count(after.0), count(before.0), count(limit)];
        let order = order.sql();
        let all = [Condition::default()];
        let walks = if self.walks.is_empty() { &all[..] } else { &self.walks };
        let mut parts = Vec::with_capacity(walks.len());
        for (n, walk) in walks.iter().enumerate() {
            let mut sql = "select position from events where position > $1 and position < $2".to_owned();
            for condition in [walk, &self.rest].into_iter().filter(|condition| !condition.sql.is_empty()) {
                sql.push_str(" and ");
                let mut pieces = condition.sql.split('?');
                sql.push_str(pieces.next().unwrap_or_default());
                for (piece, param) in pieces.zip(&condition.params) {
                    params.push(param.clone());
                    sql.extend(["$", &params.len().to_string(), piece]);
                }
            }
            parts.push(format!("select position from ({sql} order by position {order} limit $3) w{n}"));
        }
        // What two walks find is one event.
        let sql =
            format!("select position from ({}) f order by position {order} limit $3", parts.join(" union "));
        let rows = database.query(&sql, &params).await?;
        let damaged = || DatabaseError::Unexpected { table: "events".to_owned(), column: "position" };
        let position = |row: &Vec<Value>| u64::try_from(row.first()?.as_int()?).ok().map(Position);
        rows.iter().map(|row| position(row).ok_or_else(damaged)).collect()
    }
}

fn opens(filter: &LogFilter) -> bool {
    filter.ip.is_some() || !filter.words.is_empty()
}

/// The index that leads to the fewest, of those that fit.
async fn walks(database: &Database, filter: &LogFilter) -> Result<Vec<Condition>, DatabaseError> {
    if let Some(session) = filter.session {
        return of_session(database, session).await;
    }
    if let Some(user) = filter.about {
        return Ok(vec![subject(&Subject::User(user)), naming(database.dialect(), user)]);
    }
    if let Some(user) = filter.user {
        let label = Subject::User(user).to_string();
        let by = Condition::new(format!("actor = ? and {OF_OTHERS}"), vec![label.into()]);
        return Ok(vec![subject(&Subject::User(user)), by, naming(database.dialect(), user)]);
    }
    if let Some(wanted) = &filter.subject {
        return Ok(vec![subject(wanted)]);
    }
    if let Some(id) = filter.organization {
        // What tells of somebody in particular is sealed for them, and is in the stream all the same.
        let stream = "aggregate_type = 'organization' and aggregate_id = ?";
        let stream = Condition::new(stream, vec![id.to_string().into()]);
        return Ok(vec![subject(&Subject::Organization(id)), stream]);
    }
    if let Some(actor) = filter.actor.as_deref().filter(|actor| *actor != "visitor") {
        let of_others = Condition::new(format!("actor = ? and {OF_OTHERS}"), vec![actor.into()]);
        let of_self = Condition::new("subject = ? and actor = subject", vec![actor.into()]);
        return Ok(vec![of_others, of_self]);
    }
    let types = filter.types.iter().flatten();
    Ok(types.map(|kind| Condition::new("event_type = ?", vec![kind.as_str().into()])).collect())
}

fn subject(subject: &Subject) -> Condition {
    Condition::new("subject = ?", vec![subject.to_string().into()])
}

fn naming(dialect: Dialect, user: UserId) -> Condition {
    let named = dialect.named_in_payload("user");
    // What the index by person holds.
    let sql = format!(
        "{named} = ? and aggregate_type <> 'user' and aggregate_type <> 'session' \
         and aggregate_type <> 'recipient' and subject <> 'user:' || ({named})"
    );
    Condition::new(sql, vec![user.to_string().into()])
}

/// The session's stream, and what else happened to its user and names it.
async fn of_session(database: &Database, session: SessionId) -> Result<Vec<Condition>, DatabaseError> {
    let stream = "aggregate_type = 'session' and aggregate_id = ?";
    let mut walks = vec![Condition::new(stream, vec![session.to_string().into()])];
    let sql = "select subject from events where aggregate_type = 'session' and aggregate_id = $1 \
               order by sequence limit 1";
    let rows = database.query(sql, &[session.to_string().into()]).await?;
    if let Some(holder) = rows.first().and_then(|row| row.first()).and_then(Value::as_text) {
        let types = naming_sessions();
        let list = vec!["?"; types.len()].join(", ");
        let mut params: Vec<Value> = vec![holder.into()];
        params.extend(types.into_iter().map(Value::from));
        params.push(session.to_string().into());
        let named = database.dialect().named_in_payload("session");
        let sql = format!("subject = ? and event_type in ({list}) and {named} = ?");
        walks.push(Condition::new(sql, params));
    }
    Ok(walks)
}

/// The types of events that name a session.
fn naming_sessions() -> Vec<&'static str> {
    let all = StreamKind::ALL.into_iter().flat_map(descriptions);
    let names = |fields: &[evident_domain::catalogue::Field]| fields.iter().any(|f| f.name == "session");
    all.filter(|described| names(described.fields)).map(|described| described.name).collect()
}

/// Everything that SQL can tell; where a walk has told it already it is told once more.
fn rest(dialect: Dialect, filter: &LogFilter) -> Condition {
    let mut rest = Condition::default();
    let walked_by_type = filter.session.is_none()
        && filter.about.is_none()
        && filter.user.is_none()
        && filter.subject.is_none()
        && filter.organization.is_none()
        && filter.actor.as_deref().is_none_or(|actor| actor == "visitor");
    if let Some(types) = filter.types.as_ref().filter(|_| !walked_by_type) {
        let list = vec!["?"; types.len()].join(", ");
        let params = types.iter().map(|kind| kind.as_str().into()).collect();
        rest.and(Condition::new(format!("event_type in ({list})"), params));
    }
    let walked_by_one = filter.session.is_some() || filter.about.is_some() || filter.user.is_some();
    if let Some(wanted) = filter.subject.as_ref().filter(|_| walked_by_one) {
        rest.and(subject(wanted));
    }
    if let Some(id) = filter.organization.filter(|_| walked_by_one || filter.subject.is_some()) {
        let sql = "(subject = ? or (aggregate_type = 'organization' and aggregate_id = ?))";
        let subject = Subject::Organization(id).to_string();
        rest.and(Condition::new(sql, vec![subject.into(), id.to_string().into()]));
    }
    let walked_by_other = walked_by_one || filter.subject.is_some() || filter.organization.is_some();
    if let Some(actor) = filter.actor.as_deref().filter(|actor| walked_by_other || *actor == "visitor") {
        rest.and(Condition::new("actor = ?", vec![actor.into()]));
    }
    if let Some(user) = filter.user.filter(|_| filter.session.is_some() || filter.about.is_some()) {
        let (id, label) = (user.to_string(), Subject::User(user).to_string());
        let sql = format!("(subject = ? or actor = ? or {} = ?)", dialect.named_in_payload("user"));
        rest.and(Condition::new(sql, vec![label.clone().into(), label.into(), id.into()]));
    }
    if let Some(user) = filter.about.filter(|_| filter.session.is_some()) {
        let (id, label) = (user.to_string(), Subject::User(user).to_string());
        let sql = format!("(subject = ? or {} = ?)", dialect.named_in_payload("user"));
        rest.and(Condition::new(sql, vec![label.into(), id.into()]));
    }
    if let Some(from) = filter.from {
        rest.and(Condition::new("occurred_at >= ?", vec![from.timestamp_micros().into()]));
    }
    if let Some(to) = filter.to {
        rest.and(Condition::new("occurred_at < ?", vec![to.timestamp_micros().into()]));
    }
    if let Some(request) = filter.request {
        rest.and(Condition::new("metadata ->> 'request_id' = ?", vec![request.to_string().into()]));
    }
    if let Some(surface) = filter.surface {
        rest.and(Condition::new("metadata ->> 'surface' = ?", vec![surface.as_str().into()]));
    }
    for word in filter.words.iter().filter(|word| is_plain(word)) {
        // Sealed values may have the word by chance: whoever opens the event looks again.
        let sql = match dialect {
            Dialect::Sqlite => {
                "instr(lower(event_type || ' ' || aggregate_type || ':' || aggregate_id || ' ' || event_id || ' ' || \
                 actor || ' ' || coalesce(subject, '') || payload || metadata), ?) > 0"
            }
            Dialect::Postgres => {
                "strpos(lower(event_type || ' ' || aggregate_type || ':' || aggregate_id || ' ' || event_id || ' ' || \
                 actor || ' ' || coalesce(subject, '') || payload::text || metadata::text), ?) > 0"
            }
        };
        rest.and(Condition::new(sql, vec![word.as_str().into()]));
    }
    rest
}

/// Whether a word stands in JSON as it is, in the same case in all databases.
fn is_plain(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

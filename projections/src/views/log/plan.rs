//! How the events of a filter are found: along which indexes, and what else they have to fulfil.

use evident_domain::catalogue::descriptions;
use evident_domain::{OrganizationId, Position, SessionId, StreamId, StreamKind, Subject, UserId};
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
        let by = By::of(filter);
        let walks = by.walks(store.database()).await?;
        let rest = rest(store.database().dialect(), filter, by);
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

/// What leads to the events of a filter: the index that leads to the fewest, of those that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By<'a> {
    Stream(StreamId),
    Session(SessionId),
    About(UserId),
    User(UserId),
    Subject(&'a Subject),
    Organization(OrganizationId),
    Actor(&'a str),
    Types(&'a [String]),
    /// None does: the log itself is walked.
    Log,
}

impl<'a> By<'a> {
    fn of(filter: &'a LogFilter) -> Self {
        let people = filter.about.map(Self::About).or(filter.user.map(Self::User));
        let whole = filter.stream.map(Self::Stream).or(filter.session.map(Self::Session)).or(people);
        let part = whole.or(filter.subject.as_ref().map(Self::Subject));
        let part = part.or(filter.organization.map(Self::Organization));
        let part = part.or(filter.actor.as_deref().filter(|actor| *actor != "visitor").map(Self::Actor));
        part.or(filter.types.as_deref().map(Self::Types)).unwrap_or(Self::Log)
    }

    async fn walks(self, database: &Database) -> Result<Vec<Condition>, DatabaseError> {
        let dialect = database.dialect();
        Ok(match self {
            Self::Stream(stream) => vec![of_stream(stream)],
            Self::Session(session) => return of_session(database, session).await,
            Self::About(user) => vec![subject(&Subject::User(user)), naming(dialect, user)],
            Self::User(user) => {
                let mut walks = vec![subject(&Subject::User(user)), naming(dialect, user)];
                let label = Subject::User(user).to_string();
                walks.push(Condition::new(format!("actor = ? and {OF_OTHERS}"), vec![label.into()]));
                walks.extend(ACTING_FOR_OTHERS.map(|acting| acting.of(user)));
                walks
            }
            Self::Subject(wanted) => vec![subject(wanted)],
            // What tells of somebody in particular is sealed for them, and is in the stream all the same.
            Self::Organization(id) => {
                vec![subject(&Subject::Organization(id)), of_stream(StreamId::organization(id))]
            }
            Self::Actor(actor) => {
                let of_others = Condition::new(format!("actor = ? and {OF_OTHERS}"), vec![actor.into()]);
                let of_self = Condition::new("subject = ? and actor = subject", vec![actor.into()]);
                vec![of_others, of_self]
            }
            Self::Types(types) => types
                .iter()
                .map(|kind| Condition::new("event_type = ?", vec![kind.as_str().into()]))
                .collect(),
            Self::Log => Vec::new(),
        })
    }
}

/// An index of those whose label as an actor has somebody's id in it, beside something else.
struct Acting {
    /// What the index holds.
    holds: &'static str,
    /// What it is by.
    key: &'static str,
    /// What stands before the id in the key.
    before: &'static str,
}

/// `admin:<role>:<id>`, `user:<other>:by:<id>`, `user:<id>:by:<other>`.
const ACTING_FOR_OTHERS: [Acting; 3] = [
    Acting {
        holds: "substr(actor, 1, 6) = 'admin:' and length(actor) > 42",
        key: "substr(actor, length(actor) - 35)",
        before: "",
    },
    Acting { holds: IMPERSONATED, key: "substr(actor, length(actor) - 35)", before: "" },
    Acting { holds: IMPERSONATED, key: "substr(actor, 1, 41)", before: "user:" },
];

const IMPERSONATED: &str = "length(actor) = 81 and substr(actor, 42, 4) = ':by:'";

impl Acting {
    fn of(&self, user: UserId) -> Condition {
        let sql = format!("{} = ? and {}", self.key, self.holds);
        Condition::new(sql, vec![format!("{}{user}", self.before).into()])
    }
}

fn of_stream(stream: StreamId) -> Condition {
    let sql = "aggregate_type = ? and aggregate_id = ?";
    Condition::new(sql, vec![stream.kind.as_str().into(), stream.id.to_string().into()])
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

/// Everything that SQL can tell and the walk does not.
fn rest(dialect: Dialect, filter: &LogFilter, by: By<'_>) -> Condition {
    let mut rest = Condition::default();
    if let Some(types) = filter.types.as_ref().filter(|_| !matches!(by, By::Types(_))) {
        let list = vec!["?"; types.len()].join(", ");
        let params = types.iter().map(|kind| kind.as_str().into()).collect();
        rest.and(Condition::new(format!("event_type in ({list})"), params));
    }
    if let Some(session) = filter.session.filter(|_| !matches!(by, By::Session(_))) {
        let id = session.to_string();
        let sql = format!(
            "((aggregate_type = 'session' and aggregate_id = ?) or {} = ?)",
            dialect.named_in_payload("session")
        );
        rest.and(Condition::new(sql, vec![id.as_str().into(), id.into()]));
    }
    if let Some(wanted) = filter.subject.as_ref().filter(|_| !matches!(by, By::Subject(_))) {
        rest.and(subject(wanted));
    }
    if let Some(id) = filter.organization.filter(|_| !matches!(by, By::Organization(_))) {
        let sql = "(subject = ? or (aggregate_type = 'organization' and aggregate_id = ?))";
        let subject = Subject::Organization(id).to_string();
        rest.and(Condition::new(sql, vec![subject.into(), id.to_string().into()]));
    }
    if let Some(actor) = filter.actor.as_deref().filter(|_| !matches!(by, By::Actor(_))) {
        rest.and(Condition::new("actor = ?", vec![actor.into()]));
    }
    if let Some(user) = filter.user.filter(|_| !matches!(by, By::User(_))) {
        let (id, label) = (user.to_string(), Subject::User(user).to_string());
        let mut sql = format!("(subject = ? or actor = ? or {} = ?", dialect.named_in_payload("user"));
        let mut params = vec![label.clone().into(), label.into(), id.into()];
        for acting in ACTING_FOR_OTHERS.map(|acting| acting.of(user)) {
            sql.extend([" or (", &acting.sql, ")"]);
            params.extend(acting.params);
        }
        rest.and(Condition::new(sql + ")", params));
    }
    if let Some(user) = filter.about.filter(|_| !matches!(by, By::About(_))) {
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

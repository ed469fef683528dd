//! Pages of the audit log, newest first. Which entries there are follows from `audit_entries` and, where its type tells
//! what an event is called, from the log's index of types; what they tell is read from the events, opened by the
//! store: of who was erased nothing is left to tell.
//!
//! Any page, also one filtered by actions, costs the same in a log of any length: totals and far pages
//! are taken from `audit_counts`. Entries of an author are counted one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use evident_domain::user::UserEvent;
use evident_domain::{Event, EventId, Personal, Position, Recorded, StreamKind, Time, UserId};
use evident_eventstore::{Database, DatabaseError, Dialect, EventStore, Row, StoreError, Value};
use uuid::Uuid;

use crate::audit::{self, AuditAction, AuditActor, AuditTrait, TELLING_TYPES};
use crate::cells;
use crate::folds::{STRETCH_BITS, entry_key};

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

/// Which entries to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditScope {
    /// All.
    All,
    /// Of one of these actions; of none if empty.
    Actions(Vec<AuditAction>),
    /// By somebody whose address, number, name or role has this text, in any case, as it is now.
    Author(String),
}

impl AuditScope {
    /// Entries whose action has a text in its name.
    pub fn action(text: &str) -> Self {
        Self::actions(text, AuditAction::as_str)
    }

    /// Entries whose kind has a text in its name.
    pub fn log_type(text: &str) -> Self {
        Self::actions(text, |action| action.log_type().as_str())
    }

    fn actions(text: &str, name: impl Fn(AuditAction) -> &'static str) -> Self {
        let text = text.to_lowercase();
        Self::Actions(AuditAction::ALL.iter().copied().filter(|a| name(*a).contains(&text)).collect())
    }
}

/// Which page to read.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Of which entries.
    pub scope: AuditScope,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The event.
    pub id: EventId,
    /// What was done.
    pub action: AuditAction,
    /// Who did it.
    pub actor: AuditActor,
    /// The user's number or else address at the time, or the administrator's role; may be empty.
    pub username: String,
    /// The user's full name.
    pub name: Option<String>,
    /// What else there is to tell.
    pub traits: Vec<(&'static str, String)>,
    /// When.
    pub at: Time,
    /// From where.
    pub ip: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A page of the audit log.
///
/// # Errors
/// When the database fails or an event does not read.
pub async fn audit_page(store: &EventStore, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let database = store.database();
    let (positions, total) = match &query.scope {
        AuditScope::All => by_action(database, None, query).await?,
        AuditScope::Actions(actions) if actions.is_empty() => (Vec::new(), 0),
        AuditScope::Actions(actions) if actions.len() == AuditAction::ALL.len() => {
            by_action(database, None, query).await?
        }
        AuditScope::Actions(actions) => by_action(database, Some(actions), query).await?,
        AuditScope::Author(text) => by_author(database, text, query).await?,
    };
    let mut events = store.at(&positions).await?;
    events.reverse();
    let names = Names::of(store, &events).await?;
    let entries = events.iter().filter_map(|event| names.entry(event)).collect();
    Ok(AuditPage { entries, total })
}

type Found = (Vec<Position>, u64);

async fn by_action(
    database: &Database,
    actions: Option<&[AuditAction]>,
    query: &AuditQuery,
) -> Result<Found, DatabaseError> {
    let names: Vec<Value> = actions.into_iter().flatten().map(|action| action.as_str().into()).collect();
    let condition = match actions {
        None => String::new(),
        Some(_) => format!("where action in ({})", placeholders(1, names.len())),
    };
    let sql = format!(
        "select stretch, cast(sum(entries) as bigint) from audit_counts {condition} \
         group by stretch order by stretch desc"
    );
    // The page begins in one stretch and ends in one, perhaps an older.
    let (mut total, mut skip, mut begin, mut end) = (0_u64, query.offset, None, None);
    let last = query.offset.saturating_add(query.limit.into());
    for row in database.query(&sql, &names).await? {
        let [Value::Int(stretch), Value::Int(entries)] = row[..] else { continue };
        let entries = u64::try_from(entries).unwrap_or_default();
        total += entries;
        if begin.is_none() {
            if skip < entries {
                begin = Some(stretch);
            } else {
                skip -= entries;
            }
        }
        if end.is_none() && total >= last {
            end = Some(stretch);
        }
    }
    let Some(begin) = begin else { return Ok((Vec::new(), total)) };
    let bound = |stretch: i64| Position(u64::try_from(stretch << STRETCH_BITS).unwrap_or_default());
    let (newest, oldest) = (bound(begin + 1), bound(end.unwrap_or_default()));
    let skip = i64::try_from(skip).unwrap_or(i64::MAX);
    let limit = i64::from(query.limit);
    let mut params: Vec<Value> = vec![
        entry_key(newest).into(),
        entry_key(oldest).into(),
        cells::number(newest.0),
        cells::number(oldest.0),
        // As many of each source as the page can need: each is a walk along an index.
        limit.saturating_add(skip).into(),
        limit.into(),
        skip.into(),
    ];
    let mut sources = Vec::new();
    let in_table =
        "select cast(entry as bigint) as position from audit_entries where entry < $1 and entry >= $2";
    let newest_first = "order by entry desc limit $5";
    // Of these all entries are found in the log, also those that have a row for their author.
    let is_told = |action: &AuditAction| TELLING_TYPES.iter().any(|(_, told)| told == action);
    match actions {
        None => {
            let told: BTreeSet<_> = TELLING_TYPES.iter().map(|(_, action)| action.as_str()).collect();
            let others = placeholders(params.len() + 1, told.len());
            params.extend(told.into_iter().map(Value::from));
            sources.push(format!("{in_table} and action not in ({others}) {newest_first}"));
        }
        Some(actions) => {
            for action in actions.iter().filter(|action| !is_told(action)) {
                params.push(action.as_str().into());
                sources.push(format!("{in_table} and action = ${} {newest_first}", params.len()));
            }
        }
    }
    for (kind, _) in
        TELLING_TYPES.iter().filter(|(_, action)| actions.is_none_or(|some| some.contains(action)))
    {
        params.push((*kind).into());
        sources.push(format!(
            "select position from events where event_type = ${} and position < $3 and position >= $4 \
             order by position desc limit $5",
            params.len()
        ));
    }
    let each = (0..).zip(sources).map(|(n, source)| format!("select position from ({source}) s{n}"));
    let source = each.collect::<Vec<_>>().join(" union all ");
    let sql = format!("select position from ({source}) e order by position desc limit $6 offset $7");
    Ok((positions(&database.query(&sql, &params).await?)?, total))
}

async fn by_author(database: &Database, text: &str, query: &AuditQuery) -> Result<Found, DatabaseError> {
    let needle: String = text.chars().flat_map(char::to_lowercase).collect();
    if needle.chars().any(char::is_control) {
        // No name that is searched has such characters.
        return Ok((Vec::new(), 0));
    }
    let search = match database.dialect() {
        Dialect::Sqlite => "instr(search, $1) > 0",
        Dialect::Postgres if needle.chars().count() < 3 => "strpos(search, $1) > 0",
        Dialect::Postgres => "search_pieces(search) @> search_pieces($1) and strpos(search, $1) > 0",
    };
    let position = match database.dialect() {
        Dialect::Sqlite => "instr",
        Dialect::Postgres => "strpos",
    };
    let mut authors = format!("select 'user:' || id as actor from users where {search}");
    if !needle.is_empty() && needle.bytes().all(|byte| byte.is_ascii_digit()) {
        authors.extend([
            " union select 'user:' || id from users where ",
            position,
            "(coalesce(phone, ''), $1) > 0",
        ]);
    }
    let mut params: Vec<Value> = vec![needle.as_str().into()];
    for actor in administrators(database).await? {
        let role = actor.strip_prefix("admin:").unwrap_or_default().to_lowercase();
        if role.contains(&needle) {
            params.push(actor.into());
            authors.extend([" union select $", &params.len().to_string()]);
        }
    }
    let entry = match database.dialect() {
        Dialect::Sqlite => "printf('%016d', v.position)",
        Dialect::Postgres => "lpad(v.position::text, 16, '0')",
    };
    let mut telling = Vec::new();
    for (kind, _) in TELLING_TYPES {
        params.push(kind.into());
        telling.push(format!("${}", params.len()));
    }
    // Whose subject is the actor stands without one, or not at all where the log tells everything.
    let of_authors = format!(
        "from (select cast(entry as bigint) as position from audit_entries where actor in ({authors}) union all \
         select v.position from events v left join audit_entries a on a.entry = {entry} \
         where v.subject in ({authors}) and a.actor is null \
         and (a.entry is not null or v.event_type in ({}))) e",
        telling.join(", ")
    );
    let total = database.query(&format!("select count(*) {of_authors}"), &params).await?;
    let total = total.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default();
    let (limit, offset) = (params.len() + 1, params.len() + 2);
    params.push(i64::from(query.limit).into());
    params.push(i64::try_from(query.offset).unwrap_or(i64::MAX).into());
    let sql = format!("select position {of_authors} order by position desc limit ${limit} offset ${offset}");
    Ok((positions(&database.query(&sql, &params).await?)?, u64::try_from(total).unwrap_or_default()))
}

/// The administrators' roles that have entries: one step of the index each, whatever the entries.
async fn administrators(database: &Database) -> Result<Vec<String>, DatabaseError> {
    let sql = "with recursive roles(actor) as (\
         select min(actor) from audit_entries where actor >= 'admin:' and actor < 'admin;' \
         union all \
         select (select min(e.actor) from audit_entries e where e.actor > roles.actor and e.actor < 'admin;') \
         from roles where roles.actor is not null) \
         select actor from roles where actor is not null";
    let rows = database.query(sql, &[]).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_text().map(str::to_owned)).collect())
}

/// `$<first>, $<first + 1> …`
fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

fn positions(rows: &[Row]) -> Result<Vec<Position>, DatabaseError> {
    let damaged = || DatabaseError::Unexpected { table: "audit_entries".to_owned(), column: "entry" };
    let position = |row: &Row| u64::try_from(row.first()?.as_int()?).ok().map(Position);
    rows.iter().map(|row| position(row).ok_or_else(damaged)).collect()
}

/// What users were called, and when.
struct Names {
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
    async fn of(store: &EventStore, events: &[Recorded]) -> Result<Self, StoreError> {
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

    fn entry(&self, event: &Recorded) -> Option<AuditEntry> {
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

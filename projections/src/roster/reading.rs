//! Where the roster's users come from: the tables, and the log for who changed.

use std::collections::HashMap;

use evident_domain::Subject;
use evident_eventstore::{Column, ColumnType, Database, DatabaseError, Dialect, Row, Table, Value};
use serde_json::json;
use uuid::Uuid;

use super::Lost;
use super::columns::Person;
use super::ids::number;
use crate::cells::{self, Cells};
use crate::folds::COUNT_LEVELS;

/// Users that are read at once: few enough that nobody waits for the thread that reads them.
pub(super) const PIECE: usize = 2_000;
/// With more events than this to catch up with, all are read anew.
const MOST_NEWS: u64 = 100_000;

/// What lists look at.
const SEEN: Table = Table::new(
    "users",
    &[
        Column::new("id", ColumnType::Text),
        Column::new("aud", ColumnType::Text),
        Column::new("deleted_at", ColumnType::Int),
        Column::new("email", ColumnType::Text),
        Column::new("name", ColumnType::Text),
        Column::new("username", ColumnType::Text),
        Column::new("display_username", ColumnType::Text),
        Column::new("phone", ColumnType::Text),
        Column::new("admin_roles", ColumnType::Text),
        Column::new("ban_reason", ColumnType::Text),
        Column::new("email_confirmed_at", ColumnType::Int),
        Column::new("two_factor", ColumnType::Bool),
        Column::new("is_anonymous", ColumnType::Bool),
        Column::new("phone_confirmed_at", ColumnType::Int),
        Column::new("created_at", ColumnType::Int),
        Column::new("updated_at", ColumnType::Int),
        Column::new("banned_until", ColumnType::Int),
    ],
);

/// The log's end, and what the table of users was last built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: u64,
    pub(super) built: Built,
}

/// Tells one making of the table from another: its version, its position and its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Built(Vec<Value>);

impl Head {
    pub(super) async fn read(database: &Database) -> Result<Self, DatabaseError> {
        let sql = "select h.position, p.version, p.position, p.built_at from log_head h \
                   left join projections p on p.name = 'users' where h.only_row = 1";
        let row = database.query(sql, &[]).await?.into_iter().next().unwrap_or_default();
        let position = row.first().and_then(Value::as_int).and_then(|position| u64::try_from(position).ok());
        let damaged = || DatabaseError::Unexpected { table: "log_head".to_owned(), column: "position" };
        let position = position.ok_or_else(damaged)?;
        Ok(Self { position, built: Built(row.into_iter().skip(1).collect()) })
    }
}

/// How many users there are, of all audiences.
pub(super) async fn count(database: &Database) -> Result<u64, DatabaseError> {
    let level = COUNT_LEVELS[0];
    let sql =
        format!("select cast(coalesce(sum(users), 0) as bigint) from user_counts where level = {level}");
    let rows = database.query(&sql, &[]).await?;
    let counted = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
    Ok(counted.and_then(|users| u64::try_from(users).ok()).unwrap_or_default())
}

/// All users, piece by piece, each as it is when it is read. Whoever comes or changes meanwhile may be missed:
/// the log knows of them.
#[derive(Debug)]
pub(super) enum Pieces {
    /// By the place in the table.
    Sqlite { after: i64, last: i64 },
    /// In the order of creation, which is more or less that of the table: in the order of ids every user would be
    /// somewhere else.
    Postgres { after: [Value; 3], is_last: bool },
}

impl Pieces {
    pub(super) async fn of(database: &Database) -> Result<Self, DatabaseError> {
        if database.dialect() == Dialect::Postgres {
            let first = ["".into(), i64::MIN.into(), "".into()];
            return Ok(Self::Postgres { after: first, is_last: false });
        }
        let edges = "select min(rowid) - 1, max(rowid) from users";
        let row = database.query(edges, &[]).await?.into_iter().next().unwrap_or_default();
        let number = |at: usize| row.get(at).and_then(Value::as_int).unwrap_or_default();
        Ok(Self::Sqlite { after: number(0), last: number(1) })
    }

    /// The next of them; none at the end.
    pub(super) async fn next(&mut self, database: &Database) -> Result<Option<Vec<Person>>, DatabaseError> {
        let rows = match self {
            Self::Sqlite { after, last } if *after >= *last => return Ok(None),
            Self::Postgres { is_last: true, .. } => return Ok(None),
            Self::Sqlite { after, .. } => {
                let to = after.saturating_add(i64::try_from(PIECE).unwrap_or(i64::MAX));
                let piece = [(*after).into(), to.into()];
                *after = to;
                database.read(&SEEN, "where rowid > $1 and rowid <= $2", &piece).await?
            }
            Self::Postgres { after, is_last } => {
                let piece = format!(
                    "where (aud, created_at, id) > ($1, $2, $3) order by aud, created_at, id limit {PIECE}"
                );
                let rows = database.read(&SEEN, &piece, &after[..]).await?;
                *is_last = rows.len() < PIECE;
                if let Some(last) = rows.last() {
                    let value = |name| {
                        let at = SEEN.columns.iter().position(|column| column.name == name);
                        at.and_then(|at| last.get(at)).cloned().unwrap_or(Value::Null)
                    };
                    *after = ["aud", "created_at", "id"].map(value);
                }
                rows
            }
        };
        rows.into_iter().map(person).collect::<Result<_, _>>().map(Some)
    }
}

/// Who was touched by what happened after one position and up to another. Users change by events of their own,
/// and by signing in.
pub(super) async fn touched(database: &Database, after: u64, to: u64) -> Result<Vec<u128>, Lost> {
    if to.saturating_sub(after) > MOST_NEWS {
        return Err(Lost::FarBehind);
    }
    let sql = "select distinct case when aggregate_type = 'user' then 'user:' || aggregate_id else subject end \
               from events where position > $1 and position <= $2 \
               and (aggregate_type = 'user' or event_type = 'session.started')";
    let rows = database.query(sql, &[cells::number(after), cells::number(to)]).await?;
    let user = |row: &Row| match row.first().and_then(Value::as_text)?.parse() {
        Ok(Subject::User(user)) => Some(number(user)),
        _ => None,
    };
    rows.iter().map(|row| user(row).ok_or(Lost::Nobody)).collect()
}

/// What became of users.
pub(super) async fn changes(
    database: &Database,
    ids: &[u128],
) -> Result<Vec<(u128, Option<Person>)>, DatabaseError> {
    let list: Vec<String> = ids.iter().map(|id| Uuid::from_u128(*id).to_string()).collect();
    let those = format!("where id {}", database.dialect().one_of(1));
    let rows = database.read(&SEEN, &those, &[json!(list).to_string().into()]).await?;
    let people: Vec<Person> = rows.into_iter().map(person).collect::<Result<_, _>>()?;
    let mut people: HashMap<u128, Person> = people.into_iter().map(|person| (person.id, person)).collect();
    Ok(ids.iter().map(|id| (*id, people.remove(id))).collect())
}

fn person(row: Row) -> Result<Person, DatabaseError> {
    let mut cells = Cells::new(&SEEN, row);
    let micros = |moment: Option<evident_domain::Time>| moment.map(|moment| moment.timestamp_micros());
    Ok(Person {
        id: number(cells.id()?),
        aud: cells.text()?,
        is_closed: cells.maybe_time()?.is_some(),
        texts: [
            cells.maybe_text()?,
            Some(cells.text()?),
            cells.maybe_text()?,
            cells.maybe_text()?,
            cells.maybe_text()?,
            cells.maybe_text()?,
            cells.maybe_text()?,
        ],
        flags: [cells.maybe_time()?.is_some(), cells.flag()?, cells.flag()?, cells.maybe_time()?.is_some()],
        created_at: cells.time()?.timestamp_micros(),
        updated_at: cells.time()?.timestamp_micros(),
        banned_until: micros(cells.maybe_time()?),
    })
}

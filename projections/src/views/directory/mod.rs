//! Lists of users as administrators ask for them: sorted by one field, and narrowed by others.
//!
//! What is asked for are names of fields and comparisons, which stand in [`field`] and [`clause`]; values are
//! read in [`asked`] and bound. Every order walks indexes ([`pick`]), every comparison of whole values or
//! beginnings finds a stretch of one, and totals are exact ([`total`]). What merely contains a text or ends with
//! it is found by an index of pieces on PostgreSQL (names and addresses, from three letters on); SQLite, and
//! PostgreSQL for other fields, read through an index that holds all that they look at, and grow slower with the
//! users.
//!
//! That is what the tables do. Where they are too slow for a list, all that lists look at is read into memory,
//! and later lists find their pages there ([`Roster`]), in the same order and with the same total. Whom a key
//! finds the tables find as fast.

mod asked;
mod clause;
mod field;
mod pick;
mod sql;
mod total;

use std::time::Instant;

use evident_domain::Time;
use evident_eventstore::{Database, DatabaseError, Dialect};

pub(crate) use self::asked::{Asked, Compared, end_of_beginning};
pub use self::field::UserField;

use self::clause::clause;
use self::pick::List;
use self::sql::Sql;
use self::total::Audience;
use super::organizations::Comparison;
use super::page::{Direction, PageQuery, UserPage, page};
use super::users::{COLUMNS, UserView, gather};
use crate::roster::Roster;

/// What users must be to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which field is looked at.
    pub field: UserField,
    /// How.
    pub comparison: Comparison,
    /// With what: one value, or several for [`Comparison::In`] and [`Comparison::NotIn`]. Moments are read
    /// from RFC 3339 or from milliseconds, flags from `true` and `false`; what does not read matches nobody.
    pub values: Vec<String>,
}

/// Which users to list.
#[derive(Debug, Clone)]
pub struct DirectoryQuery {
    /// Of this audience.
    pub aud: String,
    /// For whom all of these hold.
    pub conditions: Vec<Condition>,
    /// By this field; else in the order of their creation.
    pub sort: Option<(UserField, Direction)>,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
    /// Bans that ended before count for nothing.
    pub now: Time,
    /// The roles of whom none were given.
    pub default_role: String,
}

/// A page of users.
///
/// # Errors
/// When the database fails.
pub async fn directory(
    database: &Database,
    roster: &Roster,
    query: &DirectoryQuery,
) -> Result<UserPage, DatabaseError> {
    let asked: Option<Vec<_>> = query.conditions.iter().map(Asked::read).collect();
    let Some(asked) = asked else { return Ok(NOBODY) };
    if asked.iter().any(Asked::is_by_key) {
        return from_tables(database, query, &asked).await;
    }
    if let Some((ids, total)) = roster.page(database, query, &asked).await {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        return Ok(UserPage { users: in_order(database, &ids).await?, total });
    }
    let start = Instant::now();
    let page = from_tables(database, query, &asked).await?;
    roster.hear(database, start.elapsed());
    Ok(page)
}

const NOBODY: UserPage = UserPage { users: Vec::new(), total: 0 };

async fn from_tables(
    database: &Database,
    query: &DirectoryQuery,
    asked: &[Asked],
) -> Result<UserPage, DatabaseError> {
    let audience = Audience::of(database, &query.aud).await?;
    if let Some(plain) = query.as_page().filter(|_| audience.closed == 0) {
        return page(database, &plain).await;
    }
    let dialect = database.dialect();
    let clauses: Option<Vec<_>> = asked.iter().map(|asked| clause(query, dialect, asked)).collect();
    let Some(clauses) = clauses else { return Ok(NOBODY) };
    let (field, direction) = query.sort.unwrap_or((UserField::CreatedAt, Direction::Ascending));
    let list = List { database, dialect, query, audience, clauses, field, direction };
    let (ids, total) = list.page().await?;
    Ok(UserPage { users: in_order(database, &ids).await?, total })
}

/// Users by their ids.
async fn in_order(database: &Database, ids: &[String]) -> Result<Vec<UserView>, DatabaseError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, source) = listed(database.dialect(), ids);
    let sql = Sql::plain(format!("select {} from {source}", *COLUMNS)).with_value(list).then(
        " join users u on u.id = c.value left join identities i on i.user_id = u.id \
         order by c.place, i.position",
    );
    gather(sql.rows(database).await?)
}

/// Texts as one value, and as rows of `c` again: each `value` with its `place`.
fn listed(dialect: Dialect, texts: &[String]) -> (String, &'static str) {
    let list = serde_json::json!(texts).to_string();
    match dialect {
        Dialect::Sqlite => (list, "(select key as place, value from json_each(?)) c"),
        Dialect::Postgres => (list, "json_array_elements_text(?::json) with ordinality c(value, place)"),
    }
}

impl DirectoryQuery {
    /// The query as a plain page by creation, where it is one.
    fn as_page(&self) -> Option<PageQuery> {
        let direction = match self.sort {
            None => Direction::Ascending,
            Some((UserField::CreatedAt, direction)) => direction,
            Some(_) => return None,
        };
        self.conditions.is_empty().then(|| PageQuery {
            aud: self.aud.clone(),
            filter: None,
            direction,
            offset: self.offset,
            limit: self.limit,
        })
    }
}

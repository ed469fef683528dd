//! Lists of users: by page number with a total, or from one user on.
//!
//! A list without a filter costs the same on the first page and on the last of a million users: totals
//! and far pages are taken from `user_counts`, which counts users by stretches of time. A filtered list
//! looks at all matches, since it must count them. PostgreSQL finds them by an index of three-letter
//! pieces; SQLite reads through an index that holds all that it looks at, and grows slower with the users.

use std::fmt::Write as _;
use std::sync::LazyLock;

use evident_domain::{Time, UserId};
use evident_eventstore::{Database, DatabaseError, Dialect, Row, Value};

use super::users::{COLUMNS, UserView, gather};
use crate::folds::{COUNT_LEVELS, searchable};

/// As many users are skipped by walking past them; further pages are found by counters.
const WALKED: i64 = 500;

/// In which order of their creation. Users of the same microsecond stand in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Oldest first.
    Ascending,
    /// Newest first.
    #[default]
    Descending,
}

impl Direction {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }

    pub(super) const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// Which users to list.
#[derive(Debug, Clone)]
pub struct PageQuery {
    /// Of this audience.
    pub aud: String,
    /// With this text in their address or full name, whatever the case; no wildcards.
    pub filter: Option<String>,
    /// In this order.
    pub direction: Direction,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq)]
pub struct UserPage {
    /// The users.
    pub users: Vec<UserView>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A page of users by number.
///
/// # Errors
/// When the database fails.
pub async fn page(database: &Database, query: &PageQuery) -> Result<UserPage, DatabaseError> {
    let offset = i64::try_from(query.offset).unwrap_or(i64::MAX);
    let limit = i64::from(query.limit);
    let (sql, mut params): (&str, Vec<Value>) = match query.filter.as_deref().unwrap_or_default() {
        "" if offset <= WALKED => (&NEAR[query.direction as usize], Vec::new()),
        "" => (&FAR[query.direction as usize], Vec::new()),
        filter => match matching(database.dialect(), filter) {
            Some((sql, needle)) => (&sql[query.direction as usize], vec![needle.into()]),
            None => return Ok(UserPage { users: Vec::new(), total: 0 }),
        },
    };
    params.splice(0..0, [query.aud.as_str().into(), offset.into(), limit.into()]);
    let mut rows = database.query(sql, &params).await?;
    let total = rows.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default();
    // The total stands first in every row, also where no user is on the page.
    let rows: Vec<Row> = rows
        .iter_mut()
        .map(|row| row.split_off(1))
        .filter(|row| row.first().is_some_and(|id| *id != Value::Null))
        .collect();
    Ok(UserPage { users: gather(rows)?, total: u64::try_from(total).unwrap_or_default() })
}

/// The next users after one that stood last, by the time of its creation and its id: as fast anywhere in
/// the list, and steady while users come and go.
///
/// # Errors
/// When the database fails.
pub async fn page_after(
    database: &Database,
    aud: &str,
    direction: Direction,
    after: Option<(Time, UserId)>,
    limit: u32,
) -> Result<Vec<UserView>, DatabaseError> {
    let mut params: Vec<Value> = vec![aud.into(), i64::from(limit).into()];
    let sql = match after {
        None => &FROM_START[direction as usize],
        Some((created_at, id)) => {
            params.extend([created_at.timestamp_micros().into(), id.to_string().into()]);
            &FROM_HERE[direction as usize]
        }
    };
    gather(database.query(sql, &params).await?)
}

/// A statement for each [`Direction`].
type BothWays = [String; 2];

fn both_ways(statement: impl Fn(Direction) -> String) -> BothWays {
    [statement(Direction::Ascending), statement(Direction::Descending)]
}

/// `order by` of the users of a page, one row for each identity.
fn order(direction: Direction) -> String {
    let d = direction.sql();
    format!("order by u.created_at {d}, u.id {d}, i.position")
}

static FROM_START: LazyLock<BothWays> = LazyLock::new(|| both_ways(|d| keyset(d, "")));
static FROM_HERE: LazyLock<BothWays> = LazyLock::new(|| {
    both_ways(|d| {
        let sign = if d == Direction::Ascending { '>' } else { '<' };
        keyset(d, &format!("and (created_at, id) {sign} ($3, $4)"))
    })
});

fn keyset(direction: Direction, condition: &str) -> String {
    let d = direction.sql();
    format!(
        "select {} from (select * from users where aud = $1 {condition} \
         order by created_at {d}, id {d} limit $2) u \
         left join identities i on i.user_id = u.id {}",
        *COLUMNS,
        order(direction)
    )
}

/// $1 audience, $2 offset, $3 limit.
static NEAR: LazyLock<BothWays> = LazyLock::new(|| both_ways(near));
static FAR: LazyLock<BothWays> = LazyLock::new(|| both_ways(far));

/// How many users there are.
fn total() -> String {
    let level = COUNT_LEVELS[0];
    format!(
        "total as (select cast(coalesce(sum(users), 0) as bigint) as users from user_counts \
         where aud = $1 and level = {level})"
    )
}

/// The total, and with it the users of a page, where there are some.
fn with_total(direction: Direction, condition: &str, offset: &str) -> String {
    let d = direction.sql();
    format!(
        "select total.users, {} from total left join (select * from users where aud = $1 {condition} \
         order by created_at {d}, id {d} limit $3 offset {offset}) u on true \
         left join identities i on i.user_id = u.id {}",
        *COLUMNS,
        order(direction)
    )
}

fn near(direction: Direction) -> String {
    format!("with {} {}", total(), with_total(direction, "", "$2"))
}

/// Goes down the levels of `user_counts`: on each it takes the stretch in which the page begins, and how
/// many users stand before it.
fn far(direction: Direction) -> String {
    let d = direction.sql();
    let mut sql = format!("with {}", total());
    // The stretches of a level inside the one that the level above chose, and who stands before that.
    let (mut inside, mut before) = (String::new(), "0".to_owned());
    let mut page = (String::new(), String::new());
    for level in COUNT_LEVELS {
        // Writing to a string cannot fail.
        let _ = write!(
            sql,
            ", sums_{level} as (select start, users, cast({before} + sum(users) over (order by start {d}) \
             as bigint) as upto from user_counts where aud = $1 and level = {level}{inside}), \
             at_{level} as (select start, upto - users as skipped from sums_{level} where upto > $2 \
             order by start {d} limit 1)"
        );
        let (start, width) = (format!("(select start from at_{level})"), 1_i64 << level);
        inside = format!(" and start >= {start} and start < {start} + {width}");
        before = format!("(select skipped from at_{level})");
        let from = match direction {
            Direction::Ascending => format!("and created_at >= {start}"),
            Direction::Descending => format!("and created_at < {start} + {width}"),
        };
        page = (from, format!("coalesce($2 - {before}, 0)"));
    }
    let (from, offset) = page;
    let _ = write!(sql, " {}", with_total(direction, &from, &offset));
    sql
}

/// $1 audience, $2 offset, $3 limit, $4 the text.
fn filtered(direction: Direction, condition: &str) -> String {
    let d = direction.sql();
    format!(
        "with matches as (select id, created_at from users where aud = $1 and {condition}) \
         select t.users, {} from (select count(*) as users from matches) t \
         left join (select id from matches order by created_at {d}, id {d} limit $3 offset $2) m on true \
         left join users u on u.id = m.id left join identities i on i.user_id = u.id {}",
        *COLUMNS,
        order(direction)
    )
}

static IN_SQLITE: LazyLock<BothWays> = LazyLock::new(|| both_ways(|d| filtered(d, "instr(search, $4) > 0")));
/// Too short for the index of pieces.
static IN_POSTGRES: LazyLock<BothWays> =
    LazyLock::new(|| both_ways(|d| filtered(d, "strpos(search, $4) > 0")));
static BY_PIECES: LazyLock<BothWays> = LazyLock::new(|| {
    both_ways(|d| filtered(d, "search_pieces(search) @> search_pieces($4) and strpos(search, $4) > 0"))
});

/// The statement that finds a text, and the text as it is stored; `None` where nothing can match.
fn matching(dialect: Dialect, filter: &str) -> Option<(&'static BothWays, String)> {
    if filter.chars().any(char::is_control) {
        // What is searched has no such characters, and lines must not match across their ends.
        return None;
    }
    let needle: String = filter.chars().flat_map(char::to_lowercase).collect();
    let statement = match dialect {
        Dialect::Sqlite => &*IN_SQLITE,
        Dialect::Postgres if needle.chars().count() < 3 => &*IN_POSTGRES,
        Dialect::Postgres => &*BY_PIECES,
    };
    // A text longer than what is kept of a name is found by nothing; an address is never that long.
    (needle.len() <= searchable(filter).len()).then_some((statement, needle))
}

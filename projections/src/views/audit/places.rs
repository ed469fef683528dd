//! Where the entries of a page stand in the log. Any page, also one filtered by actions, costs the same in a log of any
//! length: totals and far pages are taken from `audit_counts`, which tells in which stretches of the log a page has
//! entries, and the entries from the letters of these.

use evident_domain::Position;
use evident_eventstore::{Database, DatabaseError, Dialect, Table, Value};

use super::AuditQuery;
use super::authors::placeholders;
use crate::audit::AuditAction;
use crate::fold::Fold as _;
use crate::folds::{AuditActionsRow, STRETCH_BITS, row_key};

/// Stretches whose letters are read at once: a page of a rare action has an entry here and there.
const AT_ONCE: usize = 16;
const LETTERS: Table = AuditActionsRow::TABLE;

/// The positions of a page's entries, newest first, and how many entries there are on all pages. Of some actions only;
/// none for all.
pub(super) async fn of(
    database: &Database,
    actions: Option<&[AuditAction]>,
    query: &AuditQuery,
) -> Result<(Vec<Position>, u64), DatabaseError> {
    let Stretches { total, mut skip, numbers } = stretches(database, actions, query).await?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let wanted: Option<Vec<char>> =
        actions.map(|actions| actions.iter().map(|action| action.letter()).collect());
    let is_wanted = |letter: char| wanted.as_ref().is_none_or(|wanted| wanted.contains(&letter));
    let mut found = Vec::new();
    for some in numbers.chunks(AT_ONCE) {
        for row in letters(database, some, wanted.as_deref()).await? {
            for (position, _) in row.newest_first().filter(|(_, letter)| is_wanted(*letter)) {
                if skip > 0 {
                    skip -= 1;
                } else if found.len() < limit {
                    found.push(position);
                }
            }
        }
        if found.len() == limit {
            break;
        }
    }
    Ok((found, total))
}

/// Where a page is.
struct Stretches {
    /// How many entries there are on all pages.
    total: u64,
    /// So many entries of the first stretch stand on pages before.
    skip: u64,
    /// The stretches of the log that have entries of the page, newest first.
    numbers: Vec<u64>,
}

async fn stretches(
    database: &Database,
    actions: Option<&[AuditAction]>,
    query: &AuditQuery,
) -> Result<Stretches, DatabaseError> {
    let names: Vec<Value> = actions.into_iter().flatten().map(|action| action.as_str().into()).collect();
    let condition = match actions {
        None => String::new(),
        Some(_) => format!("where action in ({})", placeholders(1, names.len())),
    };
    let sql = format!(
        "select stretch, cast(sum(entries) as bigint) from audit_counts {condition} \
         group by stretch order by stretch desc"
    );
    let mut page = Stretches { total: 0, skip: query.offset, numbers: Vec::new() };
    let end = query.offset.saturating_add(query.limit.into());
    for row in database.query(&sql, &names).await? {
        let [Value::Int(stretch), Value::Int(entries)] = row[..] else { continue };
        let (stretch, entries) = (u64::try_from(stretch), u64::try_from(entries).unwrap_or_default());
        let before = page.total;
        page.total += entries;
        if page.total <= query.offset {
            page.skip -= entries;
        } else if before < end {
            page.numbers.extend(stretch);
        }
    }
    Ok(page)
}

/// The letters of some stretches, newest first; only those of rows that have a letter that is wanted.
async fn letters(
    database: &Database,
    stretches: &[u64],
    wanted: Option<&[char]>,
) -> Result<Vec<AuditActionsRow>, DatabaseError> {
    let mut params: Vec<Value> = Vec::new();
    let mut bound = |value: Value| {
        params.push(value);
        format!("${}", params.len())
    };
    let mut key = |stretch: u64| bound(row_key(Position(stretch << STRETCH_BITS)).into());
    let within = stretches
        .iter()
        .map(|stretch| format!("(number >= {} and number < {})", key(*stretch), key(*stretch + 1)));
    let within = within.collect::<Vec<_>>().join(" or ");
    let having = wanted.map(|wanted| {
        let having = wanted.iter().map(|letter| match database.dialect() {
            Dialect::Sqlite => format!("instr(letters, {}) > 0", bound(letter.to_string().into())),
            Dialect::Postgres => format!("strpos(letters, {}) > 0", bound(letter.to_string().into())),
        });
        format!(" and ({})", having.collect::<Vec<_>>().join(" or "))
    });
    let sql = format!(
        "select {} from {} where ({within}){} order by number desc",
        LETTERS.column_list(),
        LETTERS.name,
        having.unwrap_or_default()
    );
    let rows = database.query(&sql, &params).await?;
    rows.into_iter().map(AuditActionsRow::from_row).collect()
}

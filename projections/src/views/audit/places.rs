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
    let (sql, params) = select_letters(database.dialect(), stretches, wanted);
    let rows = database.query(&sql, &params).await?;
    rows.into_iter().map(AuditActionsRow::from_row).collect()
}

fn select_letters(dialect: Dialect, stretches: &[u64], wanted: Option<&[char]>) -> (String, Vec<Value>) {
    let mut params: Vec<Value> = Vec::new();
    let mut bound = |value: Value| {
        params.push(value);
        format!("${}", params.len())
    };
    let mut key = |stretch: u64| bound(row_key(Position(stretch << STRETCH_BITS)).into());
    let bounds: Vec<_> = stretches.iter().map(|stretch| (key(*stretch), key(*stretch + 1))).collect();
    let having = wanted.map(|wanted| {
        let having = wanted.iter().map(|letter| match dialect {
            Dialect::Sqlite => format!("instr(letters, {}) > 0", bound(letter.to_string().into())),
            Dialect::Postgres => format!("strpos(letters, {}) > 0", bound(letter.to_string().into())),
        });
        format!("and ({})", having.collect::<Vec<_>>().join(" or "))
    });
    let each = |range: fn(&(String, String)) -> String, between: &str| {
        bounds.iter().map(range).collect::<Vec<_>>().join(between)
    };
    let from = match dialect {
        // Joined: of more than a few ranges, one or another, SQLite makes a walk through the table.
        Dialect::Sqlite => format!(
            "(values {}) as s cross join {} where number >= s.column1 and number < s.column2",
            each(|(low, high)| format!("({low}, {high})"), ", "),
            LETTERS.name
        ),
        // Of joined ones PostgreSQL expects too many rows, and does that.
        Dialect::Postgres => format!(
            "{} where ({})",
            LETTERS.name,
            each(|(low, high)| format!("(number >= {low} and number < {high})"), " or ")
        ),
    };
    let having = having.unwrap_or_default();
    let sql = format!("select {} from {from} {having} order by number desc", LETTERS.column_list());
    (sql, params)
}

#[cfg(test)]
mod tests {
    use evident_eventstore::{Contents, Tables as _};

    use super::*;
    use crate::folds::AuditCountRow;

    /// A log whose every stretch has one sign-in, at a place of its own, and a sign-out.
    async fn scattered(stretches: u64) -> (tempfile::TempDir, Database, Vec<Position>) {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_sqlite(&folder.path().join("log.db"), Contents::Log).await.unwrap();
        let (mut letters, mut counts, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for stretch in 0..stretches {
            let position = Position((stretch << STRETCH_BITS) + (stretch * 777) % (1 << STRETCH_BITS));
            positions.push(position);
            let mut row = [".".to_owned(), "b".to_owned()].concat().repeat(128);
            let place = usize::try_from(position.0 % 256).unwrap();
            row.replace_range(place..=place, "a");
            letters.push(vec![row_key(position).into(), row.into()]);
            for action in ["login", "logout"] {
                let number = i64::try_from(stretch).unwrap();
                let bucket = format!("{stretch}:{action}");
                let entries: i64 = if action == "login" { 1 } else { 127 };
                counts.push(vec![bucket.into(), action.into(), number.into(), entries.into()]);
            }
        }
        let mut transaction = database.transaction().await.unwrap();
        transaction.insert(&LETTERS, letters).await.unwrap();
        transaction.insert(&AuditCountRow::TABLE, counts).await.unwrap();
        transaction.commit().await.unwrap();
        positions.reverse();
        (folder, database, positions)
    }

    #[tokio::test]
    async fn a_page_of_a_rare_action_is_read_from_many_stretches() {
        let (_folder, database, all) = scattered(40).await;
        for (offset, limit) in [(0, 7), (0, 100), (3, 17), (15, 2), (16, 24), (39, 5), (40, 5), (5, 0)] {
            let query = AuditQuery { scope: super::super::AuditScope::All, offset, limit };
            let (found, total) = of(&database, Some(&[AuditAction::Login]), &query).await.unwrap();
            let skipped = all.iter().skip(usize::try_from(offset).unwrap());
            let expected: Vec<_> = skipped.take(usize::try_from(limit).unwrap()).copied().collect();
            assert_eq!((found, total), (expected, 40), "{limit} from {offset}");
        }
    }

    #[tokio::test]
    async fn no_page_walks_through_the_table() {
        let (_folder, database, _) = scattered(40).await;
        let stretches: Vec<u64> = (0..40).rev().step_by(2).take(AT_ONCE).collect();
        for wanted in [None, Some(['a'].as_slice()), Some(['a', 'b'].as_slice())] {
            let (sql, params) = select_letters(Dialect::Sqlite, &stretches, wanted);
            let plan = database.query(&format!("explain query plan {sql}"), &params).await.unwrap();
            let steps: Vec<&str> = plan.iter().filter_map(|row| row.last()?.as_text()).collect();
            assert!(steps.iter().any(|step| step.starts_with("SEARCH audit_actions")), "{steps:?}");
            assert!(steps.iter().all(|step| !step.starts_with("SCAN audit_actions")), "{steps:?}");
        }
    }
}

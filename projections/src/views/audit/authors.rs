//! Where the entries of an author stand in the log, counted one by one.

use evident_domain::Position;
use evident_eventstore::{Database, DatabaseError, Dialect, Row, Value};

use super::AuditQuery;
use crate::folds::{NO_ENTRY, ROW_BITS};

/// The positions of a page's entries, newest first, and how many entries there are on all pages: of authors whose
/// address, number, name or role has a text, in any case.
pub(super) async fn of(
    database: &Database,
    text: &str,
    query: &AuditQuery,
) -> Result<(Vec<Position>, u64), DatabaseError> {
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
    // Whose subject is the author is an entry where it has a letter, unless somebody else was the author.
    let (key, row, place) = match database.dialect() {
        Dialect::Sqlite => (
            "printf('%016d', v.position)".to_owned(),
            format!("printf('%016d', v.position >> {ROW_BITS})"),
            format!("(v.position & {})", (1 << ROW_BITS) - 1),
        ),
        Dialect::Postgres => (
            "lpad(v.position::text, 16, '0')".to_owned(),
            format!("lpad((v.position >> {ROW_BITS})::text, 16, '0')"),
            format!("(v.position & {})::int", (1 << ROW_BITS) - 1),
        ),
    };
    let (limit, offset) = (params.len() + 1, params.len() + 2);
    params.push(i64::from(query.limit).into());
    params.push(i64::try_from(query.offset).unwrap_or(i64::MAX).into());
    // Found once, for both the page and the total.
    let sql = format!(
        "with e as materialized (\
         select cast(entry as bigint) as position from audit_authors where actor in ({authors}) union all \
         select v.position from events v join audit_actions a on a.number = {row} \
         left join audit_authors o on o.entry = {key} where v.subject in ({authors}) \
         and o.entry is null and substr(a.letters, {place} + 1, 1) <> '{NO_ENTRY}') \
         select t.total, p.position from (select count(*) as total from e) t \
         left join (select position from e order by position desc limit ${limit} offset ${offset}) p on true \
         order by p.position desc"
    );
    let rows = database.query(&sql, &params).await?;
    let total = rows.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default();
    Ok((positions(&rows)?, u64::try_from(total).unwrap_or_default()))
}

/// The administrators' roles that have entries: one step of the index each, whatever the entries.
async fn administrators(database: &Database) -> Result<Vec<String>, DatabaseError> {
    let sql = "with recursive roles(actor) as (\
         select min(actor) from audit_authors where actor >= 'admin:' and actor < 'admin;' \
         union all \
         select (select min(e.actor) from audit_authors e where e.actor > roles.actor and e.actor < 'admin;') \
         from roles where roles.actor is not null) \
         select actor from roles where actor is not null";
    let rows = database.query(sql, &[]).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_text().map(str::to_owned)).collect())
}

/// `$<first>, $<first + 1> …`
pub(super) fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// What stands behind the total; nothing on a page that has no entry.
fn positions(rows: &[Row]) -> Result<Vec<Position>, DatabaseError> {
    let damaged = || DatabaseError::Unexpected { table: "audit_authors".to_owned(), column: "entry" };
    let position = |value: &Value| value.as_int().and_then(|at| u64::try_from(at).ok()).map(Position);
    let found = rows.iter().filter_map(|row| row.get(1)).filter(|value| **value != Value::Null);
    found.map(|value| position(value).ok_or_else(damaged)).collect()
}

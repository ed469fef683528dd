//! Shadow tables: made after the live ones, filled beside them, and put in their place by name.
//!
//! The definitions are taken from the database's own catalogue, so a shadow is what the migrations
//! made, whatever they made. On PostgreSQL the indexes end up with the names they had. On SQLite an index
//! cannot be renamed, so a table's indexes change between two names, `name` and `name__2`, with every
//! swap; a migration that changes a projection therefore drops the table and lets a rebuild fill it.

use std::collections::{HashMap, HashSet};

use evident_eventstore::{Database, DatabaseError, Dialect, Row, Table, Tables, Transaction, Value};

use crate::ProjectionError;
use crate::folding::Projection;
use crate::lease::Lease;
use crate::shadows;

/// What a shadow's name ends with.
pub(crate) const SHADOW: &str = "_shadow";
/// What the name of a table ends with that a shadow replaced.
const OLD: &str = "_old";
/// The storage option by which PostgreSQL vacuums a table by itself, or not.
const AUTOVACUUM: &str = "autovacuum_enabled";
/// Rows removed at a time from a large table that goes.
const REMOVED_AT_ONCE: u32 = 5_000;
/// A table of so many rows goes as a whole, page by page: much less work than row by row, and soon done.
const DROPPED_AT_ONCE: u32 = 30_000;

pub(crate) fn text(row: &Row, at: usize) -> &str {
    row.get(at).and_then(Value::as_text).unwrap_or_default()
}

pub(crate) fn flag(row: &Row, at: usize) -> bool {
    row.get(at).and_then(Value::as_bool).unwrap_or_default()
}

/// PostgreSQL's tables of some names, which travel as one JSON array in the first parameter.
const NAMED: &str = "any(array(select to_regclass(n)::oid from json_array_elements_text($1::json) as n))";

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Value> {
    vec![Value::Text(names.collect::<serde_json::Value>().to_string())]
}

/// Makes empty shadows, without the indexes that [`complete`](crate::shadow_indexes::complete) adds.
pub(crate) async fn create(tables: &mut dyn Tables, live: &[Table]) -> Result<(), ProjectionError> {
    match tables.dialect() {
        Dialect::Sqlite => {
            for table in live {
                create_sqlite(tables, &table.name).await?;
            }
            Ok(())
        }
        Dialect::Postgres => create_postgres(tables, live).await,
    }
}

async fn create_sqlite(tables: &mut dyn Tables, name: &str) -> Result<(), ProjectionError> {
    let sql = "select sql from sqlite_master where name = $1 and type = 'table'";
    let definitions = tables.query(sql, &[name.into()]).await?;
    let Some((_, tail)) = definitions.first().and_then(|row| text(row, 0).split_once('(')) else {
        return Err(ProjectionError::NoTable(name.to_owned()));
    };
    tables.execute(&format!("create table {name}{SHADOW} ({tail}"), &[]).await?;
    Ok(())
}

async fn create_postgres(tables: &mut dyn Tables, live: &[Table]) -> Result<(), ProjectionError> {
    let options = options(tables, live).await?;
    let mut making = Vec::new();
    for Table { name, .. } in live {
        let options = options.get(&**name).ok_or_else(|| ProjectionError::NoTable(name.to_string()))?;
        making.push(format!(
            "create table {name}{SHADOW} (like {name} including defaults including constraints \
             including generated including storage including compression)"
        ));
        // To vacuum what is about to be written again is lost work, and a vacuum would stand in the way of the swap.
        let others = options.iter().filter(|option| !option.starts_with(AUTOVACUUM));
        let all: Vec<_> = others.cloned().chain([format!("{AUTOVACUUM}=off")]).collect();
        making.push(format!("alter table {name}{SHADOW} set ({})", all.join(", ")));
    }
    let sql = format!(
        "select t.relname::text, i.relname::text, pg_get_constraintdef(c.oid) \
         from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class i on i.oid = c.conindid \
         where c.contype in ('p', 'u') and c.conrelid = {NAMED}"
    );
    for row in tables.query(&sql, &names(live.iter().map(|table| &*table.name))).await? {
        let (name, index, constraint) = (text(&row, 0), text(&row, 1), text(&row, 2));
        making.push(format!("alter table {name}{SHADOW} add constraint {index}{SHADOW} {constraint}"));
    }
    Ok(tables.run(&making).await?)
}

/// The storage options of PostgreSQL tables, each `name=value`. What is no table is not there.
async fn options(
    tables: &mut dyn Tables,
    live: &[Table],
) -> Result<HashMap<String, Vec<String>>, DatabaseError> {
    let sql = format!(
        "select relname::text, coalesce(array_to_string(reloptions, ','), '') from pg_class where oid = {NAMED}"
    );
    let found = tables.query(&sql, &names(live.iter().map(|table| &*table.name))).await?;
    let split =
        |row: &Row| text(row, 1).split(',').filter(|some| !some.is_empty()).map(str::to_owned).collect();
    Ok(found.iter().map(|row| (text(row, 0).to_owned(), split(row))).collect())
}

/// A transaction that writes shadows. PostgreSQL need not wait until it is on the disk: what a crash takes is made
/// again, and the swap, which waits, comes after it in the server's log.
pub(crate) async fn transaction(database: &Database) -> Result<Transaction, DatabaseError> {
    let mut transaction = database.transaction().await?;
    if database.dialect() == Dialect::Postgres {
        transaction.execute("set local synchronous_commit = off", &[]).await?;
    }
    Ok(transaction)
}

/// Waits a moment until nobody stands in the way of a swap. The caller holds the head's lock, and must not keep
/// every writer waiting behind a long reader. The tables are locked one after the other, so somebody who
/// has one may wait for another: this gives way long before PostgreSQL looks for a deadlock (after a second)
/// and ends whichever of the two it meets first.
pub(crate) async fn lock(tables: &mut dyn Tables, live: &[Table]) -> Result<(), DatabaseError> {
    if tables.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    tables.execute("set local lock_timeout = '250ms'", &[]).await?;
    let names: Vec<_> = live.iter().map(|table| &*table.name).collect();
    tables.execute(&format!("lock table {} in access exclusive mode", names.join(", ")), &[]).await?;
    Ok(())
}

/// Has PostgreSQL end what vacuums tables by itself, which nobody but the server may: it does so where somebody waits
/// for it longer than the short time for which a swap may. Readers and writers are not in the way of this, nor
/// it in theirs.
///
/// # Errors
/// Where it still stands in the way after a while: somebody vacuums by hand, or makes an index.
pub(crate) async fn end_vacuums(database: &Database, live: &[Table]) -> Result<(), DatabaseError> {
    if database.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let mut transaction = database.transaction().await?;
    transaction.execute("set local lock_timeout = '5s'", &[]).await?;
    let names: Vec<_> = live.iter().map(|table| &*table.name).collect();
    let lock = format!("lock table {} in share update exclusive mode", names.join(", "));
    transaction.execute(&lock, &[]).await?;
    transaction.commit().await
}

/// Puts shadows in the place of the live tables.
pub(crate) async fn swap(tables: &mut dyn Tables, live: &[Table]) -> Result<(), DatabaseError> {
    let mut changes = Vec::new();
    match tables.dialect() {
        Dialect::Sqlite => {
            for Table { name, .. } in live {
                changes.push(format!("alter table {name} rename to {name}{OLD}"));
                changes.push(format!("alter table {name}{SHADOW} rename to {name}"));
            }
        }
        Dialect::Postgres => {
            let options = options(tables, live).await?;
            for Table { name, .. } in live {
                changes.push(format!("drop table {name}"));
                changes.push(format!("alter table {name}{SHADOW} rename to {name}"));
                let mut known = options.get(&**name).into_iter().flatten();
                let change = match known.find(|option| option.starts_with(AUTOVACUUM)) {
                    Some(option) => format!("set ({option})"),
                    None => format!("reset ({AUTOVACUUM})"),
                };
                changes.push(format!("alter table {name} {change}"));
            }
            let sql = format!(
                "select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid \
                 where x.indrelid = {NAMED}"
            );
            let shadows: Vec<_> = live.iter().map(|table| format!("{}{SHADOW}", table.name)).collect();
            for row in tables.query(&sql, &names(shadows.iter().map(String::as_str))).await? {
                if let Some(own) = text(&row, 0).strip_suffix(SHADOW) {
                    changes.push(format!("alter index {own}{SHADOW} rename to {own}"));
                }
            }
        }
    }
    tables.run(&changes).await
}

/// Removes shadows and replaced tables, of this rebuild or of one that crashed; the shadows of some
/// projections may stay.
pub(crate) async fn clean(
    database: &Database,
    projections: &[&'static dyn Projection],
    kept: &[&str],
    lease: &Lease,
) -> Result<(), ProjectionError> {
    // First of all they count for nothing: a shadow that is half gone must not be gone on with.
    let mut transaction = database.transaction().await?;
    for mark in shadows::read(database).await? {
        if !kept.contains(&mark.name.as_str()) {
            shadows::forget(&mut transaction, &mark.name).await?;
        }
    }
    lease.beat(&mut transaction).await?;
    transaction.commit().await?;
    let stays = |projection: &&&dyn Projection| kept.contains(&projection.name());
    let replaced = projections.iter().flat_map(|projection| named(*projection, OLD));
    let given_up = projections.iter().filter(|projection| !stays(projection));
    let going: Vec<Table> =
        replaced.chain(given_up.flat_map(|projection| named(*projection, SHADOW))).collect();
    let there = existing(database, &going).await?;
    for table in going.iter().filter(|table| there.contains(&*table.name)) {
        remove(database, table, lease).await?;
    }
    Ok(())
}

/// Whether there is anything to clean.
pub(crate) async fn has_leftovers(
    database: &Database,
    projections: &[&'static dyn Projection],
) -> Result<bool, DatabaseError> {
    let all =
        projections.iter().flat_map(|projection| [SHADOW, OLD].map(|suffix| named(*projection, suffix)));
    Ok(!existing(database, &all.flatten().collect::<Vec<_>>()).await?.is_empty())
}

/// Whether all shadows of a projection are there.
pub(crate) async fn is_whole(
    database: &Database,
    projection: &dyn Projection,
) -> Result<bool, DatabaseError> {
    let shadows = named(projection, SHADOW);
    Ok(existing(database, &shadows).await?.len() == shadows.len())
}

/// A projection's tables, with something behind their names.
fn named(projection: &dyn Projection, suffix: &str) -> Vec<Table> {
    projection.tables().iter().map(|table| suffixed(table, suffix)).collect()
}

/// The table that a shadow has replaced.
pub(crate) fn replaced(table: &Table) -> Table {
    suffixed(table, OLD)
}

/// The shadow of a table.
pub(crate) fn of(table: &Table) -> Table {
    suffixed(table, SHADOW)
}

/// A table with something behind its name.
fn suffixed(table: &Table, suffix: &str) -> Table {
    table.named(format!("{}{suffix}", table.name))
}

/// Which of some tables are there.
async fn existing(database: &Database, tables: &[Table]) -> Result<HashSet<String>, DatabaseError> {
    let sql = match database.dialect() {
        Dialect::Sqlite => {
            "select name from sqlite_master where type = 'table' and name in (select value from json_each($1))"
        }
        Dialect::Postgres => {
            "select n from json_array_elements_text($1::json) as n where to_regclass(n) is not null"
        }
    };
    let found = database.query(sql, &names(tables.iter().map(|table| &*table.name))).await?;
    Ok(found.iter().map(|row| text(row, 0).to_owned()).collect())
}

async fn remove(database: &Database, table: &Table, lease: &Lease) -> Result<(), ProjectionError> {
    let name = &table.name;
    // Dropping a large table overwrites it in one transaction; the server commits in between here. Without its
    // indexes first, and then in the order of its keys, so that whole pages go.
    if database.dialect() == Dialect::Sqlite && has_more(database, name, DROPPED_AT_ONCE).await? {
        let indexes =
            "select name from sqlite_master where type = 'index' and tbl_name = $1 and sql is not null";
        for index in database.query(indexes, &[name.as_ref().into()]).await? {
            let mut transaction = database.transaction().await?;
            transaction.execute(&format!("drop index if exists {}", text(&index, 0)), &[]).await?;
            lease.beat(&mut transaction).await?;
            transaction.commit().await?;
        }
        let key = table.key();
        // Whole stretches of keys, while more is left than may go at once.
        let end = format!("select {key} from {name} order by {key} limit 1 offset {REMOVED_AT_ONCE}");
        let sql = format!("delete from {name} where {key} < ({end})");
        while has_more(database, name, DROPPED_AT_ONCE).await? {
            let mut transaction = database.transaction().await?;
            transaction.execute(&sql, &[]).await?;
            lease.beat(&mut transaction).await?;
            transaction.commit().await?;
        }
    }
    let mut transaction = database.transaction().await?;
    transaction.execute(&format!("drop table if exists {name}"), &[]).await?;
    lease.beat(&mut transaction).await?;
    Ok(transaction.commit().await?)
}

/// Whether a table has more rows than so many.
pub(crate) async fn has_more(database: &Database, name: &str, rows: u32) -> Result<bool, DatabaseError> {
    let sql = format!("select 1 from {name} limit 1 offset {rows}");
    Ok(!database.query(&sql, &[]).await?.is_empty())
}

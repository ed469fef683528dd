//! Shadow tables: made after the live ones, filled beside them, and put in their place by name.
//!
//! The definitions are taken from the database's own catalogue, so a shadow is what the migrations
//! made, whatever they made. On PostgreSQL the indexes end up with the names they had. On SQLite an index
//! cannot be renamed, so a table's indexes change between two names, `name` and `name__2`, with every
//! swap; a migration that changes a projection therefore drops the table and lets a rebuild fill it.

use evident_eventstore::{Database, DatabaseError, Dialect, Row, Table, Tables, Transaction, Value};

use crate::ProjectionError;
use crate::folding::Projection;
use crate::lease::Lease;
use crate::shadow_indexes::indexes;
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

/// Makes an empty shadow, without the indexes that [`complete`](crate::shadow_indexes::complete) adds.
pub(crate) async fn create(tables: &mut dyn Tables, table: &Table) -> Result<(), ProjectionError> {
    match tables.dialect() {
        Dialect::Sqlite => create_sqlite(tables, &table.name).await,
        Dialect::Postgres => create_postgres(tables, &table.name).await,
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

async fn create_postgres(tables: &mut dyn Tables, name: &str) -> Result<(), ProjectionError> {
    let options = options(tables, name).await?.ok_or_else(|| ProjectionError::NoTable(name.to_owned()))?;
    let make = format!(
        "create table {name}{SHADOW} (like {name} including defaults including constraints \
         including generated including storage including compression)"
    );
    tables.execute(&make, &[]).await?;
    // To vacuum what is about to be written again is lost work, and a vacuum would stand in the way of the swap.
    let others = options.iter().filter(|option| !option.starts_with(AUTOVACUUM));
    let all: Vec<_> = others.cloned().chain([format!("{AUTOVACUUM}=off")]).collect();
    tables.execute(&format!("alter table {name}{SHADOW} set ({})", all.join(", ")), &[]).await?;
    for index in indexes(tables, name).await? {
        if let Some(constraint) = index.constraint {
            let sql =
                format!("alter table {name}{SHADOW} add constraint {}{SHADOW} {constraint}", index.name);
            tables.execute(&sql, &[]).await?;
        }
    }
    Ok(())
}

/// The storage options of a PostgreSQL table, each `name=value`; none where there is no table.
async fn options(tables: &mut dyn Tables, name: &str) -> Result<Option<Vec<String>>, DatabaseError> {
    let sql =
        "select coalesce(array_to_string(reloptions, ','), '') from pg_class where oid = to_regclass($1)";
    let found = tables.query(sql, &[name.into()]).await?;
    let split =
        |row: &Row| text(row, 0).split(',').filter(|some| !some.is_empty()).map(str::to_owned).collect();
    Ok(found.first().map(split))
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

/// Puts a shadow in the place of the live table.
pub(crate) async fn swap(tables: &mut dyn Tables, table: &Table) -> Result<(), DatabaseError> {
    let name = &table.name;
    match tables.dialect() {
        Dialect::Sqlite => {
            tables.execute(&format!("alter table {name} rename to {name}{OLD}"), &[]).await?;
            tables.execute(&format!("alter table {name}{SHADOW} rename to {name}"), &[]).await?;
        }
        Dialect::Postgres => {
            let options = options(tables, name).await?.unwrap_or_default();
            tables.execute(&format!("drop table {name}"), &[]).await?;
            tables.execute(&format!("alter table {name}{SHADOW} rename to {name}"), &[]).await?;
            let change = match options.iter().find(|option| option.starts_with(AUTOVACUUM)) {
                Some(option) => format!("set ({option})"),
                None => format!("reset ({AUTOVACUUM})"),
            };
            tables.execute(&format!("alter table {name} {change}"), &[]).await?;
            for index in indexes(tables, name).await? {
                if let Some(own) = index.name.strip_suffix(SHADOW) {
                    tables.execute(&format!("alter index {} rename to {own}", index.name), &[]).await?;
                }
            }
        }
    }
    Ok(())
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
    for projection in projections {
        let stays = kept.contains(&projection.name());
        for table in projection.tables() {
            remove(database, &table.named(format!("{}{OLD}", table.name)), lease).await?;
            if !stays {
                remove(database, &table.named(format!("{}{SHADOW}", table.name)), lease).await?;
            }
        }
    }
    Ok(())
}

/// Whether there is anything to clean.
pub(crate) async fn has_leftovers(
    database: &Database,
    projections: &[&'static dyn Projection],
) -> Result<bool, DatabaseError> {
    for table in projections.iter().flat_map(|projection| projection.tables()) {
        for suffix in [SHADOW, OLD] {
            if exists(database, &format!("{}{suffix}", table.name)).await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether all shadows of a projection are there.
pub(crate) async fn is_whole(
    database: &Database,
    projection: &dyn Projection,
) -> Result<bool, DatabaseError> {
    for table in projection.tables() {
        if !exists(database, &format!("{}{SHADOW}", table.name)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn exists(database: &Database, name: &str) -> Result<bool, DatabaseError> {
    let sql = match database.dialect() {
        Dialect::Sqlite => "select 1 from sqlite_master where type = 'table' and name = $1",
        Dialect::Postgres => "select 1 where to_regclass($1) is not null",
    };
    Ok(!database.query(sql, &[name.into()]).await?.is_empty())
}

async fn remove(database: &Database, table: &Table, lease: &Lease) -> Result<(), ProjectionError> {
    let name = &table.name;
    if !exists(database, name).await? {
        return Ok(());
    }
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

//! Shadow tables: made after the live ones, filled beside them, and put in their place by name.
//!
//! The definitions are taken from the database's own catalogue, so a shadow is what the migrations
//! made, whatever they made. On PostgreSQL the indexes end up with the names they had. On SQLite an index
//! cannot be renamed, so a table's indexes change between two names, `name` and `name__2`, with every
//! swap; a migration that changes a projection therefore drops the table and lets a rebuild fill it.

use evident_eventstore::{Database, DatabaseError, Dialect, Row, Table, Tables, Value};

use crate::ProjectionError;
use crate::folding::Projection;
use crate::lease::Lease;
use crate::shadows;

/// What a shadow's name ends with.
pub(crate) const SHADOW: &str = "_shadow";
/// What the name of a table ends with that a shadow replaced.
const OLD: &str = "_old";
/// What an SQLite index's second name ends with.
const SECOND: &str = "__2";
/// Rows removed at a time from a large table that goes.
const REMOVED_AT_ONCE: u32 = 5_000;
/// The indexes of a table of so many rows are made in one transaction.
const INDEXED_AT_ONCE: u32 = 10_000;
/// A table of so many rows goes as a whole, page by page: much less work than row by row, and soon done.
const DROPPED_AT_ONCE: u32 = 30_000;

fn text(row: &Row, at: usize) -> &str {
    row.get(at).and_then(Value::as_text).unwrap_or_default()
}

fn flag(row: &Row, at: usize) -> bool {
    row.get(at).and_then(Value::as_bool).unwrap_or_default()
}

/// Makes an empty shadow, without the indexes that [`complete`] adds.
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
    let sql = "select coalesce(array_to_string(reloptions, ', '), '') from pg_class \
               where oid = to_regclass($1)";
    let options = tables.query(sql, &[name.into()]).await?;
    let Some(options) = options.first() else {
        return Err(ProjectionError::NoTable(name.to_owned()));
    };
    let make = format!(
        "create table {name}{SHADOW} (like {name} including defaults including constraints \
         including generated including storage including compression)"
    );
    tables.execute(&make, &[]).await?;
    if !text(options, 0).is_empty() {
        let set = format!("alter table {name}{SHADOW} set ({})", text(options, 0));
        tables.execute(&set, &[]).await?;
    }
    for index in indexes(tables, name).await? {
        if let Some(constraint) = index.constraint {
            let sql =
                format!("alter table {name}{SHADOW} add constraint {}{SHADOW} {constraint}", index.name);
            tables.execute(&sql, &[]).await?;
        }
    }
    Ok(())
}

/// An index of a PostgreSQL table.
struct Index {
    name: String,
    unique: bool,
    /// `USING …` and what follows.
    definition: String,
    /// The constraint that it serves.
    constraint: Option<String>,
}

async fn indexes(tables: &mut dyn Tables, table: &str) -> Result<Vec<Index>, DatabaseError> {
    let sql = "select i.relname::text, x.indisunique, pg_get_indexdef(i.oid), \
               coalesce(pg_get_constraintdef(c.oid), '') \
               from pg_index x join pg_class i on i.oid = x.indexrelid \
               left join pg_constraint c on c.conindid = i.oid and c.contype in ('p', 'u') \
               where x.indrelid = to_regclass($1) order by i.relname";
    let rows = tables.query(sql, &[table.into()]).await?;
    let index = |row: &Row| Index {
        name: text(row, 0).to_owned(),
        unique: flag(row, 1),
        definition: text(row, 2).split_once(" USING ").map(|(_, tail)| tail.to_owned()).unwrap_or_default(),
        constraint: Some(text(row, 3).to_owned()).filter(|constraint| !constraint.is_empty()),
    };
    Ok(rows.iter().map(index).collect())
}

/// Adds the indexes that are not there yet, which is less work once the rows are, and makes the planner know the
/// shadow.
pub(crate) async fn complete(
    database: &Database,
    table: &Table,
    lease: &Lease,
) -> Result<(), ProjectionError> {
    match database.dialect() {
        Dialect::Sqlite => complete_sqlite(database, &table.name, lease).await,
        Dialect::Postgres => complete_postgres(database, &table.name, lease).await,
    }
}

/// Index by index, unless there is little to do: the server commits in between.
async fn complete_sqlite(database: &Database, name: &str, lease: &Lease) -> Result<(), ProjectionError> {
    let sql = "select name, sql from sqlite_master where tbl_name = $1 and type = 'index' \
               and sql is not null order by name";
    let definitions = database.query(sql, &[name.into()]).await?;
    let large = has_more(database, &format!("{name}{SHADOW}"), INDEXED_AT_ONCE).await?;
    let at_once = if large { 1 } else { definitions.len().max(1) };
    for some in definitions.chunks(at_once) {
        let mut transaction = database.transaction().await?;
        for (index, definition) in some.iter().map(|row| (text(row, 0), text(row, 1))) {
            let Some((head, tail)) = definition.split_once('(') else { continue };
            let unique = if head.to_ascii_lowercase().contains("unique index") { "unique " } else { "" };
            let second = index.strip_suffix(SECOND).map_or(format!("{index}{SECOND}"), str::to_owned);
            let sql = format!("create {unique}index if not exists {second} on {name}{SHADOW} ({tail}");
            transaction.execute(&sql, &[]).await?;
        }
        lease.beat(&mut transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn complete_postgres(database: &Database, name: &str, lease: &Lease) -> Result<(), ProjectionError> {
    let mut transaction = database.transaction().await?;
    for index in indexes(&mut transaction, name).await? {
        if index.constraint.is_none() {
            let unique = if index.unique { "unique " } else { "" };
            let (own, definition) = (index.name, index.definition);
            let sql = format!(
                "create {unique}index if not exists {own}{SHADOW} on {name}{SHADOW} using {definition}"
            );
            transaction.execute(&sql, &[]).await?;
        }
    }
    transaction.execute(&format!("analyze {name}{SHADOW}"), &[]).await?;
    lease.beat(&mut transaction).await?;
    Ok(transaction.commit().await?)
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

/// Puts a shadow in the place of the live table.
pub(crate) async fn swap(tables: &mut dyn Tables, table: &Table) -> Result<(), DatabaseError> {
    let name = &table.name;
    match tables.dialect() {
        Dialect::Sqlite => {
            tables.execute(&format!("alter table {name} rename to {name}{OLD}"), &[]).await?;
            tables.execute(&format!("alter table {name}{SHADOW} rename to {name}"), &[]).await?;
        }
        Dialect::Postgres => {
            tables.execute(&format!("drop table {name}"), &[]).await?;
            tables.execute(&format!("alter table {name}{SHADOW} rename to {name}"), &[]).await?;
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
async fn has_more(database: &Database, name: &str, rows: u32) -> Result<bool, DatabaseError> {
    let sql = format!("select 1 from {name} limit 1 offset {rows}");
    Ok(!database.query(&sql, &[]).await?.is_empty())
}

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
/// A table of so many rows goes as a whole, page by page: much less work than row by row, and soon done.
const DROPPED_AT_ONCE: u32 = 30_000;

fn text(row: &Row, at: usize) -> &str {
    row.get(at).and_then(Value::as_text).unwrap_or_default()
}

fn flag(row: &Row, at: usize) -> bool {
    row.get(at).and_then(Value::as_bool).unwrap_or_default()
}

/// Makes an empty shadow.
pub(crate) async fn create(tables: &mut dyn Tables, table: &Table) -> Result<(), ProjectionError> {
    match tables.dialect() {
        Dialect::Sqlite => create_sqlite(tables, &table.name).await,
        Dialect::Postgres => create_postgres(tables, &table.name).await,
    }
}

async fn create_sqlite(tables: &mut dyn Tables, name: &str) -> Result<(), ProjectionError> {
    let sql = "select type, name, sql from sqlite_master where tbl_name = $1 and sql is not null \
               order by type = 'index', name";
    let definitions = tables.query(sql, &[name.into()]).await?;
    if definitions.is_empty() {
        return Err(ProjectionError::NoTable(name.to_owned()));
    }
    for row in &definitions {
        let (kind, index, definition) = (text(row, 0), text(row, 1), text(row, 2));
        let Some((head, tail)) = definition.split_once('(') else { continue };
        let statement = if kind == "table" {
            format!("create table {name}{SHADOW} ({tail}")
        } else {
            let unique = if head.to_ascii_lowercase().contains("unique index") { "unique " } else { "" };
            let second = index.strip_suffix(SECOND).map_or(format!("{index}{SECOND}"), str::to_owned);
            format!("create {unique}index {second} on {name}{SHADOW} ({tail}")
        };
        tables.execute(&statement, &[]).await?;
    }
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

/// Adds what is better made once the rows are there, and makes the planner know the shadow.
pub(crate) async fn complete(
    database: &Database,
    table: &Table,
    lease: &Lease,
) -> Result<(), ProjectionError> {
    if database.dialect() == Dialect::Sqlite {
        // One long transaction would keep the server from committing: its indexes grew with the rows.
        return Ok(());
    }
    let name = &table.name;
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
    if database.dialect() == Dialect::Sqlite {
        // Dropping a large table overwrites it in one transaction; the server commits in between here. Without
        // its indexes first, and then in the order of its keys, so that whole pages go.
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
        let more = format!("select 1 from {name} limit 1 offset {DROPPED_AT_ONCE}");
        let sql = format!("delete from {name} where {key} < ({end})");
        while !database.query(&more, &[]).await?.is_empty() {
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

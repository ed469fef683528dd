//! The indexes of shadows: most are made once the rows are there.

use evident_eventstore::{Database, DatabaseError, Dialect, Row, Table, Tables};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::ProjectionError;
use crate::folding::Projection;
use crate::lease::Lease;
use crate::loader::WRITERS;
use crate::shadow::{SHADOW, flag, has_more, text, transaction};

/// What an SQLite index's second name ends with.
const SECOND: &str = "__2";
/// The indexes of a table of so many rows are made in one transaction.
const INDEXED_AT_ONCE: u32 = 10_000;

/// What stands in the definition of an index that finds texts by their pieces: to cut them takes longer than all the
/// rest.
const PIECES: &str = "using gin";

/// What PostgreSQL is told before it makes an index or looks at a shadow's rows for the planner. It need not begin more
/// processes, as two indexes are made at a time already beside what is served; and for the planner 9,000 rows of a
/// table are enough until the server looks for itself: what takes longest is to find the pieces of each row's texts.
const FOR_INDEXES: &str = "select set_config('max_parallel_maintenance_workers', '0', true), \
                           set_config('default_statistics_target', '30', true)";

/// Makes the index that finds the rows of a group, where their key does not: whoever reads groups while the shadow
/// fills must not take longer the more it holds.
pub(crate) async fn index_groups(
    database: &Database,
    projection: &dyn Projection,
    lease: &Lease,
) -> Result<(), ProjectionError> {
    let (table, group) = (projection.table(), projection.group());
    if table.key() == group {
        return Ok(());
    }
    let mut transaction = database.transaction().await?;
    for index in indexes(&mut transaction, &table.name).await? {
        if index.constraint.is_none() && index.begins_with(group) {
            transaction.execute(&index.on_shadow(&table.name), &[]).await?;
        }
    }
    lease.beat(&mut transaction).await?;
    Ok(transaction.commit().await?)
}

/// Adds the indexes that are not there yet, which is less work once the rows are, and makes the planner know the
/// shadows. On PostgreSQL two indexes are made at a time, also of one table: a few tables have most of the work.
pub(crate) async fn complete(
    database: &Database,
    live: &[Table],
    lease: &Lease,
) -> Result<(), ProjectionError> {
    if database.dialect() == Dialect::Sqlite {
        for table in live {
            complete_sqlite(database, &table.name, lease).await?;
        }
        return Ok(());
    }
    let (mut making, mut analyzing) = (Vec::new(), Vec::new());
    let mut transaction = database.transaction().await?;
    for Table { name, .. } in live {
        let indexes = indexes(&mut transaction, name).await?;
        making.extend(
            indexes.iter().filter(|index| index.constraint.is_none()).map(|index| index.on_shadow(name)),
        );
        analyzing.push(format!("analyze {name}{SHADOW}"));
    }
    transaction.commit().await?;
    // What takes longest first, or one is busy with it alone at the end.
    making.sort_by_key(|sql| !sql.contains(PIECES));
    // In one go, with the planner's looks behind all indexes, as it learns of those that are there: where one of its
    // table is still being made it waits for that.
    making.append(&mut analyzing);
    run_each(database, making, lease).await
}

/// Runs statements in transactions of their own, as many at a time as may write.
async fn run_each(
    database: &Database,
    statements: Vec<String>,
    lease: &Lease,
) -> Result<(), ProjectionError> {
    let run = |sql: String| async move {
        let mut transaction = transaction(database).await?;
        transaction.query(FOR_INDEXES, &[]).await?;
        transaction.execute(&sql, &[]).await?;
        lease.beat(&mut transaction).await?;
        Ok(transaction.commit().await?)
    };
    let all = stream::iter(statements.into_iter().map(run)).buffer_unordered(WRITERS).try_collect();
    // An index of many rows takes longer than anybody would wait for a sign of life.
    lease.alive_while(all).await
}

/// Index by index, unless there is little to do: the server commits in between.
async fn complete_sqlite(database: &Database, name: &str, lease: &Lease) -> Result<(), ProjectionError> {
    let mut transaction = database.transaction().await?;
    let all = indexes(&mut transaction, name).await?;
    transaction.commit().await?;
    let large = has_more(database, &format!("{name}{SHADOW}"), INDEXED_AT_ONCE).await?;
    let at_once = if large { 1 } else { all.len().max(1) };
    for some in all.chunks(at_once) {
        let mut transaction = database.transaction().await?;
        for index in some {
            transaction.execute(&index.on_shadow(name), &[]).await?;
        }
        lease.beat(&mut transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// An index of a live table.
pub(crate) struct Index {
    pub(crate) name: String,
    unique: bool,
    /// What follows the table's name.
    definition: String,
    /// The constraint that it serves.
    pub(crate) constraint: Option<String>,
    dialect: Dialect,
}

impl Index {
    /// Whether it finds any row by a column.
    fn begins_with(&self, column: &str) -> bool {
        let columns = self.definition.split_once('(').map(|(_, columns)| columns).unwrap_or_default();
        let follows = columns.strip_prefix(column).unwrap_or_default();
        follows.starts_with([',', ')']) && !self.definition.to_ascii_lowercase().contains(" where ")
    }

    /// The statement that makes its like on the shadow.
    fn on_shadow(&self, table: &str) -> String {
        let unique = if self.unique { "unique " } else { "" };
        let name = match self.dialect {
            Dialect::Postgres => format!("{}{SHADOW}", self.name),
            Dialect::Sqlite => {
                self.name.strip_suffix(SECOND).map_or(format!("{}{SECOND}", self.name), str::to_owned)
            }
        };
        format!("create {unique}index if not exists {name} on {table}{SHADOW} {}", self.definition)
    }
}

/// The indexes of a table.
pub(crate) async fn indexes(tables: &mut dyn Tables, table: &str) -> Result<Vec<Index>, DatabaseError> {
    match tables.dialect() {
        Dialect::Sqlite => indexes_sqlite(tables, table).await,
        Dialect::Postgres => indexes_postgres(tables, table).await,
    }
}

async fn indexes_sqlite(tables: &mut dyn Tables, table: &str) -> Result<Vec<Index>, DatabaseError> {
    let sql = "select name, sql from sqlite_master where tbl_name = $1 and type = 'index' \
               and sql is not null order by name";
    let rows = tables.query(sql, &[table.into()]).await?;
    let index = |row: &Row| {
        let (head, tail) = text(row, 1).split_once('(')?;
        Some(Index {
            name: text(row, 0).to_owned(),
            unique: head.to_ascii_lowercase().contains("unique index"),
            definition: format!("({tail}"),
            constraint: None,
            dialect: Dialect::Sqlite,
        })
    };
    Ok(rows.iter().filter_map(index).collect())
}

async fn indexes_postgres(tables: &mut dyn Tables, table: &str) -> Result<Vec<Index>, DatabaseError> {
    let sql = "select i.relname::text, x.indisunique, pg_get_indexdef(i.oid), \
               coalesce(pg_get_constraintdef(c.oid), '') \
               from pg_index x join pg_class i on i.oid = x.indexrelid \
               left join pg_constraint c on c.conindid = i.oid and c.contype in ('p', 'u') \
               where x.indrelid = to_regclass($1) order by i.relname";
    let rows = tables.query(sql, &[table.into()]).await?;
    let index = |row: &Row| Index {
        name: text(row, 0).to_owned(),
        unique: flag(row, 1),
        definition: text(row, 2)
            .split_once(" USING ")
            .map(|(_, tail)| format!("using {tail}"))
            .unwrap_or_default(),
        constraint: Some(text(row, 3).to_owned()).filter(|constraint| !constraint.is_empty()),
        dialect: Dialect::Postgres,
    };
    Ok(rows.iter().map(index).collect())
}

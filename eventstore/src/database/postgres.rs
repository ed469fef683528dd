//! PostgreSQL: one schema for the log and its projections, one beside it for the keys.

use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection, Executor as _, Row as _};
use tokio::sync::mpsc::Sender;

use super::fetched::of_postgres;
use super::writes::{Change, HEAD_PARAMS, HEAD_STANDS, HeadMove, MOVE_HEAD, Write};
use super::{
    ColumnType, Contents, DatabaseError, Fetched, Locking, OnConflict, OpenError, PostgresOptions, Row,
    Table, Value, copy,
};

static LOG: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/postgres/log");
static KEYS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/postgres/keys");

/// What every connection asks of the server. The order of the log rests on statements that see what was
/// committed before they began, whatever the server's own default is; and a node that freezes in the
/// middle of a transaction must not hold the log's head for ever.
const SETTINGS: [(&str, &str); 2] =
    [("default_transaction_isolation", "read\\ committed"), ("idle_in_transaction_session_timeout", "60s")];

/// Begins a transaction, and waits for the head, in one round trip.
pub(super) const BEGIN_AND_LOCK: &str = "begin; select from log_head where only_row = 1 for update";

/// Who reads many rows takes them as quickly as they are folded, however long that is; the second of the settings is
/// known to newer servers only.
const FOR_OUTLETS: &str = "select set_config(name, '0', false) from pg_settings \
                           where name in ('statement_timeout', 'transaction_timeout')";

/// Connections that write beside the log's own: two for a rebuild, and one more, so that it can say meanwhile that it is
/// alive, and others can write what waits for nobody.
const WRITERS: u32 = 3;

/// Connections to one schema: a pool that reads, a small one that writes, and one from which only
/// the log's writer takes its connection, so that neither a burst of reads nor who waits for the head keeps a commit
/// waiting.
#[derive(Debug, Clone)]
pub struct Postgres {
    read: PgPool,
    write: PgPool,
    log: PgPool,
}

impl Postgres {
    pub(super) async fn open(options: &PostgresOptions, contents: Contents) -> Result<Self, OpenError> {
        let schema = match contents {
            Contents::Log => options.schema.clone(),
            Contents::Keys => format!("{}_keys", options.schema),
        };
        let harmless = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if schema.is_empty() || schema.len() > 63 || !schema.bytes().all(harmless) {
            return Err(OpenError::Schema(options.schema.clone()));
        }
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(OpenError::Url)?
            .application_name("evident")
            .options([("search_path", schema.as_str())])
            .options(SETTINGS)
            .statement_cache_capacity(256)
            .log_slow_statements(log::LevelFilter::Off, Duration::ZERO);
        migrate(&connect, &schema, contents).await?;
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(options.acquire_timeout)
                .test_before_acquire(false)
                .connect_lazy_with(connect.clone())
        };
        Ok(match contents {
            Contents::Log => Self { read: pool(options.max_connections), write: pool(WRITERS), log: pool(1) },
            Contents::Keys => {
                let pool = pool(2);
                Self { read: pool.clone(), write: pool.clone(), log: pool }
            }
        })
    }

    pub(super) fn readers(&self) -> &PgPool {
        &self.read
    }

    /// A connection for reading that answers; those that do not are closed on the way.
    pub(super) async fn living_reader(&self) -> Result<PoolConnection<sqlx::Postgres>, sqlx::Error> {
        for _ in 0..self.read.options().get_max_connections() {
            let mut connection = self.read.acquire().await?;
            if connection.ping().await.is_ok() {
                return Ok(connection);
            }
            connection.close_on_drop();
        }
        self.read.acquire().await
    }

    /// A connection for reading many rows behind each other, for as long as that takes. It is the pool's no longer,
    /// which so has as many as before for those who wait for an answer.
    ///
    /// # Errors
    /// When no connection is to be had in time.
    pub(crate) async fn outlet(&self) -> Result<Outlet, DatabaseError> {
        let mut connection = self.living_reader().await?.detach();
        run(&mut connection, FOR_OUTLETS).await?;
        Ok(Outlet(connection))
    }

    pub(super) async fn begin(
        &self,
        locking: Locking,
    ) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
        self.write
            .begin_with(match locking {
                Locking::Head => BEGIN_AND_LOCK,
                Locking::Nothing => "begin",
            })
            .await
    }

    /// A connection for the log's writer, for as long as it wants.
    pub(super) async fn log_connection(&self) -> Result<PgConnection, sqlx::Error> {
        Ok(self.log.acquire().await?.detach())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.log.is_closed()
    }

    pub(super) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
        self.log.close().await;
    }
}

/// See [`Postgres::outlet`].
pub(crate) struct Outlet(PgConnection);

impl Outlet {
    /// Reads rows of a table and hands them out in pages, with less work than page by page; counts the pages. Ends
    /// early where nobody takes them any more; like after an error it is then of no more use.
    ///
    /// `rest` is what follows the table's name in a query; it has no parameters, and so holds nothing that came from
    /// outside.
    pub(crate) async fn read(
        &mut self,
        table: &Table,
        rest: &str,
        size: u32,
        pages: &Sender<Result<Fetched, DatabaseError>>,
        sent: &mut u64,
    ) -> Result<(), DatabaseError> {
        let query = format!("select {} from {} {rest}", table.column_list(), table.name);
        copy::read(&mut self.0, &query, size, pages, sent).await
    }
}

async fn migrate(connect: &PgConnectOptions, schema: &str, contents: Contents) -> Result<(), OpenError> {
    let mut connection = PgConnection::connect_with(connect).await.map_err(OpenError::Connect)?;
    let known: Option<i32> = sqlx::query_scalar("select 1 from pg_namespace where nspname = $1")
        .bind(schema)
        .fetch_optional(&mut connection)
        .await
        .map_err(OpenError::Connect)?;
    if known.is_none() {
        // Two nodes that start at once may both get here; the schema's name was checked above.
        let made =
            sqlx::query(&format!("create schema if not exists \"{schema}\"")).execute(&mut connection).await;
        if let Err(error) = made {
            let raced =
                error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation);
            if !raced {
                return Err(OpenError::Connect(error));
            }
        }
    }
    match contents {
        Contents::Log => LOG.run_direct(&mut connection).await?,
        Contents::Keys => KEYS.run_direct(&mut connection).await?,
    }
    connection.close().await.map_err(OpenError::Connect)
}

pub(super) async fn query<'e, E>(executor: E, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError>
where
    E: sqlx::Executor<'e, Database = sqlx::Postgres>,
{
    let rows = bind(sqlx::query(sql), params).fetch_all(executor).await?;
    rows.iter().map(decode).collect()
}

/// The same rows, as they came.
pub(super) async fn fetch<'e, E>(executor: E, sql: &str, params: &[Value]) -> Result<Fetched, DatabaseError>
where
    E: sqlx::Executor<'e, Database = sqlx::Postgres>,
{
    Ok(Fetched::Postgres(bind(sqlx::query(sql), params).fetch_all(executor).await?))
}

pub(super) async fn execute(
    connection: &mut PgConnection,
    sql: &str,
    params: &[Value],
) -> Result<u64, DatabaseError> {
    Ok(bind(sqlx::query(sql), params).execute(connection).await?.rows_affected())
}

pub(super) async fn select(
    connection: &mut PgConnection,
    table: &Table,
    column: &str,
    values: &[String],
) -> Result<Vec<Row>, DatabaseError> {
    let sql = format!("select {} from {} where {column} = any($1)", table.column_list(), table.name);
    let rows = sqlx::query(&sql).bind(values).fetch_all(connection).await?;
    rows.iter().map(decode).collect()
}

pub(super) async fn delete(
    connection: &mut PgConnection,
    table: &Table,
    keys: &[String],
) -> Result<(), DatabaseError> {
    sqlx::query(&remove(table, 0, "")).bind(keys).execute(connection).await?;
    Ok(())
}

/// Runs what has no parameters.
pub(super) async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), DatabaseError> {
    connection.execute(sql).await?;
    Ok(())
}

/// Writes rows in one statement; one with a key that is there replaces it.
pub(super) async fn upsert(
    connection: &mut PgConnection,
    table: &Table,
    rows: &[Row],
) -> Result<(), DatabaseError> {
    let sql = put(table, OnConflict::Replace, 0, "");
    bind_rows(sqlx::query(&sql), table, rows).execute(connection).await?;
    Ok(())
}

/// Writes that are [`independent`](super::writes::independent) and, where it is given, the move of the head,
/// in one statement: all of it is done, or if the head stands elsewhere or is locked, nothing.
///
/// It must not wait for the head: it may hold locks on tables that who has the head wants to swap.
pub(super) async fn write_all(
    connection: &mut PgConnection,
    writes: &[Write],
    head: Option<&HeadMove<'_>>,
) -> Result<bool, DatabaseError> {
    let (mut parts, mut params) = (Vec::new(), 0);
    let guard = if head.is_some() { " where exists (select from head)" } else { "" };
    if head.is_some() {
        parts.push(format!("head as (select from log_head where {HEAD_STANDS} for update skip locked)"));
        params = HEAD_PARAMS;
    }
    for (i, write) in writes.iter().enumerate() {
        let statement = match &write.change {
            Change::Put { conflict, .. } => put(&write.table, *conflict, params, guard),
            Change::Remove { .. } => remove(&write.table, params, guard),
        };
        params += params_of(write);
        parts.push(format!("write_{i} as ({statement})"));
    }
    let with = if parts.is_empty() { String::new() } else { format!("with {} ", parts.join(", ")) };
    let end = match head {
        Some(_) => format!("{MOVE_HEAD} and exists (select from head) returning position"),
        None => "select 1::bigint".to_owned(),
    };
    let sql = with + &end;
    let head = head.map(HeadMove::params);
    let mut query = bind(sqlx::query(&sql), head.as_ref().map_or(&[], |params| params.as_slice()));
    for write in writes {
        query = match &write.change {
            Change::Put { rows, .. } => bind_rows(query, &write.table, rows),
            Change::Remove { keys } => query.bind(keys),
        };
    }
    // To the very end: only there the server tells of a commit that failed.
    Ok(!query.fetch_all(connection).await?.is_empty())
}

fn params_of(write: &Write) -> usize {
    match &write.change {
        Change::Put { .. } => write.table.columns.len(),
        Change::Remove { .. } => 1,
    }
}

/// The statement that writes rows: each column travels as an array, the first one's parameter follows
/// after `params` others.
fn put(table: &Table, conflict: OnConflict, params: usize, guard: &str) -> String {
    let (mut values, mut arrays) = (Vec::new(), Vec::new());
    for (i, column) in table.columns.iter().enumerate() {
        let name = column.name;
        let (array, cast) = match column.kind {
            ColumnType::Bool => ("boolean", ""),
            ColumnType::Int => ("bigint", ""),
            ColumnType::Text => ("text", ""),
            ColumnType::Json => ("text", "::json"),
            ColumnType::Bytes => ("bytea", ""),
        };
        values.push(format!("u.{name}{cast}"));
        arrays.push(format!("${}::{array}[]", params + i + 1));
    }
    format!(
        "insert into {} ({columns}) select {} from unnest({}) as u({columns}){guard}{}",
        table.name,
        values.join(", "),
        arrays.join(", "),
        conflict.clause(table),
        columns = table.column_list(),
    )
}

fn remove(table: &Table, params: usize, guard: &str) -> String {
    let guard = guard.replacen(" where", " and", 1);
    format!("delete from {} where {} = any(${}::text[]){guard}", table.name, table.key(), params + 1)
}

fn bind_rows<'q>(mut query: PgQuery<'q>, table: &Table, rows: &'q [Row]) -> PgQuery<'q> {
    for (i, column) in table.columns.iter().enumerate() {
        let cells = rows.iter().map(|row| row.get(i).unwrap_or(&Value::Null));
        query = match column.kind {
            ColumnType::Bool => query.bind(cells.map(Value::as_bool).collect::<Vec<_>>()),
            ColumnType::Int => query.bind(cells.map(Value::as_int).collect::<Vec<_>>()),
            ColumnType::Text | ColumnType::Json => query.bind(cells.map(Value::as_text).collect::<Vec<_>>()),
            ColumnType::Bytes => query.bind(cells.map(Value::as_bytes).collect::<Vec<_>>()),
        };
    }
    query
}

type PgQuery<'q> = Query<'q, sqlx::Postgres, PgArguments>;

fn bind<'q>(mut query: PgQuery<'q>, params: &'q [Value]) -> PgQuery<'q> {
    for param in params {
        query = match param {
            Value::Null => query.bind(None::<String>),
            Value::Bool(truth) => query.bind(truth),
            Value::Int(number) => query.bind(number),
            Value::Text(text) => query.bind(text.as_str()),
            Value::Bytes(bytes) => query.bind(bytes.as_slice()),
        };
    }
    query
}

fn decode(row: &PgRow) -> Result<Row, DatabaseError> {
    (0..row.len()).map(|at| Ok(of_postgres(row, at)?.to_value().unwrap_or(Value::Null))).collect()
}

//! SQLite: one file, write-ahead log, every commit on the disk before it is acknowledged, but for files that are made
//! to be removed.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, TypeInfo, ValueRef};

use super::writes::{Change, HEAD_PARAMS, HEAD_STANDS, HeadMove, MOVE_HEAD, Write};
use super::{
    Column, ColumnType, Contents, DatabaseError, Dialect, Fetched, OnConflict, OpenError, Row, Table, Value,
};

static LOG: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite/log");
static KEYS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite/keys");

/// A deferred transaction could fail to turn into a writing one half-way.
pub(super) const BEGIN: &str = "begin immediate";

/// Parameters of a statement at most; SQLite's own limit is 32,766.
const PARAMETERS: usize = 16_384;
/// What a connection keeps of the file in memory, in KiB: SQLite's own measure.
const CACHE: u32 = 2_000;
/// The same of the connection that writes while it writes many rows.
const BULK_CACHE: u32 = 32_000;
/// Every so many pages of 4 KiB the write-ahead log is folded into the file, which costs as much as several
/// commits; of pages that were written often only the last counts.
const FOLDED: u32 = 4_000;
/// The same while many rows are written.
const BULK_FOLDED: u32 = 32_000;
/// Rows of a statement at most.
const ROWS_IN_A_STATEMENT: usize = 256;

/// How long a file stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// It is kept.
    Kept,
    /// It is removed once it was of use: no commit need survive, and all of it goes at once.
    Passing,
}

/// Connections to one file: several that read, one that writes.
#[derive(Debug, Clone)]
pub struct Sqlite {
    read: SqlitePool,
    write: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(path: &Path, contents: Contents, stay: Stay) -> Result<Self, OpenError> {
        let (synchronous, secure_delete) = match stay {
            // An acknowledged commit survives power loss; NORMAL would not promise that. What is erased is
            // overwritten, not only unlinked.
            Stay::Kept => (SqliteSynchronous::Full, "on"),
            Stay::Passing => (SqliteSynchronous::Off, "off"),
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(Duration::from_secs(30))
            .pragma("secure_delete", secure_delete)
            // Nothing spills into files elsewhere: that is quicker, and keeps data in its folder.
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", FOLDED.to_string())
            .statement_cache_capacity(256);
        let folder = lock_folder(path).await?;
        make_private(path, &folder)?;
        // A connection to a file does not age, nor is it ever lost.
        let pool =
            || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        let write =
            pool().max_connections(1).connect_with(options.clone()).await.map_err(OpenError::Connect)?;
        match contents {
            Contents::Log => LOG.run(&write).await?,
            Contents::Keys => KEYS.run(&write).await?,
        }
        drop(folder);
        let read = pool().max_connections(4).connect_lazy_with(options.create_if_missing(false));
        Ok(Self { read, write })
    }

    pub(super) fn readers(&self) -> &SqlitePool {
        &self.read
    }

    pub(super) async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, sqlx::Error> {
        self.write.begin_with(BEGIN).await
    }

    /// The connection that writes.
    pub(super) async fn writer(&self) -> Result<PoolConnection<sqlx::Sqlite>, sqlx::Error> {
        self.write.acquire().await
    }

    pub(super) async fn checkpoint(&self) -> Result<(), DatabaseError> {
        query(&self.write, "pragma wal_checkpoint(truncate)", &[]).await?;
        Ok(())
    }

    pub(super) async fn begin_bulk(&self) -> Result<(), DatabaseError> {
        self.keep(BULK_CACHE, BULK_FOLDED).await
    }

    pub(super) async fn end_bulk(&self) -> Result<(), DatabaseError> {
        self.keep(CACHE, FOLDED).await?;
        // Beside the connection that writes: folding a long write-ahead log keeps nobody from committing.
        query(&self.read, "pragma wal_checkpoint(passive)", &[]).await?;
        Ok(())
    }

    /// Says how much the connection that writes keeps in memory, and of the write-ahead log.
    async fn keep(&self, cache: u32, folded: u32) -> Result<(), DatabaseError> {
        let sql = format!(
            "pragma cache_size = -{cache}; pragma wal_autocheckpoint = {folded}; pragma shrink_memory"
        );
        // SQLite does what these say while it prepares them: a prepared statement that was kept does nothing.
        sqlx::raw_sql(&sql).execute(&self.write).await?;
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// Makes a folder that only this account can enter, if it is not there, and locks it: of two processes
/// that make one database at once the second waits until the first has made its tables.
async fn lock_folder(path: &Path) -> std::io::Result<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let folder = File::open(folder)?;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Makes a file that only this account can read, if it is not there; SQLite gives its other files the same
/// permissions. A file that is there stays as its owner wants it.
fn make_private(path: &Path, folder: &File) -> std::io::Result<()> {
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        // The file's name survives power loss as the commits in it do.
        Ok(_) => folder.sync_all(),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) async fn query<'e, E>(executor: E, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError>
where
    E: sqlx::Executor<'e, Database = sqlx::Sqlite>,
{
    let rows = bind(sqlx::query(sql), params).fetch_all(executor).await?;
    rows.iter().map(decode).collect()
}

/// Rows of a table, `rest` being what follows its name in a query. They travel as one text, which for many
/// rows is several times quicker than value by value: [`Fetched::Packed`] says how.
pub(super) async fn fetch<'e, E>(
    executor: E,
    table: &Table,
    rest: &str,
    params: &[Value],
) -> Result<Fetched, DatabaseError>
where
    E: sqlx::Executor<'e, Database = sqlx::Sqlite>,
{
    let (mut words, mut texts) = (Vec::new(), String::new());
    for Column { name, kind, .. } in table.columns {
        let (word, text) = match kind {
            ColumnType::Bool | ColumnType::Int => ((*name).to_owned(), String::new()),
            ColumnType::Text | ColumnType::Json => (format!("octet_length({name})"), format!(", {name}")),
            ColumnType::Bytes => (format!("2 * octet_length({name})"), format!(", hex({name})")),
        };
        words.push(word);
        texts.push_str(&text);
    }
    let sql = format!(
        "select group_concat(packed, '') from (select concat({}, ' '{texts}) as packed from {} {rest})",
        words.join(", ' ', "),
        table.name
    );
    let rows = query(executor, &sql, params).await?;
    match rows.into_iter().flatten().next() {
        Some(Value::Text(text)) => Ok(Fetched::Packed(text)),
        None | Some(Value::Null) => Ok(Fetched::Packed(String::new())),
        Some(_) => Err(DatabaseError::Unexpected { table: table.name.to_string(), column: "" }),
    }
}

pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: &str,
    params: &[Value],
) -> Result<u64, DatabaseError> {
    Ok(bind(sqlx::query(sql), params).execute(connection).await?.rows_affected())
}

/// Runs what has no parameters.
pub(super) async fn run(connection: &mut SqliteConnection, sql: &str) -> Result<(), DatabaseError> {
    sqlx::Executor::execute(connection, sql).await?;
    Ok(())
}

pub(super) async fn select(
    connection: &mut SqliteConnection,
    table: &Table,
    column: &str,
    values: &[String],
) -> Result<Vec<Row>, DatabaseError> {
    let sql = format!(
        "select {} from {} where {column} {}",
        table.column_list(),
        table.name,
        Dialect::Sqlite.one_of(1)
    );
    query(connection, &sql, &[Json::from(values.to_vec()).to_string().into()]).await
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    table: &Table,
    keys: &[String],
) -> Result<(), DatabaseError> {
    let sql = remove(table, 1, "true");
    execute(connection, &sql, &[Json::from(keys.to_vec()).to_string().into()]).await?;
    Ok(())
}

/// Writes rows, as many in a statement as it takes parameters: quicker for many rows than the JSON in which
/// [`write_all`] has them travel. Few different statements come of it, so that they stay prepared.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    table: &Table,
    rows: Vec<Row>,
    conflict: OnConflict,
) -> Result<(), DatabaseError> {
    // What fails ends the transaction: there is no need to keep every page as it was before the statement.
    let verb = if conflict == OnConflict::Fail { " or fail" } else { "" };
    let columns = table.columns.len().max(1);
    let placeholders = format!("({})", vec!["?"; columns].join(", "));
    let mut rest = rows.into_iter();
    while rest.len() > 0 {
        let most = (PARAMETERS / columns).clamp(1, ROWS_IN_A_STATEMENT).min(rest.len());
        // The largest power of two.
        let some = 1 << most.ilog2();
        let sql = format!(
            "insert{verb} into {} ({}) values {}{}",
            table.name,
            table.column_list(),
            vec![placeholders.as_str(); some].join(", "),
            conflict.clause(table)
        );
        let mut query = sqlx::query(&sql);
        for row in rest.by_ref().take(some) {
            let missing = columns.saturating_sub(row.len());
            for value in row.into_iter().take(columns).chain(std::iter::repeat_n(Value::Null, missing)) {
                query = bind_owned(query, value);
            }
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes and, where it is given, the move of the head in one go: the connection's thread is woken once
/// for all statements. If the head stands elsewhere nothing is written. With a transaction of its own what
/// was written is also committed.
pub(super) async fn write_all(
    connection: &mut SqliteConnection,
    writes: &[Write],
    head: Option<&HeadMove<'_>>,
    own_transaction: bool,
) -> Result<bool, DatabaseError> {
    let mut params: Vec<Value> = head.map(HeadMove::params).into_iter().flatten().collect();
    debug_assert!(params.is_empty() || params.len() == HEAD_PARAMS);
    let guard = match head {
        Some(_) => format!("exists (select 1 from log_head where {HEAD_STANDS})"),
        None => "true".to_owned(),
    };
    let mut script = Vec::new();
    if own_transaction {
        script.push(BEGIN.to_owned());
    }
    for write in writes {
        let at = params.len() + 1;
        match &write.change {
            Change::Put { rows, conflict } => {
                script.push(put(&write.table, *conflict, at, &guard));
                params.push(json(rows));
            }
            Change::Remove { keys } => {
                script.push(remove(&write.table, at, &guard));
                params.push(Json::from(keys.clone()).to_string().into());
            }
        }
    }
    if head.is_some() {
        script.push(format!("{MOVE_HEAD} returning position"));
    }
    if own_transaction {
        script.push("commit".to_owned());
    }
    Ok(!query(connection, &script.join("; "), &params).await?.is_empty())
}

/// The statement that writes rows: they travel as one JSON array of arrays.
fn put(table: &Table, conflict: OnConflict, param: usize, guard: &str) -> String {
    let values: Vec<_> = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| match column.kind {
            ColumnType::Bytes => format!("unhex(value ->> {i})"),
            ColumnType::Bool | ColumnType::Int | ColumnType::Text | ColumnType::Json => {
                format!("value ->> {i}")
            }
        })
        .collect();
    format!(
        "insert into {} ({}) select {} from json_each(${param}) where {guard}{}",
        table.name,
        table.column_list(),
        values.join(", "),
        conflict.clause(table)
    )
}

fn remove(table: &Table, param: usize, guard: &str) -> String {
    let (table, key) = (&table.name, table.key());
    format!("delete from {table} where {key} {} and {guard}", Dialect::Sqlite.one_of(param))
}

fn json(rows: &[Row]) -> Value {
    rows.iter().map(|row| row.iter().map(to_json).collect::<Json>()).collect::<Json>().to_string().into()
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::from(i64::from(*truth)),
        Value::Int(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Bytes(bytes) => Json::from(hex::encode(bytes)),
    }
}

type SqliteQuery<'q> = Query<'q, sqlx::Sqlite, SqliteArguments<'q>>;

fn bind<'q>(mut query: SqliteQuery<'q>, params: &'q [Value]) -> SqliteQuery<'q> {
    for param in params {
        query = bind_one(query, param);
    }
    query
}

fn bind_one<'q>(query: SqliteQuery<'q>, value: &'q Value) -> SqliteQuery<'q> {
    match value {
        Value::Null => query.bind(None::<String>),
        Value::Bool(truth) => query.bind(truth),
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text.as_str()),
        Value::Bytes(bytes) => query.bind(bytes.as_slice()),
    }
}

/// The same with a value that nobody else needs: it is not copied on its way to the connection's thread.
fn bind_owned(query: SqliteQuery<'_>, value: Value) -> SqliteQuery<'_> {
    match value {
        Value::Null => query.bind(None::<String>),
        Value::Bool(truth) => query.bind(truth),
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    }
}

fn decode(row: &SqliteRow) -> Result<Row, DatabaseError> {
    (0..row.len())
        .map(|i| {
            let raw = row.try_get_raw(i)?;
            if raw.is_null() {
                return Ok(Value::Null);
            }
            Ok(match raw.type_info().name() {
                "INTEGER" | "BOOLEAN" => Value::Int(row.try_get_unchecked(i)?),
                "BLOB" => Value::Bytes(row.try_get_unchecked(i)?),
                // SQLite keeps what it is told is text. What is none, as nobody here has written it, is bytes.
                _ => match row.try_get_unchecked(i) {
                    Ok(text) => Value::Text(text),
                    Err(_) => Value::Bytes(row.try_get_unchecked(i)?),
                },
            })
        })
        .collect()
}

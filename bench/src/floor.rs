//! The bare database: one writer that commits, in batches, the rows that a command leaves behind (an event,
//! a claim, a row of a projection) and the head's new position. One statement a table and batch, with the
//! durability that the server asks for.

use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

const TABLES: &str = "
    CREATE TABLE floor_head (id INTEGER PRIMARY KEY, position BIGINT NOT NULL);
    INSERT INTO floor_head VALUES (1, 0);
    CREATE TABLE floor_events (
        position BIGINT PRIMARY KEY, aggregate_type TEXT NOT NULL, aggregate_id TEXT NOT NULL,
        sequence BIGINT NOT NULL, payload TEXT NOT NULL, metadata TEXT NOT NULL,
        UNIQUE (aggregate_type, aggregate_id, sequence));
    CREATE TABLE floor_claims (value TEXT PRIMARY KEY, owner TEXT NOT NULL);
    CREATE TABLE floor_rows (id TEXT PRIMARY KEY, document TEXT NOT NULL);";

/// About what an event's payload and its metadata weigh.
const PAYLOAD: usize = 400;
const METADATA: usize = 300;

/// Measures one database.
pub(crate) async fn run(database: &str, batch: u64, seconds: u64) {
    let until = Duration::from_secs(seconds);
    let rate = if let Some(file) = database.strip_prefix("sqlite:") {
        sqlite(file, batch, until).await
    } else {
        postgres(database, batch, until).await
    };
    println!("database {rate:.0}");
}

async fn sqlite(file: &str, batch: u64, until: Duration) -> f64 {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute(TABLES).await.unwrap();
    let (payload, metadata) = ("p".repeat(PAYLOAD), "m".repeat(METADATA));
    let since = Instant::now();
    let mut position = 0;
    while since.elapsed() < until {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("SELECT position FROM floor_head WHERE id = 1")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        let rows: Vec<_> = (position + 1..=position + batch).map(|n| (n, format!("subject-{n}"))).collect();
        let rows = serde_json::to_string(&rows).unwrap();
        sqlx::query(
            "INSERT INTO floor_events SELECT value ->> 0, 'user', value ->> 1, 1, ?2, ?3 FROM json_each(?1)",
        )
        .bind(&rows)
        .bind(&payload)
        .bind(&metadata)
        .execute(&mut *transaction)
        .await
        .unwrap();
        sqlx::query("INSERT INTO floor_claims SELECT value ->> 1, value ->> 0 FROM json_each(?1)")
            .bind(&rows)
            .execute(&mut *transaction)
            .await
            .unwrap();
        sqlx::query("INSERT INTO floor_rows SELECT value ->> 1, ?2 FROM json_each(?1)")
            .bind(&rows)
            .bind(&payload)
            .execute(&mut *transaction)
            .await
            .unwrap();
        position += batch;
        sqlx::query("UPDATE floor_head SET position = ?1 WHERE id = 1")
            .bind(i64::try_from(position).unwrap())
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    rate(position, since)
}

async fn postgres(url: &str, batch: u64, until: Duration) -> f64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(TABLES).await.unwrap();
    let (payload, metadata) = ("p".repeat(PAYLOAD), "m".repeat(METADATA));
    let since = Instant::now();
    let mut position = 0;
    while since.elapsed() < until {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::query("SELECT position FROM floor_head WHERE id = 1 FOR UPDATE")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        let positions: Vec<i64> =
            (position + 1..=position + batch).map(|n| i64::try_from(n).unwrap()).collect();
        let subjects: Vec<String> = positions.iter().map(|n| format!("subject-{n}")).collect();
        sqlx::query(
            "INSERT INTO floor_events
             SELECT n, 'user', s, 1, $3, $4 FROM UNNEST($1::bigint[], $2::text[]) AS t(n, s)",
        )
        .bind(&positions)
        .bind(&subjects)
        .bind(&payload)
        .bind(&metadata)
        .execute(&mut *transaction)
        .await
        .unwrap();
        sqlx::query("INSERT INTO floor_claims SELECT s, s FROM UNNEST($1::text[]) AS t(s)")
            .bind(&subjects)
            .execute(&mut *transaction)
            .await
            .unwrap();
        sqlx::query("INSERT INTO floor_rows SELECT s, $2 FROM UNNEST($1::text[]) AS t(s)")
            .bind(&subjects)
            .bind(&payload)
            .execute(&mut *transaction)
            .await
            .unwrap();
        position += batch;
        sqlx::query("UPDATE floor_head SET position = $1 WHERE id = 1")
            .bind(i64::try_from(position).unwrap())
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    rate(position, since)
}

fn rate(units: u64, since: Instant) -> f64 {
    f64::from(u32::try_from(units).unwrap()) / since.elapsed().as_secs_f64()
}

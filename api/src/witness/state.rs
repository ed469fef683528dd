//! What a witness remembers, in an SQLite file of its own: its key, and of each log the newest checkpoint.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use evident_domain::ports::Entropy;
use evident_eventstore::tlog::{Hash, OriginMalformed, WitnessKey};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use zeroize::Zeroizing;

const TABLES: &str = "
    create table if not exists identity (
        only_row integer primary key check (only_row = 1), name text not null, seed blob not null
    ) strict;
    create table if not exists logs (
        origin text primary key, digest text not null unique, size integer not null, root blob not null,
        note text not null
    ) strict;";

/// The witness's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be made.
    #[error("the witness's file cannot be made")]
    File(#[from] std::io::Error),
    /// The database failed.
    #[error("the witness's database failed")]
    Sql(#[from] sqlx::Error),
    /// What is in it is damaged.
    #[error("the witness's file is damaged")]
    Damaged,
    /// The witness has no name yet, or one that cannot be.
    #[error("say what the witness is called: a name without spaces and `+`")]
    Name(#[from] OriginMalformed),
}

/// What was seen of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The tree's size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The checkpoint with our cosignature.
    pub note: String,
}

/// The witness's memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WitnessState {
    pool: SqlitePool,
}

impl WitnessState {
    /// Opens the file, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(path: &Path) -> Result<Self, StateError> {
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // What was cosigned must not be forgotten by a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        Ok(Self { pool })
    }

    /// The witness's key. At the first call it is made, with the name that is given.
    ///
    /// # Errors
    /// When there is none yet and no name is given.
    pub async fn key(&self, name: Option<&str>, entropy: &dyn Entropy) -> Result<WitnessKey, StateError> {
        if let Some(name) = name {
            let mut seed = Zeroizing::new([0; 32]);
            entropy.fill(seed.as_mut_slice());
            WitnessKey::new(name, &seed)?;
            let sql = "insert into identity (only_row, name, seed) values (1, $1, $2) on conflict do nothing";
            sqlx::query(sql).bind(name).bind(seed.as_slice()).execute(&self.pool).await?;
        }
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as("select name, seed from identity").fetch_optional(&self.pool).await?;
        let (name, seed) = row.ok_or(OriginMalformed)?;
        let seed = Zeroizing::new(seed);
        let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_| StateError::Damaged)?;
        Ok(WitnessKey::new(&name, &Zeroizing::new(seed))?)
    }

    /// Puts a checkpoint in the place of the last one of its log, if `allowed` says so of that: in one
    /// atomic step, so that of two requests the slower cannot roll the memory back.
    ///
    /// # Errors
    /// When the database fails; within, what `allowed` said.
    pub async fn advance<R>(
        &self,
        origin: &str,
        seen: Seen,
        allowed: impl FnOnce(Option<(u64, Hash)>) -> Result<(), R> + Send,
    ) -> Result<Result<(), R>, StateError> {
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as("select size, root from logs where origin = $1")
            .bind(origin)
            .fetch_optional(&mut *transaction)
            .await?;
        let last = row.map(|(size, root)| {
            let root = root.try_into().map_err(|_| StateError::Damaged)?;
            Ok::<_, StateError>((u64::try_from(size).map_err(|_| StateError::Damaged)?, Hash(root)))
        });
        if let Err(refusal) = allowed(last.transpose()?) {
            return Ok(Err(refusal));
        }
        let sql = "insert into logs (origin, digest, size, root, note) values ($1, $2, $3, $4, $5) \
                   on conflict (origin) do update set size = excluded.size, root = excluded.root, \
                   note = excluded.note";
        sqlx::query(sql)
            .bind(origin)
            .bind(hex::encode(Sha256::digest(origin.as_bytes())))
            .bind(i64::try_from(seen.size).map_err(|_| StateError::Damaged)?)
            .bind(seen.root.0.as_slice())
            .bind(seen.note)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Ok(()))
    }

    /// The newest checkpoint of the log whose name has this SHA-256, in hex.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_digest(&self, digest: &str) -> Result<Option<String>, StateError> {
        let row: Option<(String,)> = sqlx::query_as("select note from logs where digest = $1")
            .bind(digest)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|(note,)| note))
    }
}

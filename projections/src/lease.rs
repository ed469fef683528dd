//! One rebuild at a time, on however many nodes, also after a crash.
//!
//! Whoever rebuilds owns the one row of `projection_rebuild` and moves its beat in every transaction.
//! Who finds the row owned watches the beat: one that moves is alive, one that stands still is dead and
//! may be replaced. No clocks are compared. An owner that was replaced while it only slept finds out in
//! its next transaction, before that can do harm.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evident_eventstore::{Database, DatabaseError, Dialect, Tables, Value};
use tokio::time::{Instant, sleep, timeout};

use crate::ProjectionError;

/// How often the beat moves at least, while its owner is busy with other things.
const BEAT: Duration = Duration::from_secs(2);

/// The right to rebuild. Cheap to clone: parts of one rebuild share it.
#[derive(Clone)]
pub(crate) struct Lease {
    database: Database,
    owner: Arc<str>,
    beaten: Arc<Mutex<Instant>>,
}

impl Lease {
    /// Takes the right to rebuild. Waits for `patience` where the row is owned.
    pub(crate) async fn acquire(database: &Database, patience: Duration) -> Result<Self, ProjectionError> {
        let token = match database.dialect() {
            Dialect::Sqlite => "select lower(hex(randomblob(16)))",
            Dialect::Postgres => "select gen_random_uuid()::text",
        };
        let rows = database.query(token, &[]).await?;
        let owner = rows.first().and_then(|row| row.first()).and_then(Value::as_text).unwrap_or_default();
        let beaten = Arc::new(Mutex::new(Instant::now()));
        let lease = Self { database: database.clone(), owner: owner.into(), beaten };
        let insert = "insert into projection_rebuild (only_row, owner, beat) values (1, $1, 0) \
                      on conflict do nothing";
        if lease.execute(insert, &[lease.owner()]).await? {
            return Ok(lease);
        }
        let select = "select owner, beat from projection_rebuild where only_row = 1";
        let seen = database.query(select, &[]).await?;
        let Some([other, beat]) = seen.first().map(Vec::as_slice) else {
            return Err(ProjectionError::Busy);
        };
        sleep(patience).await;
        let take = "update projection_rebuild set owner = $1, beat = 0 where owner = $2 and beat = $3";
        let params = [lease.owner(), other.clone(), beat.clone()];
        if lease.execute(take, &params).await? { Ok(lease) } else { Err(ProjectionError::Busy) }
    }

    fn owner(&self) -> Value {
        Value::from(&*self.owner)
    }

    fn beaten(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.beaten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn execute(&self, sql: &str, params: &[Value]) -> Result<bool, DatabaseError> {
        let mut transaction = self.database.transaction().await?;
        let rows = transaction.execute(sql, params).await?;
        transaction.commit().await?;
        Ok(rows == 1)
    }

    /// Shows in a transaction that the owner is alive, and makes sure that it still is the owner: nothing is
    /// committed without. It is the last statement, in every one: whoever came first to the tables also comes
    /// first to this row, so a former owner and its successor never wait for each other.
    pub(crate) async fn beat(&self, tables: &mut dyn Tables) -> Result<(), ProjectionError> {
        let sql = "update projection_rebuild set beat = beat + 1 where owner = $1";
        if tables.execute(sql, &[self.owner()]).await? != 1 {
            return Err(ProjectionError::Superseded);
        }
        *self.beaten() = Instant::now();
        Ok(())
    }

    /// The same where nothing else is to be written, if it is time.
    pub(crate) async fn keep_alive(&self) -> Result<(), ProjectionError> {
        if self.beaten().elapsed() < BEAT {
            return Ok(());
        }
        let mut transaction = self.database.transaction().await?;
        self.beat(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Does something that may take long in statements of its own, and shows meanwhile that the owner is alive.
    pub(crate) async fn alive_while<T>(
        &self,
        work: impl Future<Output = Result<T, ProjectionError>>,
    ) -> Result<T, ProjectionError> {
        let mut work = pin!(work);
        loop {
            match timeout(BEAT, &mut work).await {
                Ok(outcome) => return outcome,
                Err(_) => self.keep_alive().await?,
            }
        }
    }

    /// Gives the right back.
    pub(crate) async fn release(self) -> Result<(), DatabaseError> {
        self.execute("delete from projection_rebuild where owner = $1", &[self.owner()]).await?;
        Ok(())
    }
}

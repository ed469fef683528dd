//! Restoring an archive into an empty log: the same positions, hashes and contents, or nothing.
//!
//! A thread reads and checks the lines, and hands them over in portions; they are written meanwhile, all in
//! one transaction with the log's head. So memory is bounded whatever the archive's length, and a restore
//! that breaks off leaves the log as empty as it was. The tables that are folded from the log are not
//! touched: they are marked as outdated, so that nobody serves before they are folded.

mod check;

use std::io::BufRead;

use evident_domain::Position;
use tokio::sync::mpsc;

pub use self::check::LineProblem;
use self::check::{Checker, Portion};
use crate::archive::ArchiveHead;
use crate::codec::{EVENTS, signed};
use crate::database::{DatabaseError, Dialect, Tables, Value};
use crate::tlog::{self, has_key_of};
use crate::{EventStore, HeadLock, StoreError};

/// Portions on their way between the thread that checks and the one that writes.
const ON_THE_WAY: usize = 4;
/// Subjects whose keys are looked for at a time.
const SUBJECTS: usize = 1_000;
/// Events in which actors are looked for at a time.
const STRETCH: u64 = 20_000;

/// What a restored log is to those who hold checkpoints of the one that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoingOn {
    /// The same, where its key is in the vault: then the other must not run any more.
    AsTheSame,
    /// Another one, in any case.
    AsAnother,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq)]
pub struct Restored {
    /// What the archive said of itself.
    pub head: ArchiveHead,
    /// How many events there are now.
    pub events: u64,
    /// The root of the tree over them (RFC 6962).
    pub root: [u8; 32],
    /// How many checkpoints the archive had; each fits the tree.
    pub checkpoints: u64,
}

/// An archive cannot be restored. The log is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Only an empty log can take an archive.
    #[error("the log is not empty: it goes up to position {0}")]
    NotEmpty(Position),
    /// A line does not hold.
    #[error("line {line}: {problem}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// A stream has a gap.
    #[error("the stream {0} has a gap: an event is missing or stands twice")]
    Stream(String),
    /// The archive cannot be read.
    #[error("the archive cannot be read")]
    Read(#[from] std::io::Error),
    /// The log cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Restores an archive. `progress` is told the position that is written.
///
/// # Errors
/// When the log is not empty, a line does not hold, or something cannot be read or written.
pub async fn restore(
    store: &EventStore,
    archive: impl BufRead + Send + 'static,
    going_on: GoingOn,
    progress: &(dyn Fn(Position) + Send + Sync),
) -> Result<Restored, RestoreError> {
    store.database().begin_bulk().await?;
    let outcome = take_in(store, archive, going_on, progress).await;
    if let Err(error) = store.database().end_bulk().await {
        // The archive is restored, or is not, all the same.
        tracing::warn!(%error, "the database keeps more in memory than it needs");
    }
    outcome
}

async fn take_in(
    store: &EventStore,
    archive: impl BufRead + Send + 'static,
    going_on: GoingOn,
    progress: &(dyn Fn(Position) + Send + Sync),
) -> Result<Restored, RestoreError> {
    let mut lock = store.lock_head().await?;
    // The head says so, and what a restore with another program may have left behind it.
    let found = lock.tables().query("select max(position) from events", &[]).await?;
    let last = found.first().and_then(|row| row.first()).and_then(Value::as_int);
    let last = last.and_then(|last| u64::try_from(last).ok()).map_or(lock.position(), Position);
    if last > Position(0) || lock.position() > Position(0) {
        return Err(RestoreError::NotEmpty(last.max(lock.position())));
    }
    let indexes = set_indexes_aside(lock.tables()).await?;
    let (portions, mut checked) = mpsc::channel::<Portion>(ON_THE_WAY);
    #[expect(clippy::disallowed_methods, reason = "one thread that reads a file and checks its lines")]
    let checking = tokio::task::spawn_blocking(move || Checker::default().run(archive, &portions));
    let mut goes_on = None;
    while let Some(portion) = checked.recv().await {
        lock.tables().insert(&EVENTS, portion.rows).await?;
        if goes_on.is_none() {
            // Without its key the log is signed anew, under a name of its own.
            let has_key = going_on == GoingOn::AsTheSame && has_key_of(store, &portion.head).await?;
            match portion.head.origin.as_deref() {
                Some(origin) if has_key => tlog::begin(lock.tables(), origin).await?,
                Some(origin) => tlog::depart(lock.tables(), origin).await?,
                None => {}
            }
            goes_on = Some(has_key);
        }
        if goes_on == Some(true) {
            for kept in &portion.checkpoints {
                tlog::keep(lock.tables(), kept).await?;
            }
        }
        progress(portion.last);
    }
    let outcome = checking.await.map_err(|_| StoreError::Stopped)??;
    lock.tables().run(&indexes).await?;
    whole_streams(&mut lock).await?;
    lock.tables().execute("insert into restores (only_row) values (1)", &[]).await?;
    // Whatever the tables hold, it is not this log's: who starts next folds them anew.
    lock.tables().execute("delete from projections", &[]).await?;
    let frontier = &outcome.frontier;
    lock.move_head(frontier).await?;
    let root = frontier.root();
    let restored =
        Restored { head: outcome.head, events: frontier.size(), root, checkpoints: outcome.checkpoints };
    lock.commit().await?;
    Ok(restored)
}

/// Removes the log's indexes on PostgreSQL, but for those that constraints rest on, and gives the statements that make
/// them: that is much less work once the rows are there. SQLite would sort all keys in memory for it.
async fn set_indexes_aside(tables: &mut dyn Tables) -> Result<Vec<String>, DatabaseError> {
    if tables.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let sql = "select quote_ident(i.relname), pg_get_indexdef(i.oid) \
               from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = to_regclass($1) \
               and not exists (select from pg_constraint c where c.conindid = i.oid) order by 1";
    let found = tables.query(sql, &[EVENTS.name.as_ref().into()]).await?;
    let column = |at: usize| found.iter().filter_map(move |row| row.get(at)?.as_text());
    let removing: Vec<_> = column(0).map(|name| format!("drop index {name}")).collect();
    let making = column(1).map(str::to_owned).collect();
    tables.run(&removing).await?;
    Ok(making)
}

/// Sees to the keys that did not travel with a restored archive: they count as destroyed from now on, so that
/// nobody makes others, under which the old events would look tampered with. Call it behind [`restore`], and
/// at every start: where nothing was restored, nothing is done.
///
/// # Errors
/// When the database or the vault fails.
pub async fn settle_keys(store: &EventStore) -> Result<(), StoreError> {
    let database = store.database();
    if database.query("select only_row from restores", &[]).await?.is_empty() {
        return Ok(());
    }
    bury_subjects(store).await?;
    bury_actors(store).await?;
    let mut transaction = database.transaction().await?;
    transaction.execute("delete from restores", &[]).await?;
    Ok(transaction.commit().await?)
}

/// Counts the keys of those who have no event of their own and acted, an administrator of elsewhere or a
/// period, as destroyed, where there is none. The log is gone through once.
async fn bury_actors(store: &EventStore) -> Result<(), StoreError> {
    let sql = "select distinct metadata ->> 'sealed_for' from events where position > $1 and position <= $2 \
               and metadata ->> 'sealed_for' is not null";
    let (mut after, head) = (0, store.head().await?.position.0);
    while after < head {
        let until = head.min(after + STRETCH);
        let rows = store.database().query(sql, &[signed(after).into(), signed(until).into()]).await?;
        let names: Vec<&str> = rows.iter().filter_map(|row| row.first()?.as_text()).collect();
        for some in names.chunks(SUBJECTS) {
            store.vault().bury_missing(some).await.map_err(StoreError::vault)?;
        }
        after = until;
    }
    Ok(())
}

/// Counts the keys of those whom events are about as destroyed, where there is none.
async fn bury_subjects(store: &EventStore) -> Result<(), StoreError> {
    let sql =
        format!("select distinct subject from events where subject > $1 order by subject limit {SUBJECTS}");
    let mut after = String::new();
    loop {
        let rows = store.database().query(&sql, &[after.as_str().into()]).await?;
        let names: Vec<&str> = rows.iter().filter_map(|row| row.first()?.as_text()).collect();
        store.vault().bury_missing(&names).await.map_err(StoreError::vault)?;
        match names.last() {
            Some(last) => after = (*last).to_owned(),
            None => return Ok(()),
        }
    }
}

/// Every stream runs 1, 2, 3 …: that none is there twice is what the table's key sees to.
async fn whole_streams(lock: &mut HeadLock) -> Result<(), RestoreError> {
    let sql = "select aggregate_type, aggregate_id from events group by aggregate_type, aggregate_id \
               having count(*) <> max(sequence) limit 1";
    match lock.tables().query(sql, &[]).await?.first().map(Vec::as_slice) {
        Some([Value::Text(kind), Value::Text(id)]) => Err(RestoreError::Stream(format!("{kind}:{id}"))),
        _ => Ok(()),
    }
}

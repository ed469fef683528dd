//! One projection on its way into a table that nobody reads yet: it takes in pages of events at its own pace,
//! and what it holds is written in the background, all of it in one transaction together with the
//! position it is as of. So a rebuild that was interrupted goes on from there.

use std::sync::Arc;

use evident_domain::{Position, Recorded};
use evident_eventstore::{Database, Dialect, EventStore, Row, Table, Tables, Value};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinSet, spawn_blocking};

use crate::ProjectionError;
use crate::digest::RowsDigest;
use crate::folding::{Begun, Folding, Projection, Retain};
use crate::lease::Lease;
use crate::loader::{Limits, Spill};
use crate::pages::Page;
use crate::shadow;
use crate::shadow_indexes;
use crate::shadows::{self, Mark};

/// Rows written in one statement.
const ROWS_WRITTEN: usize = 5_000;

/// Where parts write to, and what they share in doing so.
#[derive(Clone)]
pub(crate) struct Place {
    /// Where the events are from.
    pub(crate) store: EventStore,
    pub(crate) database: Database,
    pub(crate) limits: Limits,
    pub(crate) lease: Lease,
    /// Who may write: as many at a time as the database has connections for it.
    pub(crate) slots: Arc<Semaphore>,
}

/// What a projection's rows become.
pub(crate) struct Part {
    projection: &'static dyn Projection,
    place: Place,
    folding: Box<dyn Folding>,
    table: Table,
    tally: Option<Table>,
    /// What the table holds already: events up to here are not for it.
    begun: Position,
    /// The last event that was folded, or was not for it.
    position: Position,
    /// The table holds, or soon will, what events up to here made of it.
    written: Position,
    /// Where everything is written next, however little there is.
    due: Position,
    digest: RowsDigest,
    /// Rows of a group are found by an index.
    indexed: bool,
    /// What is being written.
    writing: JoinSet<Result<(), ProjectionError>>,
    /// Dropped with the part: what is being written is then given up.
    alive: Option<oneshot::Sender<()>>,
}

impl Part {
    /// Folds into tables that are empty, or hold what the mark says. `phase` is how many events earlier than
    /// after a whole stretch it is written for the first time, so that not all parts are written at once.
    pub(crate) fn new(
        projection: &'static dyn Projection,
        place: Place,
        mark: Option<&Mark>,
        phase: u64,
    ) -> Self {
        let begun = mark.map(|mark| mark.position).unwrap_or_default();
        let retain = Retain { groups: place.limits.kept, from_nothing: begun == Position(0) };
        Self {
            projection,
            folding: projection.folding(retain),
            table: shadow::of(&projection.table()),
            tally: projection.tally().map(|tally| shadow::of(&tally.table)),
            begun,
            position: begun,
            written: begun,
            due: Position(begun.0 + place.limits.stretch.saturating_sub(phase)),
            digest: mark.map(|mark| mark.digest).unwrap_or_default(),
            indexed: false,
            writing: JoinSet::new(),
            alive: None,
            place,
        }
    }

    /// The last event that was folded.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The digest of the rows as they were written last.
    pub(crate) fn digest(&self) -> RowsDigest {
        self.digest
    }

    /// Folds pages until there are no more; says after each that it is done.
    ///
    /// # Errors
    /// Whatever the tables report.
    pub(crate) async fn follow(
        mut self,
        mut pages: Receiver<Arc<Page>>,
        spill: Spill,
        done: UnboundedSender<Position>,
    ) -> Result<Self, ProjectionError> {
        // Where nothing may be written all is complete.
        self.indexed |= spill == Spill::Never;
        while let Some(page) = pages.recv().await {
            self.fold(&page).await?;
            if spill == Spill::Allowed {
                self.spill().await?;
            }
            // Nobody listens any more where another part failed.
            let _ = done.send(page.end());
        }
        Ok(self)
    }

    async fn fold(&mut self, page: &Page) -> Result<(), ProjectionError> {
        let end = page.end();
        let known = page.events.partition_point(|event| event.position <= self.begun);
        let events = &page.events[known..];
        if known == 0 {
            self.take_in(events, &page.begun).await?;
        } else {
            self.take_in(events, &Begun::of(events)).await?;
        }
        self.position = self.position.max(end);
        Ok(())
    }

    async fn take_in(&mut self, events: &[Recorded], begun: &Begun) -> Result<(), ProjectionError> {
        let needs = self.folding.needs(events, begun);
        if !needs.touched {
            return Ok(());
        }
        if !needs.unknown.is_empty() {
            self.index_groups().await?;
            let group = self.projection.group();
            let rows = select(&self.place.database, &self.table, group, &needs.unknown).await?;
            self.folding.load(&needs.unknown, rows)?;
        }
        self.folding.fold(events);
        Ok(())
    }

    /// Before the first group is read: many a projection never reads one.
    async fn index_groups(&mut self) -> Result<(), ProjectionError> {
        if self.indexed {
            return Ok(());
        }
        self.settle().await?;
        self.indexed = true;
        shadow_indexes::index_groups(&self.place.database, self.projection, &self.place.lease).await
    }

    /// Writes if there is too much to write, and after a long stretch in any case.
    async fn spill(&mut self) -> Result<(), ProjectionError> {
        let much = self.folding.len() > self.place.limits.groups;
        if much || self.position >= self.due { self.write().await } else { Ok(()) }
    }

    /// Begins to write what changed, once what changed before is written: [`Part::settle`] waits for it.
    ///
    /// # Errors
    /// Where what was written before came to nothing.
    pub(crate) async fn write(&mut self) -> Result<(), ProjectionError> {
        self.settle().await?;
        if self.folding.len() == 0 && self.position == self.written {
            return Ok(());
        }
        // The one before may have been interrupted between the rows and their indexes.
        let before = if self.written == self.begun { 0 } else { self.digest.rows() };
        self.written = self.position;
        self.due = Position(self.position.0 + self.place.limits.stretch);
        self.unseal().await?;
        let changes = self.folding.drain_digested(&mut self.digest);
        let (table, tally, name) = (self.table.clone(), self.tally.clone(), self.projection.name());
        let (digest, position) = (self.digest, self.position);
        let grows_large = (before..digest.rows()).contains(&self.place.limits.indexed);
        let live = self.projection.tables();
        let Place { database, lease, slots, .. } = self.place.clone();
        let (alive, mut gone) = oneshot::channel::<()>();
        self.alive = Some(alive);
        let write = async move {
            let mut transaction = tokio::select! {
                transaction = shadow::transaction(&database) => transaction?,
                _ = &mut gone => return Err(ProjectionError::Interrupted),
            };
            for portion in changes.portions(ROWS_WRITTEN) {
                portion.write(&mut transaction, &table, tally.as_ref()).await?;
                // Given up between two statements, never in one.
                if let Err(TryRecvError::Closed) = gone.try_recv() {
                    return Err(ProjectionError::Interrupted);
                }
            }
            shadows::advance(&mut transaction, name, position, digest).await?;
            lease.beat(&mut transaction).await?;
            transaction.commit().await?;
            // SQLite's are all made at the end where there are fewer, PostgreSQL's in any case.
            if grows_large && database.dialect() == Dialect::Sqlite {
                tokio::select! {
                    completed = shadow_indexes::complete(&database, &live, &lease) => completed?,
                    _ = &mut gone => return Err(ProjectionError::Interrupted),
                }
            }
            Ok(())
        };
        // On a thread of its own: between two statements it would wait for its turn behind what folds.
        let runtime = Handle::current();
        self.writing.spawn(async move {
            let slot = slots.acquire_owned().await.map_err(|_| ProjectionError::Interrupted)?;
            #[expect(clippy::disallowed_methods, reason = "the slots bound it; nothing is hashed here")]
            let writing = spawn_blocking(move || {
                let _slot = slot;
                runtime.block_on(write)
            });
            writing.await.map_err(|_| ProjectionError::Interrupted)?
        });
        Ok(())
    }

    /// Writes what is held in the caller's transaction.
    ///
    /// # Errors
    /// Whatever the tables report.
    pub(crate) async fn flush_into(&mut self, tables: &mut dyn Tables) -> Result<(), ProjectionError> {
        self.settle().await?;
        self.unseal().await?;
        for portion in self.folding.drain_digested(&mut self.digest).portions(ROWS_WRITTEN) {
            portion.write(tables, &self.table, self.tally.as_ref()).await?;
        }
        Ok(())
    }

    /// Keeps no more groups than there may be, once all are written.
    pub(crate) fn let_go(&mut self) {
        self.folding.let_go();
    }

    /// Opens what rows tell and no later event has overwritten: of most sealed texts nobody needs to know.
    async fn unseal(&mut self) -> Result<(), ProjectionError> {
        let origins = self.place.store.open_origins(&self.folding.sealed()).await?;
        self.folding.opened(origins);
        Ok(())
    }

    /// Waits for what is being written.
    ///
    /// # Errors
    /// Where it came to nothing.
    pub(crate) async fn settle(&mut self) -> Result<(), ProjectionError> {
        while let Some(written) = self.writing.join_next().await {
            written.map_err(|_| ProjectionError::Interrupted)??;
        }
        Ok(())
    }
}

/// [`Tables::select`] outside of any transaction.
async fn select(
    database: &Database,
    table: &Table,
    column: &str,
    values: &[String],
) -> Result<Vec<Row>, ProjectionError> {
    let values: serde_json::Value = values.iter().map(String::as_str).collect();
    let rest = format!("where {column} {}", database.dialect().one_of(1));
    Ok(database.read(table, &rest, &[Value::Text(values.to_string())]).await?)
}

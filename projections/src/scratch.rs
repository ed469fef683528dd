//! Folding a log into an SQLite file that nobody else has open: to prove tables, to compare two moments, to keep the
//! state of an earlier day. Rows go into shadows of the file's own tables, as in a rebuild: their indexes are made once
//! the rows are there, or never.

use std::time::Duration;

use evident_domain::Position;
use evident_eventstore::{Database, EventStore, Table, Tables as _};

use crate::ProjectionError;
use crate::digest::RowsDigest;
use crate::folding::Projection;
use crate::lease::Lease;
use crate::loader::{Limits, Loader, Spill};
use crate::progress::Progress;
use crate::shadow;
use crate::shadow_indexes;

/// Projections of a log on their way into a file.
pub(crate) struct Scratch {
    database: Database,
    lease: Lease,
    /// The tables that shadows are made after.
    tables: Vec<Table>,
    loader: Loader,
}

impl Scratch {
    /// Nothing is folded yet. The file has a fresh log's tables, and is the caller's to close. With more than `indexed`
    /// rows a table gets its indexes before it is finished: SQLite would have to sort all keys in memory.
    pub(crate) async fn begin(
        store: &EventStore,
        projections: &[&'static dyn Projection],
        database: &Database,
        indexed: u64,
    ) -> Result<Self, ProjectionError> {
        database.begin_bulk().await?;
        let lease = Lease::acquire(database, Duration::ZERO).await?;
        let tables: Vec<Table> = projections.iter().flat_map(|projection| projection.tables()).collect();
        let mut transaction = database.transaction().await?;
        shadow::create(&mut transaction, &tables).await?;
        transaction.commit().await?;
        let limits = Limits { indexed, ..Limits::default() };
        let loader = Loader::new(projections, (store, database), limits, lease.clone(), &[]);
        Ok(Self { database: database.clone(), lease, tables, loader })
    }

    /// Folds all events up to a position and writes what they come to.
    pub(crate) async fn advance(
        &mut self,
        until: Position,
        progress: &dyn Progress,
    ) -> Result<(), ProjectionError> {
        if until <= self.loader.position() {
            return Ok(());
        }
        self.loader.advance(until, Spill::Allowed, progress).await?;
        self.loader.flush().await
    }

    /// The last event that was folded.
    pub(crate) fn position(&self) -> Position {
        self.loader.position()
    }

    /// The digest of each projection's rows.
    pub(crate) fn digests(&self) -> Vec<RowsDigest> {
        self.loader.digests()
    }

    /// Makes the indexes, and gives the rows the names that tables have.
    pub(crate) async fn finish(self) -> Result<(), ProjectionError> {
        let Self { database, lease, tables, loader } = self;
        drop(loader);
        shadow_indexes::complete(&database, &tables, &lease).await?;
        let mut transaction = database.transaction().await?;
        shadow::swap(&mut transaction, &tables).await?;
        let replaced = tables.iter().map(|table| format!("drop table {}", shadow::replaced(table).name));
        transaction.run(&replaced.collect::<Vec<_>>()).await?;
        transaction.commit().await?;
        lease.release().await?;
        Ok(database.end_bulk().await?)
    }
}

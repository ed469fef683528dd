//! Folding the log into tables that nobody reads yet: pages are read once and go to every projection, and each
//! folds and writes them at its own pace, so none waits for what another has to read or write. Memory is
//! bounded by the number of pages and of groups held, whatever the log's length.

use std::collections::VecDeque;
use std::sync::Arc;

use evident_domain::Position;
use evident_eventstore::{Database, Dialect, EventStore, Tables};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::ProjectionError;
use crate::digest::RowsDigest;
use crate::folding::Projection;
use crate::lease::Lease;
use crate::pages::{Page, Pages};
use crate::part::{Part, Place};
use crate::progress::Progress;
use crate::shadows::Mark;

/// How many write at a time: PostgreSQL has a connection more for it, for signs of life; SQLite has one, and whoever
/// comes second is ready when it is free.
pub(crate) const WRITERS: usize = 2;

/// What a rebuild may hold in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events a page.
    pub page: u32,
    /// Pages that are read ahead.
    pub pages: usize,
    /// Pages by which a projection may fall behind the first of the others, which go on while it makes its rows.
    pub behind: usize,
    /// Groups of each projection that change before they are written: with as many in one transaction the
    /// server's own commits have to wait for it on SQLite.
    pub groups: usize,
    /// Groups of each projection that are kept in memory once they are written.
    pub kept: usize,
    /// After so many events everything that is held is written, so that no more is lost when the process
    /// dies.
    pub stretch: u64,
    /// With so many rows a shadow on SQLite gets its indexes, and they grow with it from then on. Before, that is
    /// more work than to make them of all rows; after, making one would keep others from committing for too
    /// long.
    pub indexed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page: 1_000,
            pages: 8,
            behind: 24,
            groups: 10_000,
            kept: 4_000,
            stretch: 300_000,
            indexed: 100_000,
        }
    }
}

impl Limits {
    /// What suits a rebuild on a database. On PostgreSQL nobody waits for what it writes, and what is written once
    /// needs no second look; a process that dies loses a million events' work at most, some ten seconds.
    pub fn on(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite => Self::default(),
            Dialect::Postgres => Self { groups: 25_000, stretch: 1_000_000, ..Self::default() },
        }
    }
}

/// Whether full memory may be written in transactions of the loader's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spill {
    /// It may.
    Allowed,
    /// It may not: the caller is in a transaction that locks others out.
    Never,
}

/// Folds the log into tables. After an error it is of no more use.
pub(crate) struct Loader {
    store: EventStore,
    parts: Vec<Part>,
    limits: Limits,
    /// The last event that all have folded.
    position: Position,
    lease: Lease,
}

impl Loader {
    /// Folds a log into the shadows of a database. They are empty, or hold what the marks say.
    pub(crate) fn new(
        projections: &[&'static dyn Projection],
        (store, database): (&EventStore, &Database),
        limits: Limits,
        lease: Lease,
        marks: &[Mark],
    ) -> Self {
        let slots = Arc::new(Semaphore::new(WRITERS));
        let (store, database) = (store.clone(), database.clone());
        let place = Place { store: store.clone(), database, limits, lease: lease.clone(), slots };
        let stretch = limits.stretch / u64::try_from(projections.len().max(1)).unwrap_or(1);
        let part = |(number, projection): (u64, &&'static dyn Projection)| {
            let mark = marks.iter().find(|mark| mark.name == projection.name());
            Part::new(*projection, place.clone(), mark, number * stretch)
        };
        let parts: Vec<Part> = (0..).zip(projections).map(part).collect();
        let position = parts.iter().map(Part::position).min().unwrap_or_default();
        Self { store, parts, limits, position, lease }
    }

    /// The last event that was folded.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The digest of each projection's rows, as they were written last.
    pub(crate) fn digests(&self) -> Vec<RowsDigest> {
        self.parts.iter().map(Part::digest).collect()
    }

    /// Folds all events up to a position.
    pub(crate) async fn advance(
        &mut self,
        until: Position,
        spill: Spill,
        progress: &dyn Progress,
    ) -> Result<(), ProjectionError> {
        let mut pages =
            Pages::between(&self.store, (self.position, until), self.limits.page, self.limits.pages);
        let mut following = Following::begin(std::mem::take(&mut self.parts), self.limits.behind, spill);
        let mut more = true;
        while more || following.is_busy() {
            while more && following.takes_more() {
                match pages.next().await? {
                    Some(page) => following.send(page),
                    None => more = false,
                }
            }
            if let Some(done) = following.progressed().await? {
                self.position = done;
                progress.at(done.0);
            }
            if spill == Spill::Allowed {
                self.lease.keep_alive().await?;
            }
        }
        self.parts = following.end().await?;
        Ok(())
    }

    /// Writes what is held, and waits until it is. Parts make their rows beside each other.
    pub(crate) async fn flush(&mut self) -> Result<(), ProjectionError> {
        let write = |mut part: Part| async move {
            part.write().await?;
            part.settle().await?;
            Ok::<_, ProjectionError>(part)
        };
        let mut writing = JoinSet::new();
        for (number, part) in self.parts.drain(..).enumerate() {
            let written = write(part);
            writing.spawn(async move { (number, written.await) });
        }
        self.parts = in_order(writing).await?;
        Ok(())
    }

    /// Frees what was kept for the case that more comes, in the background: it is written, and would be freed where
    /// others have to wait for it.
    pub(crate) async fn let_go(&mut self) -> Result<(), ProjectionError> {
        let mut parts = std::mem::take(&mut self.parts);
        let freed = tokio::spawn(async move {
            parts.iter_mut().for_each(Part::let_go);
            parts
        });
        self.parts = freed.await.map_err(|_| ProjectionError::Interrupted)?;
        Ok(())
    }

    /// Writes what is held in the caller's transaction.
    pub(crate) async fn flush_into(&mut self, tables: &mut dyn Tables) -> Result<(), ProjectionError> {
        for part in &mut self.parts {
            part.flush_into(tables).await?;
        }
        Ok(())
    }
}

/// All parts while they follow the log beside each other.
struct Following {
    senders: Vec<mpsc::Sender<Arc<Page>>>,
    done: mpsc::UnboundedReceiver<Position>,
    /// The ends of the pages that were sent and that not all parts are done with, and how many are.
    under_way: VecDeque<(Position, usize)>,
    /// So many may be under way.
    most: usize,
    parts: JoinSet<(usize, Result<Part, ProjectionError>)>,
}

impl Following {
    fn begin(parts: Vec<Part>, most: usize, spill: Spill) -> Self {
        let most = most.max(1);
        let (said, done) = mpsc::unbounded_channel();
        let (mut senders, mut tasks) = (Vec::new(), JoinSet::new());
        for (number, part) in parts.into_iter().enumerate() {
            let (sender, pages) = mpsc::channel(most);
            senders.push(sender);
            let said = said.clone();
            tasks.spawn(async move { (number, part.follow(pages, spill, said).await) });
        }
        Self { senders, done, under_way: VecDeque::new(), most, parts: tasks }
    }

    fn is_busy(&self) -> bool {
        !self.under_way.is_empty()
    }

    fn takes_more(&self) -> bool {
        self.under_way.len() < self.most
    }

    fn send(&mut self, page: Page) {
        self.under_way.push_back((page.end(), 0));
        let page = Arc::new(page);
        for sender in &self.senders {
            // There is room for as many as may be under way; where nobody receives a part has failed, which
            // comes to light when it is joined.
            let _ = sender.try_send(page.clone());
        }
    }

    /// Waits until something is done; says what all parts are done with, where that is more than before.
    async fn progressed(&mut self) -> Result<Option<Position>, ProjectionError> {
        if !self.is_busy() {
            return Ok(None);
        }
        tokio::select! {
            Some(end) = self.done.recv() => {
                if let Some((_, parts)) = self.under_way.iter_mut().find(|(page, _)| *page == end) {
                    *parts += 1;
                }
                match self.under_way.front() {
                    Some((end, parts)) if *parts == self.senders.len() => {
                        let end = *end;
                        self.under_way.pop_front();
                        Ok(Some(end))
                    }
                    Some(_) | None => Ok(None),
                }
            }
            // While pages come a part only ends by failing.
            Some(ended) = self.parts.join_next() => {
                ended.map_err(|_| ProjectionError::Interrupted)?.1?;
                Err(ProjectionError::Interrupted)
            }
        }
    }

    /// All pages are done with: hands the parts back, in their order.
    async fn end(mut self) -> Result<Vec<Part>, ProjectionError> {
        self.senders.clear();
        in_order(self.parts).await
    }
}

/// Parts that were busy beside each other, once all are done.
async fn in_order(
    mut busy: JoinSet<(usize, Result<Part, ProjectionError>)>,
) -> Result<Vec<Part>, ProjectionError> {
    let mut parts = Vec::new();
    while let Some(ended) = busy.join_next().await {
        let (number, part) = ended.map_err(|_| ProjectionError::Interrupted)?;
        parts.push((number, part?));
    }
    parts.sort_by_key(|(number, _)| *number);
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

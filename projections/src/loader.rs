//! Folding the log into tables that nobody reads yet: pages are read and opened beside each other, folded
//! one after the other, and what a projection holds is written in the background, all of it in one
//! transaction together with the position it is as of. So a rebuild that was interrupted goes on from
//! there. Memory is bounded by the number of pages and of groups held, whatever the log's length.

use std::collections::VecDeque;

use evident_domain::{Position, Recorded};
use evident_eventstore::{Database, Dialect, EventStore, Row, StoreError, Table, Tables, Value};
use futures::future::try_join_all;
use tokio::task::{JoinHandle, JoinSet};

use crate::ProjectionError;
use crate::digest::RowsDigest;
use crate::folding::{Begun, Folding, Projection};
use crate::lease::Lease;
use crate::progress::Progress;
use crate::shadows::{self, Mark};

/// Rows written in one statement.
const ROWS_WRITTEN: usize = 1_000;

/// What a rebuild may hold in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events a page.
    pub page: u32,
    /// Pages that are read ahead.
    pub pages: usize,
    /// Groups of each projection that are held before they are written: with as many in one transaction the
    /// server's own commits have to wait for it on SQLite.
    pub groups: usize,
    /// After so many events everything that is held is written, so that no more is lost when the process
    /// dies.
    pub stretch: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { page: 1_000, pages: 6, groups: 6_000, stretch: 100_000 }
    }
}

/// Folds the log into tables.
pub(crate) struct Loader {
    parts: Vec<Part>,
    database: Database,
    limits: Limits,
    /// The last event that was read.
    position: Position,
    /// Where everything was written last.
    written: Position,
    lease: Option<Lease>,
}

struct Part {
    projection: &'static dyn Projection,
    folding: Box<dyn Folding>,
    table: Table,
    tally: Option<Table>,
    /// What the table holds already: events up to here are not for it.
    begun: Position,
    /// Whether the table holds anything yet.
    filled: bool,
    digest: RowsDigest,
    /// What is being written, and how the digest moves by it.
    writing: JoinSet<Result<RowsDigest, ProjectionError>>,
}

/// Whether full memory may be written in transactions of the loader's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spill {
    /// It may.
    Allowed,
    /// It may not: the caller is in a transaction that locks others out.
    Never,
}

impl Loader {
    /// Folds into tables of a database, named with a suffix. They are empty, or hold what the marks say.
    pub(crate) fn new(
        projections: &[&'static dyn Projection],
        database: Database,
        suffix: &str,
        limits: Limits,
        lease: Option<Lease>,
        marks: &[Mark],
    ) -> Self {
        let named = |table: Table| {
            let name = format!("{}{suffix}", table.name);
            table.named(name)
        };
        let part = |projection: &&'static dyn Projection| {
            let mark = marks.iter().find(|mark| mark.name == projection.name());
            let begun = mark.map(|mark| mark.position).unwrap_or_default();
            Part {
                projection: *projection,
                folding: projection.folding(),
                table: named(projection.table()),
                tally: projection.tally().map(|tally| named(tally.table)),
                begun,
                filled: begun > Position(0),
                digest: mark.map(|mark| mark.digest).unwrap_or_default(),
                writing: JoinSet::new(),
            }
        };
        let parts: Vec<Part> = projections.iter().map(part).collect();
        let position = parts.iter().map(|part| part.begun).min().unwrap_or_default();
        Self { parts, database, limits, position, written: position, lease }
    }

    /// The last event that was folded.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The digest of each projection's rows, as they were written last.
    pub(crate) fn digests(&self) -> Vec<RowsDigest> {
        self.parts.iter().map(|part| part.digest).collect()
    }

    /// Folds all events up to a position.
    pub(crate) async fn advance(
        &mut self,
        store: &EventStore,
        until: Position,
        spill: Spill,
        progress: &dyn Progress,
    ) -> Result<(), ProjectionError> {
        let mut pages =
            Pages { store, limits: self.limits, next: self.position, until, ahead: VecDeque::new() };
        while let Some(events) = pages.next().await? {
            for (event, expected) in events.iter().zip(self.position.0 + 1..) {
                if event.position.0 != expected {
                    return Err(ProjectionError::Gap(Position(expected - 1)));
                }
            }
            let last = events.last().map(|event| event.position);
            if last != Some(pages.end_of_page(self.position)) {
                return Err(ProjectionError::Gap(last.unwrap_or(self.position)));
            }
            self.fold(&events).await?;
            self.position = last.unwrap_or(self.position);
            progress.at(self.position.0);
            if spill == Spill::Allowed {
                self.spill().await?;
            }
        }
        Ok(())
    }

    async fn fold(&mut self, events: &[Recorded]) -> Result<(), ProjectionError> {
        let (begun, database) = (Begun::of(events), &self.database);
        // Beside each other: what one has to read does not keep the others waiting.
        try_join_all(self.parts.iter_mut().map(|part| part.fold(database, events, &begun))).await?;
        Ok(())
    }

    /// Writes what there is too much of, and after a long stretch everything.
    async fn spill(&mut self) -> Result<(), ProjectionError> {
        let all = self.position.0 - self.written.0 >= self.limits.stretch;
        for at in 0..self.parts.len() {
            if all || self.parts[at].folding.len() > self.limits.groups {
                self.write(at).await?;
            }
        }
        if all {
            self.written = self.position;
        }
        match &self.lease {
            Some(lease) => lease.keep_alive().await,
            None => Ok(()),
        }
    }

    /// Begins to write what a part holds, once what it held before is written.
    async fn write(&mut self, at: usize) -> Result<(), ProjectionError> {
        let (database, lease, position) = (self.database.clone(), self.lease.clone(), self.position);
        let Some(part) = self.parts.get_mut(at) else { return Ok(()) };
        part.settle().await?;
        let mut folding = part.folding.take();
        if folding.len() == 0 && lease.is_none() {
            return Ok(());
        }
        part.filled = true;
        let (table, tally, name) = (part.table.clone(), part.tally.clone(), part.projection.name());
        let before = part.digest;
        part.writing.spawn(async move {
            let mut moved = RowsDigest::default();
            let changes = folding.drain_digested(&mut moved);
            drop(folding);
            let mut transaction = database.transaction().await?;
            for portion in changes.portions(ROWS_WRITTEN) {
                portion.write(&mut transaction, &table, tally.as_ref()).await?;
            }
            if let Some(lease) = &lease {
                let mut digest = before;
                digest.merge(moved);
                shadows::advance(&mut transaction, name, position, digest).await?;
                lease.beat(&mut transaction).await?;
            }
            transaction.commit().await?;
            Ok(moved)
        });
        Ok(())
    }

    /// Writes what is held, and waits until it is.
    pub(crate) async fn flush(&mut self) -> Result<(), ProjectionError> {
        for at in 0..self.parts.len() {
            self.write(at).await?;
        }
        self.written = self.position;
        self.settle().await
    }

    /// Waits for what is being written.
    pub(crate) async fn settle(&mut self) -> Result<(), ProjectionError> {
        for part in &mut self.parts {
            part.settle().await?;
        }
        Ok(())
    }

    /// Writes what is held in the caller's transaction.
    pub(crate) async fn flush_into(&mut self, tables: &mut dyn Tables) -> Result<(), ProjectionError> {
        for part in &mut self.parts {
            part.settle().await?;
            let mut moved = RowsDigest::default();
            for portion in part.folding.drain_digested(&mut moved).portions(ROWS_WRITTEN) {
                portion.write(tables, &part.table, part.tally.as_ref()).await?;
            }
            part.digest.merge(moved);
            part.filled = true;
        }
        Ok(())
    }
}

impl Part {
    async fn fold(
        &mut self,
        database: &Database,
        events: &[Recorded],
        begun: &Begun,
    ) -> Result<(), ProjectionError> {
        let known = events.partition_point(|event| event.position <= self.begun);
        let (events, own) = (&events[known..], (known > 0).then(|| Begun::of(&events[known..])));
        let needs = self.folding.needs(events, own.as_ref().unwrap_or(begun));
        if !needs.touched {
            return Ok(());
        }
        if !needs.unknown.is_empty() {
            self.settle().await?;
            if self.filled {
                let group = self.projection.group();
                let rows = select(database, &self.table, group, &needs.unknown).await?;
                self.folding.load(&needs.unknown, rows)?;
            }
        }
        self.folding.fold(events);
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), ProjectionError> {
        while let Some(written) = self.writing.join_next().await {
            self.digest.merge(written.map_err(|_| ProjectionError::Interrupted)??);
        }
        Ok(())
    }
}

/// Pages of the log, several of them under way at once.
struct Pages<'a> {
    store: &'a EventStore,
    limits: Limits,
    /// The last event of the last page that was asked for.
    next: Position,
    until: Position,
    ahead: VecDeque<Page>,
}

/// A page that is being read and opened; given up when it is dropped.
struct Page(JoinHandle<Result<Vec<Recorded>, StoreError>>);

impl Drop for Page {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pages<'_> {
    /// Where a page ends that begins behind a position.
    fn end_of_page(&self, after: Position) -> Position {
        Position((after.0 + u64::from(self.limits.page)).min(self.until.0))
    }

    async fn next(&mut self) -> Result<Option<Vec<Recorded>>, ProjectionError> {
        while self.ahead.len() < self.limits.pages.max(1) && self.next < self.until {
            let (store, after, last) = (self.store.clone(), self.next, self.end_of_page(self.next));
            self.ahead.push_back(Page(tokio::spawn(async move { store.stretch(after, last).await })));
            self.next = last;
        }
        let Some(mut page) = self.ahead.pop_front() else { return Ok(None) };
        Ok(Some((&mut page.0).await.map_err(|_| ProjectionError::Interrupted)??))
    }
}

/// [`Tables::select`] outside of any transaction.
async fn select(
    database: &Database,
    table: &Table,
    column: &str,
    values: &[String],
) -> Result<Vec<Row>, ProjectionError> {
    let list = match database.dialect() {
        Dialect::Sqlite => "select value from json_each($1)",
        Dialect::Postgres => "select json_array_elements_text($1::json)",
    };
    let values: serde_json::Value = values.iter().map(String::as_str).collect();
    let rest = format!("where {column} in ({list})");
    Ok(database.read(table, &rest, &[Value::Text(values.to_string())]).await?)
}

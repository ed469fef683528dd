//! Folding the log into tables that nobody reads yet: in memory as far as it goes, and from there to
//! the tables in bulk. Memory is bounded by the number of groups held, whatever the log's length.

use evident_domain::{Position, Recorded};
use evident_eventstore::{Database, Dialect, EventStore, Filter, Row, StoreError, Table, Tables, Value};
use tokio::task::JoinHandle;

use crate::ProjectionError;
use crate::folding::{Folding, Projection};
use crate::lease::Lease;
use crate::progress::Progress;

/// Events read at a time.
const PAGE: u32 = 2_000;
/// Groups held in memory, of all projections together, before they are written.
const GROUPS_HELD: usize = 40_000;
/// Rows written in one transaction: the server commits in between.
const ROWS_WRITTEN: usize = 1_000;

/// Folds the log into tables.
pub(crate) struct Loader {
    parts: Vec<Part>,
    database: Database,
    position: Position,
    /// Whether the tables hold anything yet.
    written: bool,
    lease: Option<Lease>,
}

struct Part {
    projection: &'static dyn Projection,
    folding: Box<dyn Folding>,
    table: Table,
    tally: Option<Table>,
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
    /// Folds into empty tables of a database, named with a suffix.
    pub(crate) fn new(
        projections: &[&'static dyn Projection],
        database: Database,
        suffix: &str,
        lease: Option<Lease>,
    ) -> Self {
        let named = |table: Table| {
            let name = format!("{}{suffix}", table.name);
            table.named(name)
        };
        let part = |projection: &&'static dyn Projection| Part {
            projection: *projection,
            folding: projection.folding(),
            table: named(projection.table()),
            tally: projection.tally().map(|tally| named(tally.table)),
        };
        let parts = projections.iter().map(part).collect();
        Self { parts, database, position: Position(0), written: false, lease }
    }

    /// The last event that was folded.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The right to rebuild, where the loader holds one.
    pub(crate) fn lease(&mut self) -> Option<&mut Lease> {
        self.lease.as_mut()
    }

    /// Lets go of the tables.
    pub(crate) fn into_lease(self) -> Option<Lease> {
        self.lease
    }

    /// Folds all events up to a position.
    pub(crate) async fn advance(
        &mut self,
        store: &EventStore,
        until: Position,
        spill: Spill,
        progress: &dyn Progress,
    ) -> Result<(), ProjectionError> {
        if self.position >= until {
            return Ok(());
        }
        let mut next = fetch(store, self.position, until);
        loop {
            let events = next.await.map_err(|_| ProjectionError::Interrupted)??;
            for (event, expected) in events.iter().zip(self.position.0 + 1..) {
                if event.position.0 != expected {
                    return Err(ProjectionError::Gap(Position(expected - 1)));
                }
            }
            let last = events.last().ok_or(ProjectionError::Gap(self.position))?.position;
            // The next page is read and opened while this one is folded.
            let more = (last < until).then(|| fetch(store, last, until));
            self.fold(&events).await?;
            self.position = last;
            progress.at(last.0);
            if spill == Spill::Allowed {
                if self.parts.iter().map(|part| part.folding.len()).sum::<usize>() > GROUPS_HELD {
                    self.flush().await?;
                }
                if let Some(lease) = &mut self.lease {
                    lease.keep_alive().await?;
                }
            }
            match more {
                Some(more) => next = more,
                None => return Ok(()),
            }
        }
    }

    async fn fold(&mut self, events: &[Recorded]) -> Result<(), ProjectionError> {
        for part in &mut self.parts {
            let needs = part.folding.needs(events);
            if !needs.touched {
                continue;
            }
            if self.written && !needs.unknown.is_empty() {
                let rows =
                    select(&self.database, &part.table, part.projection.group(), &needs.unknown).await?;
                part.folding.load(&needs.unknown, rows)?;
            }
            part.folding.fold(events);
        }
        Ok(())
    }

    /// Writes what is held, in short transactions.
    pub(crate) async fn flush(&mut self) -> Result<(), ProjectionError> {
        for part in &mut self.parts {
            for portion in part.folding.drain().portions(ROWS_WRITTEN) {
                let mut transaction = self.database.transaction().await?;
                if let Some(lease) = &mut self.lease {
                    lease.beat(&mut transaction).await?;
                }
                portion.write(&mut transaction, &part.table, part.tally.as_ref()).await?;
                transaction.commit().await?;
                self.written = true;
            }
        }
        Ok(())
    }

    /// Writes what is held in the caller's transaction.
    pub(crate) async fn flush_into(&mut self, tables: &mut dyn Tables) -> Result<(), ProjectionError> {
        for part in &mut self.parts {
            for portion in part.folding.drain().portions(ROWS_WRITTEN) {
                portion.write(tables, &part.table, part.tally.as_ref()).await?;
            }
        }
        self.written = true;
        Ok(())
    }
}

fn fetch(
    store: &EventStore,
    after: Position,
    until: Position,
) -> JoinHandle<Result<Vec<Recorded>, StoreError>> {
    let store = store.clone();
    tokio::spawn(async move {
        let filter = Filter { last: Some(until), ..Filter::default() };
        store.page(after, PAGE, &filter).await
    })
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
    let sql = format!("select {} from {} where {column} in ({list})", table.column_list(), table.name);
    let values: serde_json::Value = values.iter().map(String::as_str).collect();
    Ok(database.query(&sql, &[Value::Text(values.to_string())]).await?)
}

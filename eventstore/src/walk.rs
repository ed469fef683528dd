//! Walking the log from one position to another, for folds of all of it: pages come in their order, and can be opened
//! beside each other.

use evident_domain::{Position, Recorded};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::codec::{FOR_FOLDS, signed};
use crate::database::{Database, DatabaseError, Fetched, Postgres};
use crate::reader;
use crate::stored::Audience;
use crate::{EventStore, StoreError};

/// Pages that PostgreSQL hands out for one question: it keeps what was deleted meanwhile for as long as one is answered.
const PAGES_AT_ONCE: u64 = 32;
/// Pages that wait for whoever opens them.
const WAITING: usize = 2;

/// A walk through the log: see [`EventStore::walk`].
pub struct Walk {
    /// Events a page.
    size: u32,
    /// The last event of the last page that was handed out.
    at: Position,
    until: Position,
    way: Way,
}

/// How rows are read.
enum Way {
    /// When they are opened: SQLite's readers have a thread each, and one page is not worth a connection of its own.
    Later,
    /// Ahead, one page after the other: PostgreSQL hands out rows behind each other with least work.
    Ahead { pages: mpsc::Receiver<Result<Fetched, DatabaseError>>, reading: JoinSet<()> },
}

/// Some rows of the log that follow on each other, still sealed.
pub struct Stretch(Rows);

enum Rows {
    /// Those behind a position, up to another.
    ToRead(Position, Position),
    Read(Fetched),
}

impl Walk {
    /// The next page; none at the end. Where an event is missing pages have fewer events or others than they would:
    /// whoever needs all of them looks at their positions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Option<Stretch>, StoreError> {
        if self.at >= self.until {
            return Ok(None);
        }
        let after = self.at;
        self.at = Position((after.0 + u64::from(self.size)).min(self.until.0));
        match &mut self.way {
            Way::Later => Ok(Some(Stretch(Rows::ToRead(after, self.at)))),
            Way::Ahead { pages, reading } => {
                let page = pages.recv().await.transpose()?;
                if page.is_none() && reading.join_next().await.is_some_and(|read| read.is_err()) {
                    return Err(DatabaseError::from(sqlx::Error::WorkerCrashed).into());
                }
                Ok(page.map(|rows| Stretch(Rows::Read(rows))))
            }
        }
    }
}

impl EventStore {
    /// The events behind a position up to another, as folds read them, in pages of so many: what is known of a request
    /// (its id, surface, address and program) is told of sessions only, and address and program stay sealed until
    /// somebody asks for them ([`EventStore::open_origins`]), unless another than the event's subject has their key. What
    /// attempts hold of somebody stays sealed.
    pub fn walk(&self, after: Position, until: Position, size: u32) -> Walk {
        let size = size.max(1);
        let is_one_page = until.0.saturating_sub(after.0) <= u64::from(size);
        let way = match self.database() {
            Database::Postgres(database) if !is_one_page => {
                let (sender, pages) = mpsc::channel(WAITING);
                let (database, mut reading) = (database.clone(), JoinSet::new());
                reading.spawn(async move {
                    if let Err(error) = read_all(&database, (after, until), size, &sender).await {
                        // Nobody may be there to hear it.
                        let _ = sender.send(Err(error)).await;
                    }
                });
                Way::Ahead { pages, reading }
            }
            Database::Sqlite(_) | Database::Postgres(_) => Way::Later,
        };
        Walk { size, at: after, until, way }
    }

    /// Opens the events of a page.
    ///
    /// # Errors
    /// As [`EventStore::load`].
    pub async fn open_stretch(&self, stretch: Stretch) -> Result<Vec<Recorded>, StoreError> {
        let rows = match stretch.0 {
            Rows::ToRead(after, last) => {
                let rest = "where position > $1 and position <= $2 order by position";
                let params = [signed(after.0).into(), signed(last.0).into()];
                self.database().fetch(&FOR_FOLDS, rest, &params).await?
            }
            Rows::Read(rows) => rows,
        };
        // As of every page: who is forgotten by now is not shown.
        self.vault().catch_up().await.map_err(StoreError::vault)?;
        let cells = rows.cells(&FOR_FOLDS)?;
        let items = reader::open_each(self.vault(), self.upcasters(), &cells, Audience::Folds).await?;
        items.into_iter().map(|item| item.event).collect()
    }
}

/// Reads some pages, and again some, until all are read or nobody takes them. A connection that is lost says nothing of
/// the next one, unless that gets no further.
async fn read_all(
    database: &Postgres,
    (mut after, until): (Position, Position),
    size: u32,
    pages: &mpsc::Sender<Result<Fetched, DatabaseError>>,
) -> Result<(), DatabaseError> {
    let (mut outlet, mut tried) = (database.outlet().await?, false);
    while after < until && !pages.is_closed() {
        let last = Position((after.0 + PAGES_AT_ONCE * u64::from(size)).min(until.0));
        // `COPY` has no parameters; these are numbers.
        let rest = format!("where position > {} and position <= {} order by position", after.0, last.0);
        let mut sent = 0;
        match outlet.read(&FOR_FOLDS, &rest, size, pages, &mut sent).await {
            Ok(()) => (after, tried) = (last, false),
            Err(error) if error.is_connection_lost() && (sent > 0 || !tried) => {
                after = Position((after.0 + sent * u64::from(size)).min(last.0));
                (outlet, tried) = (database.outlet().await?, true);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

//! Whether the stored log holds: events, head, tiles and checkpoints against each other.

use evident_domain::Position;
use tlog_tiles::{HASH_SIZE, Hash, Tile};
use tokio::task::JoinSet;

use super::check::{Check, Checked, Finding, Problem, Streams, Trust, column_hash, open, open_kept};
use super::checkpoint::TreeHead;
use super::checkpoints::{Checkpoint, from_size, latest};
use super::path::{FULL_WIDTH, TilePath};
use crate::archive::{Broken, LogRow};
use crate::codec::{CodecError, signed};
use crate::database::Value;
use crate::{EventStore, Filter, Head, StoreError};

/// Events that are read at a time.
const PAGE: u32 = 1_000;
/// Checkpoints that are read at a time.
const CHECKPOINTS: u32 = 500;

/// Checks a stored log, while it is written on: everything up to where it ends as the check begins. The
/// keys of `trust` are those of the log's own checkpoints; `progress` hears how many events are done.
///
/// # Errors
/// When the database fails. What does not hold is no error but the outcome.
pub async fn check_store(
    store: &EventStore,
    trust: &Trust,
    progress: impl Fn(u64, u64),
) -> Result<Result<Checked, Finding>, StoreError> {
    let outcome = check(store, trust, &progress).await;
    match outcome {
        Ok(checked) => Ok(Ok(checked)),
        Err(Trouble::Found(finding)) => Ok(Err(finding)),
        Err(Trouble::Store(error)) => Err(error),
    }
}

enum Trouble {
    Store(StoreError),
    Found(Finding),
}

impl<T: Into<StoreError>> From<T> for Trouble {
    fn from(error: T) -> Self {
        Self::Store(error.into())
    }
}

impl From<Finding> for Trouble {
    fn from(finding: Finding) -> Self {
        Self::Found(finding)
    }
}

async fn check(store: &EventStore, trust: &Trust, progress: &impl Fn(u64, u64)) -> Result<Checked, Trouble> {
    let keys = trust.keys.as_slice();
    let kept = open_kept(&trust.checkpoints, keys)?;
    // The checkpoint first: the log goes at least so far.
    let signed_size = match latest(store).await {
        Ok(last) => last.map_or(0, |last| last.size),
        Err(error) => return Err(damaged_checkpoint(0, error)),
    };
    let head = match store.head().await {
        Err(StoreError::Frontier(_)) => {
            return Err(Check::new(&[], Streams::default()).here(Problem::Head).into());
        }
        head => head?,
    };
    let mut check = Check::new(&kept, Streams::default());
    let mut tiles = Tiles::new(signed_size);
    let mut signed = Signed::new(store, keys, signed_size).await?;
    signed.compare(&mut check, store).await?;
    let mut pages = Pages::between(store, 0, head.position);
    while let Some(rows) = pages.next().await? {
        for row in rows {
            let hash = check.event(&row.event)?;
            if column_hash(&row.stored_hash) != Some(hash) {
                let (position, id) = (row.event.position(), Some(row.event.leaf.id));
                return Err(Finding { position, id, problem: Broken::LeafHash.into() }.into());
            }
            tiles.leaf(store, &row, hash).await?;
            signed.compare(&mut check, store).await?;
        }
        progress(check.size(), head.position.0);
    }
    check.end()?;
    tiles.end(store, check.size()).await?;
    if signed_size > check.size() {
        let problem = Problem::CutOff(signed_size);
        return Err(Finding { position: check.next(), id: None, problem }.into());
    }
    compare_head(store, &check, &head).await?;
    let checked = Checked {
        events: check.size(),
        dropped: check.dropped(),
        root: Hash(check.frontier().root()),
        checkpoints: check.checkpoints,
        keys: trust.keys.clone(),
        tiles: tiles.done,
        pruned: store.pruning().await?.minimum.min(check.size()),
        uncompared: 0,
    };
    let mut rest = check.rest();
    while let Some(streams) = rest {
        let mut again = Check::new(&[], streams);
        let mut pages = Pages::between(store, 0, Position(checked.events));
        while let Some(rows) = pages.next().await? {
            for row in rows {
                again.event(&row.event)?;
            }
            progress(again.size(), checked.events);
        }
        rest = again.rest();
    }
    Ok(checked)
}

/// The rows of the log, page by page: while one is checked the next is read.
struct Pages {
    store: EventStore,
    last: Position,
    /// What is being read; given up with this.
    reading: JoinSet<Result<Vec<LogRow>, Trouble>>,
}

impl Pages {
    /// Those behind a position up to another.
    fn between(store: &EventStore, after: u64, last: Position) -> Self {
        let mut pages = Self { store: store.clone(), last, reading: JoinSet::new() };
        pages.read(after);
        pages
    }

    fn read(&mut self, after: u64) {
        if after < self.last.0 {
            let (store, last) = (self.store.clone(), self.last);
            self.reading.spawn(async move { page(&store, after, last).await });
        }
    }

    /// The next page; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<LogRow>>, Trouble> {
        let Some(page) = self.reading.join_next().await else { return Ok(None) };
        let rows = page.map_err(|_| StoreError::Stopped)??;
        self.read(rows.last().map_or(self.last, |row| row.event.position()).0);
        Ok(Some(rows))
    }
}

/// The next rows behind a position; where a column of one does not read, those before it.
async fn page(store: &EventStore, after: u64, last: Position) -> Result<Vec<LogRow>, Trouble> {
    let read = async |last| {
        let filter = Filter { last: Some(last), ..Filter::default() };
        store.sealed_page(Position(after), PAGE, &filter).await
    };
    let rows = match read(last).await {
        Err(StoreError::Codec(cause)) => match *cause {
            CodecError::Column { position, column } => {
                let rows = read(Position(position.0.saturating_sub(1))).await?;
                if rows.is_empty() {
                    let problem = Problem::Damaged(format!("its {column} is damaged"));
                    return Err(Finding { position, id: None, problem }.into());
                }
                rows
            }
            _ => return Err(StoreError::Codec(cause).into()),
        },
        rows => rows?,
    };
    if rows.is_empty() {
        return Err(Finding { position: Position(after + 1), id: None, problem: Problem::Missing }.into());
    }
    Ok(rows)
}

async fn compare_head(store: &EventStore, check: &Check, head: &Head) -> Result<(), Trouble> {
    if head.frontier.root() != check.frontier().root() {
        return Err(check.here(Problem::Head).into());
    }
    let behind = "select min(position) from events where position > (select position from log_head)";
    let rows = store.database().query(behind, &[]).await?;
    match rows.first().and_then(|row| row.first()).and_then(Value::as_int) {
        None => Ok(()),
        Some(position) => {
            let position = Position(u64::try_from(position).unwrap_or_default());
            Err(Finding { position, id: None, problem: Problem::BehindHead }.into())
        }
    }
}

fn damaged_checkpoint(size: u64, error: StoreError) -> Trouble {
    match error {
        StoreError::Database(cause) if matches!(*cause, crate::DatabaseError::Unexpected { .. }) => {
            Finding { position: Position(size), id: None, problem: Problem::CheckpointRow(size) }.into()
        }
        error => error.into(),
    }
}

/// The stored checkpoints, as the reading comes by their sizes.
struct Signed<'a> {
    keys: &'a [String],
    /// Those beyond were signed after the check had begun.
    last: u64,
    page: std::vec::IntoIter<Checkpoint>,
    next: Option<Checkpoint>,
}

impl<'a> Signed<'a> {
    async fn new(store: &EventStore, keys: &'a [String], last: u64) -> Result<Self, Trouble> {
        let mut signed = Self { keys, last, page: Vec::new().into_iter(), next: None };
        signed.advance(store, 0).await?;
        Ok(signed)
    }

    async fn advance(&mut self, store: &EventStore, from: u64) -> Result<(), Trouble> {
        self.next = self.page.next();
        if self.next.is_none() && from <= self.last {
            let page = from_size(store, from, CHECKPOINTS).await;
            self.page = page.map_err(|error| damaged_checkpoint(from, error))?.into_iter();
            self.next = self.page.next();
        }
        Ok(())
    }

    async fn compare(&mut self, check: &mut Check, store: &EventStore) -> Result<(), Trouble> {
        while let Some(checkpoint) = self.next.take_if(|next| next.size <= check.size().min(self.last)) {
            let size = checkpoint.size;
            let head = open(&checkpoint.note, self.keys)?;
            let row = TreeHead { origin: head.origin.clone(), size, root: checkpoint.root };
            if head != row || size < check.size() {
                let position = Position(size);
                return Err(Finding { position, id: None, problem: Problem::CheckpointRow(size) }.into());
            }
            if size == 0 {
                check.compare_empty(&head)?;
            } else {
                check.compare(&head)?;
            }
            self.advance(store, size + 1).await?;
        }
        Ok(())
    }
}

/// The stored tiles, as the reading completes them.
struct Tiles {
    /// So many events were signed: their full tiles must be there.
    signed: u64,
    levels: Vec<Vec<u8>>,
    done: u64,
}

impl Tiles {
    fn new(signed: u64) -> Self {
        Self { signed, levels: Vec::new(), done: 0 }
    }

    async fn leaf(&mut self, store: &EventStore, row: &LogRow, hash: Hash) -> Result<(), Trouble> {
        let size = row.event.position().0;
        let mut hash = hash;
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            self.levels[at].extend_from_slice(&hash.0);
            if self.levels[at].len() < usize::from(FULL_WIDTH) * HASH_SIZE {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[at]);
            let number = (size >> (8 * u32::from(level) + 8)) - 1;
            hash = Tile::subtree_hash(&hashes);
            self.compare(store, TilePath::full(level, number), size, &hashes, hash).await?;
        }
        Ok(())
    }

    async fn compare(
        &mut self,
        store: &EventStore,
        path: TilePath,
        size: u64,
        hashes: &[u8],
        root: Hash,
    ) -> Result<(), Trouble> {
        let super::TileKind::Hashes(level) = path.kind else { return Ok(()) };
        let sql = "select hashes, root from tree_tiles where level = $1 and number = $2";
        let rows =
            store.database().query(sql, &[i64::from(level).into(), signed(path.number).into()]).await?;
        let each = 1_u64 << (8 * u32::from(level));
        let first = path.number * u64::from(FULL_WIDTH) * each;
        let (at, problem) = match rows.first().map(Vec::as_slice) {
            None if size > self.signed => return Ok(()),
            None => (first, Problem::TileMissing(path)),
            Some([Value::Bytes(stored), Value::Bytes(above)]) => {
                if stored == hashes && above.as_slice() == root.0 {
                    self.done += 1;
                    return Ok(());
                }
                let same = stored.chunks(HASH_SIZE).zip(hashes.chunks(HASH_SIZE)).take_while(|(a, b)| a == b);
                let slot = u64::try_from(same.count()).unwrap_or_default();
                (first + slot.min(u64::from(FULL_WIDTH) - 1) * each, Problem::Tile(path))
            }
            Some(_) => (first, Problem::Tile(path)),
        };
        let position = Position(at + 1);
        let filter = Filter { last: Some(position), ..Filter::default() };
        let event = store.sealed_page(Position(at), 1, &filter).await?;
        let id = event.first().map(|row| row.event.leaf.id);
        Err(Finding { position, id, problem }.into())
    }

    /// No tile may be of more events than there are.
    async fn end(&self, store: &EventStore, size: u64) -> Result<(), Trouble> {
        let sql = "select level, max(number) from tree_tiles group by level order by level";
        // Events that were committed meanwhile may have tiles as well.
        let newest = store.head().await?.position.0.max(size);
        for row in store.database().query(sql, &[]).await? {
            let [Value::Int(level), Value::Int(number)] = row.as_slice() else { continue };
            let level = u8::try_from(*level).unwrap_or(u8::MAX);
            let path = TilePath::full(level, u64::try_from(*number).unwrap_or(u64::MAX));
            if path.needs().is_none_or(|needs| needs > newest) {
                let problem = Problem::TileBeyond(path);
                return Err(Finding { position: Position(size + 1), id: None, problem }.into());
            }
        }
        Ok(())
    }
}

//! The tree as it is stored: full tiles as rows, what is not full yet made of the events on request.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::HashMap;

use evident_domain::Position;
use tlog_tiles::{
    Error as MathError, HASH_SIZE, Hash, HashReader, Tile, prove_record, prove_tree, split_stored_hash_index,
    stored_hash_index, tree_hash,
};

use super::bundle::push_entry;
use super::path::{FULL_WIDTH, TileKind, TilePath};
use crate::codec::signed;
use crate::database::{Database, Tables, Value};
use crate::merkle::Frontier;
use crate::{EventStore, Filter, StoreError};

/// Tiles that are made in one go.
const TILES_AT_ONCE: u64 = 64;
/// Levels that a log of 2^63 entries has at most.
const LEVELS: u8 = 8;

/// The tree cannot tell what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TreeError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Hashes are missing that the tree must have.
    #[error("{0} cannot be made: hashes are missing or damaged")]
    Missing(TilePath),
    /// Entries are not there.
    #[error("the entries of {0} are no longer there")]
    Pruned(TilePath),
    /// The tree has no such entry or size.
    #[error("the tree has no such entry or size")]
    OutOfRange,
    /// An entry is too long to be published.
    #[error("an entry is too long to be published")]
    EntryTooLong,
}

impl From<crate::DatabaseError> for TreeError {
    fn from(error: crate::DatabaseError) -> Self {
        Self::Store(error.into())
    }
}

/// The tree over a log's events.
#[derive(Debug, Clone)]
pub struct Tree {
    store: EventStore,
}

impl Tree {
    /// The tree of a log.
    pub fn new(store: &EventStore) -> Self {
        Self { store: store.clone() }
    }

    fn database(&self) -> &Database {
        self.store.database()
    }

    /// The bytes of a tile or of an entry bundle. The caller makes sure that the tree is large enough.
    ///
    /// # Errors
    /// When hashes or entries are not there.
    pub async fn read(&self, path: TilePath) -> Result<Vec<u8>, TreeError> {
        match path.kind {
            TileKind::Hashes(level) => self.hashes(level, path.number, path.width).await,
            TileKind::Entries => self.bundle(path).await,
        }
    }

    async fn bundle(&self, path: TilePath) -> Result<Vec<u8>, TreeError> {
        let first = path.number.checked_mul(u64::from(FULL_WIDTH)).ok_or(TreeError::OutOfRange)?;
        let rows = self.store.sealed_page(Position(first), u32::from(path.width), &Filter::default()).await?;
        let mut bundle = Vec::new();
        for (position, row) in (first + 1..).zip(&rows) {
            if row.event.position() != Position(position) {
                return Err(TreeError::Pruned(path));
            }
            let entry = row.event.leaf.to_bytes().map_err(|_| TreeError::Missing(path))?;
            push_entry(&mut bundle, &entry).map_err(|_| TreeError::EntryTooLong)?;
        }
        if rows.len() == usize::from(path.width) { Ok(bundle) } else { Err(TreeError::Pruned(path)) }
    }

    /// The first hashes of a tile.
    async fn hashes(&self, level: u8, number: u64, width: u16) -> Result<Vec<u8>, TreeError> {
        let path = TilePath { width, ..TilePath::full(level, number) };
        let missing = || TreeError::Missing(path);
        let length = usize::from(width) * HASH_SIZE;
        let sql = "select hashes from tree_tiles where level = $1 and number = $2";
        let row = self.database().query(sql, &[i64::from(level).into(), signed(number).into()]).await?;
        if let Some(Value::Bytes(hashes)) = row.first().and_then(|row| row.first()) {
            return hashes.get(..length).map(<[u8]>::to_vec).ok_or_else(missing);
        }
        let first = number.checked_mul(u64::from(FULL_WIDTH)).ok_or_else(missing)?;
        let hashes = self.row_of_hashes(level, first, u64::from(width)).await?;
        if hashes.len() == length { Ok(hashes) } else { Err(missing()) }
    }

    /// Hashes of a level, from one on, as far as they are there without a gap.
    async fn row_of_hashes(&self, level: u8, first: u64, count: u64) -> Result<Vec<u8>, TreeError> {
        // Leaves count from 0, positions from 1.
        let (sql, from, below) = match level.checked_sub(1) {
            None => (
                "select position, leaf_hash from events where position >= $1 and position < $2 \
                 order by position",
                first + 1,
                None,
            ),
            Some(below) => (
                "select number, root from tree_tiles where number >= $1 and number < $2 and level = $3 \
                 order by number",
                first,
                Some(Value::from(i64::from(below))),
            ),
        };
        let mut params = vec![signed(from).into(), signed(from.saturating_add(count)).into()];
        params.extend(below);
        let mut hashes = Vec::new();
        for (number, row) in (from..).zip(self.database().query(sql, &params).await?) {
            match row.as_slice() {
                [Value::Int(at), Value::Bytes(hash)] if *at == signed(number) && hash.len() == HASH_SIZE => {
                    hashes.extend_from_slice(hash);
                }
                _ => break,
            }
        }
        Ok(hashes)
    }

    /// Keeps the full tiles of a tree of this size that are not there yet. Whoever does it at the same time
    /// makes the same ones.
    ///
    /// # Errors
    /// When the database fails, or hashes are missing.
    pub async fn complete(&self, size: u64) -> Result<(), TreeError> {
        for level in 0..LEVELS {
            let full = size >> (8 * u32::from(level) + 8);
            let sql = "select max(number) from tree_tiles where level = $1";
            let newest = self.database().query(sql, &[i64::from(level).into()]).await?;
            let newest = newest.first().and_then(|row| row.first()).and_then(Value::as_int);
            let mut next = newest.and_then(|number| u64::try_from(number).ok()).map_or(0, |n| n + 1);
            while next < full {
                let end = full.min(next + TILES_AT_ONCE);
                self.keep(level, next, end).await?;
                next = end;
            }
            if full == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn keep(&self, level: u8, first: u64, end: u64) -> Result<(), TreeError> {
        let width = u64::from(FULL_WIDTH);
        let hashes = self.row_of_hashes(level, first * width, (end - first) * width).await?;
        let mut tiles = hashes.chunks_exact(usize::from(FULL_WIDTH) * HASH_SIZE);
        let mut transaction = self.database().transaction().await?;
        for number in first..end {
            let tile = tiles.next().ok_or(TreeError::Missing(TilePath::full(level, number)))?;
            let insert = "insert into tree_tiles (level, number, hashes, root) values ($1, $2, $3, $4) \
                          on conflict do nothing";
            let root = Tile::subtree_hash(tile).0.to_vec();
            let row = [i64::from(level).into(), signed(number).into(), tile.to_vec().into(), root.into()];
            transaction.execute(insert, &row).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The root of the tree as it was at a size.
    ///
    /// # Errors
    /// When hashes are missing.
    pub async fn root(&self, size: u64) -> Result<Hash, TreeError> {
        self.ask(|reader| tree_hash(size, reader)).await
    }

    /// The roots of the full subtrees of the tree as it was at a size: whoever has them can go on from there
    /// without what is before.
    ///
    /// # Errors
    /// When hashes are missing.
    pub async fn frontier(&self, size: u64) -> Result<Frontier, TreeError> {
        // From the largest subtree on; the size has a bit for each.
        let (mut indexes, mut start) = (Vec::new(), 0);
        for height in (0..64_u8).rev().filter(|height| size >> height & 1 == 1) {
            indexes.push(stored_hash_index(height, start >> height));
            start += 1 << height;
        }
        let roots = self.ask(|reader| reader.read_hashes(&indexes)).await?;
        let bytes: Vec<u8> = roots.iter().flat_map(|root| root.0).collect();
        Frontier::from_bytes(size, &bytes).map_err(|_| TreeError::OutOfRange)
    }

    /// The proof that an entry, counted from 0, is in the tree of a size: its sibling first.
    ///
    /// # Errors
    /// When there is no such entry, or hashes are missing.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, TreeError> {
        if index >= size {
            return Err(TreeError::OutOfRange);
        }
        self.ask(|reader| prove_record(size, index, reader)).await
    }

    /// The proof that a tree begins with a smaller one.
    ///
    /// # Errors
    /// When the smaller one is larger, or hashes are missing.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, TreeError> {
        if from > to {
            return Err(TreeError::OutOfRange);
        }
        if from == 0 {
            return Ok(Vec::new());
        }
        self.ask(|reader| prove_tree(to, from, reader)).await
    }

    /// Runs a calculation twice: first it says which hashes it needs, then it has them.
    async fn ask<T>(&self, work: impl Fn(&Reader) -> Result<T, MathError>) -> Result<T, TreeError> {
        let mut reader = Reader::default();
        if let Ok(done) = work(&reader) {
            return Ok(done);
        }
        let wanted = reader.wanted.take();
        reader.known = self.fetch(&wanted).await?;
        work(&reader).map_err(|_| TreeError::OutOfRange)
    }

    async fn fetch(&self, wanted: &[u64]) -> Result<HashMap<u64, Hash>, TreeError> {
        let mut widths = BTreeMap::<_, u16>::new();
        let places: Vec<_> = wanted.iter().map(|index| (*index, Place::of(*index))).collect();
        for (_, place) in &places {
            let width = widths.entry((place.level, place.tile)).or_default();
            *width = place.end.max(*width);
        }
        let mut tiles = HashMap::new();
        for ((level, tile), width) in widths {
            tiles.insert((level, tile), self.hashes(level, tile, width).await?);
        }
        let mut known = HashMap::new();
        for (index, place) in places {
            let bytes = |slot: u16| usize::from(slot) * HASH_SIZE;
            let hashes = tiles
                .get(&(place.level, place.tile))
                .and_then(|tile| tile.get(bytes(place.start)..bytes(place.end)))
                .ok_or(TreeError::OutOfRange)?;
            known.insert(index, Tile::subtree_hash(hashes));
        }
        Ok(known)
    }
}

/// Which hashes of which tile make an inner hash.
#[derive(Debug, Clone, Copy)]
struct Place {
    level: u8,
    tile: u64,
    start: u16,
    end: u16,
}

impl Place {
    fn of(index: u64) -> Self {
        let (height, number) = split_stored_hash_index(index);
        let within = height % 8;
        let first = number << within;
        // Below 256, and with the width at most 256.
        let start = u16::from(first.to_le_bytes()[0]);
        Self { level: height / 8, tile: first >> 8, start, end: start + (1 << within) }
    }
}

#[derive(Debug, Default)]
struct Reader {
    known: HashMap<u64, Hash>,
    wanted: RefCell<Vec<u64>>,
}

impl HashReader for Reader {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, MathError> {
        let known: Option<Vec<_>> = indexes.iter().map(|index| self.known.get(index).copied()).collect();
        known.ok_or_else(|| {
            self.wanted.borrow_mut().extend_from_slice(indexes);
            MathError::IndexesNotInTree
        })
    }
}

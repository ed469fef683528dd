//! Whether a log holds: event by event, in the order of positions, with what was signed on the way.

use std::collections::HashMap;
use std::fmt;

use evident_domain::retention::Dropped;
use evident_domain::{EventId, Position};
use tlog_tiles::{HASH_SIZE, Hash};

use super::checkpoint::{CheckpointError, TreeHead};
use super::path::TilePath;
use super::travel::head_of;
use crate::archive::{Broken, SealedEvent};
use crate::merkle::Frontier;

/// Streams whose sequences are followed at a time; what is beyond is looked at in another reading, so that
/// the memory is bounded whatever the log's length.
const STREAMS: usize = 1 << 20;

/// The first thing of a log that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// At which event.
    pub position: Position,
    /// Its id, where it has one that reads.
    pub id: Option<EventId>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no event at the position.
    #[error("there is no such event")]
    Missing,
    /// Another event stands there.
    #[error("the event of position {0} stands in its place")]
    OutOfOrder(Position),
    /// A column, or a line of an archive, holds what no event has there.
    #[error("{0}")]
    Damaged(String),
    /// Event, digests and hash do not fit each other.
    #[error("{0}")]
    Broken(#[from] Broken),
    /// It has no content, and retention drops none of its type.
    #[error("its content is not there, and is none that retention drops")]
    ContentMissing,
    /// The stream goes on with another number.
    #[error("its number in its stream is {found}, and {expected} is next")]
    Sequence {
        /// The next one.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// The event is another than the one the tile was made of, or the tile was changed.
    #[error("it is not the event that {0} was made of")]
    Tile(TilePath),
    /// A tile that has a place in the tree is not there.
    #[error("{0} is not there")]
    TileMissing(TilePath),
    /// A tile that the log is too short for.
    #[error("{0} was made of more events than there are")]
    TileBeyond(TilePath),
    /// The events up to here are not those that a checkpoint signs.
    #[error(
        "the checkpoint over {size} events signs others: an event after position {after} was changed, or the \
         log was written anew"
    )]
    Root {
        /// The checkpoint's size.
        size: u64,
        /// The size of the last checkpoint that fits.
        after: u64,
    },
    /// A checkpoint does not hold.
    #[error("the checkpoint over {size} events: {cause}")]
    Checkpoint {
        /// Its size, as far as it reads.
        size: u64,
        /// What is wrong with it.
        cause: CheckpointError,
    },
    /// A checkpoint's row says something else than its note.
    #[error("the checkpoint over {0} events is not kept as it was signed")]
    CheckpointRow(u64),
    /// The log ends before the events that were signed.
    #[error("the log ends here, and a checkpoint signs {0} events")]
    CutOff(u64),
    /// The head tells of another log.
    #[error("the log's head does not fit its events")]
    Head,
    /// Events behind the head.
    #[error("the event stands behind the log's head")]
    BehindHead,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {}", self.position)?;
        if let Some(id) = self.id {
            write!(f, " ({id})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What somebody knows of the log from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The log's verifier keys, as it had one after the other; where there is none, those beside the log.
    pub keys: Vec<String>,
    /// Checkpoints that were kept elsewhere.
    pub checkpoints: Vec<String>,
}

/// What was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// How many events there are.
    pub events: u64,
    /// Of how many the content was dropped.
    pub dropped: u64,
    /// The root over all of them.
    pub root: Hash,
    /// How many checkpoints hold, those from elsewhere too.
    pub checkpoints: u64,
    /// The keys by which they hold.
    pub keys: Vec<String>,
    /// How many stored tiles hold.
    pub tiles: u64,
    /// So many of the oldest events are no longer handed out; an archive may be without them.
    pub pruned: u64,
    /// Checkpoints from elsewhere that sign only events which an archive is without: nothing can be said.
    pub uncompared: u64,
}

/// One reading of a log.
#[derive(Debug)]
pub(super) struct Check {
    frontier: Frontier,
    dropped: u64,
    /// Checkpoints from elsewhere, by their sizes, the largest first.
    kept: Vec<TreeHead>,
    /// The size of the last checkpoint that fits.
    signed: u64,
    pub(super) checkpoints: u64,
    /// How many of those from elsewhere are of a part that is not there.
    uncompared: u64,
    streams: Streams,
}

impl Check {
    /// A reading; `streams` says whose sequences are followed.
    pub(super) fn new(kept: &[TreeHead], streams: Streams) -> Self {
        let mut kept = kept.to_vec();
        kept.sort_by_key(|head| std::cmp::Reverse(head.size));
        let frontier = Frontier::default();
        Self { frontier, dropped: 0, kept, signed: 0, checkpoints: 0, uncompared: 0, streams }
    }

    /// A reading that begins behind a part that is not there.
    pub(super) fn behind(
        frontier: Frontier,
        kept: &[TreeHead],
        mut streams: Streams,
    ) -> Result<Self, Finding> {
        streams.midway = true;
        let (later, earlier): (Vec<_>, Vec<_>) =
            kept.iter().cloned().partition(|head| head.size >= frontier.size());
        let mut check = Self::new(&later, streams);
        check.frontier = frontier;
        check.uncompared = u64::try_from(earlier.len()).unwrap_or(u64::MAX);
        check.compare_kept()?;
        Ok(check)
    }

    /// Checkpoints from elsewhere that cannot be compared.
    pub(super) fn uncompared(&self) -> u64 {
        self.uncompared
    }

    fn compare_kept(&mut self) -> Result<(), Finding> {
        let size = self.size();
        while let Some(head) = self.kept.pop_if(|head| head.size == size) {
            self.compare(&head)?;
        }
        Ok(())
    }

    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The place after the last event.
    pub(super) fn next(&self) -> Position {
        Position(self.size() + 1)
    }

    /// Where the reading stands.
    pub(super) fn here(&self, problem: Problem) -> Finding {
        Finding { position: Position(self.size()), id: None, problem }
    }

    /// The next event; gives its hash.
    pub(super) fn event(&mut self, event: &SealedEvent) -> Result<Hash, Finding> {
        let (next, found) = (self.next(), event.position());
        let leaf = &event.leaf;
        let finding = |problem| Finding { position: found, id: Some(leaf.id), problem };
        match found {
            found if found == next => {}
            found if found > next => {
                return Err(Finding { position: next, id: None, problem: Problem::Missing });
            }
            found => {
                let problem = Problem::OutOfOrder(found);
                return Err(Finding { position: next, id: Some(leaf.id), problem });
            }
        }
        event.check_content().map_err(|broken| finding(broken.into()))?;
        let Some(stream) = event.stream() else {
            return Err(finding(Problem::Damaged("its stream is of no kind that is known".to_owned())));
        };
        if event.content.is_none() {
            Dropped::of(stream.kind, &leaf.kind, &leaf.version)
                .ok_or_else(|| finding(Problem::ContentMissing))?;
            self.dropped += 1;
        }
        let expected = self.streams.next(stream.kind.as_str(), stream.id.as_u128(), leaf.sequence);
        if expected != leaf.sequence {
            return Err(finding(Problem::Sequence { expected, found: leaf.sequence }));
        }
        let bytes = leaf.to_bytes().map_err(|_| finding(Broken::Leaf.into()))?;
        let hash = Hash(self.frontier.push(&bytes));
        self.compare_kept()?;
        Ok(hash)
    }

    /// A checkpoint whose size is where the reading stands.
    pub(super) fn compare(&mut self, head: &TreeHead) -> Result<(), Finding> {
        if head.root.0 != self.frontier.root() {
            return Err(Finding {
                position: Position(self.signed + 1),
                id: None,
                problem: Problem::Root { size: head.size, after: self.signed },
            });
        }
        self.signed = head.size;
        self.checkpoints += 1;
        Ok(())
    }

    /// The log's end.
    pub(super) fn end(&mut self) -> Result<(), Finding> {
        while let Some(head) = self.kept.pop() {
            if head.size > 0 {
                return Err(Finding { position: self.next(), id: None, problem: Problem::CutOff(head.size) });
            }
            self.compare_empty(&head)?;
        }
        Ok(())
    }

    pub(super) fn compare_empty(&mut self, head: &TreeHead) -> Result<(), Finding> {
        self.checkpoints += 1;
        let empty = Frontier::default().root();
        if head.root.0 == empty {
            return Ok(());
        }
        Err(Finding { position: Position(1), id: None, problem: Problem::Root { size: 0, after: 0 } })
    }

    /// The streams that are left for another reading.
    pub(super) fn rest(self) -> Option<Streams> {
        self.streams.rest()
    }
}

/// Opens checkpoints from elsewhere.
pub(super) fn open_kept(notes: &[String], keys: &[String]) -> Result<Vec<TreeHead>, Finding> {
    notes.iter().map(|note| open(note, keys)).collect()
}

/// Opens a checkpoint, and checks its signature where a key is known.
pub(super) fn open(note: &str, keys: &[String]) -> Result<TreeHead, Finding> {
    head_of(note, keys).map_err(|cause| {
        let size = TreeHead::unverified(note).map_or(0, |head| head.size);
        Finding { position: Position(size), id: None, problem: Problem::Checkpoint { size, cause } }
    })
}

/// The sequences of streams, as far as one reading follows them: those whose hashes are from `from` to
/// `below`. Where they are too many the half of them is left to the next reading.
#[derive(Debug)]
pub(super) struct Streams {
    from: u64,
    below: Option<u64>,
    last: HashMap<u128, u64>,
    most: usize,
    /// The reading begins within the log: what a stream is met with first is taken as it is.
    midway: bool,
}

impl Default for Streams {
    fn default() -> Self {
        Self { from: 0, below: None, last: HashMap::new(), most: STREAMS, midway: false }
    }
}

impl Streams {
    /// The number that the stream's next event must have; what was found where it is not followed.
    fn next(&mut self, kind: &str, id: u128, found: u64) -> u64 {
        let mut key = id;
        for byte in kind.bytes() {
            key = key.rotate_left(9) ^ u128::from(byte);
        }
        if !self.follows(key) {
            return found;
        }
        let before = if self.midway { found.saturating_sub(1) } else { 0 };
        let last = self.last.entry(key).or_insert(before);
        *last += 1;
        let expected = *last;
        if self.last.len() > self.most {
            self.leave_half();
        }
        expected
    }

    fn follows(&self, key: u128) -> bool {
        let place = place(key);
        place >= self.from && self.below.is_none_or(|below| place < below)
    }

    fn leave_half(&mut self) {
        let mut places: Vec<_> = self.last.keys().map(|key| place(*key)).collect();
        let half = places.len() / 2;
        let (_, median, _) = places.select_nth_unstable(half);
        let median = *median;
        self.below = Some(median);
        self.last.retain(|key, _| place(*key) < median);
    }

    fn rest(self) -> Option<Self> {
        let from = self.below?;
        // Where a reading follows none at all the next would do no better.
        (from > self.from).then(|| Self { from, below: None, last: HashMap::new(), ..self })
    }
}

/// Spreads ids that are not random.
fn place(key: u128) -> u64 {
    let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    (mixed >> 64) as u64
}

/// The hash of a row's column.
pub(super) fn column_hash(bytes: &[u8]) -> Option<Hash> {
    <[u8; HASH_SIZE]>::try_from(bytes).ok().map(Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_streams_than_fit_are_followed_in_several_readings() {
        let events = |n: u64| (0..n).map(|i| (u128::from(i % 100), i / 100 + 1));
        let run = |wrong: Option<u128>| {
            let (mut streams, mut readings, mut found) =
                (Some(Streams { most: 10, ..Streams::default() }), 0, false);
            while let Some(mut these) = streams {
                for (id, sequence) in events(1000) {
                    let sequence = sequence + u64::from(wrong == Some(id) && sequence == 10);
                    found |= these.next("user", id, sequence) != sequence;
                    assert!(these.last.len() <= 10);
                }
                readings += 1;
                streams = these.rest();
            }
            (readings, found)
        };
        let (readings, found) = run(None);
        assert!(readings > 5 && !found, "{readings}");
        for wrong in 0..100 {
            assert!(run(Some(wrong)).1, "{wrong}");
        }
    }
}

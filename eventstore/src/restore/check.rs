//! Checking an archive's lines one after the other.

use std::io::{BufRead, Read};

use evident_domain::Position;
use tokio::sync::mpsc;

use super::RestoreError;
use crate::archive::{ARCHIVE_FORMAT, ArchiveHead, ArchiveLine, Broken, SealedEvent};
use crate::codec::CodecError;
use crate::database::Row;
use crate::merkle::{Frontier, MAX_LEAF_BYTES};
use crate::tlog::{CheckpointError, Kept, head_of};

/// Events written in one statement.
const PORTION: usize = 1_000;
/// A line longer than this is no event's.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum LineProblem {
    /// It is no line of an archive.
    #[error("it does not read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The first line is another.
    #[error("an archive begins with a line that says what it is")]
    NoHead,
    /// The head stands again.
    #[error("a second archive begins here")]
    SecondHead,
    /// The format is another.
    #[error("the archive's format is {0}, and this program reads {ARCHIVE_FORMAT}")]
    Format(u32),
    /// The oldest part is left out.
    #[error(
        "the archive is without the {0} oldest events: it can be checked, but tables are folded from the first \
         event on, so nothing is restored from it; take a whole one"
    )]
    Pruned(u64),
    /// An event is missing, or stands in another place.
    #[error("the event is at position {found}, where {expected} belongs")]
    Position {
        /// What belongs there.
        expected: Position,
        /// What stands there.
        found: Position,
    },
    /// Content and leaf do not fit.
    #[error("the event at position {position}: {broken}")]
    Broken {
        /// Where.
        position: Position,
        /// What does not fit.
        broken: Broken,
    },
    /// It cannot stand in the log.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A checkpoint does not read, or the key that the archive names did not sign it.
    #[error(transparent)]
    Signature(#[from] CheckpointError),
    /// A checkpoint is of another tree.
    #[error("the checkpoint is not that of the {0} events before it")]
    Checkpoint(u64),
    /// It ends in the middle.
    #[error("the line is cut off")]
    CutOff,
}

/// Events that hold, as rows of the log.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) rows: Vec<Row>,
    pub(super) checkpoints: Vec<Kept>,
    pub(super) last: Position,
    /// What the archive says of itself.
    pub(super) head: ArchiveHead,
}

/// What is known once every line holds.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) head: ArchiveHead,
    pub(super) frontier: Frontier,
    pub(super) checkpoints: u64,
}

/// Goes through the lines.
#[derive(Debug, Default)]
pub(super) struct Checker {
    head: Option<ArchiveHead>,
    frontier: Frontier,
    checkpoints: u64,
    /// When the last event happened.
    time: i64,
    rows: Vec<Row>,
    kept: Vec<Kept>,
}

impl Checker {
    /// Checks every line, and hands over the events. Ends early where nobody takes them.
    pub(super) fn run(
        mut self,
        mut archive: impl BufRead,
        portions: &mpsc::Sender<Portion>,
    ) -> Result<Outcome, RestoreError> {
        let (mut text, mut number) = (String::new(), 0);
        loop {
            text.clear();
            if archive.by_ref().take(LONGEST_LINE).read_line(&mut text)? == 0 {
                break;
            }
            number += 1;
            self.line(&text).map_err(|problem| RestoreError::Line { line: number, problem })?;
            if self.rows.len() + self.kept.len() >= PORTION && !self.hand_over(portions) {
                break;
            }
        }
        self.hand_over(portions);
        let head = self.head.ok_or(RestoreError::Line { line: 1, problem: LineProblem::NoHead })?;
        Ok(Outcome { head, frontier: self.frontier, checkpoints: self.checkpoints })
    }

    fn hand_over(&mut self, portions: &mpsc::Sender<Portion>) -> bool {
        let (rows, checkpoints) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.kept));
        let last = Position(self.frontier.size());
        let Some(head) = self.head.clone().filter(|_| !rows.is_empty() || !checkpoints.is_empty()) else {
            return true;
        };
        portions.blocking_send(Portion { rows, checkpoints, last, head }).is_ok()
    }

    fn line(&mut self, text: &str) -> Result<(), LineProblem> {
        if !text.ends_with('\n') {
            return Err(LineProblem::CutOff);
        }
        match (serde_json::from_str(text)?, &self.head) {
            (ArchiveLine::Archive(head), None) if head.format == ARCHIVE_FORMAT => {
                if let Some(part) = &head.pruned {
                    return Err(LineProblem::Pruned(part.events));
                }
                self.head = Some(head);
            }
            (ArchiveLine::Archive(head), None) => return Err(LineProblem::Format(head.format)),
            (ArchiveLine::Archive(_), Some(_)) => return Err(LineProblem::SecondHead),
            (_, None) => return Err(LineProblem::NoHead),
            (ArchiveLine::Event(event), Some(_)) => self.event(&event)?,
            (ArchiveLine::Checkpoint(note), Some(_)) => self.checkpoint(note)?,
        }
        Ok(())
    }

    fn event(&mut self, event: &SealedEvent) -> Result<(), LineProblem> {
        let (expected, found) = (Position(self.frontier.size() + 1), event.position());
        if found != expected {
            return Err(LineProblem::Position { expected, found });
        }
        let broken = |broken| LineProblem::Broken { position: found, broken };
        event.check_content().map_err(broken)?;
        let leaf = event.leaf.to_bytes().map_err(|_| broken(Broken::Leaf))?;
        if leaf.len() > MAX_LEAF_BYTES {
            return Err(CodecError::LeafTooLong.into());
        }
        self.rows.push(event.to_row()?);
        self.time = event.leaf.time;
        self.frontier.push(&leaf);
        Ok(())
    }

    fn checkpoint(&mut self, note: String) -> Result<(), LineProblem> {
        let keys = self.head.as_ref().map(ArchiveHead::keys).unwrap_or_default();
        let head = head_of(&note, &keys)?;
        let size = self.frontier.size();
        if head.size != size || head.root.0 != self.frontier.root() {
            return Err(LineProblem::Checkpoint(size));
        }
        self.checkpoints += 1;
        self.kept.push(Kept { head, text: note, at: self.time });
        Ok(())
    }
}

//! Whether an archive holds: the same as of a stored log, from its lines alone.

use std::io::{self, BufRead};

use evident_domain::Position;
use tlog_tiles::Hash;

use super::check::{Check, Checked, Finding, Problem, Streams, Trust, open, open_kept};
use crate::archive::{ARCHIVE_FORMAT, ArchiveLine};
use crate::merkle::Frontier;

/// A line that is longer than this is no event's.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;
/// So many events are done between two words about it.
const WORD: u64 = 4_096;

/// Checks an archive. `read` opens it, and again where the log has too many streams for one reading.
///
/// # Errors
/// When it cannot be read. What does not hold is no error but the outcome.
pub fn check_archive<R: BufRead>(
    read: impl Fn() -> io::Result<R>,
    trust: &Trust,
    progress: impl Fn(u64),
) -> io::Result<Result<Checked, Finding>> {
    let mut first = None;
    let mut streams = Some(Streams::default());
    while let Some(these) = streams {
        let mut reading = Reading { keys: trust.keys.clone(), check: None, pruned: 0 };
        let checked = match reading.run(&mut read()?, trust, these, &progress)? {
            Ok(checked) => checked,
            Err(finding) => return Ok(Err(finding)),
        };
        first.get_or_insert(checked);
        streams = reading.check.and_then(Check::rest);
    }
    match first {
        Some(checked) => Ok(Ok(checked)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

struct Reading {
    keys: Vec<String>,
    check: Option<Check>,
    /// Events that the archive is without.
    pruned: u64,
}

impl Reading {
    fn run(
        &mut self,
        lines: &mut impl BufRead,
        trust: &Trust,
        streams: Streams,
        progress: &impl Fn(u64),
    ) -> io::Result<Result<Checked, Finding>> {
        let (mut line, mut streams) = (String::new(), Some(streams));
        loop {
            line.clear();
            if io::Read::take(&mut *lines, LONGEST_LINE).read_line(&mut line)? == 0 {
                break;
            }
            let outcome = match serde_json::from_str::<ArchiveLine>(&line) {
                Ok(line) => self.line(line, trust, &mut streams),
                Err(error) => Err(self.damaged(&format!("the archive's line does not read: {error}"))),
            };
            if let Err(finding) = outcome {
                return Ok(Err(finding));
            }
            if let Some(check) = &self.check
                && check.size() % WORD == 0
            {
                progress(check.size());
            }
        }
        let Some(check) = &mut self.check else {
            return Ok(Err(self.damaged("the file is empty")));
        };
        progress(check.size());
        Ok(check.end().map(|()| Checked {
            events: check.size(),
            dropped: check.dropped(),
            root: Hash(check.frontier().root()),
            checkpoints: check.checkpoints,
            keys: self.keys.clone(),
            tiles: 0,
            pruned: self.pruned,
            uncompared: check.uncompared(),
        }))
    }

    fn line(
        &mut self,
        line: ArchiveLine,
        trust: &Trust,
        streams: &mut Option<Streams>,
    ) -> Result<(), Finding> {
        let check = match (line, &mut self.check) {
            (ArchiveLine::Archive(head), None) => {
                if head.format != ARCHIVE_FORMAT {
                    return Err(self.damaged(&format!("the archive is of format {}", head.format)));
                }
                // What the archive says of its own key is of use only to find accidents.
                if self.keys.is_empty() {
                    self.keys = head.keys();
                }
                let kept = open_kept(&trust.checkpoints, &self.keys)?;
                let streams = streams.take().unwrap_or_default();
                self.check = Some(match head.pruned {
                    None => Check::new(&kept, streams),
                    Some(part) => {
                        let frontier = Frontier::from_bytes(part.events, &part.frontier);
                        let frontier = frontier
                            .map_err(|_| self.damaged("what it says of the part before it does not read"))?;
                        self.pruned = part.events;
                        Check::behind(frontier, &kept, streams)?
                    }
                });
                return Ok(());
            }
            (_, None) => return Err(self.damaged("the file does not begin as an archive does")),
            (ArchiveLine::Archive(_), Some(_)) => {
                return Err(self.damaged("a second archive begins in the first"));
            }
            (ArchiveLine::Event(event), Some(check)) => return check.event(&event).map(drop),
            (ArchiveLine::Checkpoint(note), Some(check)) => (note, check),
        };
        let (note, check) = check;
        let head = open(&note, &self.keys)?;
        if head.size == 0 {
            return check.compare_empty(&head);
        }
        if head.size != check.size() {
            let position = Position(check.size());
            return Err(Finding { position, id: None, problem: Problem::CheckpointRow(head.size) });
        }
        check.compare(&head)
    }

    fn damaged(&self, what: &str) -> Finding {
        let position = self.check.as_ref().map_or(Position(1), Check::next);
        Finding { position, id: None, problem: Problem::Damaged(what.to_owned()) }
    }
}

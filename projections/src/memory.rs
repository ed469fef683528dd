//! Rows that the inline projections wrote last, so that the next batch need not read them back.
//!
//! They are what the tables hold as long as every event since was folded here: what is remembered belongs
//! to a position, and is of use only to the batch that comes right behind it. What a batch makes of the
//! rows is remembered once the batch is committed, and not before.

use std::collections::HashMap;

use evident_domain::Position;
use evident_eventstore::{Row, Value};

/// Bytes of rows that are remembered of a projection at least; twice as much at most.
const BYTES: usize = 1 << 20;
/// Groups with more bytes than this are not remembered: a few people with much data must not push out
/// all others.
const BYTES_OF_A_GROUP: usize = 1 << 14;

/// The rows of some groups of each projection, as of a position.
#[derive(Default)]
pub(crate) struct Memory {
    position: Position,
    /// By the projections' places in their list.
    tables: HashMap<usize, Generations>,
    /// What a batch that is not yet committed makes of it.
    draft: Option<Draft>,
}

/// The groups that a batch touches, and their rows after it.
pub(crate) struct Draft {
    pub(crate) first: Position,
    pub(crate) last: Position,
    pub(crate) groups: Vec<(usize, String, Vec<Row>)>,
}

/// What was used lately: the newer half makes the older one's place when it is full.
#[derive(Default)]
struct Generations {
    newer: HashMap<String, Vec<Row>>,
    older: HashMap<String, Vec<Row>>,
    newer_bytes: usize,
}

impl Memory {
    /// A batch begins with the event of a position. Unless it comes right behind what is remembered, all
    /// of that is forgotten.
    pub(crate) fn begin(&mut self, first: Position) {
        self.draft = None;
        if first.0 != self.position.0 + 1 {
            self.tables.clear();
        }
    }

    /// The rows of a group.
    pub(crate) fn rows(&self, table: usize, group: &str) -> Option<&[Row]> {
        let generations = self.tables.get(&table)?;
        let rows = generations.newer.get(group).or_else(|| generations.older.get(group))?;
        Some(rows)
    }

    /// A batch is written, but not committed.
    pub(crate) fn draft(&mut self, draft: Draft) {
        self.draft = Some(draft);
    }

    /// A batch that begins with the event of a position is committed.
    pub(crate) fn committed(&mut self, first: Position) {
        match self.draft.take() {
            Some(draft) if draft.first == first => {
                for (table, group, rows) in draft.groups {
                    self.tables.entry(table).or_default().put(group, rows);
                }
                self.position = draft.last;
            }
            Some(_) | None => self.forget(),
        }
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Generations {
    fn put(&mut self, group: String, rows: Vec<Row>) {
        let bytes = group.len() + rows.iter().map(bytes).sum::<usize>();
        self.older.remove(&group);
        if bytes > BYTES_OF_A_GROUP {
            self.newer.remove(&group);
            return;
        }
        if self.newer.insert(group, rows).is_none() {
            self.newer_bytes += bytes;
        }
        if self.newer_bytes > BYTES {
            self.older = std::mem::take(&mut self.newer);
            self.newer_bytes = 0;
        }
    }
}

fn bytes(row: &Row) -> usize {
    let inside = |value: &Value| match value {
        Value::Null | Value::Bool(_) | Value::Int(_) => 0,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    };
    row.iter().map(|value| size_of::<Value>() + inside(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<Row> {
        vec![vec![text.into()]]
    }

    fn batch(memory: &mut Memory, first: u64, groups: &[(&str, &str)]) {
        memory.begin(Position(first));
        let groups = groups.iter().map(|(group, text)| (0, (*group).to_owned(), row(text))).collect();
        memory.draft(Draft { first: Position(first), last: Position(first), groups });
    }

    #[test]
    fn what_is_committed_is_remembered_and_a_draft_is_not() {
        let mut memory = Memory::default();
        batch(&mut memory, 1, &[("a", "1")]);
        assert_eq!(memory.rows(0, "a"), None);
        memory.committed(Position(1));
        assert_eq!(memory.rows(0, "a"), Some(row("1").as_slice()));
        // A batch that came to nothing, and its second try.
        batch(&mut memory, 2, &[("a", "2")]);
        memory.begin(Position(2));
        assert_eq!(memory.rows(0, "a"), Some(row("1").as_slice()));
    }

    #[test]
    fn after_a_gap_nothing_is_remembered() {
        let mut memory = Memory::default();
        batch(&mut memory, 1, &[("a", "1")]);
        memory.committed(Position(1));
        memory.begin(Position(3));
        assert_eq!(memory.rows(0, "a"), None);
        // A commit of something else than was drafted last.
        batch(&mut memory, 3, &[("a", "3")]);
        memory.committed(Position(4));
        memory.begin(Position(5));
        assert_eq!(memory.rows(0, "a"), None);
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_no_old_row_of_a_group_that_grew() {
        let mut memory = Memory::default();
        let large = "x".repeat(BYTES_OF_A_GROUP / 2);
        for number in 1..=1_000 {
            batch(&mut memory, number, &[("a", "1"), (&format!("g{number}"), &large)]);
            memory.committed(Position(number));
        }
        let held = &memory.tables[&0];
        let all: usize = held.newer.values().chain(held.older.values()).flatten().map(bytes).sum();
        assert!(all < 3 * BYTES, "{all}");
        assert_eq!(memory.rows(0, "a"), Some(row("1").as_slice()));
        assert_eq!(memory.rows(0, "g1"), None);
        batch(&mut memory, 1_001, &[("a", &large.repeat(3))]);
        memory.committed(Position(1_001));
        assert_eq!(memory.rows(0, "a"), None);
    }
}

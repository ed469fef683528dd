//! Writes that were put off, so that they reach the database in one go.

use std::collections::{HashMap, HashSet};

use super::{OnConflict, Row, Table, Value};

/// What is to be written to one table.
#[derive(Debug)]
pub(crate) struct Write {
    pub(super) table: Table,
    pub(super) change: Change,
}

#[derive(Debug)]
pub(super) enum Change {
    Put { rows: Vec<Row>, conflict: OnConflict },
    Remove { keys: Vec<String> },
}

/// The head of the log on its way: from where it must stand to where it goes. Where it stands elsewhere
/// nothing at all is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadMove<'a> {
    pub(crate) from_position: i64,
    pub(crate) from_epoch: i64,
    pub(crate) to_position: i64,
    pub(crate) to_frontier: &'a [u8],
}

/// The parameters of a [`HeadMove`] are the first ones of a statement.
pub(super) const HEAD_PARAMS: usize = 4;
/// That the head stands where the move begins.
pub(super) const HEAD_STANDS: &str = "only_row = 1 and position = $1 and writer_epoch = $2";
/// The move itself; it hands out a row if it was made.
pub(super) const MOVE_HEAD: &str = "update log_head set position = $3, frontier = $4 where \
     only_row = 1 and position = $1 and writer_epoch = $2";

impl HeadMove<'_> {
    pub(super) fn params(&self) -> [Value; HEAD_PARAMS] {
        [
            self.from_position.into(),
            self.from_epoch.into(),
            self.to_position.into(),
            self.to_frontier.to_vec().into(),
        ]
    }
}

impl Write {
    /// Rows that replace those of the same keys.
    pub(crate) fn upsert(table: &Table, rows: Vec<Row>) -> Self {
        Self::put(table, rows, OnConflict::Replace)
    }

    /// Rows whose keys must be new.
    pub(crate) fn insert(table: &Table, rows: Vec<Row>) -> Self {
        Self::put(table, rows, OnConflict::Fail)
    }

    fn put(table: &Table, rows: Vec<Row>, conflict: OnConflict) -> Self {
        Self { table: table.clone(), change: Change::Put { rows, conflict } }
    }

    /// Rows that go.
    pub(crate) fn delete(table: &Table, keys: &[String]) -> Self {
        Self { table: table.clone(), change: Change::Remove { keys: keys.to_vec() } }
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    pub(crate) fn is_empty(&self) -> bool {
        match &self.change {
            Change::Put { rows, .. } => rows.is_empty(),
            Change::Remove { keys } => keys.is_empty(),
        }
    }

    fn keys(&self) -> HashSet<&str> {
        match &self.change {
            Change::Put { rows, .. } => {
                rows.iter().filter_map(|row| row.first()).filter_map(Value::as_text).collect()
            }
            Change::Remove { keys } => keys.iter().map(String::as_str).collect(),
        }
    }
}

/// How many of the writes, from the first on, can be parts of one statement: the parts have no order
/// among them, so no row may be touched by two.
pub(crate) fn independent(writes: &[Write]) -> usize {
    let mut seen: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (at, write) in writes.iter().enumerate() {
        let seen = seen.entry(&write.table.name).or_default();
        let keys = write.keys();
        if !seen.is_disjoint(&keys) {
            return at;
        }
        seen.extend(keys);
    }
    writes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::CLAIMS;
    use crate::outbox::OUTBOX;

    #[test]
    fn what_touches_a_row_twice_is_not_one_statement() {
        let row = |key: &str| vec![Value::from(key)];
        let writes = [
            Write::insert(&OUTBOX, vec![row("a"), row("b")]),
            Write::delete(&CLAIMS, &["a".to_owned()]),
            Write::upsert(&CLAIMS, vec![row("b")]),
            Write::upsert(&CLAIMS, vec![row("c"), row("a")]),
            Write::delete(&CLAIMS, &["z".to_owned()]),
        ];
        assert_eq!(independent(&writes), 3);
        assert_eq!(independent(&writes[3..]), 2);
        assert_eq!(independent(&[]), 0);
    }
}

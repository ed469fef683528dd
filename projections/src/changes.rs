//! What a fold has to write to its tables, and writing it.

use std::collections::{BTreeMap, HashMap};

use evident_eventstore::{DatabaseError, Row, Table, Tables, Value};

/// So many new counters are worth a statement of their own.
const INSERTED_TOGETHER: usize = 100;

/// What has to be written to a projection's tables.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// Keys of rows that go. They go first: their keys may come back in another group.
    pub deletes: Vec<String>,
    /// Rows that come where none stood.
    pub inserts: Vec<Row>,
    /// Rows that change.
    pub upserts: Vec<Row>,
    /// Counters, and by how much they move.
    pub counts: BTreeMap<Row, i64>,
}

impl Changes {
    /// Moves counters.
    pub(crate) fn count(&mut self, counters: &[Row], by: i64) {
        for counter in counters {
            match self.counts.get_mut(counter) {
                Some(count) => *count += by,
                None => {
                    self.counts.insert(counter.clone(), by);
                }
            }
        }
    }

    /// The same in the order of keys, so that neighbours are written together, and without counters that stay.
    pub(crate) fn ordered(mut self) -> Self {
        self.counts.retain(|_, by| *by != 0);
        for rows in [&mut self.inserts, &mut self.upserts] {
            rows.sort_unstable_by(|a, b| a.first().cmp(&b.first()));
        }
        self.deletes.sort_unstable();
        self
    }

    /// The same in fewer statements: what comes is written as what changes is.
    pub(crate) fn merged(mut self) -> Self {
        self.upserts.append(&mut self.inserts);
        self.ordered()
    }

    /// The same in portions of so many rows, to be written one after the other.
    pub(crate) fn portions(mut self, rows: usize) -> Vec<Self> {
        let mut portions = Vec::new();
        let deletes = std::mem::take(&mut self.deletes);
        portions.extend(deletes.chunks(rows).map(|keys| Self { deletes: keys.to_vec(), ..Self::default() }));
        let inserts = chunks(std::mem::take(&mut self.inserts), rows);
        portions.extend(inserts.map(|inserts| Self { inserts, ..Self::default() }));
        let upserts = chunks(std::mem::take(&mut self.upserts), rows);
        portions.extend(upserts.map(|upserts| Self { upserts, ..Self::default() }));
        while !self.counts.is_empty() {
            let rest = self.counts.keys().nth(rows).cloned().map(|at| self.counts.split_off(&at));
            portions.push(Self { counts: std::mem::take(&mut self.counts), ..Self::default() });
            self.counts = rest.unwrap_or_default();
        }
        portions
    }

    /// Writes everything to tables.
    pub(crate) async fn write(
        self,
        tables: &mut dyn Tables,
        table: &Table,
        tally: Option<&Table>,
    ) -> Result<(), DatabaseError> {
        if !self.deletes.is_empty() {
            tables.delete(table, &self.deletes).await?;
        }
        if !self.inserts.is_empty() {
            tables.insert(table, self.inserts).await?;
        }
        if !self.upserts.is_empty() {
            tables.upsert(table, self.upserts).await?;
        }
        match tally {
            Some(tally) if !self.counts.is_empty() => add(tables, tally, self.counts).await,
            Some(_) | None => Ok(()),
        }
    }
}

/// Rows in portions of so many.
fn chunks(mut rest: Vec<Row>, rows: usize) -> impl Iterator<Item = Vec<Row>> {
    std::iter::from_fn(move || {
        let next = rest.split_off(rest.len().min(rows));
        Some(std::mem::replace(&mut rest, next)).filter(|some| !some.is_empty())
    })
}

/// Moves counters; one that reaches 0 goes.
async fn add(
    tables: &mut dyn Tables,
    tally: &Table,
    counts: BTreeMap<Row, i64>,
) -> Result<(), DatabaseError> {
    let key = |row: &Row| row.first().and_then(Value::as_text).map(str::to_owned);
    let keys: Vec<String> = counts.keys().filter_map(key).collect();
    let stored = tables.select(tally, tally.key(), &keys).await?;
    let stored: HashMap<String, i64> =
        stored.iter().filter_map(|row| Some((key(row)?, row.last().and_then(Value::as_int)?))).collect();
    let (mut inserts, mut upserts, mut deletes) = (Vec::new(), Vec::new(), Vec::new());
    for (mut row, by) in counts {
        let Some(key) = key(&row) else { continue };
        let before = stored.get(&key).copied();
        let now = before.unwrap_or_default() + by;
        row.push(Value::Int(now));
        match before {
            Some(_) if now == 0 => deletes.push(key),
            Some(_) => upserts.push(row),
            None => inserts.push(row),
        }
    }
    if inserts.len() < INSERTED_TOGETHER {
        upserts.append(&mut inserts);
    } else {
        tables.insert(tally, inserts).await?;
    }
    if !deletes.is_empty() {
        tables.delete(tally, &deletes).await?;
    }
    if upserts.is_empty() { Ok(()) } else { tables.upsert(tally, upserts).await }
}

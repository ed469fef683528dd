//! Folding in memory: the rows that events touch go in, changes come out. The same code runs inline,
//! in rebuilds, in verification and in replays.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;

use evident_domain::Recorded;
use evident_eventstore::{DatabaseError, Row, Table, Tables, Value};
use foldhash::fast::RandomState;

use crate::digest::RowsDigest;
use crate::fold::{Fold, Tally};

/// A projection behind one face, whatever its rows are.
pub(crate) trait Projection: Send + Sync {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    fn table(&self) -> Table;
    fn group(&self) -> &'static str;
    fn tally(&self) -> Option<Tally>;
    fn personal_keys(&self) -> bool;
    fn folding(&self) -> Box<dyn Folding>;

    /// All tables that follow from it.
    fn tables(&self) -> Vec<Table> {
        std::iter::once(self.table()).chain(self.tally().map(|tally| tally.table)).collect()
    }
}

/// Groups of one projection in memory.
pub(crate) trait Folding: Send {
    /// What is needed before events can be folded; it is asked right before they are.
    fn needs(&mut self, events: &[Recorded], begun: &Begun) -> Needs;
    /// Takes in rows of groups that were asked for; a group without rows has none.
    fn load(&mut self, asked: &[String], rows: Vec<Row>) -> Result<(), DatabaseError>;
    /// Folds the events that were asked about, in the order of their positions.
    fn fold(&mut self, events: &[Recorded]);
    /// What has to be written, and forgets everything; shows each group and its rows as they will be.
    fn drain_with(&mut self, show: &mut dyn FnMut(String, &[Row])) -> Changes;
    /// What has to be written, and forgets everything; also tells how the digest of all rows moves.
    fn drain_digested(&mut self, digest: &mut RowsDigest) -> Changes;
    /// Hands over everything, and forgets it: for a drain elsewhere.
    fn take(&mut self) -> Box<dyn Folding>;
    /// How many groups are held.
    fn len(&self) -> usize;
}

/// The streams that begin among some events: nothing can have touched a group that is named by one.
#[derive(Debug, Default)]
pub(crate) struct Begun(HashSet<String, RandomState>);

impl Begun {
    pub(crate) fn of(events: &[Recorded]) -> Self {
        let begun = events.iter().filter(|event| event.sequence == 1);
        Self(begun.map(|event| event.stream.id.to_string()).collect())
    }
}

/// What a projection needs before it can fold some events.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Whether the events touch it at all.
    pub touched: bool,
    /// Groups whose rows must be read first.
    pub unknown: Vec<String>,
}

/// What has to be written to a projection's tables.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// Keys of rows that go. They go first: their keys may come back in another group.
    pub deletes: Vec<String>,
    /// Rows that come or change.
    pub upserts: Vec<Row>,
    /// Counters, and by how much they move.
    pub counts: BTreeMap<Row, i64>,
}

/// A fold as a [`Projection`].
pub(crate) struct Of<F>(pub PhantomData<F>);

impl<F: Fold> Projection for Of<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn version(&self) -> u32 {
        F::VERSION
    }

    fn table(&self) -> Table {
        F::TABLE
    }

    fn group(&self) -> &'static str {
        F::GROUP
    }

    fn tally(&self) -> Option<Tally> {
        F::TALLY
    }

    fn personal_keys(&self) -> bool {
        F::PERSONAL_KEYS
    }

    fn folding(&self) -> Box<dyn Folding> {
        Box::new(Groups::<F> { groups: HashMap::default(), keys: Vec::new() })
    }
}

struct Group<F> {
    /// The rows as they stand in the table.
    stored: Vec<Row>,
    state: Option<F>,
}

struct Groups<F> {
    groups: HashMap<String, Group<F>, RandomState>,
    /// Which events touch which groups, of those that are folded next.
    keys: Vec<(usize, String)>,
}

impl<F: Fold> Folding for Groups<F> {
    fn needs(&mut self, events: &[Recorded], begun: &Begun) -> Needs {
        self.keys.clear();
        let mut unknown = BTreeSet::new();
        for (at, event) in events.iter().enumerate() {
            for key in F::keys(event) {
                if !F::TOUCHED_ONCE && !self.groups.contains_key(&key) && !begun.0.contains(&key) {
                    unknown.insert(key.clone());
                }
                self.keys.push((at, key));
            }
        }
        Needs { touched: !self.keys.is_empty(), unknown: unknown.into_iter().collect() }
    }

    fn load(&mut self, asked: &[String], rows: Vec<Row>) -> Result<(), DatabaseError> {
        let column = F::TABLE.columns.iter().position(|column| column.name == F::GROUP).unwrap_or_default();
        let mut found: HashMap<String, Vec<Row>> = HashMap::new();
        for row in rows {
            if let Some(key) = row.get(column).and_then(Value::as_text) {
                found.entry(key.to_owned()).or_default().push(row);
            }
        }
        for key in asked {
            if let Entry::Vacant(vacant) = self.groups.entry(key.clone()) {
                let stored = found.remove(key).unwrap_or_default();
                let state = F::from_rows(stored.clone())?;
                vacant.insert(Group { stored, state });
            }
        }
        Ok(())
    }

    fn fold(&mut self, events: &[Recorded]) {
        for (at, key) in std::mem::take(&mut self.keys) {
            let Some(event) = events.get(at) else { continue };
            match self.groups.entry(key) {
                Entry::Occupied(mut group) => {
                    let state = group.get_mut().state.take();
                    let state = F::apply(state, event, group.key());
                    group.get_mut().state = state;
                }
                Entry::Vacant(vacant) => {
                    let state = F::apply(None, event, vacant.key());
                    vacant.insert(Group { stored: Vec::new(), state });
                }
            }
        }
    }

    fn drain_with(&mut self, show: &mut dyn FnMut(String, &[Row])) -> Changes {
        self.changes(show, None)
    }

    fn drain_digested(&mut self, digest: &mut RowsDigest) -> Changes {
        self.changes(&mut |_, _| (), Some(digest))
    }

    fn take(&mut self) -> Box<dyn Folding> {
        Box::new(Self { groups: std::mem::take(&mut self.groups), keys: Vec::new() })
    }

    fn len(&self) -> usize {
        self.groups.len()
    }
}

impl<F: Fold> Groups<F> {
    fn changes(
        &mut self,
        show: &mut dyn FnMut(String, &[Row]),
        mut digest: Option<&mut RowsDigest>,
    ) -> Changes {
        let mut changes = Changes::default();
        for (key, group) in std::mem::take(&mut self.groups) {
            let rows = group.state.map(|state| state.rows(&key)).unwrap_or_default();
            show(key, &rows);
            difference::<F>(&mut changes, digest.as_deref_mut(), group.stored, rows);
        }
        changes.counts.retain(|_, by| *by != 0);
        // In the order of keys, so that neighbours are written together.
        changes.upserts.sort_unstable_by(|a, b| a.first().cmp(&b.first()));
        changes.deletes.sort_unstable();
        changes
    }
}

/// Adds what makes the rows out of what is stored.
fn difference<F: Fold>(
    changes: &mut Changes,
    mut digest: Option<&mut RowsDigest>,
    stored: Vec<Row>,
    rows: Vec<Row>,
) {
    let of = F::TALLY.map(|tally| tally.of);
    let mut count = |row: &Row, by: i64| {
        for counter in of.iter().flat_map(|of| of(row)) {
            *changes.counts.entry(counter).or_default() += by;
        }
    };
    let mut before: BTreeMap<Option<Value>, Row> =
        stored.into_iter().map(|row| (row.first().cloned(), row)).collect();
    for row in rows {
        let old = before.remove(&row.first().cloned());
        if old.as_ref().is_some_and(|old| same(old, &row)) {
            continue;
        }
        if let Some(old) = &old {
            count(old, -1);
        }
        count(&row, 1);
        if let Some(digest) = digest.as_deref_mut() {
            if let Some(old) = &old {
                digest.remove(old);
            }
            digest.add(&row);
        }
        changes.upserts.push(row);
    }
    for old in before.into_values() {
        count(&old, -1);
        if let Some(digest) = digest.as_deref_mut() {
            digest.remove(&old);
        }
        if let Some(Value::Text(key)) = old.into_iter().next() {
            changes.deletes.push(key);
        }
    }
}

/// Whether two rows are the same, whichever database they came from.
fn same(a: &Row, b: &Row) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| normal(a) == normal(b))
}

/// A value as both databases would hand it out: a truth value as 0 or 1.
pub(crate) fn normal(value: &Value) -> std::borrow::Cow<'_, Value> {
    match value {
        Value::Bool(truth) => std::borrow::Cow::Owned(Value::Int(i64::from(*truth))),
        Value::Null | Value::Int(_) | Value::Text(_) | Value::Bytes(_) => std::borrow::Cow::Borrowed(value),
    }
}

impl Changes {
    /// The same in portions of so many rows, to be written one after the other.
    pub(crate) fn portions(mut self, rows: usize) -> Vec<Self> {
        let mut portions = Vec::new();
        let deletes = std::mem::take(&mut self.deletes);
        portions.extend(deletes.chunks(rows).map(|keys| Self { deletes: keys.to_vec(), ..Self::default() }));
        let mut upserts = std::mem::take(&mut self.upserts);
        while !upserts.is_empty() {
            let rest = upserts.split_off(upserts.len().min(rows));
            portions.push(Self { upserts, ..Self::default() });
            upserts = rest;
        }
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
        if !self.upserts.is_empty() {
            tables.upsert(table, self.upserts).await?;
        }
        match tally {
            Some(tally) if !self.counts.is_empty() => add(tables, tally, self.counts).await,
            Some(_) | None => Ok(()),
        }
    }
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
    let (mut upserts, mut deletes) = (Vec::new(), Vec::new());
    for (mut row, by) in counts {
        let Some(key) = key(&row) else { continue };
        let now = stored.get(&key).copied().unwrap_or_default() + by;
        if now == 0 {
            deletes.push(key);
        } else {
            row.push(Value::Int(now));
            upserts.push(row);
        }
    }
    if !deletes.is_empty() {
        tables.delete(tally, &deletes).await?;
    }
    if upserts.is_empty() { Ok(()) } else { tables.upsert(tally, upserts).await }
}

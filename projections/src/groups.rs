//! Groups of one projection in memory, and what comes of them.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use evident_domain::Recorded;
use evident_eventstore::{DatabaseError, Origin, Row, SealedOrigin, Value};
use foldhash::fast::RandomState;

use crate::changes::Changes;
use crate::digest::{RowDigest, RowsDigest};
use crate::fold::Fold;
use crate::folding::{Begun, Folding, Needs, Retain};
use crate::seen::Seen;

/// Groups by their keys. In boxes: a group is large, and the map moves what it holds whenever it grows.
type Held<F> = HashMap<String, Box<Group<F>>, RandomState>;

struct Group<F> {
    /// The rows that stand in the table.
    standing: Vec<Standing>,
    state: Option<F>,
}

/// What is known of a row in the table.
enum Standing {
    /// All of it, as it was read.
    Row(Row),
    /// What its going has to take back, as it was written by this fold.
    Print(Print),
}

/// What is left of a row once it is written.
struct Print {
    key: Option<Value>,
    digest: RowDigest,
    /// The counters in which it counts.
    counters: Vec<Row>,
}

/// The groups of a projection that were touched lately.
pub(crate) struct Groups<F> {
    /// Those that were touched since the last drain.
    changed: Held<F>,
    /// Those that were drained and need not be read again: the table holds their rows, or soon will.
    kept: Held<F>,
    /// Which groups there may be that are not held here; any, where that is not known.
    seen: Option<Seen>,
    /// How many groups are kept once they are written.
    keep: usize,
    /// Rows of groups that nothing touches twice.
    once: Vec<Row>,
    /// Which events touch which groups, of those that are folded next.
    keys: Vec<(usize, String)>,
}

impl<F: Fold> Groups<F> {
    /// None yet.
    pub(crate) fn new(retain: Retain) -> Self {
        Self {
            changed: HashMap::default(),
            kept: HashMap::default(),
            seen: retain.from_nothing.then(Seen::nothing),
            keep: retain.groups,
            once: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Whether the table may hold rows of a group that are not known here.
    fn lacks(&self, key: &str) -> bool {
        let held = self.changed.contains_key(key) || self.kept.contains_key(key);
        !held && self.seen.as_ref().is_none_or(|seen| seen.may_hold(key))
    }
}

impl<F: Fold> Folding for Groups<F> {
    fn needs(&mut self, events: &[Recorded], begun: &Begun) -> Needs {
        self.keys.clear();
        let mut unknown = BTreeSet::new();
        let first = events.first().map(|event| event.position).unwrap_or_default();
        for (at, event) in events.iter().enumerate() {
            for key in F::keys(event) {
                let begins = F::TOUCHED_ONCE || begun.holds(&key) || F::begins_with(&key, first);
                if !begins && self.lacks(&key) {
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
            if let Entry::Vacant(vacant) = self.changed.entry(key.clone()) {
                let rows = found.remove(key).unwrap_or_default();
                let state = F::from_rows(rows.clone())?;
                let standing = rows.into_iter().map(Standing::Row).collect();
                vacant.insert(Box::new(Group { standing, state }));
            }
        }
        Ok(())
    }

    fn fold(&mut self, events: &[Recorded]) {
        for (at, key) in std::mem::take(&mut self.keys) {
            let Some(event) = events.get(at) else { continue };
            if F::TOUCHED_ONCE {
                self.once.extend(F::apply(None, event, &key).iter().flat_map(|state| state.rows(&key)));
                continue;
            }
            match self.changed.entry(key) {
                Entry::Occupied(mut group) => {
                    let state = group.get_mut().state.take();
                    let state = F::apply(state, event, group.key());
                    group.get_mut().state = state;
                }
                Entry::Vacant(vacant) => {
                    let mut group = self.kept.remove(vacant.key()).unwrap_or_else(|| {
                        if let Some(seen) = &mut self.seen {
                            seen.insert(vacant.key());
                        }
                        Box::new(Group { standing: Vec::new(), state: None })
                    });
                    group.state = F::apply(group.state.take(), event, vacant.key());
                    vacant.insert(group);
                }
            }
        }
    }

    fn sealed(&self) -> Vec<&SealedOrigin> {
        self.changed.values().filter_map(|group| group.state.as_ref()?.sealed()).collect()
    }

    fn opened(&mut self, origins: Vec<Origin>) {
        let states = self.changed.values_mut().filter_map(|group| group.state.as_mut());
        // A map that is not changed has its values in the same order each time.
        for (state, origin) in states.filter(|state| state.sealed().is_some()).zip(origins) {
            state.opened(origin);
        }
    }

    fn drain_with(&mut self, show: &mut dyn FnMut(String, &[Row])) -> Changes {
        let mut changes = Changes::default();
        for row in std::mem::take(&mut self.once) {
            if let Some(key) = row.first().and_then(Value::as_text) {
                show(key.to_owned(), std::slice::from_ref(&row));
            }
            come::<F>(&mut changes, None, row);
        }
        for (key, group) in std::mem::take(&mut self.changed) {
            let rows = group.state.map(|state| state.rows(&key)).unwrap_or_default();
            show(key, &rows);
            difference::<F>(&mut changes, None, group.standing, rows);
        }
        changes.ordered()
    }

    fn drain_digested(&mut self, digest: &mut RowsDigest) -> Changes {
        self.let_go();
        let mut changes = Changes::default();
        for row in std::mem::take(&mut self.once) {
            come::<F>(&mut changes, Some(digest), row);
        }
        for (key, mut group) in self.changed.drain() {
            let rows = group.state.as_ref().map(|state| state.rows(&key)).unwrap_or_default();
            let standing = std::mem::take(&mut group.standing);
            group.standing = difference::<F>(&mut changes, Some(digest), standing, rows);
            self.kept.insert(key, group);
        }
        changes.ordered()
    }

    fn let_go(&mut self) {
        let mut left = self.keep;
        self.kept.retain(|_, _| {
            let stays = left > 0;
            left = left.saturating_sub(1);
            stays
        });
    }

    fn len(&self) -> usize {
        self.changed.len() + self.once.len()
    }
}

/// Adds a row where none stood.
fn come<F: Fold>(changes: &mut Changes, digest: Option<&mut RowsDigest>, row: Row) {
    if let Some(tally) = F::TALLY {
        changes.count(&(tally.of)(&row), 1);
    }
    if let Some(digest) = digest {
        digest.add(RowDigest::of(&row));
    }
    changes.inserts.push(row);
}

/// Adds what makes the rows out of what stands. Where a digest is kept, says what stands then.
fn difference<F: Fold>(
    changes: &mut Changes,
    mut digest: Option<&mut RowsDigest>,
    mut standing: Vec<Standing>,
    mut rows: Vec<Row>,
) -> Vec<Standing> {
    let counters = |row: &Row| F::TALLY.map(|tally| (tally.of)(row)).unwrap_or_default();
    // Side by side in the order of their keys; most groups have one row.
    standing.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    rows.sort_unstable_by(|a, b| a.first().cmp(&b.first()));
    let mut before = standing.into_iter().peekable();
    let mut after = Vec::with_capacity(rows.len());
    for row in rows {
        while let Some(gone) = before.next_if(|old| old.key() < row.first()) {
            go(changes, digest.as_deref_mut(), gone, counters);
        }
        let old = before.next_if(|old| old.key() == row.first());
        let print = digest.is_some().then(|| RowDigest::of(&row));
        let unchanged = match (&old, print) {
            (Some(Standing::Row(old)), _) => same(old, &row),
            (Some(Standing::Print(old)), Some(print)) => old.digest == print,
            (Some(Standing::Print(_)) | None, _) => false,
        };
        if unchanged {
            after.extend(old);
            continue;
        }
        let (stood, counted) = (old.is_some(), counters(&row));
        let counted_before =
            old.map(|old| take_back(digest.as_deref_mut(), old, counters)).unwrap_or_default();
        // Most changes move no counter.
        if counted_before != counted {
            changes.count(&counted_before, -1);
            changes.count(&counted, 1);
        }
        if let (Some(digest), Some(print)) = (digest.as_deref_mut(), print) {
            digest.add(print);
            let key = row.first().cloned();
            after.push(Standing::Print(Print { key, digest: print, counters: counted }));
        }
        if stood { changes.upserts.push(row) } else { changes.inserts.push(row) }
    }
    for gone in before {
        go(changes, digest.as_deref_mut(), gone, counters);
    }
    after
}

/// A row that stood goes.
fn go(
    changes: &mut Changes,
    digest: Option<&mut RowsDigest>,
    old: Standing,
    counters: impl Fn(&Row) -> Vec<Row>,
) {
    if let Some(Value::Text(key)) = old.key() {
        changes.deletes.push(key.clone());
    }
    changes.count(&take_back(digest, old, counters), -1);
}

/// A row that stood does so no longer; says in which counters it counted.
fn take_back(
    digest: Option<&mut RowsDigest>,
    old: Standing,
    counters: impl Fn(&Row) -> Vec<Row>,
) -> Vec<Row> {
    let (print, counted) = match old {
        Standing::Row(row) => (digest.is_some().then(|| RowDigest::of(&row)), counters(&row)),
        Standing::Print(print) => (Some(print.digest), print.counters),
    };
    if let (Some(digest), Some(print)) = (digest, print) {
        digest.remove(print);
    }
    counted
}

impl Standing {
    fn key(&self) -> Option<&Value> {
        match self {
            Self::Row(row) => row.first(),
            Self::Print(print) => print.key.as_ref(),
        }
    }
}

/// Whether two rows are the same, whichever database they came from.
fn same(a: &Row, b: &Row) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| normal(a) == normal(b))
}

/// A value as both databases would hand it out: a truth value as 0 or 1.
pub(crate) fn normal(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Bool(truth) => Cow::Owned(Value::Int(i64::from(*truth))),
        Value::Null | Value::Int(_) | Value::Text(_) | Value::Bytes(_) => Cow::Borrowed(value),
    }
}

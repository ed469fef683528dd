//! Folding in memory: the rows that events touch go in, changes come out. The same code runs inline,
//! in rebuilds, in verification and in replays.

use std::collections::HashSet;
use std::marker::PhantomData;

use evident_domain::Recorded;
use evident_eventstore::{DatabaseError, Origin, Row, SealedOrigin, Table};
use foldhash::fast::RandomState;

use crate::changes::Changes;
use crate::digest::RowsDigest;
use crate::fold::{Fold, Tally};
use crate::folds::id_text;
use crate::groups::Groups;

/// A projection behind one face, whatever its rows are.
pub(crate) trait Projection: Send + Sync {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    fn table(&self) -> Table;
    fn group(&self) -> &'static str;
    fn tally(&self) -> Option<Tally>;
    fn personal_keys(&self) -> bool;
    /// Nothing folded yet.
    fn folding(&self, retain: Retain) -> Box<dyn Folding>;

    /// All tables that follow from it.
    fn tables(&self) -> Vec<Table> {
        std::iter::once(self.table()).chain(self.tally().map(|tally| tally.table)).collect()
    }
}

/// What a fold remembers of what it drained, where that is the table's only source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retain {
    /// Groups that are kept once they are written, of those that [`Folding::drain_digested`] handed out; until then
    /// it keeps all.
    pub groups: usize,
    /// Whether the table was empty when this began: it then holds no group that was never folded.
    pub from_nothing: bool,
}

impl Retain {
    /// Nothing: others write to the table, too.
    pub(crate) const NOTHING: Self = Self { groups: 0, from_nothing: false };
}

/// Groups of one projection in memory.
pub(crate) trait Folding: Send {
    /// What is needed before events can be folded; it is asked right before they are.
    fn needs(&mut self, events: &[Recorded], begun: &Begun) -> Needs;
    /// Takes in rows of groups that were asked for; a group without rows has none.
    fn load(&mut self, asked: &[String], rows: Vec<Row>) -> Result<(), DatabaseError>;
    /// Folds the events that were asked about, in the order of their positions.
    fn fold(&mut self, events: &[Recorded]);
    /// What groups that changed have still sealed; it is opened before they are drained.
    fn sealed(&self) -> Vec<&SealedOrigin>;
    /// Takes it in, in the same order.
    fn opened(&mut self, origins: Vec<Origin>);
    /// What has to be written, and forgets everything; shows each group and its rows as they will be.
    fn drain_with(&mut self, show: &mut dyn FnMut(String, &[Row])) -> Changes;
    /// What has to be written; also tells how the digest of all rows moves. Groups that were drained last
    /// are kept as they will stand in the table, so that they need not be read again: what was drained before
    /// must be written by now.
    fn drain_digested(&mut self, digest: &mut RowsDigest) -> Changes;
    /// Lets go of groups until no more are kept than there may be: what was drained must be written by now. A drain
    /// begins with it.
    fn let_go(&mut self);
    /// How many groups a drain would write.
    fn len(&self) -> usize;
}

/// The streams that begin among some events: nothing can have touched a group that is named by one.
#[derive(Debug, Default)]
pub(crate) struct Begun(HashSet<String, RandomState>);

impl Begun {
    pub(crate) fn of(events: &[Recorded]) -> Self {
        let begun = events.iter().filter(|event| event.sequence == 1);
        Self(begun.map(|event| id_text(event.stream.id)).collect())
    }

    /// Whether the stream that a group is named by begins here.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.0.contains(key)
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

    fn folding(&self, retain: Retain) -> Box<dyn Folding> {
        Box::new(Groups::<F>::new(retain))
    }
}

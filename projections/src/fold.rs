//! What a projection is: a pure function from events to rows.

use std::fmt::Debug;

use evident_domain::{Position, Recorded};
use evident_eventstore::{DatabaseError, Origin, Row, SealedOrigin, Table};

/// A projection.
///
/// Rows belong together in groups, by the value of one column; most groups have one row and the
/// column is the table's key. A group's rows follow from the events that touch it and from nothing
/// else: no clock, no randomness, no I/O, no other groups. The same [`Fold::apply`] runs inside the
/// commit and in a rebuild, so both give the same rows, byte for byte.
///
/// A personal field that is sealed or erased reads as if it were empty, but for [`Fold::sealed`]. Rows with
/// personal data hold only data of one subject and go when that subject is erased, so a rebuild after the key
/// was destroyed gives the same rows too: none.
pub trait Fold: Clone + Debug + PartialEq + Send + Sync + Sized + 'static {
    /// Its name, which is its table's.
    const NAME: &'static str;
    /// Counts up with every change that gives other rows for the same events: the table must then be
    /// rebuilt.
    const VERSION: u32;
    /// Where the rows stand.
    const TABLE: Table;
    /// The column whose value makes the groups.
    const GROUP: &'static str;
    /// A second table that counts the rows of the first.
    const TALLY: Option<Tally> = None;
    /// Whether each group is touched by one event and no other, so that no rows have to be read first.
    const TOUCHED_ONCE: bool = false;
    /// Whether the rows' keys are personal data, and so are not shown in reports.
    const PERSONAL_KEYS: bool = false;

    /// Which groups an event touches: from the event alone.
    fn keys(event: &Recorded) -> Vec<String>;

    /// Whether no event before a position touches a group: it then has no rows that would have to be read.
    fn begins_with(_key: &str, _first: Position) -> bool {
        false
    }

    /// What a group is after an event; `None` for no rows. An event that means nothing to the group
    /// leaves it as it is.
    fn apply(group: Option<Self>, event: &Recorded, key: &str) -> Option<Self>;

    /// The group's rows.
    fn rows(&self, key: &str) -> Vec<Row>;

    /// What the group's rows tell that is still sealed, as a rebuild reads it. Only what stands at the end is opened,
    /// before the rows are asked for.
    fn sealed(&self) -> Option<&SealedOrigin> {
        None
    }

    /// Takes in what was sealed.
    fn opened(&mut self, _: Origin) {}

    /// Reads what [`Fold::rows`] wrote; `None` for no rows.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError>;
}

/// Counters that follow from a projection's rows.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The table of counters; its last column is the count.
    pub table: Table,
    /// The counters in which a row counts: whole rows of [`Tally::table`] but for the count.
    pub of: fn(&Row) -> Vec<Row>,
}

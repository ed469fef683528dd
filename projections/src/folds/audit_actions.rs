//! `audit_actions`: which events are entries of the audit log, and what they are called there: a letter for each
//! position of the log. What else an entry tells is read from the event itself, so nothing personal stands here.

use evident_domain::{Position, Recorded};
use evident_eventstore::{DatabaseError, Row, Table};

use super::{padded, text};
use crate::audit;
use crate::cells::Cells;
use crate::fold::Fold;

/// A row has the letters of 2^8 positions: few enough to be written with every commit.
pub const ROW_BITS: u32 = 8;

/// Stands where no entry stands.
pub const NO_ENTRY: char = '.';

const POSITIONS: usize = 1 << ROW_BITS;

/// A row of `audit_actions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditActionsRow {
    /// The number of the row: its first position is this times 2^8.
    number: u64,
    /// What stands at each of its positions: [`AuditAction::letter`] or [`NO_ENTRY`].
    letters: Box<[u8; POSITIONS]>,
}

/// The key of the row with a position: such texts have the order of the numbers.
pub fn row_key(position: Position) -> String {
    padded(position.0 >> ROW_BITS)
}

impl AuditActionsRow {
    /// Reads a row of `audit_actions`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            number: cells.parsed(|number| number.parse().ok())?,
            letters: cells.parsed(|letters| Some(Box::new(letters.as_bytes().try_into().ok()?)))?,
        })
    }

    /// Where entries stand and what letters they have, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (Position, char)> {
        let first = self.number << ROW_BITS;
        let letters = (first..).zip(*self.letters).collect::<Vec<_>>().into_iter().rev();
        letters
            .map(|(position, letter)| (Position(position), char::from(letter)))
            .filter(|(_, letter)| *letter != NO_ENTRY)
    }
}

impl Fold for AuditActionsRow {
    const NAME: &'static str = "audit_actions";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new("audit_actions", &[text("number"), text("letters")]);
    const GROUP: &'static str = "number";

    fn keys(event: &Recorded) -> Vec<String> {
        audit::action(event).map(|_| row_key(event.position)).into_iter().collect()
    }

    fn begins_with(key: &str, first: Position) -> bool {
        key.parse().is_ok_and(|number: u64| number << ROW_BITS >= first.0)
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Some(action) = audit::action(event) else { return group };
        let position = event.position.0;
        let none_yet =
            || Self { number: position >> ROW_BITS, letters: Box::new([NO_ENTRY as u8; POSITIONS]) };
        let mut row = group.unwrap_or_else(none_yet);
        let place = usize::try_from(position).unwrap_or_default() % POSITIONS;
        row.letters[place] = action.letter() as u8;
        Some(row)
    }

    fn rows(&self, key: &str) -> Vec<Row> {
        let letters: String = self.letters.iter().copied().map(char::from).collect();
        vec![vec![key.into(), letters.into()]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}

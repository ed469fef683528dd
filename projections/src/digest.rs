//! A digest of a table's rows that does not depend on their order, so that it can be kept while rows come
//! and go, in whatever order they are folded.

use std::fmt;

use evident_eventstore::{Row, Value};
use sha2::{Digest as _, Sha256};

use crate::groups::normal;

/// How many rows there are, and the sum, modulo 2^256, of the SHA-256 of each. The same rows have the same
/// digest on every database; a row that comes is added, one that goes is taken away.
///
/// It tells by accident or by hand altered tables from the log's. It is no commitment for somebody who may
/// choose all rows freely; nobody may, they follow from the log, and that is under its Merkle tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowsDigest {
    rows: u64,
    /// The least significant limb first.
    sum: [u64; 4],
}

/// The SHA-256 of one row, the least significant limb first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowDigest([u64; 4]);

impl RowsDigest {
    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// A row came.
    pub(crate) fn add(&mut self, row: RowDigest) {
        self.merge(Self { rows: 1, sum: row.0 });
    }

    /// A row that was added is gone.
    pub(crate) fn remove(&mut self, row: RowDigest) {
        // Two's complement: what is taken away is the opposite, added.
        let mut opposite = row.0.map(|limb| !limb);
        for limb in &mut opposite {
            let carried;
            (*limb, carried) = limb.overflowing_add(1);
            if !carried {
                break;
            }
        }
        self.merge(Self { rows: u64::MAX, sum: opposite });
    }

    /// Takes in what came and went elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows = self.rows.wrapping_add(other.rows);
        let mut carry = false;
        for (limb, more) in self.sum.iter_mut().zip(other.sum) {
            let (sum, first) = limb.overflowing_add(more);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first | second;
        }
    }

    /// Reads what stands beside a count of rows in a table.
    pub(crate) fn parse(rows: u64, hex: &str) -> Option<Self> {
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        let mut sum = [0; 4];
        for (limb, at) in sum.iter_mut().rev().zip((0..64).step_by(16)) {
            *limb = u64::from_str_radix(hex.get(at..at + 16)?, 16).ok()?;
        }
        Some(Self { rows, sum })
    }
}

/// The sum in hex.
impl fmt::Display for RowsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sum.iter().rev().try_for_each(|limb| write!(f, "{limb:016x}"))
    }
}

impl RowDigest {
    pub(crate) fn of(row: &Row) -> Self {
        let mut sha = Sha256::new();
        for value in row {
            add(&mut sha, &normal(value));
        }
        let bytes = sha.finalize();
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = chunk.iter().rev().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
        }
        Self(limbs)
    }
}

/// Adds a value so that no two lists of values look the same: its kind, its length, itself.
fn add(sha: &mut Sha256, value: &Value) {
    let (kind, bytes): (u8, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Bool(truth) => (1, &i64::from(*truth).to_be_bytes()),
        Value::Int(number) => (1, &number.to_be_bytes()),
        Value::Text(text) => (2, text.as_bytes()),
        Value::Bytes(bytes) => (3, bytes),
    };
    sha.update([kind]);
    sha.update(u64::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    sha.update(bytes);
}

/// A value as reports may show it: what kind it is, how long, and the beginning of its SHA-256, by which
/// two of them can be told apart, and not what it says.
pub(crate) fn veiled(value: &Value) -> String {
    let mut sha = Sha256::new();
    add(&mut sha, &normal(value));
    let short = hex::encode(&sha.finalize()[..6]);
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("text of {} bytes, sha256 {short}…", text.len()),
        Value::Bytes(bytes) => format!("{} bytes, sha256 {short}…", bytes.len()),
        Value::Bool(_) | Value::Int(_) => format!("number, sha256 {short}…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i64) -> RowDigest {
        RowDigest::of(&vec![number.to_string().into(), number.into(), Value::Null])
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_what_goes_leaves_no_trace() {
        let (mut forth, mut back, mut rest) = Default::default();
        let digest = |digest: &mut RowsDigest, number| digest.add(row(number));
        (0..1_000).for_each(|number| digest(&mut forth, number));
        (0..1_000).rev().for_each(|number| digest(&mut back, number));
        assert_eq!(forth, back);
        (0..500).for_each(|number| digest(&mut rest, number));
        assert_ne!(forth, rest);
        (500..1_000).for_each(|number| forth.remove(row(number)));
        assert_eq!(forth, rest);
        assert_eq!(forth.rows(), 500);
        assert_eq!(RowsDigest::parse(forth.rows(), &forth.to_string()), Some(forth));
        (0..500).for_each(|number| forth.remove(row(number)));
        assert_eq!(forth, RowsDigest::default());
    }

    #[test]
    fn both_databases_truth_values_are_one() {
        let (mut yes, mut one) = (RowsDigest::default(), RowsDigest::default());
        yes.add(RowDigest::of(&vec![true.into()]));
        one.add(RowDigest::of(&vec![1.into()]));
        assert_eq!(yes, one);
        assert_ne!(veiled(&"a".into()), veiled(&"b".into()));
        assert!(!veiled(&"mallory".into()).contains("mallory"));
    }
}

//! `claims`: who holds which unique value. The store writes the table itself, under the head's lock;
//! this fold is what rebuilds and verifies it.

use std::collections::BTreeMap;

use evident_domain::{ClaimChange, ClaimKind, Recorded};
use evident_eventstore::claims::{CLAIMS, claim_key};
use evident_eventstore::{DatabaseError, Row, Table};

use super::stream_key;
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// All claims of a holder: kind, and position of the event that took it, by `<kind>:<value>`.
///
/// Events of an erased holder claim nothing that could be read; they gave everything back, so nothing
/// is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClaimRows(pub BTreeMap<String, (ClaimKind, u64)>);

impl Fold for ClaimRows {
    const NAME: &'static str = "claims";
    const VERSION: u32 = 1;
    const TABLE: Table = CLAIMS;
    const GROUP: &'static str = "holder";
    const PERSONAL_KEYS: bool = true;

    fn keys(event: &Recorded) -> Vec<String> {
        if event.event.claims().is_empty() { Vec::new() } else { stream_key(event) }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let mut held = group.unwrap_or_default().0;
        for change in event.event.claims() {
            match change {
                ClaimChange::Take(claim) => {
                    if claim.kind.is_single() {
                        held.retain(|_, (kind, _)| *kind != claim.kind);
                    }
                    held.insert(claim_key(&claim), (claim.kind, event.position.0));
                }
                ClaimChange::Release(claim) => {
                    held.remove(&claim_key(&claim));
                }
                ClaimChange::ReleaseKind(gone) => held.retain(|_, (kind, _)| *kind != gone),
                ClaimChange::ReleaseAll => held.clear(),
            }
        }
        (!held.is_empty()).then_some(Self(held))
    }

    fn rows(&self, key: &str) -> Vec<Row> {
        let row = |(claim, (kind, position)): (&String, &(ClaimKind, u64))| {
            vec![claim.as_str().into(), kind.as_str().into(), key.into(), cells::number(*position)]
        };
        self.0.iter().map(row).collect()
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let mut held = BTreeMap::new();
        for row in rows {
            let mut cells = Cells::new(&Self::TABLE, row);
            let claim = cells.text()?;
            let kind = cells.parsed(ClaimKind::from_name)?;
            cells.text()?;
            held.insert(claim, (kind, cells.number()?));
        }
        Ok((!held.is_empty()).then_some(Self(held)))
    }
}

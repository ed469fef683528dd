//! Unique claims: checked and written under the head's lock, derived from events alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use evident_domain::claim::Holder;
use evident_domain::{Claim, ClaimChange, ClaimKind, Position};

use crate::codec::signed;
use crate::database::{Column, ColumnType, DatabaseError, Row, Table, Tables, Value};

/// The table of claims.
pub const CLAIMS: Table = Table::new(
    "claims",
    &[
        Column::new("claim", ColumnType::Text),
        Column::new("kind", ColumnType::Text),
        Column::new("holder", ColumnType::Text),
        Column::new("position", ColumnType::Int),
    ],
);

/// The key of a claim in the table.
pub fn claim_key(claim: &Claim) -> String {
    format!("{}:{}", claim.kind.as_str(), claim.value)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    kind: ClaimKind,
    holder: Holder,
    position: Position,
}

/// Claims and who holds them: all of a log, or the part that a batch touches.
#[derive(Debug, Default)]
pub struct Claims {
    held: HashMap<String, Held>,
    by_holder: HashMap<Holder, BTreeSet<String>>,
    touched: BTreeSet<String>,
}

impl Claims {
    /// The part of the table that a batch of changes can touch.
    pub(crate) async fn load<'a>(
        tables: &mut dyn Tables,
        changes: impl Iterator<Item = (Holder, &'a ClaimChange)> + Send,
    ) -> Result<Self, DatabaseError> {
        let (mut keys, mut holders) = (BTreeSet::new(), BTreeSet::new());
        for (holder, change) in changes {
            match change {
                ClaimChange::Take(claim) => {
                    keys.insert(claim_key(claim));
                    if claim.kind.is_single() {
                        holders.insert(holder.to_string());
                    }
                }
                ClaimChange::Release(claim) => {
                    keys.insert(claim_key(claim));
                }
                ClaimChange::ReleaseKind(_) | ClaimChange::ReleaseAll => {
                    holders.insert(holder.to_string());
                }
            }
        }
        let mut claims = Self::default();
        let keys: Vec<_> = keys.into_iter().collect();
        let holders: Vec<_> = holders.into_iter().collect();
        for row in tables.select(&CLAIMS, "claim", &keys).await? {
            claims.read(&row)?;
        }
        for row in tables.select(&CLAIMS, "holder", &holders).await? {
            claims.read(&row)?;
        }
        Ok(claims)
    }

    fn read(&mut self, row: &Row) -> Result<(), DatabaseError> {
        let unexpected = |column| DatabaseError::Unexpected { table: "claims".to_owned(), column };
        let [Value::Text(key), Value::Text(kind), Value::Text(holder), Value::Int(position)] = row.as_slice()
        else {
            return Err(unexpected("claim"));
        };
        let kind = ClaimKind::from_name(kind).ok_or(unexpected("kind"))?;
        let holder: Holder = holder.parse().map_err(|_| unexpected("holder"))?;
        let position = Position(u64::try_from(*position).map_err(|_| unexpected("position"))?);
        self.put(key.clone(), Held { kind, holder, position });
        Ok(())
    }

    fn put(&mut self, key: String, held: Held) {
        self.take_out(&key);
        self.by_holder.entry(held.holder).or_default().insert(key.clone());
        self.held.insert(key, held);
    }

    fn take_out(&mut self, key: &str) {
        if let Some(held) = self.held.remove(key)
            && let Some(keys) = self.by_holder.get_mut(&held.holder)
        {
            keys.remove(key);
        }
    }

    fn remove(&mut self, key: &str) {
        self.take_out(key);
        self.touched.insert(key.to_owned());
    }

    /// Whether nobody else holds what the changes take, one after the other: each sees what those
    /// before it took and gave back.
    pub(crate) fn check(&self, changes: &[(Holder, ClaimChange)]) -> Result<(), ClaimKind> {
        let mut trial = self.part(changes);
        for (holder, change) in changes {
            if let ClaimChange::Take(claim) = change
                && trial.held.get(&claim_key(claim)).is_some_and(|held| held.holder != *holder)
            {
                return Err(claim.kind);
            }
            trial.apply(*holder, change, Position::default());
        }
        Ok(())
    }

    /// A copy of what the changes can touch.
    fn part(&self, changes: &[(Holder, ClaimChange)]) -> Self {
        let mut part = Self::default();
        let mut copy = |key: &str| {
            if let Some(held) = self.held.get(key) {
                part.put(key.to_owned(), held.clone());
            }
        };
        for (holder, change) in changes {
            if let ClaimChange::Take(claim) | ClaimChange::Release(claim) = change {
                copy(&claim_key(claim));
            }
            self.by_holder.get(holder).into_iter().flatten().for_each(|key| copy(key));
        }
        part
    }

    /// Takes in what an event does.
    pub fn apply(&mut self, holder: Holder, change: &ClaimChange, position: Position) {
        match change {
            ClaimChange::Take(claim) => {
                if claim.kind.is_single() {
                    self.release(holder, |kind| kind == claim.kind);
                }
                let key = claim_key(claim);
                self.touched.insert(key.clone());
                self.put(key, Held { kind: claim.kind, holder, position });
            }
            ClaimChange::Release(claim) => {
                let key = claim_key(claim);
                if self.held.get(&key).is_some_and(|held| held.holder == holder) {
                    self.remove(&key);
                }
            }
            ClaimChange::ReleaseKind(kind) => self.release(holder, |k| k == *kind),
            ClaimChange::ReleaseAll => self.release(holder, |_| true),
        }
    }

    fn release(&mut self, holder: Holder, matches: impl Fn(ClaimKind) -> bool) {
        let keys: Vec<_> = self.by_holder.get(&holder).into_iter().flatten().cloned().collect();
        for key in keys {
            if self.held.get(&key).is_some_and(|held| matches(held.kind)) {
                self.remove(&key);
            }
        }
    }

    /// The rows of the table, by key.
    pub fn rows(&self) -> BTreeMap<String, Row> {
        self.held.iter().map(|(key, held)| (key.clone(), row(key, held))).collect()
    }

    /// Writes back what changed.
    pub(crate) async fn store(&self, tables: &mut dyn Tables) -> Result<(), DatabaseError> {
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for key in &self.touched {
            match self.held.get(key) {
                Some(held) => rows.push(row(key, held)),
                None => gone.push(key.clone()),
            }
        }
        tables.delete(&CLAIMS, &gone).await?;
        tables.upsert(&CLAIMS, rows).await
    }
}

fn row(key: &str, held: &Held) -> Row {
    vec![
        key.into(),
        held.kind.as_str().into(),
        held.holder.to_string().into(),
        signed(held.position.0).into(),
    ]
}

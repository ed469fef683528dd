//! The log's oldest part, where it is no longer handed out (C2SP tlog-tiles): entry bundles below the minimum
//! index are refused, hashes stay, so every proof can still be made.

use evident_domain::Position;
use evident_domain::publication::PUBLICATION;
use evident_domain::{StreamKind, Time};

use super::{TileKind, TilePath};
use crate::codec::signed;
use crate::database::Value;
use crate::{DatabaseError, EventStore, StoreError};

/// So far a node's clock may be off, in microseconds: a day.
const SLACK: i64 = 86_400_000_000;

/// From where on the log is handed out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruning {
    /// The first entry, counted from 0, that is handed out: the minimum index.
    pub minimum: u64,
    /// Where everybody can read how long entries are kept; none where nothing was ever pruned.
    pub policy: Option<String>,
}

impl Pruning {
    /// Whether a tile or bundle is refused: a full entry bundle with nothing in it that is handed out.
    pub fn hides(&self, path: TilePath) -> bool {
        path.kind == TileKind::Entries && path.needs().is_some_and(|end| end <= self.minimum)
    }
}

impl EventStore {
    /// From where on the log is handed out, as its last event about that says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pruning(&self) -> Result<Pruning, StoreError> {
        let sql = "select payload ->> 'minimum', payload ->> 'policy' from events where aggregate_type = $1 \
                   and aggregate_id = $2 and event_type = 'log.pruned' order by sequence desc limit 1";
        let stream = [StreamKind::Log.as_str().into(), PUBLICATION.to_string().into()];
        let rows = self.database().query(sql, &stream).await?;
        let Some(row) = rows.first() else { return Ok(Pruning::default()) };
        let minimum = match row.first() {
            Some(Value::Int(minimum)) => u64::try_from(*minimum).ok(),
            Some(Value::Text(minimum)) => minimum.parse().ok(),
            _ => None,
        };
        let damaged = || DatabaseError::Unexpected { table: "events".to_owned(), column: "payload" };
        let policy = row.get(1).and_then(Value::as_text).map(str::to_owned);
        Ok(Pruning { minimum: minimum.ok_or_else(damaged)?, policy })
    }

    /// How many of the oldest events are older than a moment, each of them, as long as no node's clock was
    /// off by more than a day: those of the last day before the moment do not count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn older_than(&self, moment: Time) -> Result<u64, StoreError> {
        let micros = moment.timestamp_micros().saturating_sub(SLACK);
        let (mut low, mut high) = (0, self.head().await?.position.0);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match self.time_of(Position(middle)).await? {
                Some(at) if at < micros => low = middle,
                Some(_) | None => high = middle - 1,
            }
        }
        Ok(low)
    }

    /// When an event happened, in microseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn time_of(&self, position: Position) -> Result<Option<i64>, StoreError> {
        let sql = "select occurred_at from events where position = $1";
        let rows = self.database().query(sql, &[signed(position.0).into()]).await?;
        Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_int))
    }
}

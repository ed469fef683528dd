//! Events as they lie in the log, sealed: what the tree vouches for and what archives carry.
//!
//! Nothing is opened here, so an archive can be written, checked and restored by somebody who has no key.

use std::borrow::Cow;

use evident_domain::{Position, StreamId, StreamKind};
use serde::{Deserialize, Serialize};
use tlog_tiles::{HASH_SIZE, record_hash};

use crate::codec::{CodecError, EVENTS, count, signed};
use crate::database::{DatabaseError, Row, Value};
use crate::merkle::{Leaf, content_digest};
use crate::reader::{Filter, VALUES};
use crate::{EventStore, StoreError};

/// What an event holds beside its leaf, as stored: personal fields are ciphertext.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedContent {
    /// Makes the digest of a content that was dropped impossible to guess.
    #[serde(with = "hex")]
    pub salt: Vec<u8>,
    /// The event's JSON text; these very bytes are digested.
    pub payload: String,
    /// The provenance's JSON text; these very bytes are digested.
    pub metadata: String,
}

impl std::fmt::Debug for SealedContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedContent({} bytes)", self.payload.len() + self.metadata.len())
    }
}

/// An event as it lies in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedEvent {
    /// What the tree says of it.
    pub leaf: Leaf<'static>,
    /// What it holds; `None` once retention has dropped it.
    pub content: Option<SealedContent>,
}

/// A line of an archive: JSON Lines, the head first, then every event in the order of positions; a
/// checkpoint may stand behind any event whose tree it signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveLine {
    /// What the archive is.
    Archive(ArchiveHead),
    /// The next event.
    Event(SealedEvent),
    /// A signed checkpoint (C2SP tlog-checkpoint), as its text.
    Checkpoint(String),
}

/// The first line of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveHead {
    /// The format's number: [`ARCHIVE_FORMAT`].
    pub format: u32,
    /// The log's name in its checkpoints, where it has one.
    pub origin: Option<String>,
    /// The verifier key (C2SP signed-note) of the log's checkpoints, where it has one.
    pub key: Option<String>,
    /// The verifier keys that signed under that name before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_keys: Vec<String>,
    /// What the log's oldest part comes to, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<PrunedPart>,
}

impl ArchiveHead {
    /// The head of an archive that begins with the first event, of a log with this name and these verifier
    /// keys, the one that signs first ([`EventStore::log_identity`]).
    pub fn new(identity: Option<(String, Vec<String>)>) -> Self {
        let (origin, keys) = identity.unzip();
        let mut keys = keys.unwrap_or_default().into_iter();
        let key = keys.next();
        Self { format: ARCHIVE_FORMAT, origin, key, former_keys: keys.collect(), pruned: None }
    }

    /// All verifier keys.
    pub fn keys(&self) -> Vec<String> {
        self.key.iter().chain(&self.former_keys).cloned().collect()
    }
}

/// The oldest part of a log, as far as whoever checks the rest needs it: nothing of it can be read, or folded
/// into tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedPart {
    /// How many events it has.
    pub events: u64,
    /// The roots of the full subtrees over it, largest first.
    #[serde(with = "hex")]
    pub frontier: Vec<u8>,
}

/// The number of the format that is written here.
pub const ARCHIVE_FORMAT: u32 = 1;

/// What does not hold of a stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Salt, payload or metadata are not those that the digest was made of.
    #[error("its content is not the one that its leaf names")]
    Content,
    /// The digest or the hash beside the event is not that of its leaf.
    #[error("the hash beside it is not that of its leaf")]
    LeafHash,
    /// The leaf cannot be written.
    #[error("its leaf cannot be written")]
    Leaf,
}

impl SealedEvent {
    /// Its place in the log.
    pub fn position(&self) -> Position {
        self.leaf.position
    }

    /// Its hash in the tree (RFC 6962).
    ///
    /// # Errors
    /// [`Broken::Leaf`], in practice never.
    pub fn leaf_hash(&self) -> Result<[u8; HASH_SIZE], Broken> {
        self.leaf.to_bytes().map(|bytes| record_hash(&bytes).0).map_err(|_| Broken::Leaf)
    }

    /// Whether the content is the one that the leaf names; a dropped one cannot be asked.
    ///
    /// # Errors
    /// [`Broken::Content`] when it is another.
    pub fn check_content(&self) -> Result<(), Broken> {
        let Some(content) = &self.content else { return Ok(()) };
        let digest = content_digest(&content.salt, &content.payload, &content.metadata);
        if hex::encode(digest) == self.leaf.content { Ok(()) } else { Err(Broken::Content) }
    }

    /// Its stream, where the leaf names one that is known.
    pub fn stream(&self) -> Option<StreamId> {
        let (kind, id) = self.leaf.stream.split_once(':')?;
        Some(StreamId { kind: StreamKind::from_name(kind)?, id: id.parse().ok()? })
    }

    /// The row of the log, in the order of its columns.
    ///
    /// # Errors
    /// When the leaf names no stream that is known, or no digest.
    pub fn to_row(&self) -> Result<Row, CodecError> {
        let leaf = &self.leaf;
        let damaged = |column| CodecError::Column { position: leaf.position, column };
        let stream = self.stream().ok_or(damaged("aggregate_type"))?;
        let digest = hex::decode(&leaf.content).map_err(|_| damaged("content_digest"))?;
        let hash = self.leaf_hash().map_err(|_| CodecError::Encode)?;
        let dropped = SealedContent::dropped();
        let content = self.content.as_ref().unwrap_or(&dropped);
        Ok(vec![
            stream.kind.as_str().into(),
            stream.id.to_string().into(),
            signed(leaf.sequence).into(),
            leaf.kind.to_string().into(),
            leaf.version.to_string().into(),
            content.payload.clone().into(),
            content.metadata.clone().into(),
            signed(leaf.position.0).into(),
            leaf.id.to_string().into(),
            leaf.time.into(),
            leaf.actor.to_string().into(),
            leaf.subject.as_deref().map_or(Value::Null, |subject| subject.to_owned().into()),
            content.salt.clone().into(),
            digest.into(),
            hash.to_vec().into(),
        ])
    }
}

impl SealedContent {
    /// What stands in the columns of a content that was dropped: an empty salt tells it from any other.
    pub(crate) fn dropped() -> Self {
        Self { salt: Vec::new(), payload: "null".to_owned(), metadata: "{}".to_owned() }
    }
}

/// A row of the log as it is, and what the columns beside it say of it.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// The event.
    pub event: SealedEvent,
    /// What stands in the column of the leaf's hash: it must be [`SealedEvent::leaf_hash`].
    pub stored_hash: Vec<u8>,
}

impl LogRow {
    /// Whether content, leaf and stored hash fit each other.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), Broken> {
        self.event.check_content()?;
        if self.event.leaf_hash()?.as_slice() == self.stored_hash { Ok(()) } else { Err(Broken::LeafHash) }
    }

    fn read(row: &Row) -> Result<Self, CodecError> {
        let position = Position(count(row, 7).unwrap_or_default());
        let damaged = |column| CodecError::Column { position, column };
        let text = |at: usize, name| row.get(at).and_then(Value::as_text).ok_or(damaged(name));
        let owned = |at, name| text(at, name).map(|text| Cow::Owned(text.to_owned()));
        let bytes = |at: usize, name| match row.get(at) {
            Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
            _ => Err(damaged(name)),
        };
        let content = SealedContent {
            salt: bytes(12, "salt")?,
            payload: text(5, "payload")?.to_owned(),
            metadata: text(6, "metadata")?.to_owned(),
        };
        let is_dropped = content.salt.is_empty();
        if is_dropped && content != SealedContent::dropped() {
            return Err(damaged("salt"));
        }
        let content = (!is_dropped).then_some(content);
        let leaf = Leaf {
            actor: owned(10, "actor")?,
            content: hex::encode(bytes(13, "content_digest")?),
            id: text(8, "event_id")?.parse().map_err(|_| damaged("event_id"))?,
            position,
            sequence: count(row, 2).ok_or(damaged("sequence"))?,
            stream: format!("{}:{}", text(0, "aggregate_type")?, text(1, "aggregate_id")?),
            subject: match row.get(11) {
                None | Some(Value::Null) => None,
                Some(_) => Some(owned(11, "subject")?),
            },
            time: row.get(9).and_then(Value::as_int).ok_or(damaged("occurred_at"))?,
            kind: owned(3, "event_type")?,
            version: owned(4, "event_version")?,
        };
        Ok(Self { event: SealedEvent { leaf, content }, stored_hash: bytes(14, "leaf_hash")? })
    }
}

impl EventStore {
    /// The next events after a position that pass a filter, as they lie in the log.
    ///
    /// # Errors
    /// When the database fails, or a column holds what no event has there.
    pub async fn sealed_page(
        &self,
        after: Position,
        limit: u32,
        filter: &Filter,
    ) -> Result<Vec<LogRow>, StoreError> {
        let (conditions, more) = filter.sql(3);
        let rest = format!("where position > $1{conditions} order by position limit $2");
        let mut params = vec![signed(after.0).into(), i64::from(limit).into()];
        params.extend(more);
        self.sealed(&rest, &params).await
    }

    /// Rows of the log; `rest` is what follows the table's name in the query.
    async fn sealed(&self, rest: &str, params: &[Value]) -> Result<Vec<LogRow>, StoreError> {
        let rows = match self.database().read(&EVENTS, rest, params).await {
            Ok(rows) => rows,
            // Somebody has put into a column what does not belong there: value by value it is found of which event.
            Err(DatabaseError::Unexpected { .. }) => {
                let sql = format!("select {} from events {rest}", EVENTS.column_list());
                self.database().query(&sql, params).await?
            }
            Err(error) => return Err(error.into()),
        };
        Ok(rows.iter().map(LogRow::read).collect::<Result<_, _>>()?)
    }

    /// The events at some positions, in the order of the log, as they lie in it. Given are positions in that
    /// order.
    ///
    /// # Errors
    /// When the database fails, or a column holds what no event has there.
    pub async fn sealed_at(&self, positions: &[Position]) -> Result<Vec<LogRow>, StoreError> {
        let (Some(first), Some(last)) = (positions.first(), positions.last()) else { return Ok(Vec::new()) };
        let count = u64::try_from(positions.len()).unwrap_or(u64::MAX);
        if last.0 - first.0 + 1 == count {
            // A stretch of the log is read as such.
            let until = Filter { last: Some(*last), ..Filter::default() };
            let limit = u32::try_from(count).unwrap_or(u32::MAX);
            return self.sealed_page(Position(first.0.saturating_sub(1)), limit, &until).await;
        }
        let mut found = Vec::with_capacity(positions.len());
        for some in positions.chunks(VALUES) {
            let list: Vec<_> = (1..=some.len()).map(|n| format!("${n}")).collect();
            let list = list.join(", ");
            let values: Vec<Value> = some.iter().map(|position| signed(position.0).into()).collect();
            found.extend(
                self.sealed(&format!("where position in ({list}) order by position"), &values).await?,
            );
        }
        Ok(found)
    }
}

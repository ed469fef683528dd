//! Between events as the domain knows them and events as they are stored.

use evident_domain::ports::Entropy;
use evident_domain::{Event, EventId, Personal, Position, Provenance, StreamId, Subject, Time};
use serde_json::{Map, Value as Json};

use crate::database::{Column, ColumnType, Row, Table, Value};
use crate::merkle::{Frontier, Leaf, MAX_LEAF_BYTES, content_digest};
use crate::seal::{SealBroken, SealingKey, seal_payload};

const SALT_BYTES: usize = 16;
pub(crate) const SEALED_PREFIX: &str = "sealed:";
pub(crate) const ERASED_TEXT: &str = "erased";
/// Whose key seals address and program of the client; none: the event's subject's.
const SEALED_FOR: &str = "sealed_for";
/// The payload of an event whose content was dropped.
pub(crate) const DROPPED_PAYLOAD: &str = "null";

const fn column(name: &'static str, kind: ColumnType) -> Column {
    Column::new(name, kind)
}

/// The log's table. Its key is not one column, so it is only ever inserted into.
pub(crate) const EVENTS: Table = Table::new("events", COLUMNS);

const COLUMNS: &[Column] = &[
    column("aggregate_type", ColumnType::Text),
    column("aggregate_id", ColumnType::Text),
    column("sequence", ColumnType::Int),
    column("event_type", ColumnType::Text),
    column("event_version", ColumnType::Text),
    column("payload", ColumnType::Json),
    column("metadata", ColumnType::Json),
    column("position", ColumnType::Int),
    column("event_id", ColumnType::Text),
    column("occurred_at", ColumnType::Int),
    column("actor", ColumnType::Text),
    column("subject", ColumnType::Text),
    column("salt", ColumnType::Bytes),
    column("content_digest", ColumnType::Bytes),
    column("leaf_hash", ColumnType::Bytes),
];

/// The columns that [`decode`] reads, in its order.
pub(crate) const READ: Table = Table::new("events", COLUMNS.split_at(12).0);

/// The same as folds read them: what is known of a request is told of sessions only, as no fold asks for it elsewhere,
/// and to read and open it would take longer than all the rest.
pub(crate) const FOR_FOLDS: Table = Table::new(
    "(select aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
     case when aggregate_type = 'session' then metadata end as metadata, \
     position, event_id, occurred_at, actor, subject from events) as folded",
    COLUMNS.split_at(12).0,
);

/// The columns of [`READ`] as SQL has them.
pub(crate) const READ_COLUMNS: &str = "aggregate_type, aggregate_id, sequence, event_type, event_version, \
     payload, metadata, position, event_id, occurred_at, actor, subject";

/// An event cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The payload is not what its type and version say.
    #[error("the event at position {position} does not read")]
    Payload {
        /// Where.
        position: Position,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// A column holds what no event has there.
    #[error("the event at position {position} has a damaged {column}")]
    Column {
        /// Where.
        position: Position,
        /// Which.
        column: &'static str,
    },
    /// A sealed field does not open.
    #[error("the event at position {position} does not open")]
    Seal {
        /// Where.
        position: Position,
        /// Why.
        #[source]
        cause: SealBroken,
    },
    /// An event cannot be written as JSON or sealed.
    #[error("an event cannot be written")]
    Encode,
    /// An event's leaf is too long to be published.
    #[error("an event's leaf is longer than the log's formats allow")]
    LeafTooLong,
}

/// An event on its way into the log: sealed and digested, its position still open.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) id: EventId,
    pub(crate) event: Event,
    payload: String,
    metadata: String,
    actor: String,
    subject: String,
    occurred_at: Time,
    salt: [u8; SALT_BYTES],
    digest: [u8; 32],
}

/// Somebody, and their key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) key: &'a SealingKey,
}

/// Seals and digests an event: what it says under the key of its subject, from where it came under the key
/// of whoever acted.
pub(crate) fn prepare(
    event: Event,
    provenance: &Provenance,
    occurred_at: Time,
    Owner { subject, key }: Owner<'_>,
    actor: Owner<'_>,
    entropy: &dyn Entropy,
) -> Result<Prepared, CodecError> {
    let id = EventId(entropy.uuid());
    let context = id.to_string();
    let mut payload = event.to_json().map_err(|_| CodecError::Encode)?;
    seal_payload(&mut payload, key, &context, entropy).map_err(|_| CodecError::Encode)?;
    let payload = payload.to_string();
    let sealed_for = (actor.subject != subject).then_some(actor.subject);
    let metadata = metadata_json(provenance, actor.key, sealed_for, &context, entropy)?.to_string();
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt);
    let digest = content_digest(&salt, &payload, &metadata);
    let (actor, subject) = (provenance.actor.label(), subject.to_string());
    Ok(Prepared { id, event, payload, metadata, actor, subject, occurred_at, salt, digest })
}

impl Prepared {
    /// The row at its place in the log; the leaf joins the tree.
    pub(crate) fn place(
        &self,
        stream: StreamId,
        sequence: u64,
        position: Position,
        frontier: &mut Frontier,
    ) -> Result<Row, CodecError> {
        let (kind, version) = self.event.kind();
        let leaf = Leaf {
            actor: self.actor.as_str().into(),
            content: hex::encode(self.digest),
            id: self.id,
            position,
            sequence,
            stream: stream.to_string(),
            subject: Some(self.subject.as_str().into()),
            time: self.occurred_at.timestamp_micros(),
            kind: kind.into(),
            version: version.into(),
        }
        .to_bytes()
        .map_err(|_| CodecError::Encode)?;
        if leaf.len() > MAX_LEAF_BYTES {
            return Err(CodecError::LeafTooLong);
        }
        let leaf_hash = frontier.push(&leaf);
        Ok(vec![
            stream.kind.as_str().into(),
            stream.id.to_string().into(),
            signed(sequence).into(),
            kind.into(),
            version.into(),
            self.payload.clone().into(),
            self.metadata.clone().into(),
            signed(position.0).into(),
            self.id.to_string().into(),
            self.occurred_at.timestamp_micros().into(),
            self.actor.clone().into(),
            self.subject.clone().into(),
            self.salt.to_vec().into(),
            self.digest.to_vec().into(),
            leaf_hash.to_vec().into(),
        ])
    }
}

/// Provenance as cqrs-es keeps metadata: a flat object of texts.
fn metadata_json(
    provenance: &Provenance,
    key: &SealingKey,
    sealed_for: Option<&Subject>,
    context: &str,
    entropy: &dyn Entropy,
) -> Result<Json, CodecError> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: String| fields.insert(name.to_owned(), Json::String(value));
    put("actor", provenance.actor.label());
    put("request_id", provenance.request_id.to_string());
    put("surface", provenance.surface.as_str().to_owned());
    if let Some(causation) = provenance.causation {
        put("causation", causation.to_string());
    }
    if let Some(client) = &provenance.client {
        put("client", client.clone());
    }
    let is_sealed = provenance.ip.is_some() || provenance.user_agent.is_some();
    if let Some(subject) = sealed_for.filter(|_| is_sealed) {
        put(SEALED_FOR, subject.to_string());
    }
    let seal = |name: &str, plain: &str| {
        key.seal_text(plain.as_bytes(), &format!("{context}#{name}"), entropy)
            .map(|sealed| format!("{SEALED_PREFIX}{sealed}"))
            .map_err(|_| CodecError::Encode)
    };
    if let Some(ip) = provenance.ip.as_ref().and_then(Personal::known) {
        put("ip", seal("ip", &ip.to_string())?);
    }
    if let Some(agent) = provenance.user_agent.as_ref().and_then(Personal::known) {
        put("user_agent", seal("user_agent", agent)?);
    }
    Ok(Json::Object(fields))
}

pub(crate) fn count(row: &Row, column: usize) -> Option<u64> {
    row.get(column).and_then(Value::as_int).and_then(|n| u64::try_from(n).ok())
}

/// Counts fit: a log of 2^63 events is out of reach.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! Between events as the domain knows them and events as they are stored.

use std::net::IpAddr;

use chrono::DateTime;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use evident_domain::ports::Entropy;
use evident_domain::retention::Dropped;
use evident_domain::{
    Actor, Event, EventId, Personal, Position, Provenance, Recorded, StreamId, StreamKind, Subject, Surface,
    Time,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::database::{Column, ColumnType, Row, Table, Value};
use crate::merkle::{Frontier, Leaf, MAX_LEAF_BYTES, content_digest};
use crate::seal::{SealBroken, SealingKey, open_payload, seal_payload};

const SALT_BYTES: usize = 16;
const SEALED_PREFIX: &str = "sealed:";
const ERASED_TEXT: &str = "erased";
/// Without this in its text a payload has nothing sealed.
const SEALED_MARK: &str = "$sealed";
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

/// The same as SQL has them.
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

/// A stored event whose columns are read, but not its content.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) stream: StreamId,
    pub(crate) sequence: u64,
    kind: String,
    version: String,
    payload: String,
    metadata: StoredMetadata,
    pub(crate) position: Position,
    id: EventId,
    occurred_at: Time,
    actor: String,
    pub(crate) subject: Option<Subject>,
    /// Whose key seals address and program of the client, where it is not the subject's.
    pub(crate) sealed_for: Option<Subject>,
}

pub(crate) fn count(row: &Row, column: usize) -> Option<u64> {
    row.get(column).and_then(Value::as_int).and_then(|n| u64::try_from(n).ok())
}

/// The position of a row with the columns [`READ_COLUMNS`].
pub(crate) fn position(row: &Row) -> Position {
    Position(count(row, 7).unwrap_or_default())
}

/// Reads the columns [`READ_COLUMNS`] of a row.
pub(crate) fn decode(mut row: Row) -> Result<Stored, CodecError> {
    let position = position(&row);
    let damaged = |column| CodecError::Column { position, column };
    let micros = row.get(9).and_then(Value::as_int).ok_or(damaged("occurred_at"))?;
    let sequence = count(&row, 2).ok_or(damaged("sequence"))?;
    let text = |i: usize, name| row.get(i).and_then(Value::as_text).ok_or(damaged(name));
    let kind = StreamKind::from_name(text(0, "aggregate_type")?).ok_or(damaged("aggregate_type"))?;
    let id: Uuid = text(1, "aggregate_id")?.parse().map_err(|_| damaged("aggregate_id"))?;
    let subject = match row.get(11) {
        None | Some(Value::Null) => None,
        Some(value) => {
            let text = value.as_text().ok_or(damaged("subject"))?;
            Some(text.parse().map_err(|_| damaged("subject"))?)
        }
    };
    let metadata: StoredMetadata = serde_json::from_str(text(6, "metadata")?)
        .map_err(|cause| CodecError::Payload { position, cause })?;
    let sealed_for = match &metadata.sealed_for {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| damaged("metadata"))?),
    };
    let event_id = text(8, "event_id")?.parse().map_err(|_| damaged("event_id"))?;
    let mut take = |i: usize, name| match row.get_mut(i) {
        Some(Value::Text(text)) => Ok(std::mem::take(text)),
        _ => Err(damaged(name)),
    };
    Ok(Stored {
        stream: StreamId { kind, id },
        sequence,
        kind: take(3, "event_type")?,
        version: take(4, "event_version")?,
        payload: take(5, "payload")?,
        metadata,
        position,
        id: event_id,
        occurred_at: DateTime::from_timestamp_micros(micros).ok_or(damaged("occurred_at"))?,
        actor: take(10, "actor")?,
        subject,
        sealed_for,
    })
}

/// What becomes of the personal fields of an event that is read.
#[derive(Debug, Clone, Copy)]
enum Fields<'a> {
    /// They are opened; without a key they read as erased.
    Opened(Option<&'a SealingKey>),
    /// They stay sealed.
    Sealed,
}

/// [`Provenance`] as it is stored, and whose key seals what is sealed there.
#[derive(Debug, Deserialize)]
struct StoredMetadata {
    request_id: Option<String>,
    causation: Option<String>,
    client: Option<String>,
    surface: Option<String>,
    sealed_for: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

impl Stored {
    /// Whose keys open it.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.subject.iter().chain(&self.sealed_for)
    }

    /// Opens what is sealed and makes the event new if its version is old. Without a key the personal
    /// fields read as erased. `actor` is the key of whoever acted, where it is not the subject's.
    pub(crate) fn open(
        self,
        key: Option<&SealingKey>,
        actor: Option<&SealingKey>,
        upcasters: &[Box<dyn EventUpcaster>],
    ) -> Result<Recorded, CodecError> {
        let actor = if self.sealed_for.is_some() { actor } else { key };
        self.read(Fields::Opened(key), Fields::Opened(actor), upcasters)
    }

    /// The same, with the personal fields as they are: sealed.
    pub(crate) fn sealed(self, upcasters: &[Box<dyn EventUpcaster>]) -> Result<Recorded, CodecError> {
        self.read(Fields::Sealed, Fields::Sealed, upcasters)
    }

    fn read(
        self,
        content: Fields<'_>,
        provenance: Fields<'_>,
        upcasters: &[Box<dyn EventUpcaster>],
    ) -> Result<Recorded, CodecError> {
        if self.payload == DROPPED_PAYLOAD {
            return self.dropped();
        }
        let position = self.position;
        let context = self.id.to_string();
        let json = |cause| CodecError::Payload { position, cause };
        let provenance = self.provenance(provenance, &context)?;
        let is_old = upcasters.iter().any(|upcaster| upcaster.can_upcast(&self.kind, &self.version));
        let event = if is_old || self.payload.contains(SEALED_MARK) {
            let mut payload: Json = serde_json::from_str(&self.payload).map_err(json)?;
            if let Fields::Opened(key) = content {
                open_payload(&mut payload, key, &context)
                    .map_err(|cause| CodecError::Seal { position, cause })?;
            }
            Event::from_json(self.stream.kind, self.upcast(payload, upcasters)).map_err(json)?
        } else {
            // Most events have nothing sealed: they need no tree of values in between.
            let mut text = serde_json::Deserializer::from_str(&self.payload);
            let event = Event::from_json(self.stream.kind, &mut text).map_err(json)?;
            text.end().map_err(json)?;
            event
        };
        Ok(Recorded {
            position,
            id: self.id,
            stream: self.stream,
            sequence: self.sequence,
            occurred_at: self.occurred_at,
            subject: self.subject,
            provenance,
            event,
        })
    }

    /// What is left of an event whose content was dropped. Only some types may be without.
    fn dropped(self) -> Result<Recorded, CodecError> {
        let damaged = |column| CodecError::Column { position: self.position, column };
        let dropped = Dropped::of(self.stream.kind, &self.kind, &self.version).ok_or(damaged("payload"))?;
        let actor = Actor::from_label(&self.actor).ok_or(damaged("actor"))?;
        Ok(Recorded {
            position: self.position,
            id: self.id,
            stream: self.stream,
            sequence: self.sequence,
            occurred_at: self.occurred_at,
            subject: self.subject,
            provenance: Provenance::internal(actor, Surface::Internal, Uuid::nil()),
            event: Event::Dropped(dropped),
        })
    }

    fn upcast(&self, payload: Json, upcasters: &[Box<dyn EventUpcaster>]) -> Json {
        let event = SerializedEvent {
            aggregate_id: self.stream.id.to_string(),
            sequence: usize::try_from(self.sequence).unwrap_or(usize::MAX),
            aggregate_type: self.stream.kind.as_str().to_owned(),
            event_type: self.kind.clone(),
            event_version: self.version.clone(),
            payload,
            metadata: Json::Null,
        };
        upcasters
            .iter()
            .fold(event, |event, upcaster| {
                if upcaster.can_upcast(&event.event_type, &event.event_version) {
                    upcaster.upcast(event)
                } else {
                    event
                }
            })
            .payload
    }

    fn provenance(&self, fields: Fields<'_>, context: &str) -> Result<Provenance, CodecError> {
        let position = self.position;
        let damaged = || CodecError::Column { position, column: "metadata" };
        let stored = &self.metadata;
        let personal = |name: &str, stored: Option<&str>| -> Result<Option<Personal<String>>, CodecError> {
            let Some(stored) = stored else { return Ok(None) };
            let Some(sealed) = stored.strip_prefix(SEALED_PREFIX) else {
                return if stored == ERASED_TEXT { Ok(Some(Personal::Erased)) } else { Err(damaged()) };
            };
            let key = match fields {
                Fields::Sealed => return Ok(Some(Personal::Sealed(sealed.to_owned()))),
                Fields::Opened(None) => return Ok(Some(Personal::Erased)),
                Fields::Opened(Some(key)) => key,
            };
            let plain = key
                .open_text(sealed, &format!("{context}#{name}"))
                .map_err(|cause| CodecError::Seal { position, cause })?;
            Ok(Some(Personal::Known(String::from_utf8(plain).map_err(|_| damaged())?)))
        };
        let ip = match personal("ip", stored.ip.as_deref())? {
            None => None,
            Some(Personal::Known(ip)) => Some(Personal::Known(ip.parse::<IpAddr>().map_err(|_| damaged())?)),
            Some(Personal::Sealed(sealed)) => Some(Personal::Sealed(sealed)),
            Some(Personal::Erased) => Some(Personal::Erased),
        };
        Ok(Provenance {
            actor: Actor::from_label(&self.actor).ok_or_else(damaged)?,
            request_id: stored.request_id.as_deref().and_then(|id| id.parse().ok()).ok_or_else(damaged)?,
            causation: stored.causation.as_deref().and_then(|id| id.parse().ok()),
            ip,
            user_agent: personal("user_agent", stored.user_agent.as_deref())?,
            surface: stored.surface.as_deref().and_then(Surface::from_name).ok_or_else(damaged)?,
            client: stored.client.clone(),
        })
    }
}

/// Counts fit: a log of 2^63 events is out of reach.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

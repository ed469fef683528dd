//! From rows of the log to events: columns are read in place, and what is sealed is opened.

use std::borrow::Cow;
use std::net::IpAddr;

use chrono::DateTime;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use evident_domain::retention::Dropped;
use evident_domain::{
    Actor, Event, EventId, Personal, Position, Provenance, Recorded, StreamId, StreamKind, Subject, Surface,
    Time,
};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::codec::{CodecError, DROPPED_PAYLOAD, ERASED_TEXT, READ, SEALED_PREFIX};
use crate::database::Cell;
use crate::origin::Part;
use crate::seal::{SealingKey, open_values};
use crate::unseal::{UnsealError, open_payload};

/// Without this in its text a payload has nothing sealed.
const SEALED_MARK: &str = "$sealed";

/// A stored event whose columns are read, but not its content.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) stream: StreamId,
    pub(crate) sequence: u64,
    kind: &'a str,
    version: &'a str,
    payload: &'a str,
    /// Whether something in the payload is sealed.
    has_sealed: bool,
    /// None where it was not asked for.
    metadata: Option<StoredMetadata<'a>>,
    pub(crate) position: Position,
    id: EventId,
    occurred_at: Time,
    actor: &'a str,
    pub(crate) subject: Option<Subject>,
    /// Whose key seals address and program of the client, where it is not the subject's.
    pub(crate) sealed_for: Option<Subject>,
}

/// Events with the columns [`READ_COLUMNS`]: each row's position, and what it reads as.
pub(crate) fn decode_each<'a>(
    cells: &[Cell<'a>],
) -> impl Iterator<Item = (Position, Result<Stored<'a>, CodecError>)> {
    cells.chunks(READ.columns.len()).map(|row| {
        let position = row.get(7).and_then(|cell| count(*cell)).unwrap_or_default();
        (Position(position), decode(Position(position), row))
    })
}

fn count(cell: Cell<'_>) -> Option<u64> {
    cell.as_int().and_then(|number| u64::try_from(number).ok())
}

fn decode<'a>(position: Position, row: &[Cell<'a>]) -> Result<Stored<'a>, CodecError> {
    let damaged = |column| CodecError::Column { position, column };
    let cell = |at: usize| row.get(at).copied().unwrap_or(Cell::Null);
    let text = |at: usize, name| cell(at).as_text().ok_or(damaged(name));
    let micros = cell(9).as_int().ok_or(damaged("occurred_at"))?;
    let kind = StreamKind::from_name(text(0, "aggregate_type")?).ok_or(damaged("aggregate_type"))?;
    let id: Uuid = text(1, "aggregate_id")?.parse().map_err(|_| damaged("aggregate_id"))?;
    let subject = match cell(11) {
        Cell::Null => None,
        value => {
            let text = value.as_text().ok_or(damaged("subject"))?;
            Some(text.parse().map_err(|_| damaged("subject"))?)
        }
    };
    let metadata: Option<StoredMetadata<'a>> = match cell(6) {
        Cell::Null => None,
        _ => Some(
            serde_json::from_str(text(6, "metadata")?)
                .map_err(|cause| CodecError::Payload { position, cause })?,
        ),
    };
    let sealed_for = match metadata.as_ref().and_then(|metadata| metadata.sealed_for.as_ref()) {
        None => None,
        Some(text) => Some(text.0.parse().map_err(|_| damaged("metadata"))?),
    };
    let payload = text(5, "payload")?;
    Ok(Stored {
        stream: StreamId { kind, id },
        sequence: count(cell(2)).ok_or(damaged("sequence"))?,
        kind: text(3, "event_type")?,
        version: text(4, "event_version")?,
        payload,
        has_sealed: payload.contains(SEALED_MARK),
        metadata,
        position,
        id: text(8, "event_id")?.parse().map_err(|_| damaged("event_id"))?,
        occurred_at: DateTime::from_timestamp_micros(micros).ok_or(damaged("occurred_at"))?,
        actor: text(10, "actor")?,
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

/// A text that is borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// [`Provenance`] as it is stored, and whose key seals what is sealed there.
#[derive(Debug, Deserialize)]
struct StoredMetadata<'a> {
    #[serde(borrow)]
    request_id: Option<Text<'a>>,
    #[serde(borrow)]
    causation: Option<Text<'a>>,
    #[serde(borrow)]
    client: Option<Text<'a>>,
    #[serde(borrow)]
    surface: Option<Text<'a>>,
    #[serde(borrow)]
    sealed_for: Option<Text<'a>>,
    #[serde(borrow)]
    ip: Option<Text<'a>>,
    #[serde(borrow)]
    user_agent: Option<Text<'a>>,
}

/// For whom events are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// For whoever wants to know everything.
    Readers,
    /// For folds. What hardly any of them asks for stays sealed: address and program of the client, where the key of
    /// the event's subject seals them; and all of attempts, which folds only count.
    Folds,
}

impl Stored<'_> {
    /// Whether something in the payload is to be opened.
    fn opens_content(&self, audience: Audience) -> bool {
        self.has_sealed && (audience == Audience::Readers || self.stream.kind != StreamKind::Attempt)
    }

    /// Whose keys open it.
    pub(crate) fn subjects(&self, audience: Audience) -> impl Iterator<Item = &Subject> {
        let asked = self.opens_content(audience) || audience == Audience::Readers;
        self.subject.iter().filter(move |_| asked).chain(&self.sealed_for)
    }

    /// Opens what is sealed and makes the event new if its version is old. Without a key the personal
    /// fields read as erased. `actor` is the key of whoever acted, where it is not the subject's.
    pub(crate) fn open(
        self,
        key: Option<&SealingKey>,
        actor: Option<&SealingKey>,
        audience: Audience,
        upcasters: &[Box<dyn EventUpcaster>],
    ) -> Result<Recorded, CodecError> {
        let content = if self.opens_content(audience) { Fields::Opened(key) } else { Fields::Sealed };
        let provenance = match audience {
            _ if self.sealed_for.is_some() => Fields::Opened(actor),
            Audience::Readers => Fields::Opened(key),
            Audience::Folds => Fields::Sealed,
        };
        self.read(content, provenance, upcasters)
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
        let mut buffer = Uuid::encode_buffer();
        let context: &str = self.id.0.hyphenated().encode_lower(&mut buffer);
        let provenance = self.provenance(provenance, context)?;
        let event = self.event(content, context, upcasters)?;
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

    fn event(
        &self,
        content: Fields<'_>,
        context: &str,
        upcasters: &[Box<dyn EventUpcaster>],
    ) -> Result<Event, CodecError> {
        let position = self.position;
        let json = |cause| CodecError::Payload { position, cause };
        let broken = |cause| CodecError::Seal { position, cause };
        let is_old = upcasters.iter().any(|upcaster| upcaster.can_upcast(self.kind, self.version));
        // The type of an old one may be another now.
        let renewed = |old: Json| Event::from_json(self.stream.kind, self.upcast(old, upcasters));
        let of_text = |payload: &str| {
            if is_old {
                return renewed(serde_json::from_str(payload)?);
            }
            let mut text = serde_json::Deserializer::from_str(payload);
            let event = Event::of_type(self.stream.kind, self.kind, &mut text)?;
            text.end()?;
            Ok(event)
        };
        let key = match content {
            Fields::Opened(key) if self.has_sealed => key,
            // Most events have nothing sealed.
            Fields::Opened(_) | Fields::Sealed => return of_text(self.payload).map_err(json),
        };
        let opened = open_payload(self.payload, key, context).map_err(|error| match error {
            UnsealError::Seal(cause) => broken(cause),
            UnsealError::Json(cause) => json(cause),
        })?;
        of_text(&opened).or_else(|_| {
            // What was sealed may be deeper than it may stand in a text.
            let mut payload: Json = serde_json::from_str(self.payload).map_err(json)?;
            open_values(&mut payload, key, context).map_err(broken)?;
            if is_old { renewed(payload) } else { Event::of_type(self.stream.kind, self.kind, payload) }
                .map_err(json)
        })
    }

    /// What is left of an event whose content was dropped. Only some types may be without.
    fn dropped(self) -> Result<Recorded, CodecError> {
        let damaged = |column| CodecError::Column { position: self.position, column };
        let dropped = Dropped::of(self.stream.kind, self.kind, self.version).ok_or(damaged("payload"))?;
        let provenance = self.actor_alone()?;
        Ok(Recorded {
            position: self.position,
            id: self.id,
            stream: self.stream,
            sequence: self.sequence,
            occurred_at: self.occurred_at,
            subject: self.subject,
            provenance,
            event: Event::Dropped(dropped),
        })
    }

    fn upcast(&self, payload: Json, upcasters: &[Box<dyn EventUpcaster>]) -> Json {
        let event = SerializedEvent {
            aggregate_id: self.stream.id.to_string(),
            sequence: usize::try_from(self.sequence).unwrap_or(usize::MAX),
            aggregate_type: self.stream.kind.as_str().to_owned(),
            event_type: self.kind.to_owned(),
            event_version: self.version.to_owned(),
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

    /// What is known of who did it where no more is, or nobody asked.
    fn actor_alone(&self) -> Result<Provenance, CodecError> {
        let damaged = CodecError::Column { position: self.position, column: "actor" };
        let actor = Actor::from_label(self.actor).ok_or(damaged)?;
        Ok(Provenance::internal(actor, Surface::Internal, Uuid::nil()))
    }

    fn provenance<'s>(&'s self, fields: Fields<'_>, context: &str) -> Result<Provenance, CodecError> {
        let position = self.position;
        let damaged = || CodecError::Column { position, column: "metadata" };
        let Some(stored) = &self.metadata else { return self.actor_alone() };
        let text = |field: &'s Option<Text<'_>>| field.as_ref().map(|text| &*text.0);
        let personal = |part: Part, stored: Option<&str>| -> Result<Option<Personal<String>>, CodecError> {
            let Some(stored) = stored else { return Ok(None) };
            let Some(sealed) = stored.strip_prefix(SEALED_PREFIX) else {
                return if stored == ERASED_TEXT { Ok(Some(Personal::Erased)) } else { Err(damaged()) };
            };
            let key = match fields {
                Fields::Sealed => return Ok(Some(Personal::Sealed(sealed.to_owned()))),
                Fields::Opened(None) => return Ok(Some(Personal::Erased)),
                Fields::Opened(Some(key)) => key,
            };
            let plain =
                part.open(sealed, key, context).map_err(|cause| CodecError::Seal { position, cause })?;
            Ok(Some(Personal::Known(String::from_utf8(plain).map_err(|_| damaged())?)))
        };
        let ip = match personal(Part::Ip, text(&stored.ip))? {
            None => None,
            Some(Personal::Known(ip)) => Some(Personal::Known(ip.parse::<IpAddr>().map_err(|_| damaged())?)),
            Some(Personal::Sealed(sealed)) => Some(Personal::Sealed(sealed)),
            Some(Personal::Erased) => Some(Personal::Erased),
        };
        Ok(Provenance {
            actor: Actor::from_label(self.actor).ok_or_else(damaged)?,
            request_id: text(&stored.request_id).and_then(|id| id.parse().ok()).ok_or_else(damaged)?,
            causation: text(&stored.causation).and_then(|id| id.parse().ok()),
            ip,
            user_agent: personal(Part::UserAgent, text(&stored.user_agent))?,
            surface: text(&stored.surface).and_then(Surface::from_name).ok_or_else(damaged)?,
            client: text(&stored.client).map(str::to_owned),
        })
    }
}

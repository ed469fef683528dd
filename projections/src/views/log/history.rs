//! What stood in a field before an event set it.

use std::collections::{BTreeMap, HashMap};

use evident_domain::{Position, Recorded, StreamId};
use evident_eventstore::{EventStore, StoreError};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value as Json;

use super::entry::Change;
use crate::audit::changes::{Effect, effects, setters};

/// So many earlier events of a stream are looked at. Where more could have set a field, what stood there is
/// not told.
const EARLIER: u32 = 500;

/// So many streams are looked at side by side.
const AT_ONCE: usize = 4;

/// What each of some events changes.
pub(super) async fn changes(
    store: &EventStore,
    events: &[&Recorded],
) -> Result<HashMap<Position, Vec<Change>>, StoreError> {
    let mut streams: BTreeMap<StreamId, Vec<Effective>> = BTreeMap::new();
    for event in events {
        let effects = effects(&event.event);
        if !effects.is_empty() {
            let of_stream = streams.entry(event.stream).or_default();
            of_stream.push(Effective { position: event.position, sequence: event.sequence, effects });
        }
    }
    let of_streams = streams.into_iter().map(|(stream, events)| of_stream(store.clone(), stream, events));
    let found: Vec<Vec<(Position, Vec<Change>)>> =
        stream::iter(of_streams).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// An event that changes something.
struct Effective {
    position: Position,
    sequence: u64,
    effects: Vec<Effect>,
}

async fn of_stream(
    store: EventStore,
    stream: StreamId,
    mut events: Vec<Effective>,
) -> Result<Vec<(Position, Vec<Change>)>, StoreError> {
    events.sort_unstable_by_key(|event| event.sequence);
    let last = events.last().map_or(0, |event| event.sequence);
    let earlier = if last > 1 {
        let all: Vec<Effect> = events.iter().flat_map(|event| event.effects.clone()).collect();
        store.earlier(stream, last, &setters(stream.kind, &all), EARLIER).await?
    } else {
        Vec::new()
    };
    let whole = earlier.len() < usize::try_from(EARLIER).unwrap_or(usize::MAX);
    let mut earlier = earlier.iter().peekable();
    let mut fields = Fields { values: BTreeMap::new(), whole };
    let mut changes = Vec::with_capacity(events.len());
    for event in events {
        while let Some(before) = earlier.next_if(|before| before.sequence < event.sequence) {
            fields.take(&effects(&before.event));
        }
        let of_event = event.effects.iter().map(|effect| fields.change(effect));
        changes.push((event.position, of_event.collect()));
    }
    Ok(changes)
}

struct Fields {
    values: BTreeMap<String, Option<Json>>,
    /// Whether everything that came before is known.
    whole: bool,
}

impl Fields {
    fn take(&mut self, effects: &[Effect]) {
        for effect in effects {
            self.values.insert(effect.field.clone(), effect.value.clone());
        }
    }

    fn change(&self, effect: &Effect) -> Change {
        let before = match self.values.get(&effect.field) {
            Some(known) => known.clone(),
            None => self.whole.then_some(Json::Null),
        };
        Change { field: effect.field.clone(), before, after: effect.value.clone() }
    }
}

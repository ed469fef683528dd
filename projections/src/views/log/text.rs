//! What of an event can be searched: everything that stands in the log unsealed, and no secret.

use evident_domain::Recorded;
use evident_eventstore::merkle::Leaf;
use serde_json::Value as Json;

/// Whether a text has all words, in any case. The text is only made where there are any.
pub(super) fn holds(words: &[String], text: impl FnOnce() -> String) -> bool {
    if words.is_empty() {
        return true;
    }
    let text = text().to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

pub(super) fn of_event(event: &Recorded) -> String {
    let provenance = &event.provenance;
    let mut text = [
        event.event.kind().0.to_owned(),
        event.stream.to_string(),
        event.id.to_string(),
        provenance.actor.label(),
        provenance.request_id.to_string(),
        provenance.surface.as_str().to_owned(),
    ]
    .join("\n");
    let subject = event.subject.as_ref().map(ToString::to_string);
    let causation = provenance.causation.map(|id| id.to_string());
    for more in [subject, causation, provenance.client.clone()].into_iter().flatten() {
        add(&mut text, &more);
    }
    let shown = event.event.disclosed();
    for field in event.event.description().fields.iter().filter(|field| !field.is_personal()) {
        if let Some(value) = shown.fields.get(field.name) {
            collect(value, &mut text);
        }
    }
    text
}

pub(super) fn of_leaf(leaf: &Leaf<'_>) -> String {
    let mut text =
        [leaf.kind.to_string(), leaf.stream.clone(), leaf.id.to_string(), leaf.actor.to_string()].join("\n");
    if let Some(subject) = leaf.subject.as_deref() {
        add(&mut text, subject);
    }
    text
}

fn add(text: &mut String, more: &str) {
    text.push('\n');
    text.push_str(more);
}

/// The values in a JSON value.
fn collect(value: &Json, text: &mut String) {
    match value {
        Json::Null => {}
        Json::Bool(flag) => add(text, if *flag { "true" } else { "false" }),
        Json::Number(number) => add(text, &number.to_string()),
        Json::String(found) => add(text, found),
        Json::Array(items) => items.iter().for_each(|item| collect(item, text)),
        Json::Object(fields) => {
            for (key, value) in fields {
                add(text, key);
                collect(value, text);
            }
        }
    }
}

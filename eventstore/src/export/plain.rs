//! An event as plain JSON: personal fields as values where they read, secrets hidden.

use chrono::{DateTime, SecondsFormat};
use evident_domain::{Event, Personal, Recorded, Time};
use serde_json::{Value as Json, json};

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// An event as one JSON object.
pub fn as_json(event: &Recorded) -> Json {
    let (kind, version) = event.event.kind();
    let provenance = &event.provenance;
    json!({
        "position": event.position,
        "id": event.id,
        "type": kind,
        "version": version,
        "stream": event.stream.to_string(),
        "sequence": event.sequence,
        "occurred_at": moment(event.occurred_at),
        "actor": provenance.actor.label(),
        "subject": event.subject.as_ref().map(ToString::to_string),
        "request_id": provenance.request_id,
        "causation": provenance.causation,
        "ip": ip(event),
        "user_agent": agent(event),
        "surface": provenance.surface.as_str(),
        "client": provenance.client,
        "data": data(&event.event),
    })
}

/// The address that an event came from, where it reads.
pub(super) fn ip(event: &Recorded) -> Option<String> {
    event.provenance.ip.as_ref().and_then(Personal::known).map(ToString::to_string)
}

/// The `User-Agent` that an event came with, where it reads.
pub(super) fn agent(event: &Recorded) -> Option<&str> {
    event.provenance.user_agent.as_ref().and_then(Personal::known).map(String::as_str)
}

/// What happened, without the type; personal fields as plain values, `null` where they are sealed or
/// erased; no secrets.
pub fn data(event: &Event) -> Json {
    let mut data = event.to_json().unwrap_or(Json::Null);
    let Some(fields) = data.as_object_mut() else { return data };
    fields.remove("type");
    for field in event.description().fields {
        let Some(value) = fields.get_mut(field.name) else { continue };
        if value.is_null() {
            continue;
        }
        if field.is_secret() {
            *value = Json::from(HIDDEN);
        } else {
            open(value);
        }
    }
    data
}

fn open(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            if fields.len() == 1
                && let Some(plain) = fields.get_mut("$personal")
            {
                *value = plain.take();
                return;
            }
            if fields.len() == 1 && fields.contains_key("$sealed") {
                *value = Json::Null;
                return;
            }
            fields.values_mut().for_each(open);
        }
        Json::Array(items) => items.iter_mut().for_each(open),
        Json::String(text) if text == "$erased" => *value = Json::Null,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// A moment in RFC 3339, to the microsecond.
pub fn moment(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A moment as a leaf has it.
pub(super) fn moment_of(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map(moment).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use evident_domain::catalogue;

    use super::*;

    #[test]
    fn no_secret_of_any_event_is_shown() {
        let mut secrets = BTreeSet::new();
        for entry in catalogue::entries() {
            let shown = data(&entry.sample);
            for field in entry.description.fields.iter().filter(|field| field.is_secret()) {
                assert_eq!(shown[field.name], HIDDEN, "{} {}", entry.name, field.name);
                secrets.insert(field.value_type());
            }
            let text = shown.to_string();
            for hash in ["$argon2id$", "5e5e5e", "9c9c9c", "ya29.sample", "E9Melhoa2Owv"] {
                assert!(!text.contains(hash), "{}: {text}", entry.name);
            }
        }
        for kind in ["PasswordHash", "TokenHash", "TotpSecret", "SealedSecret", "ProviderTokens"] {
            assert!(secrets.contains(kind), "{kind}");
        }
    }

    #[test]
    fn what_is_sealed_or_erased_reads_as_nothing() {
        for mut value in [json!({"$sealed": "x"}), json!("$erased")] {
            open(&mut value);
            assert_eq!(value, Json::Null);
        }
    }
}

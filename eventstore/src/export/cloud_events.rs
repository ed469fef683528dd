//! `CloudEvents` 1.0, JSON format. Names of extensions are lower-case letters and digits, as the
//! specification wants; `sequence` is the documented extension of that name.

use evident_domain::{EventId, Position};
use serde_json::{Map, Value as Json, json};

use super::plain::{self, moment_of};
use super::{Entry, Style};

pub(super) fn document(entry: &Entry, style: &Style) -> Json {
    let leaf = &entry.sealed.leaf;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Json| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    put("specversion", json!("1.0"));
    put("id", json!(leaf.id));
    put("source", json!(style.source));
    put("type", json!(leaf.kind));
    put("subject", json!(leaf.subject));
    put("time", json!(moment_of(leaf.time)));
    put("sequence", json!(format!("{:020}", leaf.position.0)));
    put("typeversion", json!(leaf.version));
    put("stream", json!(leaf.stream));
    put("streamsequence", json!(leaf.sequence.to_string()));
    put("actor", json!(leaf.actor));
    put("personal", json!(style.opening.as_str()));
    match &entry.event {
        None => put("content", json!("dropped")),
        Some(event) => {
            let provenance = &event.provenance;
            put("requestid", json!(provenance.request_id));
            put("causationid", json!(provenance.causation));
            put("surface", json!(provenance.surface.as_str()));
            put("client", json!(provenance.client));
            put("ip", json!(plain::ip(event)));
            put("useragent", json!(plain::agent(event)));
            put("datacontenttype", json!("application/json"));
            put("data", plain::data(&event.event));
        }
    }
    Json::Object(fields)
}

pub(super) fn place(document: &Json) -> Option<(Position, EventId)> {
    let position = document.get("sequence")?.as_str()?.parse().ok()?;
    document.get("specversion")?;
    Some((Position(position), document.get("id")?.as_str()?.parse().ok()?))
}

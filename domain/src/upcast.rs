//! Old shapes of events, made new on reading. A shape that was ever released keeps its place here
//! and a golden file in `domain/tests/golden`.

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster};
use serde_json::Value;

/// Every upcaster, in the order in which they apply.
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    vec![
        // 1.0 called the reason `note`, and wrote a ban without end as an absent `until`.
        Box::new(SemanticVersionEventUpcaster::new("user.banned", "2.0", Box::new(banned_2))),
        // 1.0 did not say which factor gave the proof.
        Box::new(SemanticVersionEventUpcaster::new("session.stepped_up", "2.0", Box::new(stepped_up_2))),
        // 1.0 knew no OAuth clients: every session was the user's own.
        Box::new(SemanticVersionEventUpcaster::new("session.started", "1.1", Box::new(started_1_1))),
        // 1.0 did not say in which session somebody links.
        Box::new(SemanticVersionEventUpcaster::new("flow.started", "1.1", Box::new(flow_started_1_1))),
        // 1.1 knew neither ends that move nor administrators who act in a user's name.
        Box::new(SemanticVersionEventUpcaster::new("session.started", "1.2", Box::new(started_1_2))),
    ]
}

fn stepped_up_2(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.entry("factor").or_insert(Value::Null);
    }
    payload
}

fn banned_2(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        let reason = fields.remove("note").unwrap_or(Value::Null);
        fields.entry("reason").or_insert(reason);
        fields.entry("until").or_insert(Value::Null);
    }
    payload
}

fn started_1_1(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.entry("client").or_insert(Value::Null);
        fields.entry("scopes").or_insert(Value::Null);
    }
    payload
}

fn flow_started_1_1(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.entry("session").or_insert(Value::Null);
    }
    payload
}

fn started_1_2(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.entry("slides").or_insert(Value::Bool(false));
        fields.entry("impersonator").or_insert(Value::Null);
    }
    payload
}

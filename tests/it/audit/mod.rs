//! Reading the log: at `/audit`, and as Supabase Auth's users know it.

mod access;
mod events;
mod gotrue;
mod keys;
mod proofs;
mod pruning;
mod readings;
mod stream;
mod timelines;
mod users;
mod watchers;

use serde_json::Value;

use crate::support::{Bearer, TestServer};

/// Somebody whose token lets them read the log.
pub(crate) fn auditor(server: &TestServer) -> Bearer {
    Bearer(server.evident(&["audit", "token"]).ok().trim().to_owned())
}

/// The entries of a page, without those that tell of the reading itself.
async fn entries(server: &TestServer, reader: &Bearer, path: &str) -> Vec<Value> {
    let page = server.get(reader, path).await.ok();
    let entries = page["entries"].as_array().unwrap().iter();
    entries.filter(|entry| entry["type"] != "audit.read").cloned().collect()
}

/// The types of entries.
fn types(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect()
}

/// The positions of entries.
fn positions(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["position"].as_u64().unwrap()).collect()
}

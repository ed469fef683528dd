//! Reading the log is an event itself, and does not feed the log for ever.

use serde_json::json;

use super::auditor;
use crate::support::TestServer;

/// What the log says of readings.
fn readings(server: &TestServer) -> Vec<crate::support::Event> {
    server.events().into_iter().filter(|event| event.kind == "audit.read").collect()
}

on_both_databases!(who_reads_is_noted_once_a_minute, async |database| {
    let server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    let reader = auditor(&server);
    for _ in 0..20 {
        server.get(&reader, "/audit/events").await.ok();
        server.get(&reader, "/audit/events/1").await.ok();
    }
    let noted = readings(&server);
    // A minute may have gone by in between.
    assert!((1..=2).contains(&noted.len()), "{noted:?}");
    assert_eq!(noted[0].actor, "admin:auditor");
    assert_eq!(noted[0].ip.as_deref(), Some("127.0.0.1"));
    let shown = server.get(&reader, &format!("/audit/events/{}", noted[0].position)).await.ok();
    assert_eq!(shown["data"], json!({ "operation": "GET /audit/events" }));
    assert_eq!(shown["summary"], "the log was read (GET /audit/events), by admin auditor");
    server.assert_log_is_whole();
});

on_both_databases!(a_second_node_does_not_note_it_again, async |database| {
    let server = TestServer::started(&database).await;
    if server.database().url().is_none() {
        return; // an SQLite file has one server
    }
    server.sign_up("ada@example.com").await;
    let other = server.second_node().await;
    let reader = auditor(&server);
    let (first, second) = (async { server.get(&reader, "/audit/events").await.ok() }, async {
        other.get(&reader, "/audit/events").await.ok()
    });
    futures::future::join(first, second).await;
    assert!((1..=2).contains(&readings(&server).len()));
});

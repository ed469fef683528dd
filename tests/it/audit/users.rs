//! Who could sign in at a moment.

use serde_json::{Value, json};

use super::auditor;
use crate::support::{Bearer, ServiceRole, TestServer};

async fn names(server: &TestServer, reader: &Bearer, at: &str) -> Vec<String> {
    let page = server.get(reader, &format!("/audit/users?at={at}")).await.ok();
    let users = page["users"].as_array().unwrap().iter();
    users.map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

/// The time of the last event.
fn now(server: &TestServer) -> String {
    server.events().last().unwrap().occurred_at.clone()
}

on_both_databases!(the_log_tells_who_could_sign_in_then_and_which_event_decided, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let first = now(&server);
    let bob = server.sign_up("bob@example.com").await;
    let eve = server.sign_up("eve@example.com").await;
    let second = now(&server);
    let ban = json!({ "ban_duration": "24h" });
    server.put(&ServiceRole, &format!("/admin/users/{}", bob.id), ban).await.ok();
    server.post(&ServiceRole, "/admin/users", json!({ "email": "unconfirmed@example.com" })).await.ok();
    let third = now(&server);
    server
        .put(&ServiceRole, &format!("/admin/users/{}", bob.id), json!({ "ban_duration": "none" }))
        .await
        .ok();
    server.delete(&ServiceRole, &format!("/admin/users/{}", eve.id), None).await;
    let fourth = now(&server);

    let reader = auditor(&server);
    let erased = format!("user {} (erased)", &eve.id[..8]);
    assert_eq!(names(&server, &reader, "2020-01-01T00:00:00Z").await, Vec::<String>::new());
    assert_eq!(names(&server, &reader, &first).await, ["ada@example.com"]);
    assert_eq!(names(&server, &reader, &second).await, ["ada@example.com", "bob@example.com", &erased]);
    assert_eq!(names(&server, &reader, &third).await, ["ada@example.com", &erased]);
    assert_eq!(names(&server, &reader, &fourth).await, ["ada@example.com", "bob@example.com"]);

    let page = server.get(&reader, &format!("/audit/users?at={fourth}&limit=2")).await.ok();
    let last = &page["users"][1];
    assert_eq!((&last["user"], &last["password"]), (&json!(bob.id), &json!(true)));
    assert_eq!(last["providers"], json!(["email"]));
    let decided = server.get(&reader, &format!("/audit/events/{}", last["decided_by"])).await.ok();
    assert_eq!(decided["type"], "user.unbanned");
    assert_eq!(page["users"][0]["user"], ada.id.as_str());
    let next = page["next"].as_u64().unwrap();
    let rest = server.get(&reader, &format!("/audit/users?at={fourth}&limit=2&after={next}")).await.ok();
    assert_eq!((&rest["users"], rest["next"].is_null()), (&json!([]), false));
    let next = rest["next"].as_u64().unwrap();
    let end = server.get(&reader, &format!("/audit/users?at={fourth}&limit=2&after={next}")).await.ok();
    assert_eq!((&end["users"], &end["next"]), (&json!([]), &Value::Null));

    for odd in ["", "?at=", "?at=then", "?at=2026-01-01", "?at=2026-01-01T00:00:00Z&limit=0", "?user=1"] {
        assert_eq!(server.get(&reader, &format!("/audit/users{odd}")).await.status, 400, "{odd}");
    }
});

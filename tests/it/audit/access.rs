//! Who gets in at `/audit`, and who does not.

use serde_json::{Value, json};

use super::auditor;
use crate::support::{
    Anonymous, Bearer, Caller, JWT_SECRET, Person, Reply, ServiceRole, TestServer, sign_hs256,
};

/// Every path that only auditors may see.
const PATHS: &[&str] = &[
    "/audit/events",
    "/audit/events/1",
    "/audit/users/0d1b5a9e-0000-4000-8000-000000000001/timeline",
    "/audit/organizations/0d1b5a9e-0000-4000-8000-000000000001/timeline",
    "/audit/users",
    "/audit/stream",
    "/audit/checkpoint",
    "/audit/tile/0/000",
    "/audit/proof/inclusion",
    "/audit/nothing",
];

/// Checks the form of a refusal; gives its code.
#[track_caller]
fn refusal(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    let document = reply.json();
    assert!(!document["error"]["message"].as_str().unwrap().is_empty());
    document["error"]["code"].as_str().unwrap().to_owned()
}

/// A token with an auditor's role and whatever else it says.
fn token(more: &Value) -> Bearer {
    let mut claims = json!({ "role": "auditor" });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Bearer(sign_hs256(&claims, JWT_SECRET))
}

/// Makes a user's tokens those of an auditor.
async fn as_auditor(server: &TestServer, email: &str) -> Person {
    let person = server.sign_up(email).await;
    let path = format!("/admin/users/{}", person.id);
    server.put(&ServiceRole, &path, json!({ "role": "auditor" })).await.ok();
    server.sign_in(email).await
}

on_both_databases!(only_auditors_see_anything, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let forged = Bearer(sign_hs256(&json!({ "role": "auditor" }), "another-secret-of-thirty-two-characters"));
    let over = token(&json!({ "exp": 1 }));
    let of_nobody = token(&json!({ "sub": "0d1b5a9e-0000-4000-8000-000000000001",
                                   "session_id": "0d1b5a9e-0000-4000-8000-000000000002" }));
    for path in PATHS {
        for (caller, status) in [
            (None, 401),
            (Bearer("nonsense".to_owned()).bearer(), 401),
            (forged.bearer(), 401),
            (over.bearer(), 401),
            (of_nobody.bearer(), 401),
            (ada.bearer(), 403),
            (ServiceRole.bearer(), 403),
        ] {
            let mut request = server.request(reqwest::Method::GET, path);
            if let Some(token) = caller {
                request = request.bearer_auth(token);
            }
            let reply = server.send(request).await;
            let code = if status == 401 { "unauthorized" } else { "forbidden" };
            assert_eq!(refusal(&reply, status), code, "{path}");
            assert_eq!(reply.headers.contains_key("www-authenticate"), status == 401);
        }
        for method in ["POST", "HEAD", "DELETE"] {
            let request = server.request(reqwest::Method::from_bytes(method.as_bytes()).unwrap(), path);
            assert_eq!(server.send(request).await.status, 401, "{method} {path}");
        }
    }
    let auditor = auditor(&server);
    assert_eq!(server.get(&auditor, "/audit/events/1").await.ok()["type"], "user.signed_up");
    assert_eq!(refusal(&server.get(&auditor, "/audit/nothing").await, 404), "not_found");
    assert_eq!(refusal(&server.get(&auditor, "/audit/events/1000").await, 404), "not_found");
    let refused = server.post(&auditor, "/audit/events/1", json!({})).await;
    assert_eq!(refusal(&refused, 405), "method_not_allowed");
    assert_eq!(refused.header("allow"), "GET");
    assert_eq!(server.get(&auditor, "/admin/users").await.error_code(403), "not_admin");
});

on_both_databases!(a_refused_reader_is_noted_and_cannot_fill_the_log, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    server.get(&ada, "/audit/events/1").await;
    server.get(&Anonymous, "/audit/events/1").await;
    let noted = server.assert_log(before, &["attempt.admin_denied"; 2]);
    assert_eq!(noted[0].actor, ada.subject());
    assert_eq!(noted[1].actor, "visitor");
    let shown = server.get(&auditor(&server), &format!("/audit/events/{}", noted[0].position)).await.ok();
    assert_eq!(shown["data"], json!({ "operation": "GET /audit/events/{position}", "reason": "not_admin" }));
    assert_eq!(shown["provenance"]["surface"], "ops");
    for _ in 0..100 {
        server.get(&Anonymous, "/audit/events/1").await;
    }
    assert!(server.head() < before + 80);
});

on_both_databases!(a_users_token_reads_while_its_session_lives, async |database| {
    let server = TestServer::started(&database).await;
    let person = as_auditor(&server, "grace@example.com").await;
    server.get(&person, "/audit/events/1").await.ok();
    server.post_empty(&person, "/logout").await.no_content();
    assert_eq!(refusal(&server.get(&person, "/audit/events/1").await, 401), "unauthorized");

    let again = server.sign_in("grace@example.com").await;
    server.get(&again, "/audit/events/1").await.ok();
    let ban = json!({ "ban_duration": "1h" });
    server.put(&ServiceRole, &format!("/admin/users/{}", again.id), ban).await.ok();
    assert_eq!(refusal(&server.get(&again, "/audit/events/1").await, 401), "unauthorized");
});

on_both_databases!(the_owner_says_which_roles_read, async |database| {
    let server =
        TestServer::on(&database).with("EVIDENT_AUDIT_ROLES", "compliance,service_role").start().await;
    server.sign_up("ada@example.com").await;
    server.get(&ServiceRole, "/audit/events/1").await.ok();
    server.get(&auditor(&server), "/audit/events/1").await.ok();
    assert_eq!(refusal(&server.get(&token(&json!({})), "/audit/events/1").await, 403), "forbidden");
    let refused = server.evident(&["audit", "token", "--role", "auditor"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    assert!(refused.err.contains("compliance, service_role"), "{}", refused.err);
});

on_both_databases!(an_event_shows_personal_data_until_it_is_erased_and_never_a_secret, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let auditor = auditor(&server);
    let shown = server.get(&auditor, "/audit/events/1").await.ok();
    assert_eq!(shown["data"]["email"], "ada@example.com");
    assert_eq!(shown["data"]["password"], "(hash)");
    assert_eq!(shown["provenance"]["ip"], "127.0.0.1");
    assert_eq!(shown["subject"], ada.subject());
    assert_eq!(shown["actor"], json!({ "label": "visitor", "kind": "visitor" }));
    assert_eq!(shown["erased"], json!([]));
    server.delete(&ServiceRole, &format!("/admin/users/{}", ada.id), None).await;
    let shown = server.get(&auditor, "/audit/events/1").await.ok();
    assert_eq!(shown["data"]["email"], Value::Null);
    assert_eq!(shown["provenance"]["ip"], Value::Null);
    assert_eq!(shown["erased"], json!(["email", "password", "user_metadata", "app_metadata", "ip"]));
});

on_both_databases!(the_routes_of_auditors_are_described, async |database| {
    let server = TestServer::started(&database).await;
    let document = server.get(&Anonymous, "/audit/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/events/{position}"]["get"]["responses"]["403"].is_object());
    let page = server.get(&Anonymous, "/swagger/swagger-initializer.js").await;
    assert!(page.text.contains("../audit/openapi.json"), "{}", page.text);
});

//! `/admin/oauth/clients` and `POST /oauth/clients/register`.

use serde_json::{Value, json};

use super::{CALLBACK, with_oauth};
use crate::support::{Anonymous, ServiceRole, TestServer};

const CLIENTS: &str = "/admin/oauth/clients";
const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";

on_both_databases!(an_administrator_registers_reads_changes_and_deletes_a_client, async |database| {
    let server = with_oauth(&database).start().await;
    assert_eq!(server.get(&ServiceRole, CLIENTS).await.ok(), json!({}), "the list is left out when empty");
    let before = server.head();
    let body = json!({
        "client_name": "Photo Book",
        "client_uri": "https://photos.example.com",
        "redirect_uris": [CALLBACK],
        "scope": "dropped",
    });
    let reply = server.post(&ServiceRole, CLIENTS, body).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("cache-control"), "no-store");
    let mut made = reply.json();
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    made.as_object_mut().unwrap().remove("client_secret");
    let id = made["client_id"].as_str().unwrap().to_owned();
    assert_eq!(
        made,
        json!({
            "client_id": id,
            "client_type": "confidential",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "client_name": "Photo Book",
            "client_uri": "https://photos.example.com",
            "registration_type": "manual",
            "created_at": made["created_at"],
            "updated_at": made["updated_at"],
        })
    );
    let one = format!("{CLIENTS}/{id}");
    assert_eq!(server.get(&ServiceRole, &one).await.ok(), made, "without the secret");
    assert_eq!(server.get(&ServiceRole, CLIENTS).await.ok(), json!({ "clients": [made] }));

    let change =
        json!({ "client_name": "Photo Books", "redirect_uris": [CALLBACK, "http://localhost:4000/cb"] });
    let changed = server.put(&ServiceRole, &one, change).await.ok();
    assert_eq!(changed["client_name"], "Photo Books");
    assert_eq!(changed["redirect_uris"], json!([CALLBACK, "http://localhost:4000/cb"]));
    assert_eq!(changed["client_uri"], "https://photos.example.com");
    assert_eq!(changed.get("client_secret"), None);
    assert!(changed["updated_at"].as_str() > made["updated_at"].as_str());

    let again = server.post(&ServiceRole, &format!("{one}/regenerate_secret"), json!({})).await.ok();
    let other = again["client_secret"].as_str().unwrap();
    assert_ne!(other, secret);
    server.post_empty(&ServiceRole, &format!("{one}/regenerate_secret")).await.ok();

    server.delete(&ServiceRole, &one, None).await.no_content();
    for reply in [
        server.get(&ServiceRole, &one).await,
        server.delete(&ServiceRole, &one, None).await,
        server.put(&ServiceRole, &one, json!({ "client_name": "x" })).await,
        server.post_empty(&ServiceRole, &format!("{one}/regenerate_secret")).await,
    ] {
        reply.refused(404, "oauth_client_not_found", "OAuth client not found");
    }
    assert_eq!(server.get(&ServiceRole, CLIENTS).await.ok(), json!({}));
    let events = server.assert_log(
        before,
        &[
            "client.registered",
            "client.updated",
            "client.secret_regenerated",
            "client.secret_regenerated",
            "client.deleted",
        ],
    );
    assert!(events.iter().all(|event| event.actor == "admin:service_role"));
    server.assert_log_is_whole();
});

on_both_databases!(the_newest_client_comes_first, async |database| {
    let server = with_oauth(&database).start().await;
    for name in ["a", "b", "c"] {
        server.oauth_client(json!({ "client_name": name })).await;
    }
    let list = server.get(&ServiceRole, "/admin/oauth/clients?page=1&per_page=1").await.ok();
    let names: Vec<_> =
        list["clients"].as_array().unwrap().iter().map(|c| c["client_name"].clone()).collect();
    assert_eq!(names, ["c", "b", "a"]);
});

on_both_databases!(what_is_said_about_a_client_must_hold_the_rules, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let one = format!("{CLIENTS}/{}", client.id);
    let with = |more: Value| {
        let mut body = json!({ "redirect_uris": [CALLBACK] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let uri = |uri: &str| json!({ "redirect_uris": [uri] });
    for (body, message) in [
        (json!({ "client_name": "x" }), "redirect_uris is required"),
        (json!({ "redirect_uris": [] }), "redirect_uris is required"),
        (json!({ "redirect_uris": vec![CALLBACK; 11] }), "redirect_uris cannot exceed 10 items"),
        (uri("javascript:alert(1)"), "invalid redirect_uri 'javascript:alert(1)': must have scheme and host"),
        (
            uri("http://evil.com/cb"),
            "invalid redirect_uri 'http://evil.com/cb': HTTP scheme only allowed for localhost",
        ),
        (
            uri("https://a.example/#x"),
            "invalid redirect_uri 'https://a.example/#x': must not contain a fragment",
        ),
        (with(json!({ "client_name": "x".repeat(1025) })), "client_name cannot exceed 1024 characters"),
        (with(json!({ "client_uri": "javascript:alert(1)" })), "client_uri must be a valid URL"),
        (with(json!({ "logo_uri": "x" })), "logo_uri must be a valid URL"),
        (
            with(json!({ "grant_types": ["password"] })),
            "grant_types must only contain 'authorization_code' and/or 'refresh_token'",
        ),
        (with(json!({ "client_type": "odd" })), "client_type must be 'public' or 'confidential'"),
        (
            with(json!({ "token_endpoint_auth_method": "private_key_jwt" })),
            "token_endpoint_auth_method must be one of: client_secret_basic, client_secret_post, none",
        ),
        (
            with(json!({ "client_type": "public", "token_endpoint_auth_method": "client_secret_basic" })),
            "client_type 'public' is inconsistent with token_endpoint_auth_method 'client_secret_basic' (expected client_type 'confidential')",
        ),
    ] {
        server.post(&ServiceRole, CLIENTS, body.clone()).await.refused(400, "validation_failed", message);
        server.post(&Anonymous, "/oauth/clients/register", body).await.refused(
            400,
            "validation_failed",
            message,
        );
    }
    for (body, message) in [
        (json!({}), "No fields provided for update"),
        (json!({ "redirect_uris": [] }), "redirect_uris is required"),
        (
            json!({ "token_endpoint_auth_method": "none" }),
            "client_type 'confidential' is inconsistent with token_endpoint_auth_method 'none' (expected client_type 'public')",
        ),
    ] {
        server.put(&ServiceRole, &one, body).await.refused(400, "validation_failed", message);
    }
    for body in [json!({ "redirect_uris": "x" }), json!({ "redirect_uris": [1] }), json!([])] {
        assert_eq!(server.post(&ServiceRole, CLIENTS, body).await.error_code(400), "bad_json");
    }
    let odd = json!({ "redirect_uris": ["https://a.example/\0"], "client_name": "\0" });
    assert_eq!(server.post(&ServiceRole, CLIENTS, odd).await.error_code(400), "validation_failed");
    for path in ["/admin/oauth/clients/abc", "/admin/oauth/clients/abc/regenerate_secret"] {
        let method = if path.ends_with("secret") { reqwest::Method::POST } else { reqwest::Method::GET };
        let token = crate::support::Caller::bearer(&ServiceRole).unwrap();
        let reply = server.send(server.request(method, path).bearer_auth(token)).await;
        reply.refused(400, "validation_failed", "invalid client_id format");
    }
    let unknown = server.get(&ServiceRole, &format!("{CLIENTS}/{UNKNOWN}")).await;
    unknown.refused(404, "oauth_client_not_found", "OAuth client not found");
});

on_both_databases!(a_client_registers_itself_where_that_is_allowed, async |database| {
    let mut server = with_oauth(&database).start().await;
    let before = server.head();
    let body = json!({
        "client_name": "Note Pad",
        "redirect_uris": ["http://localhost:5173/cb"],
        "token_endpoint_auth_method": "none",
    });
    let reply = server.post(&Anonymous, "/oauth/clients/register", body.clone()).await;
    assert_eq!(reply.status, 201);
    let made = reply.json();
    assert_eq!(made.get("client_secret"), None);
    assert_eq!((&made["client_type"], &made["registration_type"]), (&json!("public"), &json!("dynamic")));
    let events = server.assert_log(before, &["client.registered"]);
    assert_eq!(events[0].actor, "visitor");
    let path = format!("{CLIENTS}/{}/regenerate_secret", made["client_id"].as_str().unwrap());
    let refused = server.post(&ServiceRole, &path, json!({})).await;
    refused.refused(400, "validation_failed", "Cannot regenerate secret for public client");

    server.stop();
    server.unset("GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION");
    server.start().await;
    server.post(&Anonymous, "/oauth/clients/register", body).await.refused(
        403,
        "oauth_dynamic_client_registration_disabled",
        "Dynamic client registration is not enabled",
    );
});

on_both_databases!(registrations_are_counted_refused_ones_too, async |database| {
    let server =
        with_oauth(&database).with("GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER", "1").start().await;
    for _ in 0..30 {
        assert_eq!(server.post(&Anonymous, "/oauth/clients/register", json!({})).await.status, 400);
    }
    let body = json!({ "redirect_uris": [CALLBACK] });
    server.post(&Anonymous, "/oauth/clients/register", body.clone()).await.refused(
        429,
        "over_request_rate_limit",
        "Request rate limit reached",
    );
    assert_eq!(server.post(&ServiceRole, CLIENTS, body).await.status, 201, "administrators are not counted");
});

on_both_databases!(clients_are_for_administrators, async |database| {
    let server = with_oauth(&database).start().await;
    let ada = server.sign_up("ada@example.com").await;
    let one = format!("{CLIENTS}/{UNKNOWN}");
    for path in [CLIENTS, one.as_str()] {
        assert_eq!(server.get(&Anonymous, path).await.error_code(401), "no_authorization");
        assert_eq!(server.get(&ada, path).await.error_code(403), "not_admin");
    }
    assert_eq!(server.post(&ada, CLIENTS, json!({})).await.error_code(403), "not_admin");
});

on_both_databases!(where_the_oauth_server_is_off_it_is_not_there, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let gone =
        |reply: crate::support::Reply| reply.refused(404, "feature_disabled", "OAuth server is disabled");
    for path in [
        "/oauth/authorize",
        "/oauth/authorizations/x",
        "/oauth/userinfo",
        "/oauth/token",
        "/oauth/nothing",
        "/.well-known/oauth-authorization-server",
        "/auth/v1/oauth/authorize",
    ] {
        gone(server.get(&Anonymous, path).await);
    }
    for path in ["/oauth/token", "/oauth/clients/register", "/oauth/authorizations/x/consent"] {
        gone(server.post(&Anonymous, path, json!({})).await);
    }
    gone(server.get(&ServiceRole, CLIENTS).await);
    gone(server.get(&ada, "/user/oauth/grants").await);
    gone(server.delete(&ada, &format!("/user/oauth/grants?client_id={UNKNOWN}"), None).await);
    assert_eq!(server.get(&Anonymous, CLIENTS).await.error_code(401), "no_authorization");
    assert_eq!(server.get(&Anonymous, "/user/oauth/grants").await.error_code(401), "no_authorization");
    let discovery = server.get(&Anonymous, "/.well-known/openid-configuration").await.ok();
    assert_eq!(discovery.get("registration_endpoint"), None);
});

on_both_databases!(discovery_tells_what_there_is, async |database| {
    let mut server = with_oauth(&database).start().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let reply = server.get(&Anonymous, path).await;
        assert_eq!(reply.header("cache-control"), "public, max-age=600");
        let document = reply.ok();
        assert_eq!(document["issuer"], "http://localhost:9999");
        assert_eq!(document["token_endpoint"], "http://localhost:9999/oauth/token");
        assert_eq!(document["registration_endpoint"], "http://localhost:9999/oauth/clients/register");
        assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256"]));
    }
    server.stop();
    server.unset("GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION");
    server.unset("GOTRUE_JWT_KEYS");
    server.start().await;
    let document = server.get(&Anonymous, "/.well-known/oauth-authorization-server").await.ok();
    assert_eq!(document.get("registration_endpoint"), None);
    assert_eq!(
        document["id_token_signing_alg_values_supported"],
        json!([]),
        "no ID tokens by a shared secret"
    );
});

on_both_databases!(paths_of_the_oauth_server_take_their_methods, async |database| {
    let server = with_oauth(&database).start().await;
    let reply = server.get(&Anonymous, "/oauth/token").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    let reply = server.post(&Anonymous, "/oauth/authorize", json!({})).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET"));
    assert_eq!(server.get(&Anonymous, "/oauth/nothing").await.status, 404);
    assert_eq!(server.get(&ServiceRole, "/admin/oauth/nothing").await.status, 404);
});

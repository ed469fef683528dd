//! Bad input: a 4xx in the protocol's form, never a 5xx, and nothing in the log.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Anonymous, Caller, PASSWORD, Reply, ServiceRole, TestServer};

/// The routes that take a body.
const WITH_BODY: &[(&str, &str)] = &[
    ("POST", "/signup"),
    ("POST", "/token?grant_type=password"),
    ("POST", "/token?grant_type=refresh_token"),
    ("POST", "/verify"),
    ("PUT", "/user"),
    ("POST", "/admin/users"),
    ("PUT", "/admin/users/{id}"),
    ("PUT", "/admin/user/{id}"),
];

/// Checks that an answer is a refusal in the protocol's form.
#[track_caller]
fn is_a_refusal(reply: &Reply, of: &str) {
    assert!((400..500).contains(&reply.status), "{of}: {} {}", reply.status, reply.text);
    let body = reply.json();
    assert_eq!(body["code"], reply.status, "{of}: {body}");
    assert!(body["error_code"].is_string() && body["msg"].is_string(), "{of}: {body}");
}

on_both_databases!(bodies_that_are_no_json_are_refused_everywhere, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    let bodies: &[&[u8]] = &[
        b"",
        b"{not json",
        b"{",
        b"[]",
        b"\"text\"",
        b"42",
        b"{} {}",
        b"{}x",
        b"{\"email\":\"\xff\xfe@example.com\",\"password\":\"\xc3\x28abcdefg\"}",
        b"\xff\xff\xff\xff",
        b"\0",
        b"{\"email\":1}{",
    ];
    for (method, path) in WITH_BODY {
        let path = path.replace("{id}", &ada.id);
        let token = if path.starts_with("/admin") { ServiceRole.bearer() } else { ada.bearer() };
        for body in bodies {
            let request = server
                .request(method.parse().unwrap(), &path)
                .bearer_auth(token.clone().unwrap())
                .header("content-type", "application/json")
                .body(body.to_vec());
            let reply = server.send(request).await;
            let what = format!("{method} {path} {:?}", String::from_utf8_lossy(body));
            is_a_refusal(&reply, &what);
            assert_eq!(reply.json()["error_code"], "bad_json", "{what}");
            let message = reply.json()["msg"].as_str().unwrap().to_owned();
            assert!(message.starts_with("Could not parse request body as JSON: "), "{what}: {message}");
        }
    }
    assert_eq!(server.head(), before);
});

on_both_databases!(wrong_types_are_refused_field_by_field, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    let texts = |field: &str| {
        [json!({ field: 42 }), json!({ field: true }), json!({ field: [] }), json!({ field: {} })]
    };
    let objects = |field: &str| [json!({ field: 42 }), json!({ field: "x" }), json!({ field: [] })];
    let booleans = |field: &str| [json!({ field: 42 }), json!({ field: "true" }), json!({ field: {} })];
    let mut cases: Vec<(&str, String, Value)> = Vec::new();
    for field in ["email", "phone", "password"] {
        for body in texts(field) {
            cases.push(("POST", "/signup".to_owned(), body.clone()));
            cases.push(("POST", "/token?grant_type=password".to_owned(), body.clone()));
            cases.push(("PUT", "/user".to_owned(), body.clone()));
            cases.push(("POST", "/admin/users".to_owned(), body.clone()));
            cases.push(("PUT", format!("/admin/users/{}", ada.id), body));
        }
    }
    for body in texts("refresh_token") {
        cases.push(("POST", "/token?grant_type=refresh_token".to_owned(), body));
    }
    for body in texts("type").into_iter().chain(texts("token")).chain(texts("token_hash")) {
        cases.push(("POST", "/verify".to_owned(), body));
    }
    for body in objects("data") {
        cases.push(("POST", "/signup".to_owned(), body.clone()));
        cases.push(("PUT", "/user".to_owned(), body));
    }
    for field in ["user_metadata", "app_metadata"] {
        for body in objects(field) {
            cases.push(("POST", "/admin/users".to_owned(), body.clone()));
            cases.push(("PUT", format!("/admin/users/{}", ada.id), body));
        }
    }
    for field in ["email_confirm", "phone_confirm"] {
        for body in booleans(field) {
            cases.push(("POST", "/admin/users".to_owned(), body.clone()));
            cases.push(("PUT", format!("/admin/users/{}", ada.id), body));
        }
    }
    for body in texts("ban_duration").into_iter().chain(texts("role")) {
        cases.push(("PUT", format!("/admin/users/{}", ada.id), body));
    }
    for (method, path, body) in cases {
        let token = if path.starts_with("/admin") { ServiceRole.bearer() } else { ada.bearer() };
        let request = server.request(method.parse().unwrap(), &path).bearer_auth(token.unwrap()).json(&body);
        let reply = server.send(request).await;
        let what = format!("{method} {path} {body}");
        is_a_refusal(&reply, &what);
        assert_eq!(reply.json()["error_code"], "bad_json", "{what}");
    }
    assert_eq!(server.head(), before);
});

on_both_databases!(null_counts_as_absent_and_unknown_fields_are_ignored, async |database| {
    let server = TestServer::started(&database).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "phone": null, "data": null,
        "code_challenge": null, "code_challenge_method": null, "channel": null, "gotrue_meta_security": {},
        "something": { "else": [1, 2] } });
    server.post(&Anonymous, "/signup", body).await.ok();
});

// Differs from GoTrue on purpose: a filter in front of the server may read another of two equal names.
on_both_databases!(names_are_exact_and_stand_once, async |database| {
    let server = TestServer::started(&database).await;
    server
        .post(&Anonymous, "/signup", json!({ "email": "ada@example.com", "password": PASSWORD }))
        .await
        .ok();
    let before = server.head();
    let twice = format!(
        "{{\"email\":\"nobody@example.com\",\"email\":\"ada@example.com\",\"password\":\"{PASSWORD}\"}}"
    );
    let request = server.request(Method::POST, "/token?grant_type=password").body(twice);
    let reply = server.send(request).await;
    assert_eq!((reply.status, &reply.json()["error_code"]), (400, &json!("bad_json")));
    let other_case = json!({ "EMAIL": "ada@example.com", "password": PASSWORD });
    let reply = server.post(&Anonymous, "/token?grant_type=password", other_case).await;
    reply.refused(400, "validation_failed", "missing email or phone");
    assert_eq!(server.head(), before);
});

on_both_databases!(huge_bodies_are_refused_before_they_are_read, async |database| {
    let server = TestServer::started(&database).await;
    let before = server.head();
    let body = format!("{{\"email\":\"{}\"}}", "a".repeat(1_048_576));
    let request = server.request(Method::POST, "/signup").body(body);
    server.send(request).await.refused(
        413,
        "request_entity_too_large",
        "Request body too large (max 1048576 bytes)",
    );
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let request = server.request(Method::POST, "/signup").body(deep);
    is_a_refusal(&server.send(request).await, "deeply nested");
    assert_eq!(server.head(), before);
    server.get(&Anonymous, "/health").await.ok();
});

on_both_databases!(nul_and_odd_characters_never_break_the_server, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let odd =
        ["\0", "a\0b", "\u{1f480}", "\u{202e}evil", "'; DROP TABLE users; --", "\u{feff}", "%00", "\r\nX: y"];
    for text in odd {
        let before = server.head();
        let as_address = format!("{text}@example.com");
        for body in [
            json!({ "email": as_address, "password": PASSWORD }),
            json!({ "phone": text, "password": PASSWORD }),
        ] {
            let reply = server.post(&Anonymous, "/signup", body.clone()).await;
            // "%00" and quotes are letters of an address.
            assert!(reply.status < 500, "{body}: {} {}", reply.status, reply.text);
            if text.contains('\0') {
                is_a_refusal(&reply, &body.to_string());
                assert_eq!(server.head(), before);
            }
        }
        let reply = server.try_sign_in(text, text).await;
        is_a_refusal(&reply, text);
        let reply = server.try_refresh(text).await;
        is_a_refusal(&reply, text);
        let verify = json!({ "type": text, "token_hash": text });
        is_a_refusal(&server.post(&Anonymous, "/verify", verify).await, text);
        // Free text may hold anything, and comes back as it was.
        let reply = server.put(&ada, "/user", json!({ "data": { "odd": text, text: 1 } })).await;
        assert!(matches!(reply.status, 200 | 400), "{text:?}: {} {}", reply.status, reply.text);
        if reply.status == 200 {
            assert_eq!(server.get(&ada, "/user").await.ok()["user_metadata"]["odd"], json!(text));
        }
        let reply =
            server.put(&ServiceRole, &format!("/admin/users/{}", ada.id), json!({ "role": text })).await;
        assert!(reply.status < 500, "{text:?}: {} {}", reply.status, reply.text);
    }
    server
        .put(&ServiceRole, &format!("/admin/users/{}", ada.id), json!({ "role": "authenticated" }))
        .await
        .ok();
    server.assert_log_is_whole();
});

on_both_databases!(odd_queries_and_headers_never_break_the_server, async |database| {
    let server = TestServer::started(&database).await;
    let before = server.head();
    for path in [
        "/admin/users?page=99999999999999999999",
        "/admin/users?page=18446744073709551615&per_page=18446744073709551615",
        "/admin/users?per_page=-1",
        "/admin/users?filter=%00",
        "/admin/users?filter=%ff%fe",
        "/admin/users?filter=%27%22%5c%25_",
        "/admin/users?sort=",
        "/admin/users?sort=created_at%00",
        "/admin/users/%00",
        "/admin/users/%ff",
        "/admin/users/..%2f..%2fetc",
        "/admin/users/00000000-0000-0000-0000-000000000000",
    ] {
        let reply = server.get(&ServiceRole, path).await;
        assert!(reply.status < 500, "{path}: {} {}", reply.status, reply.text);
    }
    for path in [
        "/verify?token=%00&type=signup",
        "/verify?token=%ff&type=%ff",
        "/logout?scope=%00",
        "/token?grant_type=%00",
    ] {
        let reply = server.get(&Anonymous, path).await;
        assert!(reply.status < 500, "{path}: {} {}", reply.status, reply.text);
    }
    for (name, value) in [
        ("authorization", "Bearer"),
        ("authorization", "Bearer "),
        ("authorization", "Basic abc"),
        ("authorization", "bearer a.b.c"),
        ("x-jwt-aud", "\u{fc}"),
        ("x-forwarded-for", "not an address"),
        ("x-supabase-api-version", "yesterday"),
        ("x-client-info", "\u{fc}\u{fc}"),
    ] {
        let request = server.request(Method::GET, "/user").header(name, value.as_bytes());
        let reply = server.send(request).await;
        assert!(matches!(reply.status, 400 | 401 | 403), "{name}: {value}: {} {}", reply.status, reply.text);
    }
    assert_eq!(server.head(), before);
});

on_both_databases!(unknown_paths_and_methods_answer_as_the_reference_does, async |database| {
    let server = TestServer::started(&database).await;
    let reply = server.get(&Anonymous, "/nothing-here").await;
    assert_eq!((reply.status, reply.text.as_str()), (404, "404 page not found\n"));
    assert!(reply.header("content-type").starts_with("text/plain"));
    for (method, path, allow) in [
        (Method::GET, "/signup", "POST"),
        (Method::POST, "/health", "GET"),
        (Method::HEAD, "/health", "GET"),
        (Method::OPTIONS, "/health", "GET"),
        (Method::DELETE, "/token", "POST"),
    ] {
        let reply = server.send(server.request(method.clone(), path)).await;
        assert_eq!((reply.status, reply.text.as_str()), (405, ""), "{method} {path}");
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
    }
});

on_both_databases!(errors_come_in_the_form_the_client_asks_for, async |database| {
    let server = TestServer::started(&database).await;
    let ask = async |version: Option<&str>| {
        let mut request = server.request(Method::GET, "/user");
        if let Some(version) = version {
            request = request.header("x-supabase-api-version", version);
        }
        server.send(request).await
    };
    let message = "This endpoint requires a valid Bearer token";
    for older in [None, Some("2023-01-01"), Some("nonsense"), Some("")] {
        let reply = ask(older).await;
        reply.refused(401, "no_authorization", message);
        assert_eq!(reply.header("x-supabase-api-version"), "");
    }
    for newer in ["2024-01-01", "2025-06-30"] {
        ask(Some(newer)).await.refused_in_new_form(401, "no_authorization", message);
    }
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request =
        server.request(Method::POST, "/signup").header("x-supabase-api-version", "2024-01-01").json(&body);
    let reply = server.send(request).await;
    reply.ok();
    assert_eq!(reply.header("x-supabase-api-version"), "", "only errors tell their version");
});

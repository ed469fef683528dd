//! Sessions: reading them, signing out, bearers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Browser, Reply, TestServer};

/// What takes the cookies of a session away.
fn assert_cleared(reply: &Reply) {
    let rest = "=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax";
    let expected =
        ["session_token", "session_data", "dont_remember"].map(|name| format!("better-auth.{name}{rest}"));
    assert_eq!(reply.set_cookies(), expected);
}

on_both_databases!(a_session_tells_when_it_ends_and_from_where_it_is_used, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    let request = server.request(Method::POST, "/api/auth/sign-up/email").header("user-agent", "Browser/1.0");
    let body = json!({ "name": "Ann", "email": "ann@example.com", "password": crate::support::PASSWORD });
    let signed_up = browser.send(request.json(&body)).await.ok();
    let reply = browser.get("/get-session").await;
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    let answer = reply.ok();
    let session = &answer["session"];
    assert_eq!(session["userId"], signed_up["user"]["id"]);
    assert_eq!(session["userAgent"], "Browser/1.0");
    assert_eq!(session["ipAddress"], "127.0.0.1");
    assert_eq!((&session["impersonatedBy"], &session["activeOrganizationId"]), (&Value::Null, &Value::Null));
    let moment = |name: &str| {
        let text = session[name].as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() == 24, "{text}");
        chrono::DateTime::parse_from_rfc3339(text).unwrap()
    };
    assert_eq!((moment("expiresAt") - moment("createdAt")).num_days(), 7);
    assert_eq!(answer["user"], signed_up["user"]);
});

on_both_databases!(nobody_is_signed_in_without_a_cookie_or_with_a_forged_one, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    let nobody = browser.get("/get-session").await;
    assert_eq!((nobody.ok(), nobody.set_cookies().len()), (Value::Null, 0));
    browser.keep("better-auth.session_token", "abc.def");
    let forged = browser.get("/get-session").await;
    assert_eq!((forged.ok(), forged.set_cookies().len()), (Value::Null, 0));
});

on_both_databases!(signing_out_ends_the_session_for_whoever_has_its_token, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let cookie = browser.cookie("better-auth.session_token").unwrap();
    let out = browser.post("/sign-out", json!({})).await;
    assert_eq!(out.ok(), json!({ "success": true }));
    assert_cleared(&out);
    assert!(browser.cookie("better-auth.session_token").is_none());

    let copy = Browser::on(&server);
    copy.keep("better-auth.session_token", &cookie);
    let dead = copy.get("/get-session").await;
    assert_eq!(dead.ok(), Value::Null);
    assert_cleared(&dead);

    let again = browser.post("/sign-out", json!({})).await;
    assert_eq!(again.ok(), json!({ "success": true }));
    assert_cleared(&again);
});

on_both_databases!(bearers_bring_the_token_plain_or_signed, async |database| {
    let server = TestServer::started(&database).await;
    let body = json!({ "name": "Ann", "email": "ann@example.com", "password": crate::support::PASSWORD });
    let reply = Browser::on(&server).post("/sign-up/email", body).await;
    let token = reply.ok()["token"].as_str().unwrap().to_owned();
    let signed = reply.header("set-auth-token").to_owned();
    let encoded = signed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let session = async |bearer: &str| {
        let request = server.request(Method::GET, "/api/auth/get-session");
        Browser::on(&server).send(request.header("authorization", format!("Bearer {bearer}"))).await
    };
    for bearer in [&token, &signed, &encoded] {
        assert_eq!(session(bearer).await.ok()["session"]["token"], token.as_str(), "{bearer}");
    }
    let wrong = session("wrong").await;
    assert_eq!(wrong.ok(), Value::Null);
    assert_cleared(&wrong);
    let badly_signed = session(&format!("{token}.AAAA")).await;
    assert_eq!((badly_signed.ok(), badly_signed.set_cookies().len()), (Value::Null, 0));
    let other_scheme = server.request(Method::GET, "/api/auth/get-session");
    let other_scheme = other_scheme.header("authorization", format!("Basic {token}"));
    assert_eq!(Browser::on(&server).send(other_scheme).await.ok(), Value::Null);
});

on_both_databases!(the_end_of_a_session_moves_on_while_it_is_used, async |database| {
    let server = TestServer::on(&database).with("EVIDENT_BETTER_AUTH_SESSION_UPDATE_AGE", "0s").start().await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let before = server.head();
    let reply = browser.get("/get-session?disableRefresh=true").await;
    assert!(reply.set_cookies().is_empty());
    let first = reply.ok();
    let reply = browser.get("/get-session").await;
    let lines = reply.set_cookies();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("; Max-Age=604800;"), "{}", lines[0]);
    let second = reply.ok();
    assert_eq!(second["session"]["token"], first["session"]["token"]);
    assert!(second["session"]["expiresAt"].as_str() > first["session"]["expiresAt"].as_str());
    assert!(second["session"]["updatedAt"].as_str() > first["session"]["updatedAt"].as_str());
    server.assert_log(before, &["session.extended"]);
});

on_both_databases!(a_session_that_nobody_uses_ends, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_SESSION_EXPIRES_IN", "1s")
        .with("EVIDENT_BETTER_AUTH_SESSION_UPDATE_AGE", "1h")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let since = std::time::Instant::now();
    while browser.session().await.is_object() {
        assert!(since.elapsed().as_secs() < 10, "the session does not end");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(browser.cookie("better-auth.session_token").is_none());
});

on_both_databases!(cookies_are_called_and_sent_as_the_owner_wants, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_SECURE_COOKIES", "true")
        .with("EVIDENT_BETTER_AUTH_COOKIE_PREFIX", "acme")
        .with("EVIDENT_BETTER_AUTH_COOKIE_DOMAIN", "example.com")
        .with("EVIDENT_BETTER_AUTH_COOKIE_SAME_SITE", "none")
        .with("BETTER_AUTH_SECRET", "a secret of more than thirty-two characters")
        .start()
        .await;
    let body = json!({ "name": "Ann", "email": "ann@example.com", "password": crate::support::PASSWORD });
    let browser = Browser::on(&server);
    let lines = browser.post("/sign-up/email", body).await.set_cookies();
    assert!(lines[0].starts_with("__Secure-acme.session_token="), "{}", lines[0]);
    let attributes = "; Max-Age=604800; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=None";
    assert!(lines[0].ends_with(attributes), "{}", lines[0]);
    assert!(browser.session().await.is_object());
});

on_both_databases!(a_user_sees_their_sessions_and_ends_them, async |database| {
    let server = TestServer::started(&database).await;
    let (one, two, three) = (Browser::on(&server), Browser::on(&server), Browser::on(&server));
    one.sign_up("ann@example.com").await;
    two.sign_in("ann@example.com").await;
    let third = three.sign_in("ann@example.com").await;
    let bob = Browser::on(&server);
    let bobs = bob.sign_up("bob@example.com").await;
    let tokens = async |browser: &Browser<'_>| {
        let sessions = browser.get("/list-sessions").await.ok();
        let sessions = sessions.as_array().unwrap().clone();
        sessions.iter().map(|session| session["token"].clone()).collect::<Vec<_>>()
    };
    let all = tokens(&one).await;
    assert_eq!(all.len(), 3);
    assert_eq!(all[2], third["token"]);

    for token in [&third["token"], &json!("unknown"), &bobs["token"]] {
        let done = one.post("/revoke-session", json!({ "token": token })).await;
        assert_eq!(done.ok(), json!({ "status": true }));
    }
    assert_eq!(three.session().await, Value::Null);
    assert!(bob.session().await.is_object(), "somebody else's session stays");
    let missing = "[body.token] Invalid input: expected string, received undefined";
    one.post("/revoke-session", json!({})).await.denied(400, "VALIDATION_ERROR", missing);
    let nobody = Browser::on(&server).post("/revoke-session", json!({ "token": "x" })).await;
    nobody.denied(401, "UNAUTHORIZED", "Unauthorized");

    one.post("/revoke-other-sessions", json!({})).await.ok();
    assert_eq!(two.session().await, Value::Null);
    assert!(one.session().await.is_object());
    let last = one.post("/revoke-sessions", json!({})).await;
    assert!(last.set_cookies().is_empty());
    let dead = one.get("/get-session").await;
    assert_cleared(&dead);
    one.get("/list-sessions").await.denied(401, "UNAUTHORIZED", "Unauthorized");
});

on_both_databases!(what_asks_for_a_fresh_session_refuses_an_old_one, async |database| {
    let server = TestServer::on(&database).with("EVIDENT_BETTER_AUTH_SESSION_FRESH_AGE", "1ms").start().await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    browser.get("/list-sessions").await.denied(403, "SESSION_NOT_FRESH", "Session is not fresh");
});

on_both_databases!(nothing_is_kept_with_a_session_that_the_owner_did_not_declare, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let nothing = browser.post("/update-session", json!({ "userId": "x" })).await;
    assert_eq!((nothing.status, nothing.json()), (400, json!({ "message": "No fields to update" })));
    let nobody = Browser::on(&server).post("/update-session", json!({ "theme": "dark" })).await;
    nobody.denied(401, "UNAUTHORIZED", "Unauthorized");
});

/// Fields that the tests keep with sessions.
const FIELDS: &str = r#"{
    "theme": { "type": ["dark", "light"], "required": false, "defaultValue": "light" },
    "size": { "type": "number", "required": false },
    "draft": { "type": "json" },
    "plan": { "type": "string", "input": false, "defaultValue": "free" },
    "hidden": { "type": "string", "required": false, "returned": false }
}"#;

on_both_databases!(what_an_application_keeps_with_a_session_stays_with_it_alone, async |database| {
    let server = TestServer::on(&database).with("EVIDENT_BETTER_AUTH_SESSION_FIELDS", FIELDS).start().await;
    let (browser, other) = (Browser::on(&server), Browser::on(&server));
    browser.sign_up("ann@example.com").await;
    other.sign_in("ann@example.com").await;
    let fields =
        |session: &Value| ["theme", "size", "draft", "plan", "hidden"].map(|name| session[name].clone());
    let first = browser.session().await["session"].clone();
    let unset = [json!("light"), Value::Null, Value::Null, json!("free"), Value::Null];
    assert_eq!(fields(&first), unset);
    assert!(first.get("hidden").is_none(), "{first}");

    let before = server.head();
    let draft = json!({ "to": "Bob", "lines": [1, 2.5] });
    let body = json!({ "theme": "dark", "draft": draft, "hidden": "x", "userId": "y" });
    let reply = browser.post("/update-session", body.clone()).await;
    assert_eq!(reply.set_cookies().len(), 1, "the cookie is set anew");
    let changed = reply.ok()["session"].clone();
    let set = [json!("dark"), Value::Null, draft, json!("free"), Value::Null];
    assert_eq!(fields(&changed), set);
    assert_eq!(changed["userId"], first["userId"]);
    assert_ne!(changed["updatedAt"], first["updatedAt"]);
    server.assert_log(before, &["session.fields_changed"]);
    assert_eq!(browser.session().await["session"], changed);
    let listed = other.get("/list-sessions").await.ok();
    assert_eq!((fields(&listed[0]), fields(&listed[1])), (set, unset));

    // The same once more is no event; null is a value of its own.
    let before = server.head();
    browser.post("/update-session", body).await.ok();
    server.assert_log(before, &[]);
    let none = browser.post("/update-session", json!({ "theme": null, "size": 12 })).await.ok();
    assert_eq!((&none["session"]["theme"], &none["session"]["size"]), (&Value::Null, &json!(12)));
    assert_eq!(none["session"]["draft"]["to"], "Bob");

    let refused = async |body: Value, code: &str, message: &str| {
        browser.post("/update-session", body).await.denied(400, code, message);
    };
    let validation = "VALIDATION_ERROR";
    let number = "[body.size] Invalid input: expected number, received string";
    refused(json!({ "size": "12" }), validation, number).await;
    let options = "[body.theme] Invalid option: expected one of \"dark\"|\"light\"";
    refused(json!({ "theme": "pink" }), validation, options).await;
    refused(json!({ "draft": null }), "MISSING_FIELD", "draft is required").await;
    refused(json!({ "plan": "gold" }), "FIELD_NOT_ALLOWED", "plan is not allowed to be set").await;
    refused(json!([]), validation, "[body] Invalid input: expected object, received array").await;
    let nothing = browser.post("/update-session", json!({ "userId": "x" })).await;
    assert_eq!((nothing.status, nothing.json()), (400, json!({ "message": "No fields to update" })));
    let large = browser.post("/update-session", json!({ "draft": "x".repeat(9_000) })).await;
    large.denied(413, "PAYLOAD_TOO_LARGE", "The fields of the session are too large");
    let odd = browser.post("/update-session", json!({ "draft": "a\u{0}b" })).await.ok();
    assert_eq!(odd["session"]["draft"], "a\u{0}b");

    server.evident(&["projections", "verify"]).ok();
    let told = server.evident(&["projections", "rebuild"]);
    told.ok();
    assert_eq!(browser.session().await["session"], odd["session"]);
    other.post("/revoke-other-sessions", json!({})).await.ok();
    let over = browser.post("/update-session", json!({ "size": 1 })).await;
    over.denied(401, "UNAUTHORIZED", "Unauthorized");
});

on_both_databases!(fields_of_a_session_are_written_by_many_at_once, async |database| {
    let fields =
        r#"{"a":{"type":"number"},"b":{"type":"number"},"c":{"type":"number"},"d":{"type":"number"}}"#;
    let server = TestServer::on(&database).with("EVIDENT_BETTER_AUTH_SESSION_FIELDS", fields).start().await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let set = |name: &'static str| browser.post("/update-session", json!({ name: 1 }));
    let replies = futures::future::join_all(["a", "b", "c", "d"].map(set)).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    let session = browser.session().await["session"].clone();
    assert_eq!(["a", "b", "c", "d"].map(|name| session[name].clone()), [1, 1, 1, 1].map(Value::from));
});

on_both_databases!(sessions_of_both_protocols_end_each_other, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let there = server.sign_in("ann@example.com").await;
    assert_eq!(browser.get("/list-sessions").await.ok().as_array().unwrap().len(), 2);
    browser.post("/revoke-other-sessions", json!({})).await.ok();
    assert_eq!(server.get(&there, "/user").await.status, 403);
    let there = server.sign_in("ann@example.com").await;
    server.put(&there, "/user", json!({ "password": "another password" })).await.ok();
    assert_eq!(browser.session().await, Value::Null, "a new password there ends the session here");
});

on_both_databases!(where_that_is_asked_for_by_post_reading_moves_no_end, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_SESSION_REFRESH_DEFERRED", "true")
        .with("EVIDENT_BETTER_AUTH_SESSION_UPDATE_AGE", "0s")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let before = server.head();
    assert_eq!(browser.session().await["needsRefresh"], true);
    assert_eq!(server.head(), before);
    let answer = browser.post("/get-session", json!({})).await;
    assert_eq!(answer.set_cookies().len(), 1, "the cookie is set anew");
    assert_eq!(answer.ok()["user"]["email"], "ann@example.com");
    server.assert_log(before, &["session.extended"]);
    assert_eq!(Browser::on(&server).post("/get-session", json!({})).await.ok(), Value::Null);
});

on_both_databases!(without_that_nobody_asks_by_post, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let refused = browser.post("/get-session", json!({})).await;
    let message = "POST method requires deferSessionRefresh to be enabled in session config";
    refused.denied(405, "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED", message);
    assert_eq!(browser.session().await.get("needsRefresh"), None);
});

//! Hooks: programs of the owner's that are asked or told over HTTP.

use std::time::Duration;

use evident_commands::hooks::{WebhookSecret, signatures};
use serde_json::{Value, json};

use crate::support::{Anonymous, Call, PASSWORD, Peer, Person, Says, ServiceRole, TestDatabase, TestServer};

const SECRET: &str = "v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const NEXT_SECRET: &str = "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A server with some hooks at a peer; each has its name in lower case as path.
async fn server_with(database: &TestDatabase, peer: &Peer, hooks: &[&str]) -> TestServer {
    let mut setup = TestServer::on(database);
    for hook in hooks {
        let uri = peer.url(&format!("/{}", hook.to_ascii_lowercase()));
        setup = setup
            .with(&format!("GOTRUE_HOOK_{hook}_ENABLED"), "true")
            .with(&format!("GOTRUE_HOOK_{hook}_URI"), &uri)
            .with(&format!("GOTRUE_HOOK_{hook}_SECRETS"), SECRET);
    }
    setup.start().await
}

/// Answers that let everything pass.
fn agreeable(call: &Call) -> Says {
    if call.line.ends_with("custom_access_token") {
        let mut claims = call.json()["claims"].clone();
        claims["plan"] = json!("pro");
        return Says::json(200, &json!({ "claims": claims }));
    }
    Says::json(200, &json!({}))
}

#[track_caller]
fn assert_signed(call: &Call, secrets: &[&str]) {
    assert_eq!(call.header("content-type"), "application/json");
    let timestamp: i64 = call.header("webhook-timestamp").parse().unwrap();
    let secrets: Vec<_> = secrets.iter().map(|secret| WebhookSecret::parse(secret).unwrap()).collect();
    let expected = signatures(&secrets, call.header("webhook-id"), timestamp, &call.body).unwrap();
    assert_eq!(call.header("webhook-signature"), expected);
}

fn new_person(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "data": { "full_name": "Dora Dale" } })
}

on_both_databases!(a_sign_up_asks_two_hooks_and_tells_a_third, async |database| {
    let peer = Peer::that(agreeable).await;
    let hooks = ["BEFORE_USER_CREATED", "CUSTOM_ACCESS_TOKEN", "AFTER_USER_CREATED"];
    let server = server_with(&database, &peer, &hooks).await;
    let dora =
        Person::of_session(&server.post(&Anonymous, "/signup", new_person("dora@example.com")).await.ok());
    assert_eq!(dora.claims()["plan"], "pro");
    assert_eq!(dora.claims()["aud"], "authenticated");

    let before = peer.call("POST /before_user_created", 1).await;
    assert_signed(&before, &[SECRET]);
    let input = before.json();
    assert_eq!(input["metadata"]["name"], "before-user-created");
    assert_eq!(input["metadata"]["ip_address"], "127.0.0.1");
    assert!(chrono::DateTime::parse_from_rfc3339(input["metadata"]["time"].as_str().unwrap()).is_ok());
    assert_eq!(
        input["user"],
        json!({ "id": dora.id, "aud": "authenticated", "role": "", "email": "dora@example.com", "phone": "",
                "app_metadata": { "provider": "email", "providers": ["email"] },
                "user_metadata": { "full_name": "Dora Dale" }, "identities": [],
                "created_at": "0001-01-01T00:00:00Z", "updated_at": "0001-01-01T00:00:00Z",
                "is_anonymous": false })
    );

    let token = peer.call("POST /custom_access_token", 1).await;
    assert_signed(&token, &[SECRET]);
    let input = token.json();
    assert_eq!(input["metadata"]["name"], "customize-access-token");
    assert_eq!((&input["user_id"], &input["authentication_method"]), (&json!(dora.id), &json!("password")));
    let mut claims = input["claims"].clone();
    claims["plan"] = json!("pro");
    assert_eq!(claims, dora.claims(), "the input is the whole token but for what the hook adds");

    let after = peer.call("POST /after_user_created", 1).await.json();
    assert_eq!(after["metadata"]["name"], "after-user-created");
    assert_eq!(after["user"]["identities"][0]["provider"], "email");

    server.get(&dora, "/user").await.ok();
    let refreshed = Person::of_session(&server.try_refresh(&dora.refresh_token).await.ok());
    assert_eq!(refreshed.claims()["plan"], "pro");
    let token = peer.call("POST /custom_access_token", 2).await.json();
    assert_eq!(token["authentication_method"], "token_refresh");
    // The same answer again, after nothing changed.
    let repeated = Person::of_session(&server.try_refresh(&dora.refresh_token).await.ok());
    assert_eq!(repeated.claims()["plan"], "pro");
    server.assert_log_is_whole();
});

on_both_databases!(the_hook_before_an_account_refuses_and_nothing_happens, async |database| {
    let refuse = json!({ "error": { "http_code": 403, "message": "Only invited people may sign up" } });
    let peer = Peer::that(move |_| Says::json(200, &refuse)).await;
    let server = server_with(&database, &peer, &["BEFORE_USER_CREATED"]).await;
    let head = server.head();
    let reply = server.post(&Anonymous, "/signup", new_person("eve@example.com")).await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.json(),
        json!({ "code": 403, "error_code": "unknown", "msg": "Only invited people may sign up" })
    );
    assert_eq!(reply.header("x-sb-error-code"), "");
    assert_eq!(server.head(), head);

    // Administrators ask nobody, and for a known address nobody is asked.
    let body = json!({ "email": "eve@example.com", "password": PASSWORD, "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", body).await.ok();
    server.post(&Anonymous, "/signup", new_person("eve@example.com")).await.refused(
        422,
        "user_already_exists",
        "User already registered",
    );
    assert_eq!(peer.calls("POST").len(), 1);
});

on_both_databases!(each_way_in_which_people_get_accounts_asks, async |database| {
    let refuse = json!({ "error": { "http_code": 403, "message": "Only invited people may sign up" } });
    let peer = Peer::that(move |_| Says::json(200, &refuse)).await;
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .with("GOTRUE_HOOK_BEFORE_USER_CREATED_ENABLED", "true")
        .with("GOTRUE_HOOK_BEFORE_USER_CREATED_URI", &peer.url("/before"))
        .start()
        .await;
    let head = server.head();
    let link = json!({ "type": "signup", "email": "d@example.com", "password": PASSWORD });
    let mut asked = 0;
    for (admin, path, body) in [
        (false, "/signup", new_person("a@example.com")),
        (false, "/signup", json!({ "phone": "15005550001", "password": PASSWORD })),
        (false, "/signup", json!({ "data": { "full_name": "Nobody" } })),
        (false, "/otp", json!({ "email": "b@example.com" })),
        (false, "/otp", json!({ "phone": "15005550002" })),
        (false, "/magiclink", json!({ "email": "b@example.com" })),
        (true, "/invite", json!({ "email": "c@example.com" })),
        (true, "/admin/generate_link", link),
        (true, "/admin/generate_link", json!({ "type": "invite", "email": "d@example.com" })),
    ] {
        let reply = if admin {
            server.post(&ServiceRole, path, body).await
        } else {
            server.post(&Anonymous, path, body).await
        };
        assert_eq!(reply.error_code(403), "unknown", "{path}");
        asked += 1;
        assert_eq!(peer.calls("POST /before").len(), asked, "{path}");
    }
    assert_eq!(server.head(), head);
});

on_both_databases!(a_hostile_answer_is_the_documented_error_and_changes_nothing, async |database| {
    let peer = Peer::that(agreeable).await;
    let server = server_with(&database, &peer, &["CUSTOM_ACCESS_TOKEN"]).await;
    server.sign_up("dora@example.com").await;
    let head = server.head();
    let huge = format!("{{\"claims\":{{\"x\":\"{}\"}}}}", "a".repeat(300 * 1024));
    let json_type = "application/json";
    for (says, status, code, message) in [
        (
            Says::plain(200, json_type, huge),
            422,
            "hook_payload_over_size_limit",
            "Payload size exceeded size limit of 204800 bytes",
        ),
        (Says::plain(200, json_type, "{"), 500, "unexpected_failure", "Error unmarshaling JSON output."),
        (
            Says::plain(200, json_type, "[".repeat(100_000)),
            500,
            "unexpected_failure",
            "Error unmarshaling JSON output.",
        ),
        (Says::plain(200, json_type, ""), 500, "unexpected_failure", "Error unmarshaling JSON output."),
        (
            Says::json(200, &json!({ "claims": 5 })),
            500,
            "unexpected_failure",
            "Error unmarshaling JSON output.",
        ),
        (
            Says::json(200, &json!({ "error": "no" })),
            500,
            "unexpected_failure",
            "Error unmarshaling JSON output.",
        ),
        (Says::json(200, &json!({})), 500, "unexpected_failure", "output claims field is missing"),
        (Says::status(204), 500, "unexpected_failure", "output claims field is missing"),
        (
            Says::plain(200, "text/html", "{}"),
            400,
            "hook_payload_invalid_content_type",
            "Invalid JSON response. Received content-type: text/html",
        ),
        (
            Says::status(200),
            400,
            "hook_payload_invalid_content_type",
            "Invalid Content-Type: Missing Content-Type header",
        ),
        (Says::status(400), 500, "unexpected_failure", "Invalid payload sent to hook"),
        (Says::status(401), 500, "unexpected_failure", "Hook requires authorization token"),
        (
            Says::status(302).with("location", "http://127.0.0.1:1/"),
            500,
            "unexpected_failure",
            "Unexpected status code returned from hook: 302",
        ),
        (Says::status(418), 500, "unexpected_failure", "Unexpected status code returned from hook: 418"),
        (Says::status(503), 500, "unexpected_failure", "Service currently unavailable due to hook"),
    ] {
        peer.now(move |_| says.clone());
        let reply = server.try_sign_in("dora@example.com", PASSWORD).await;
        let body = reply.json();
        assert_eq!(
            (reply.status, body["error_code"].as_str()),
            (status, Some(code)),
            "{message}: {}",
            reply.text
        );
        assert_eq!(body["msg"], message);
    }
    peer.now(|call| {
        let mut claims = call.json()["claims"].clone();
        claims["exp"] = json!("never");
        Says::json(200, &json!({ "claims": claims }))
    });
    let reply = server.try_sign_in("dora@example.com", PASSWORD).await;
    assert_eq!(
        reply.json()["msg"],
        "output claims do not conform to the expected schema: \n- exp: Invalid type. Expected: integer, given: string\n"
    );
    assert_eq!(server.head(), head);
    peer.now(agreeable);
    server.sign_in("dora@example.com").await;
});

on_both_databases!(a_hook_that_does_not_come_to_an_end_is_left_and_holds_up_nobody, async |database| {
    let peer = Peer::that(|_| Says::json(200, &json!({})).after(Duration::from_secs(60))).await;
    let server = server_with(&database, &peer, &["BEFORE_USER_CREATED"]).await;
    let slow = server.post(&Anonymous, "/signup", new_person("eve@example.com"));
    let others = async {
        peer.call("POST /before_user_created", 1).await;
        let since = std::time::Instant::now();
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "email_confirm": true });
        server.post(&ServiceRole, "/admin/users", body).await.ok();
        server.sign_in("ada@example.com").await;
        since.elapsed()
    };
    let (reply, others) = tokio::join!(slow, others);
    reply.refused(422, "hook_timeout", "Failed to reach hook within maximum time of 5.000000 seconds");
    assert!(others < Duration::from_secs(4), "{others:?}");
});

on_both_databases!(an_overloaded_hook_is_tried_three_times, async |database| {
    let peer = Peer::that(|_| Says::status(429).with("retry-after", "true")).await;
    let server = server_with(&database, &peer, &["BEFORE_USER_CREATED"]).await;
    let reply = server.post(&Anonymous, "/signup", new_person("eve@example.com")).await;
    assert_eq!(reply.error_code(500), "unexpected_failure");
    assert_eq!(reply.json()["msg"], "Service currently unavailable due to hook");
    let calls = peer.calls("POST");
    assert_eq!(calls.len(), 3);
    assert_ne!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    assert_eq!(calls[0].body, calls[2].body);

    let tries = std::sync::atomic::AtomicU32::new(0);
    peer.now(move |_| match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Says::status(503).with("retry-after", "1"),
        _ => Says::json(200, &json!({})),
    });
    server.sign_up("eve@example.com").await;
});

on_both_databases!(a_password_that_a_hook_rejects_opens_nothing, async |database| {
    let peer = Peer::that(|_| Says::json(200, &json!({ "decision": "continue" }))).await;
    let server = server_with(&database, &peer, &["PASSWORD_VERIFICATION_ATTEMPT"]).await;
    let dora = server.sign_up("dora@example.com").await;
    server.sign_in("dora@example.com").await;
    let call = peer.call("POST /password_verification_attempt", 1).await;
    assert_signed(&call, &[SECRET]);
    assert_eq!(call.json()["metadata"]["name"], "password-verification");
    assert_eq!((&call.json()["user_id"], &call.json()["valid"]), (&json!(dora.id), &json!(true)));

    let before = server.head();
    let reject = json!({ "decision": "reject", "message": "Too many attempts" });
    peer.now(move |_| Says::json(200, &reject));
    for password in ["wrong", PASSWORD] {
        server.try_sign_in("dora@example.com", password).await.refused(
            400,
            "invalid_credentials",
            "Too many attempts",
        );
    }
    assert_eq!(
        peer.calls("POST").iter().map(|call| call.json()["valid"] == true).collect::<Vec<_>>(),
        [true, false, true]
    );
    server.assert_log(before, &["attempt.sign_in_failed", "attempt.sign_in_failed"]);
    server.get(&dora, "/user").await.ok();

    let reject = json!({ "decision": "reject", "should_logout_user": true });
    peer.now(move |_| Says::json(200, &reject));
    server.try_sign_in("dora@example.com", PASSWORD).await.refused(
        400,
        "invalid_credentials",
        "Further password verification attempts will be rejected.",
    );
    assert_eq!(server.get(&dora, "/user").await.error_code(403), "session_not_found");

    // Nobody is asked about an account that is not there.
    let asked = peer.calls("POST").len();
    server.try_sign_in("nobody@example.com", PASSWORD).await.refused(
        400,
        "invalid_credentials",
        "Invalid login credentials",
    );
    assert_eq!(peer.calls("POST").len(), asked);
});

on_both_databases!(a_second_factor_that_a_hook_rejects_ends_every_session, async |database| {
    let peer = Peer::that(|_| Says::json(200, &json!({ "decision": "continue" }))).await;
    let server = server_with(&database, &peer, &["MFA_VERIFICATION_ATTEMPT"]).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let challenge = async || {
        let asked = server.post_empty(&gina, &format!("/factors/{}/challenge", app.factor)).await.ok();
        asked["id"].as_str().unwrap().to_owned()
    };
    let wrong = if app.code(0) == "000000" { "111111" } else { "000000" };
    let missed = server.answer(&gina, &app.factor, &challenge().await, wrong).await;
    assert_eq!(missed.error_code(422), "mfa_verification_failed");
    let call = peer.call("POST /mfa_verification_attempt", 1).await;
    assert_signed(&call, &[SECRET]);
    let told = call.json();
    assert_eq!((&told["user_id"], &told["factor_type"]), (&json!(gina.id), &json!("totp")));
    assert_eq!((&told["factor_id"], &told["valid"]), (&json!(app.factor), &json!(false)));

    let reject = json!({ "decision": "reject" });
    peer.now(move |_| Says::json(200, &reject));
    server.answer(&gina, &app.factor, &challenge().await, &app.code(0)).await.refused(
        403,
        "mfa_verification_rejected",
        "Further MFA verification attempts will be rejected.",
    );
    assert_eq!(server.get(&gina, "/user").await.error_code(403), "session_not_found");
    server.assert_log_is_whole();
});

on_both_databases!(hooks_carry_mails_and_texts, async |database| {
    let peer = Peer::that(agreeable).await;
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_HOOK_SEND_EMAIL_ENABLED", "true")
        .with("GOTRUE_HOOK_SEND_EMAIL_URI", &peer.url("/send_email"))
        .with("GOTRUE_HOOK_SEND_EMAIL_SECRETS", &format!("{SECRET}|{NEXT_SECRET}"))
        .with("GOTRUE_HOOK_SEND_SMS_ENABLED", "true")
        .with("GOTRUE_HOOK_SEND_SMS_URI", &peer.url("/send_sms"))
        .with("GOTRUE_HOOK_SEND_SMS_SECRETS", SECRET)
        .start()
        .await;
    let user = server.post(&Anonymous, "/signup", new_person("dora@example.com")).await.ok();
    let call = peer.call("POST /send_email", 1).await;
    assert_signed(&call, &[SECRET, NEXT_SECRET]);
    let input = call.json();
    assert_eq!(input["metadata"]["name"], "send-email");
    assert_eq!(input["metadata"]["ip_address"], "127.0.0.1");
    assert_eq!(input["user"]["id"], user["id"]);
    let data = &input["email_data"];
    assert_eq!(data["email_action_type"], "signup");
    assert_eq!(data["redirect_to"], "http://localhost:3000");
    assert_eq!(data["site_url"], "http://localhost:9999");
    for empty in ["token_new", "token_hash_new", "old_email", "old_phone", "provider", "factor_type"] {
        assert_eq!(data[empty], "", "{empty}");
    }
    let verify = json!({ "type": "signup", "token_hash": data["token_hash"] });
    let dora = Person::of_session(&server.post(&Anonymous, "/verify", verify).await.ok());

    // A change of address: one call, with the codes crosswise.
    server.put(&dora, "/user", json!({ "email": "dora@example.org" })).await.ok();
    let data = peer.call("POST /send_email", 2).await.json()["email_data"].clone();
    assert_eq!(data["email_action_type"], "email_change");
    let verify =
        |email: &str, token: &Value| json!({ "type": "email_change", "email": email, "token": token });
    server.post(&Anonymous, "/verify", verify("dora@example.com", &data["token"])).await.ok();
    let verify = json!({ "type": "email_change", "token_hash": data["token_hash"] });
    let changed = server.post(&Anonymous, "/verify", verify).await.ok();
    assert_eq!(changed["user"]["email"], "dora@example.org");
    assert_eq!(peer.calls("POST /send_email").len(), 2);

    let body = json!({ "phone": "15005550001", "password": PASSWORD, "channel": "carrier pigeon" });
    server.post(&Anonymous, "/signup", body).await.ok();
    let call = peer.call("POST /send_sms", 1).await;
    assert_signed(&call, &[SECRET]);
    let sms = call.json()["sms"].clone();
    assert_eq!(sms["phone"], "15005550001");
    assert!(sms.get("sms_type").is_none());
    let verify = json!({ "type": "sms", "phone": "15005550001", "token": sms["otp"] });
    server.post(&Anonymous, "/verify", verify).await.ok();
    server.assert_log_is_whole();
});

#[tokio::test]
async fn a_hook_that_cannot_be_called_stops_the_start_with_one_line() {
    let hook = |uri: &str, secrets: &str| {
        TestServer::on(&TestDatabase::sqlite())
            .with("GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED", "true")
            .with("GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_URI", uri)
            .with("GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_SECRETS", secrets)
            .prepare()
    };
    for (uri, secrets, name, problem) in [
        ("pg-functions://postgres/public/hook", "", "_URI", "is a function inside PostgreSQL"),
        ("http://hooks.example.com", "", "_URI", "has no encryption"),
        ("ftp://localhost", "", "_URI", "is no http or https address"),
        ("https://hooks.example.com", "v1,whsec_hush", "_SECRETS", "the value does not read"),
    ] {
        let refused = hook(uri, secrets).refused_start();
        let line = refused.one_line_of_refusal().unwrap_or_else(|| panic!("{refused:?}"));
        assert!(line.contains(&format!("GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN{name}: ")), "{line}");
        assert!(line.contains(problem) && !line.contains("hush"), "{line}");
    }
    // One that is off is nobody's concern.
    let mut off = hook("pg-functions://postgres/public/hook", "");
    off.set("GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED", "false");
    off.start().await;
}

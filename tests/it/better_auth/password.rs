//! Forgotten and changed passwords.

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, TestDatabase, TestServer};

const NEW: &str = "a brand new password";

async fn started(database: &TestDatabase) -> TestServer {
    TestServer::on(database).with("GOTRUE_SMTP_MAX_FREQUENCY", "1ms").start().await
}

/// Asks for a link and gives its token, once there are as many mails as `number`.
async fn reset_token(server: &TestServer, email: &str, number: usize) -> String {
    let asked = json!({ "email": email, "redirectTo": "/reset" });
    Browser::on(server).post("/request-password-reset", asked).await.ok();
    let link = server.mail_to(email, number).await.link();
    let rest = link.strip_prefix("/api/auth/reset-password/").unwrap_or_else(|| panic!("{link}"));
    let (token, query) = rest.split_once('?').unwrap();
    assert_eq!(query, "callbackURL=%2Freset");
    token.to_owned()
}

async fn reset(server: &TestServer, token: &str) -> crate::support::Reply {
    Browser::on(server).post("/reset-password", json!({ "newPassword": NEW, "token": token })).await
}

on_both_databases!(a_forgotten_password_is_set_anew_by_a_link, async |database| {
    let server = started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let token = reset_token(&server, "ann@example.com", 1).await;

    let opened = browser.get(&format!("/reset-password/{token}?callbackURL=%2Freset")).await;
    assert_eq!(opened.status, 302);
    assert_eq!(opened.header("location"), format!("http://localhost:9999/reset?token={token}"));
    let unknown = browser.get("/reset-password/unknown?callbackURL=/reset").await;
    assert_eq!(unknown.header("location"), "http://localhost:9999/reset?error=INVALID_TOKEN");
    browser.get(&format!("/reset-password/{token}")).await.denied(
        400,
        "VALIDATION_ERROR",
        "[query.callbackURL] Invalid input: expected string, received undefined",
    );
    let evil = browser.get(&format!("/reset-password/{token}?callbackURL=https://evil.example.net/")).await;
    evil.denied(403, "INVALID_CALLBACK_URL", "Invalid callbackURL");

    let short = json!({ "newPassword": "short", "token": token });
    browser.post("/reset-password", short).await.denied(400, "PASSWORD_TOO_SHORT", "Password too short");
    assert_eq!(reset(&server, &token).await.ok(), json!({ "status": true }));
    reset(&server, &token).await.denied(400, "INVALID_TOKEN", "Invalid token");
    let by_query = format!("/reset-password?token={token}");
    let again = browser.post(&by_query, json!({ "newPassword": NEW })).await;
    again.denied(400, "INVALID_TOKEN", "Invalid token");

    assert_eq!(browser.session().await, Value::Null, "all sessions are over");
    assert_eq!(browser.try_sign_in("ann@example.com", PASSWORD).await.status, 401);
    browser.try_sign_in("ann@example.com", NEW).await.ok();
    server.try_sign_in("ann@example.com", NEW).await.ok();
});

on_both_databases!(an_older_link_sets_no_password_after_a_newer_one_or_a_change, async |database| {
    let server = started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let older = reset_token(&server, "ann@example.com", 1).await;
    let newer = reset_token(&server, "ann@example.com", 2).await;
    reset(&server, &older).await.denied(400, "INVALID_TOKEN", "Invalid token");
    let changed = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
    browser.post("/change-password", changed).await.ok();
    reset(&server, &newer).await.denied(400, "INVALID_TOKEN", "Invalid token");
    browser.try_sign_in("ann@example.com", "another password").await.ok();
});

on_both_databases!(known_and_unknown_addresses_look_the_same_when_a_link_is_asked_for, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let ask = async |email: &str, path: &str| browser.post(path, json!({ "email": email })).await;
    let expected = json!({
        "status": true,
        "message": "If this email exists in our system, check your email for the reset link",
    });
    // Sixty times for one victim: one mail, and no word about it.
    for _ in 0..60 {
        for path in ["/request-password-reset", "/forget-password"] {
            assert_eq!(ask("ann@example.com", path).await.ok(), expected);
        }
    }
    for path in ["/request-password-reset", "/forget-password"] {
        assert_eq!(ask("nobody@example.com", path).await.ok(), expected);
    }
    let evil = json!({ "email": "ann@example.com", "redirectTo": "https://evil.example.net/" });
    let refused = browser.post("/request-password-reset", evil).await;
    refused.denied(403, "INVALID_REDIRECT_URL", "Invalid redirectURL");
    server.mail_to("ann@example.com", 1).await;
    assert_eq!(server.mails_to("ann@example.com"), 1);
    assert_eq!(server.mails_to("nobody@example.com"), 0);
});

on_both_databases!(a_password_changes_for_the_one_so_far, async |database| {
    let server = started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let other = Browser::on(&server);
    other.sign_in("ann@example.com").await;
    let body = |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    let change = async |body: Value| browser.post("/change-password", body).await;
    change(body("wrong password", NEW)).await.denied(400, "INVALID_PASSWORD", "Invalid password");
    change(body(PASSWORD, "short")).await.denied(400, "PASSWORD_TOO_SHORT", "Password too short");
    let nobody = Browser::on(&server).post("/change-password", body(PASSWORD, NEW)).await;
    nobody.denied(401, "UNAUTHORIZED", "Unauthorized");

    let reply = change(body(PASSWORD, NEW)).await;
    assert!(reply.set_cookies().is_empty());
    assert_eq!(reply.ok()["token"], Value::Null);
    assert!(other.session().await.is_object(), "the others stay if nobody says otherwise");

    let mut with_others = body(NEW, PASSWORD);
    with_others["revokeOtherSessions"] = json!(true);
    let answer = change(with_others).await.ok();
    assert_eq!(browser.session().await["session"]["token"], answer["token"]);
    assert_eq!(other.session().await, Value::Null);
    server.try_sign_in("ann@example.com", PASSWORD).await.ok();
});

on_both_databases!(whoever_has_a_session_cannot_guess_the_password_for_ever, async |database| {
    let server = started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let tried =
        async |password: &str| browser.post("/verify-password", json!({ "password": password })).await;
    assert_eq!(tried(PASSWORD).await.ok(), json!({ "status": true }));
    tried("wrong password").await.denied(400, "INVALID_PASSWORD", "Invalid password");
    let mut slowed = false;
    for _ in 0..30 {
        slowed = tried("wrong password").await.status == 429;
        if slowed {
            break;
        }
    }
    assert!(slowed, "nobody guesses for ever");
});

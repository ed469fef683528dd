//! Captchas: strangers bring the token of a solved riddle.

use serde_json::{Value, json};

use crate::support::{Anonymous, PASSWORD, Peer, Says, ServiceRole, TestDatabase, TestServer};

fn body(token: &str) -> Value {
    json!({ "email": "zoe@example.com", "password": PASSWORD,
            "gotrue_meta_security": { "captcha_token": token } })
}

async fn server_with(database: &TestDatabase, peer: &Peer, provider: &str) -> TestServer {
    TestServer::on(database)
        .with("GOTRUE_SECURITY_CAPTCHA_ENABLED", "true")
        .with("GOTRUE_SECURITY_CAPTCHA_PROVIDER", provider)
        .with("GOTRUE_SECURITY_CAPTCHA_SECRET", "0x00")
        .with("EVIDENT_CAPTCHA_URL", &peer.url("/siteverify"))
        .start()
        .await
}

const MISSING: &str = "captcha protection: request disallowed (no captcha_token found)";

on_both_databases!(a_captcha_is_demanded_of_strangers_and_not_of_administrators, async |database| {
    let peer = Peer::that(|call| {
        let solved = call.form().contains(&("response".to_owned(), "solved".to_owned()));
        let codes: &[&str] = if solved { &[] } else { &["invalid-input-response", "timeout-or-duplicate"] };
        Says::json(200, &json!({ "success": solved, "error-codes": codes }))
    })
    .await;
    let server = server_with(&database, &peer, "turnstile").await;
    let before = server.head();
    for request in [
        json!({ "email": "zoe@example.com", "password": PASSWORD }),
        json!({ "email": "zoe@example.com", "password": PASSWORD, "gotrue_meta_security": {} }),
        json!({ "email": "zoe@example.com", "password": PASSWORD, "gotrue_meta_security": { "captcha_token": 5 } }),
        body("  "),
    ] {
        for path in [
            "/signup",
            "/signup/",
            "/auth/v1/signup",
            "/token?grant_type=password",
            "/otp",
            "/magiclink",
            "/recover",
            "/resend",
        ] {
            server.post(&Anonymous, path, request.clone()).await.refused(400, "captcha_failed", MISSING);
        }
    }
    assert!(peer.calls("POST").is_empty(), "nobody is asked about no token");
    server.post(&Anonymous, "/signup", body("guessed")).await.refused(
        400,
        "captcha_failed",
        "captcha protection: request disallowed (invalid-input-response, timeout-or-duplicate)",
    );
    assert_eq!(server.head(), before);
    assert_eq!(server.post(&Anonymous, "/signup", json!([])).await.error_code(400), "bad_json");

    server.post(&Anonymous, "/signup", body("solved")).await.ok();
    let call = peer.call("POST /siteverify", 2).await;
    assert_eq!(call.text(), "secret=0x00&response=solved&remoteip=127.0.0.1");
    let session = server.post(&Anonymous, "/token?grant_type=password", body("solved")).await.ok();
    // Nothing else asks for one.
    server.try_refresh(session["refresh_token"].as_str().unwrap()).await.ok();
    server.get(&Anonymous, "/settings").await.ok();
    let asked = peer.calls("POST").len();

    let request = json!({ "email": "yan@example.com", "password": PASSWORD });
    server.post(&ServiceRole, "/signup", request.clone()).await.ok();
    server.post(&ServiceRole, "/token?grant_type=password", request).await.ok();
    assert_eq!(peer.calls("POST").len(), asked);
});

on_both_databases!(a_captcha_service_that_does_not_say_lets_nobody_in, async |database| {
    let peer = Peer::that(|_| Says::status(500)).await;
    let server = server_with(&database, &peer, "hcaptcha").await;
    let before = server.head();
    for says in [
        Says::status(500),
        Says::plain(200, "application/json", "{\"success\":\"yes\"}"),
        Says::plain(200, "application/json", "a".repeat(200_000)),
        Says::plain(200, "text/html", "<html>"),
    ] {
        peer.now(move |_| says.clone());
        let reply = server.post(&Anonymous, "/signup", body("solved")).await;
        assert_eq!(reply.error_code(500), "unexpected_failure");
        assert_eq!(reply.json()["msg"], "captcha verification process failed");
    }
    assert_eq!(server.head(), before);
});

#[tokio::test]
async fn a_captcha_that_is_on_without_a_service_stops_the_start() {
    for (provider, secret, name) in
        [("recaptcha", "0x00", "GOTRUE_SECURITY_CAPTCHA_PROVIDER: "), ("hcaptcha", "", "captcha.secret")]
    {
        let server = TestServer::on(&TestDatabase::sqlite())
            .with("GOTRUE_SECURITY_CAPTCHA_ENABLED", "true")
            .with("GOTRUE_SECURITY_CAPTCHA_PROVIDER", provider)
            .with("GOTRUE_SECURITY_CAPTCHA_SECRET", secret)
            .prepare();
        let refused = server.refused_start();
        let line = refused.one_line_of_refusal().unwrap_or_else(|| panic!("{refused:?}"));
        assert!(line.contains(name), "{line}");
    }
}

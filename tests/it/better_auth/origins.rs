//! Where requests may come from.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, PASSWORD, TestServer};

on_both_databases!(requests_with_cookies_come_from_trusted_pages_only, async |database| {
    let server = TestServer::on(&database)
        .with("BETTER_AUTH_TRUSTED_ORIGINS", "https://app.example.com,https://*.example.org")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let cookie = browser.cookie("better-auth.session_token").unwrap();
    let on = |origin| {
        let other = Browser::on(&server).from(origin);
        other.keep("better-auth.session_token", &cookie);
        other
    };
    let missing = ("MISSING_OR_NULL_ORIGIN", "Missing or null Origin");
    let invalid = ("INVALID_ORIGIN", "Invalid origin");
    for (origin, (code, message)) in [
        (None, missing),
        (Some("null"), missing),
        (Some("https://evil.example.net"), invalid),
        (Some("https://app.example.com.evil.net"), invalid),
        (Some("http://app.example.com"), invalid),
    ] {
        on(origin).post("/sign-out", json!({})).await.denied(403, code, message);
    }
    assert!(on(None).session().await.is_object(), "reading is free");
    for origin in ["https://app.example.com", "https://deep.example.org"] {
        let known = json!({ "email": "ann@example.com", "password": PASSWORD });
        on(Some(origin)).post("/sign-in/email", known).await.ok();
    }
});

on_both_databases!(another_site_signs_nobody_in, async |database| {
    let server = TestServer::started(&database).await;
    Browser::on(&server).sign_up("ann@example.com").await;
    let sent = async |headers: &[(&str, &str)]| {
        let mut request = server.request(Method::POST, "/api/auth/sign-in/email");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({ "email": "ann@example.com", "password": PASSWORD });
        server.send(request.json(&body)).await
    };
    sent(&[]).await.ok();
    sent(&[("origin", "http://localhost:9999")]).await.ok();
    sent(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]).await.denied(
        403,
        "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
    );
    let evil =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors"), ("origin", "https://evil.example")];
    sent(&evil).await.denied(403, "INVALID_ORIGIN", "Invalid origin");
    let silent = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")];
    sent(&silent).await.denied(403, "MISSING_OR_NULL_ORIGIN", "Missing or null Origin");
});

on_both_databases!(only_pages_that_are_trusted_may_read_answers_with_cookies, async |database| {
    let server = TestServer::on(&database)
        .with("BETTER_AUTH_TRUSTED_ORIGINS", "https://app.example.com")
        .start()
        .await;
    let asked = async |origin: &str| {
        let preflight = server.request(Method::OPTIONS, "/api/auth/sign-in/email").header("origin", origin);
        let preflight = preflight
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let read = server.request(Method::GET, "/api/auth/get-session").header("origin", origin);
        [server.send(preflight).await, server.send(read).await]
    };
    for reply in asked("https://app.example.com").await {
        assert_eq!(reply.header("access-control-allow-origin"), "https://app.example.com");
        assert_eq!(reply.header("access-control-allow-credentials"), "true");
    }
    for reply in asked("https://evil.example.net").await {
        assert!(!reply.headers.contains_key("access-control-allow-origin"));
        assert!(!reply.headers.contains_key("access-control-allow-credentials"));
    }
});

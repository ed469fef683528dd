//! How often one caller may ask.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, TestDatabase, TestServer};

async fn limited(database: &TestDatabase, rules: &str) -> TestServer {
    let setup = TestServer::on(database).with("EVIDENT_BETTER_AUTH_RATE_LIMIT_ENABLED", "true");
    setup.with("EVIDENT_BETTER_AUTH_RATE_LIMIT_RULES", rules).start().await
}

on_both_databases!(the_fourth_sign_in_within_ten_seconds_waits_whoever_it_says_it_is, async |database| {
    let server = limited(&database, "").await;
    let tried = async |attempt: u8| {
        let request = server.request(Method::POST, "/api/auth/sign-in/email");
        let request = request.header("x-forwarded-for", format!("203.0.113.{attempt}"));
        let body = json!({ "email": format!("nobody{attempt}@example.com"), "password": "wrong password" });
        Browser::on(&server).send(request.json(&body)).await
    };
    for attempt in 0..3 {
        assert_eq!(tried(attempt).await.status, 401);
    }
    let refused = tried(3).await;
    assert_eq!(refused.status, 429);
    assert!((1..=10).contains(&refused.header("x-retry-after").parse::<u64>().unwrap()));
    assert_eq!(refused.json(), json!({ "message": "Too many requests. Please try again later." }));
    Browser::on(&server).get("/get-session").await.ok();
});

on_both_databases!(the_owner_sets_rules_for_single_paths, async |database| {
    let server = limited(&database, "/ok=10s:1,/sign-in/*=off").await;
    let browser = Browser::on(&server);
    browser.get("/ok").await.ok();
    assert_eq!(browser.get("/ok").await.status, 429);
    for _ in 0..5 {
        assert_eq!(browser.try_sign_in("nobody@example.com", "wrong password").await.status, 401);
    }
});

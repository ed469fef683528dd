//! Rules that end sessions: one at a time, and none for long without the second factor.

use std::time::Duration;

use serde_json::json;

use crate::support::{Person, TestServer};

on_both_databases!(of_several_sessions_the_one_refreshed_last_goes_on, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_SESSIONS_SINGLE_PER_USER", "true")
        .with("GOTRUE_SESSIONS_TAGS", "web,mobile")
        .start()
        .await;
    let message = "Invalid Refresh Token: Session Expired (Revoked by Newer Login)";
    let first = server.sign_up("ann@example.com").await;
    let second = server.sign_in("ann@example.com").await;
    // A sign-in ends nothing by itself.
    server.get(&first, "/user").await.ok();
    server.try_refresh(&first.refresh_token).await.refused(400, "session_expired", message);
    let second = Person::of_session(&server.try_refresh(&second.refresh_token).await.ok());
    let third = server.sign_in("ann@example.com").await;
    server.try_refresh(&second.refresh_token).await.refused(400, "session_expired", message);
    // When the newest is gone, the one before it goes on.
    server.post(&third, "/logout?scope=local", json!({})).await.no_content();
    server.try_refresh(&second.refresh_token).await.ok();
    // Nobody else's sessions count.
    let bob = server.sign_up("bob@example.com").await;
    server.try_refresh(&bob.refresh_token).await.ok();
});

on_both_databases!(a_session_without_the_second_factor_does_not_last, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_SESSIONS_ALLOW_LOW_AAL", "3s").start().await;
    let gina = server.sign_up("gina@example.com").await;
    assert!(gina.claims()["exp"].as_i64().unwrap() - gina.claims()["iat"].as_i64().unwrap() == 3600);
    let app = server.enroll_app(&gina, "app").await;
    let surer = server.show_app(&gina, &app, 0).await;
    let session = server.try_sign_in("gina@example.com", crate::support::PASSWORD).await.ok();
    let low = Person::of_session(&session);
    let lasts = low.claims()["exp"].as_i64().unwrap() - low.claims()["iat"].as_i64().unwrap();
    assert!((0..=3).contains(&lasts), "{lasts}");
    assert!(session["expires_in"].as_i64().unwrap() <= 3);
    tokio::time::sleep(Duration::from_millis(3100)).await;
    server.try_refresh(&low.refresh_token).await.refused(
        400,
        "session_expired",
        "Invalid Refresh Token: Session Expired (Low AAL: User Needs MFA Verification)",
    );
    let next = Person::of_session(&server.try_refresh(&surer.refresh_token).await.ok());
    assert_eq!(next.claims()["exp"].as_i64().unwrap() - next.claims()["iat"].as_i64().unwrap(), 3600);
});

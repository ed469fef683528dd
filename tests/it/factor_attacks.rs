//! What must not work with second factors.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::json;

use crate::support::{Person, TestServer};

on_both_databases!(a_code_is_not_taken_twice, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let code = app.code(0);
    let challenge = server.challenge(&gina, &app.factor).await;
    let surer = Person::of_session(&server.answer(&gina, &app.factor, &challenge, &code).await.ok());
    server.answer(&surer, &app.factor, &challenge, &code).await.refused(
        422,
        "mfa_ip_address_mismatch",
        "Challenge and verify IP addresses mismatch.",
    );
    let thief = server.sign_in("gina@example.com").await;
    for stolen in [code, app.code(-1)] {
        let challenge = server.challenge(&thief, &app.factor).await;
        server.answer(&thief, &app.factor, &challenge, &stolen).await.refused(
            422,
            "mfa_verification_failed",
            "Invalid TOTP code entered",
        );
    }
});

on_both_databases!(one_challenge_answered_at_once_opens_one_step_up, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let challenge = server.challenge(&gina, &app.factor).await;
    let (before, code) = (server.head(), app.code(0));
    let replies = join_all((0..8).map(|_| server.answer(&gina, &app.factor, &challenge, &code))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 422)));
    let events = server.events_since(before);
    assert_eq!(events.iter().filter(|event| event.kind == "session.stepped_up").count(), 1);
    server.assert_log_is_whole();
});

on_both_databases!(one_code_in_two_challenges_at_once_is_taken_once, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    server.show_app(&gina, &app, -1).await;
    let sessions = join_all((0..4).map(|_| server.sign_in("gina@example.com"))).await;
    let challenges = join_all(sessions.iter().map(|s| server.challenge(s, &app.factor))).await;
    let code = app.code(0);
    let tries = sessions.iter().zip(&challenges);
    let replies =
        join_all(tries.map(|(session, challenge)| server.answer(session, &app.factor, challenge, &code)))
            .await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "{replies:?}");
    assert!(replies.iter().all(|reply| reply.status < 500));
});

on_both_databases!(
    a_challenge_is_answered_in_the_session_and_from_the_address_that_asked,
    async |database| {
        let server =
            TestServer::on(&database).with("EVIDENT_SERVER_TRUSTED_PROXIES", "127.0.0.1/32").start().await;
        let gina = server.sign_up("gina@example.com").await;
        let other = server.sign_in("gina@example.com").await;
        let app = server.enroll_app(&gina, "app").await;
        let challenge = server.challenge(&gina, &app.factor).await;
        let mismatch = "Challenge and verify IP addresses mismatch.";
        server.answer(&other, &app.factor, &challenge, &app.code(0)).await.refused(
            422,
            "mfa_ip_address_mismatch",
            mismatch,
        );
        let body = json!({ "challenge_id": challenge, "code": app.code(0) });
        let elsewhere = server
            .request(reqwest::Method::POST, &format!("/factors/{}/verify", app.factor))
            .bearer_auth(&gina.access_token)
            .header("X-Forwarded-For", "203.0.113.8")
            .json(&body);
        server.send(elsewhere).await.refused(422, "mfa_ip_address_mismatch", mismatch);
        server.answer(&gina, &app.factor, &challenge, &app.code(0)).await.ok();
    }
);

on_both_databases!(codes_are_not_guessed_without_a_bound, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY", "1000000").start().await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let challenge = server.challenge(&gina, &app.factor).await;
    let wrong = if app.code(0) == "000000" { "111111" } else { "000000" };
    let before = server.head();
    let replies = join_all((0..20).map(|_| server.answer(&gina, &app.factor, &challenge, wrong))).await;
    let mut told = BTreeMap::new();
    for reply in &replies {
        *told.entry(reply.json()["error_code"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(told["mfa_verification_failed"], 5, "{told:?}");
    assert_eq!(told["over_request_rate_limit"], 15, "{told:?}");
    assert_eq!(server.events_since(before).len(), 5, "what is not looked at leaves no trace");
    let right = server.answer(&gina, &app.factor, &challenge, &app.code(0)).await;
    assert_eq!(right.error_code(429), "over_request_rate_limit");
    assert!(right.header("retry-after").parse::<u64>().unwrap() > 30);
    // Neither another session nor another factor helps.
    let other = server.sign_in("gina@example.com").await;
    let reply = server.post(&other, &format!("/factors/{}/challenge", app.factor), json!({})).await;
    assert_eq!(reply.error_code(429), "over_request_rate_limit");
    server.assert_log_is_whole();
});

on_both_databases!(racing_enrolments_never_pass_the_limit, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_MFA_MAX_ENROLLED_FACTORS", "3").start().await;
    let gina = server.sign_up("gina@example.com").await;
    let enroll = |n: u32| {
        server.post(&gina, "/factors", json!({ "factor_type": "totp", "friendly_name": n.to_string() }))
    };
    let replies = join_all((0..10).map(enroll)).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 3);
    assert_eq!(server.factors_of(&gina).await.len(), 3);
});

on_both_databases!(neither_secret_nor_code_stands_readable_anywhere, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_MFA_PHONE_ENROLL_ENABLED", "true").start().await;
    let gina = server.sign_up("gina@example.com").await;
    let body = json!({ "factor_type": "totp", "friendly_name": "Gina's secret phone" });
    let enrolled = server.post(&gina, "/factors", body).await.ok();
    let secret = enrolled["totp"]["secret"].as_str().unwrap();
    server.post(&gina, "/factors", json!({ "factor_type": "phone", "phone": "15005550177" })).await.ok();
    let events = server.evident(&["events", "list", "--json"]).ok();
    assert!(events.contains("user.factor_enrolled"));
    let shown = server.get(&gina, "/user").await.text;
    for text in [events.as_str(), shown.as_str(), server.log_text().as_str()] {
        assert!(!text.contains(secret), "the secret is shown");
    }
    if database.url().is_none() {
        for file in ["evident.db", "evident.db-wal"] {
            let bytes = std::fs::read(server.data().join(file)).unwrap_or_default();
            let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!holds(secret), "the secret stands in {file}");
        }
    }
});

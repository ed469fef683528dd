//! `POST /token?grant_type=refresh_token`: rotation, lost answers, theft.

use std::time::Duration;

use serde_json::json;

use crate::support::{Anonymous, Person, ServiceRole, TestServer};

const REUSED: &str = "Invalid Refresh Token: Already Used";
const NOT_FOUND: &str = "Invalid Refresh Token: Refresh Token Not Found";

on_both_databases!(each_refresh_gives_the_next_token_of_the_same_session, async |database| {
    let server = TestServer::started(&database).await;
    let first = server.sign_up("ada@example.com").await;
    let before = server.head();
    let reply = server.try_refresh(&first.refresh_token).await;
    let second = Person::of_session(&reply.ok());

    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.session_id(), first.session_id());
    assert_eq!(second.claims()["amr"], first.claims()["amr"]);
    assert_eq!(second.user["last_sign_in_at"], first.user["last_sign_in_at"]);
    assert_eq!(reply.header("sb-auth-session-id"), first.session_id());
    assert_eq!(reply.header("sb-auth-user-id"), first.id);
    assert_eq!(reply.header("sb-auth-refresh-token-reuse"), "false");
    server.get(&first, "/user").await.ok();
    server.get(&second, "/user").await.ok();
    let third = Person::of_session(&server.try_refresh(&second.refresh_token).await.ok());
    assert_ne!(third.refresh_token, second.refresh_token);

    server.assert_log(before, &["session.refreshed", "session.refreshed"]);
    server.assert_log_is_whole();
});

on_both_databases!(who_lost_the_answer_gets_it_again, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let second = Person::of_session(&server.try_refresh(&ada.refresh_token).await.ok());
    let reply = server.try_refresh(&ada.refresh_token).await;
    let again = Person::of_session(&reply.ok());
    assert_eq!(again.refresh_token, second.refresh_token);
    assert_eq!(reply.header("sb-auth-refresh-token-reuse"), "");
    server.try_refresh(&second.refresh_token).await.ok();
});

on_both_databases!(the_token_before_is_honoured_however_late, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL", "1").start().await;
    let ada = server.sign_up("ada@example.com").await;
    let second = Person::of_session(&server.try_refresh(&ada.refresh_token).await.ok());
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let again = Person::of_session(&server.try_refresh(&ada.refresh_token).await.ok());
    assert_eq!(again.refresh_token, second.refresh_token);
});

on_both_databases!(eight_refreshes_at_once_get_the_same_token, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let replies = futures::future::join_all((0..8).map(|_| server.try_refresh(&ada.refresh_token))).await;
    let mut tokens: Vec<String> =
        replies.iter().map(|reply| Person::of_session(&reply.ok()).refresh_token).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_ne!(tokens[0], ada.refresh_token);
    let refreshed = server.events().into_iter().filter(|event| event.kind == "session.refreshed").count();
    assert_eq!(refreshed, 1, "one rotation");
    server.assert_log_is_whole();
});

on_both_databases!(a_stolen_token_ends_the_session_and_is_an_event, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL", "1").start().await;
    let ada = server.sign_up("ada@example.com").await;
    let other_device = server.sign_in("ada@example.com").await;
    let second = Person::of_session(&server.try_refresh(&ada.refresh_token).await.ok());
    let third = Person::of_session(&server.try_refresh(&second.refresh_token).await.ok());
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let before = server.head();

    let reply = server.try_refresh(&ada.refresh_token).await;
    reply.refused(400, "refresh_token_already_used", REUSED);
    assert_eq!(reply.header("sb-auth-session-id"), ada.session_id());
    let events = server.events_since(before);
    let mut kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["attempt.refresh_token_reused", "session.revoked"]);
    assert!(events.iter().all(|event| event.subject == Some(ada.subject())));

    for dead in [&ada, &second, &third] {
        let reply = server.try_refresh(&dead.refresh_token).await;
        let code = reply.error_code(400);
        assert!(matches!(&*code, "refresh_token_already_used" | "refresh_token_not_found"), "{code}");
    }
    server.get(&third, "/user").await.refused(
        403,
        "session_not_found",
        "Session from session_id claim in JWT does not exist",
    );
    server.get(&other_device, "/user").await.ok();
    server.try_refresh(&other_device.refresh_token).await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(within_the_interval_an_older_token_gets_the_active_one, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let second = Person::of_session(&server.try_refresh(&ada.refresh_token).await.ok());
    let third = Person::of_session(&server.try_refresh(&second.refresh_token).await.ok());
    let again = Person::of_session(&server.try_refresh(&ada.refresh_token).await.ok());
    assert_eq!(again.refresh_token, third.refresh_token, "no second branch of live tokens");
});

on_both_databases!(the_banned_cannot_refresh_until_the_ban_is_lifted, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    server.put(&ServiceRole, &path, json!({ "ban_duration": "1h" })).await.ok();
    let reply = server.try_refresh(&ada.refresh_token).await;
    let code = reply.error_code(400);
    assert!(matches!(&*code, "user_banned" | "refresh_token_not_found" | "session_not_found"), "{code}");
    server.put(&ServiceRole, &path, json!({ "ban_duration": "none" })).await.ok();
    server.sign_in("ada@example.com").await;
});

on_both_databases!(what_is_no_refresh_token_is_refused_with_the_right_words, async |database| {
    let server = TestServer::started(&database).await;
    let before = server.head();
    server.try_refresh("aaaaaaaaaaaa").await.refused(400, "refresh_token_not_found", NOT_FOUND);
    for malformed in ["", "no", "aaaaaaaaaa!!", "AAAAAAAAAAAA"] {
        server.try_refresh(malformed).await.refused(400, "validation_failed", "Refresh token is not valid");
    }
    for missing in [json!({}), json!({ "refresh_token": null })] {
        let reply = server.post(&Anonymous, "/token?grant_type=refresh_token", missing).await;
        assert_eq!(reply.error_code(400), "validation_failed");
    }
    assert_eq!(server.head(), before);
});

on_both_databases!(a_token_cannot_be_changed_into_another, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let token = &ada.refresh_token;
    for position in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'a' { b'b' } else { b'a' };
        let reply = server.try_refresh(&String::from_utf8(bytes).unwrap()).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        assert_ne!(reply.json()["error_code"], "refresh_token_already_used", "no session is ended by it");
    }
    server.try_refresh(token).await.ok();
});

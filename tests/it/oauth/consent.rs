//! `/oauth/authorizations/{id}` and `/user/oauth/grants`: the user decides, and takes it back.

use reqwest::Method;
use serde_json::json;

use super::{CALLBACK, Tokens, claims, in_query, with_oauth};
use crate::support::{Anonymous, Caller as _, Person, Reply, TestServer};

const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";

#[track_caller]
fn not_found(reply: &Reply) {
    reply.refused(404, "oauth_authorization_not_found", "authorization not found");
}

on_both_databases!(a_user_sees_the_request_and_says_yes, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server
        .oauth_client(json!({ "client_uri": "https://photos.example.com", "logo_uri": "https://photos.example.com/l.png" }))
        .await;
    let ada = server.sign_up("ada@example.com").await;
    let id = server.asked(&client, "openid email").await;
    let before = server.head();
    let seen = server.see(&ada, &id).await;
    assert_eq!(seen.header("cache-control"), "no-store");
    assert_eq!(
        seen.ok(),
        json!({
            "authorization_id": id,
            "redirect_uri": CALLBACK,
            "client": {
                "id": client.id,
                "name": "Photo Book",
                "uri": "https://photos.example.com",
                "logo_uri": "https://photos.example.com/l.png",
            },
            "user": { "id": ada.id, "email": "ada@example.com" },
            "scope": "openid email",
        })
    );
    server.see(&ada, &id).await.ok();
    server.decide(&ada, &id, "maybe").await.refused(
        400,
        "validation_failed",
        "action must be 'approve' or 'deny'",
    );
    let decided = server.decide(&ada, &id, "approve").await.ok();
    let url = decided["redirect_url"].as_str().unwrap();
    let code = in_query(url, "code").unwrap();
    assert_eq!(url, format!("{CALLBACK}?code={code}&state=st-1"));
    let events =
        server.assert_log(before, &["authorization.seen", "authorization.approved", "consent.given"]);
    assert!(events.iter().all(|event| event.subject == Some(ada.subject())));

    let pending = "authorization request is no longer pending";
    for action in ["approve", "deny"] {
        server.decide(&ada, &id, action).await.refused(400, "validation_failed", pending);
    }
    let processed = "authorization request cannot be processed";
    server.see(&ada, &id).await.refused(400, "validation_failed", processed);
    server.assert_log_is_whole();
});

on_both_databases!(a_no_is_a_no, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let id = server.asked(&client, "email").await;
    server.see(&ada, &id).await.ok();
    let before = server.head();
    let decided = server.decide(&ada, &id, "deny").await.ok();
    assert_eq!(
        decided["redirect_url"],
        format!("{CALLBACK}?error=access_denied&error_description=User+denied+the+request&state=st-1")
    );
    server.assert_log(before, &["authorization.denied"]);
    let reply = server.decide(&ada, &id, "approve").await;
    reply.refused(400, "validation_failed", "authorization request is no longer pending");
    assert_eq!(server.get(&ada, "/user/oauth/grants").await.ok(), json!([]));
});

on_both_databases!(whoever_looks_first_decides_and_nobody_without_having_looked, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let (ada, eve) = (server.sign_up("ada@example.com").await, server.sign_up("eve@example.com").await);
    let id = server.asked(&client, "email").await;
    not_found(&server.decide(&ada, &id, "approve").await);
    server.see(&ada, &id).await.ok();
    not_found(&server.see(&eve, &id).await);
    not_found(&server.decide(&eve, &id, "approve").await);
    not_found(&server.decide(&eve, &id, "deny").await);
    for unknown in ["x", &"a".repeat(32), UNKNOWN, "%00", "%ff"] {
        not_found(&server.see(&ada, unknown).await);
        not_found(&server.decide(&ada, unknown, "approve").await);
    }
    assert_eq!(server.see(&Anonymous, &id).await.error_code(401), "no_authorization");
    assert_eq!(server.decide(&Anonymous, &id, "approve").await.error_code(401), "no_authorization");
    server.decide(&ada, &id, "approve").await.ok();
    not_found(&server.see(&eve, &id).await);
});

on_both_databases!(a_request_waits_for_a_while_only, async |database| {
    let server = with_oauth(&database).with("GOTRUE_OAUTH_SERVER_AUTHORIZATION_TTL", "1s").start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let (looked_at, decided) =
        (server.asked(&client, "email").await, server.granted(&ada, &client, "phone").await);
    server.see(&ada, &looked_at).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    not_found(&server.see(&ada, &looked_at).await);
    not_found(&server.decide(&ada, &looked_at, "approve").await);
    server.redeem(&client, &decided).await.refused_by_oauth("invalid_grant", "Invalid authorization code");
});

on_both_databases!(what_was_granted_before_needs_no_second_yes, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    server.granted(&ada, &client, "openid email").await;
    let id = server.asked(&client, "email").await;
    let seen = server.see(&ada, &id).await.ok();
    let code = in_query(seen["redirect_url"].as_str().unwrap(), "code").unwrap();
    let tokens = Tokens::of(&server.redeem(&client, &code).await.ok());
    assert_eq!(claims(&tokens.access_token)["scope"], "email", "what was asked for, no more");
    // More than before is asked about.
    let id = server.asked(&client, "email phone").await;
    assert_eq!(server.see(&ada, &id).await.ok()["scope"], "email phone");
    // And so is another user, and another client.
    let eve = server.sign_up("eve@example.com").await;
    let other = server.oauth_client(json!({ "client_name": "Note Pad" })).await;
    let id = server.asked(&client, "email").await;
    assert_eq!(server.see(&eve, &id).await.ok()["scope"], "email");
    let id = server.asked(&other, "email").await;
    assert_eq!(server.see(&ada, &id).await.ok()["scope"], "email");
});

on_both_databases!(only_pages_of_the_application_decide, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let id = server.asked(&client, "email").await;
    let from = async |origin: &str, method: Method, path: &str| {
        let request = server.request(method, path).bearer_auth(ada.bearer().unwrap());
        let request = request.header("origin", origin).json(&json!({ "action": "deny" }));
        server.send(request).await
    };
    let (show, decide) =
        (format!("/oauth/authorizations/{id}"), format!("/oauth/authorizations/{id}/consent"));
    for foreign in
        ["https://evil.example.net", "null", "http://localhost.evil.net:3000", "https://x@localhost:3000"]
    {
        for (method, path) in [(Method::GET, &show), (Method::POST, &decide)] {
            let reply = from(foreign, method, path).await;
            reply.refused(400, "validation_failed", "unauthorized request origin");
        }
    }
    from("http://localhost:3000", Method::GET, &show).await.ok();
    from("http://localhost:3000", Method::POST, &decide).await.ok();
});

on_both_databases!(a_user_lists_and_takes_back_what_was_granted, async |database| {
    let server = with_oauth(&database).start().await;
    let book = server.oauth_client(json!({ "client_uri": "https://photos.example.com" })).await;
    let pad = server.oauth_client(json!({ "client_name": "Note Pad" })).await;
    let ada = server.sign_up("ada@example.com").await;
    let of_book = server.tokens_for(&ada, &book, "openid email").await;
    let of_pad = server.tokens_for(&ada, &pad, "email").await;
    let waiting = server.granted(&ada, &book, "email").await;
    let grants = server.get(&ada, "/user/oauth/grants").await.ok();
    assert_eq!(
        grants,
        json!([
            { "client": { "id": pad.id, "name": "Note Pad" }, "scopes": ["email"], "granted_at": grants[0]["granted_at"] },
            {
                "client": { "id": book.id, "name": "Photo Book", "uri": "https://photos.example.com" },
                "scopes": ["openid", "email"],
                "granted_at": grants[1]["granted_at"],
            },
        ])
    );

    let path = format!("/user/oauth/grants?client_id={}", book.id);
    let before = server.head();
    server.delete(&ada, &path, None).await.no_content();
    server.assert_log(before, &["session.revoked", "consent.revoked"]);
    let gone = "No active grant found for this client";
    server.delete(&ada, &path, None).await.refused(404, "oauth_consent_not_found", gone);
    // Its session is over, and so is the code that it has not redeemed.
    assert_eq!(server.get(&of_book, "/oauth/userinfo").await.error_code(403), "session_not_found");
    server
        .refresh_as(&book, &of_book.refresh_token)
        .await
        .refused_by_oauth("invalid_grant", "Invalid Refresh Token: Refresh Token Not Found");
    server.redeem(&book, &waiting).await.refused_by_oauth("invalid_grant", "Invalid authorization code");
    // The other's goes on, and so does the user's own.
    server.get(&of_pad, "/oauth/userinfo").await.ok();
    server.get(&ada, "/user").await.ok();
    assert_eq!(server.get(&ada, "/user/oauth/grants").await.ok().as_array().unwrap().len(), 1);
    // The client has to ask again.
    let id = server.asked(&book, "email").await;
    assert_eq!(server.see(&ada, &id).await.ok()["scope"], "email");

    for (query, message) in
        [("", "client_id query parameter is required"), ("?client_id=x", "invalid client_id format")]
    {
        let reply = server.delete(&ada, &format!("/user/oauth/grants{query}"), None).await;
        reply.refused(400, "validation_failed", message);
    }
    let unknown = server.delete(&ada, &format!("/user/oauth/grants?client_id={UNKNOWN}"), None).await;
    unknown.refused(404, "oauth_consent_not_found", gone);
    server.assert_log_is_whole();
});

async fn erased(server: &TestServer, who: &Person) {
    let path = format!("/admin/users/{}", who.id);
    server.delete(&crate::support::ServiceRole, &path, None).await.ok();
}

on_both_databases!(with_the_account_everything_granted_is_gone, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "openid email").await;
    let waiting = server.granted(&ada, &client, "email").await;
    erased(&server, &ada).await;
    assert_eq!(server.get(&tokens, "/oauth/userinfo").await.error_code(403), "user_not_found");
    server.redeem(&client, &waiting).await.refused_by_oauth("invalid_grant", "Invalid authorization code");
    let reply = server.refresh_as(&client, &tokens.refresh_token).await;
    reply.refused_by_oauth("invalid_grant", "Invalid Refresh Token: Refresh Token Not Found");
    server.assert_log_is_whole();
});

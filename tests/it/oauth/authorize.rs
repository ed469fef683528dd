//! `GET /oauth/authorize`: who is asked, and who hears that a request is wrong.

use serde_json::json;

use super::{CALLBACK, CHALLENGE, VERIFIER, form, in_query, with_oauth};
use crate::support::{Anonymous, TestServer};

const PAGE: &str = "http://localhost:3000/oauth/consent?authorization_id=";

on_both_databases!(a_browser_goes_on_to_the_consent_page, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let before = server.head();
    let reply = server.authorize(&client, "openid email", &[("nonce", "no-1")]).await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    let id = reply.header("location").strip_prefix(PAGE).unwrap();
    assert_eq!(id.len(), 32);
    assert!(id.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)), "{id}");
    let events = server.assert_log(before, &["authorization.requested"]);
    assert!(!events[0].stream.contains(id), "the log has a hash of it");
    let other = server.asked(&client, "openid").await;
    assert_ne!(other, id);
    server.assert_log_is_whole();
});

on_both_databases!(nobody_is_redirected_before_client_and_address_are_known, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let unknown = "11111111-1111-4111-8111-111111111111";
    let before = server.head();
    for (pairs, code, message) in [
        (vec![], "validation_failed", "client_id is required"),
        (vec![("client_id", ""), ("redirect_uri", CALLBACK)], "validation_failed", "client_id is required"),
        (vec![("client_id", "abc")], "oauth_client_not_found", "invalid client_id format"),
        (
            vec![("client_id", unknown), ("redirect_uri", CALLBACK)],
            "oauth_client_not_found",
            "invalid client_id",
        ),
        (vec![("client_id", &client.id)], "validation_failed", "redirect_uri is required"),
        (
            vec![("client_id", &client.id), ("redirect_uri", "https://evil.example.net/")],
            "validation_failed",
            "invalid redirect_uri",
        ),
    ] {
        let reply = server.get(&Anonymous, &format!("/oauth/authorize?{}", form(&pairs))).await;
        reply.refused(400, code, message);
        assert_eq!(reply.header("location"), "");
    }
    // One character more or less is another address.
    for near in [
        "https://photos.example.com/cb/",
        "https://photos.example.com/cb?",
        "https://photos.example.com/cb#",
        "https://photos.example.com/CB",
        "https://photos.example.com:443/cb",
        "https://photos.example.com/x/../cb",
        "https://photos.example.com.evil.example.net/cb",
        "https://photos.example.com@evil.example.net/cb",
        "https://photos.example.com/c%62",
        " https://photos.example.com/cb",
        "https://photos.example.com/cb\0",
    ] {
        let pairs = [
            ("client_id", client.id.as_str()),
            ("redirect_uri", near),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let reply = server.get(&Anonymous, &format!("/oauth/authorize?{}", form(&pairs))).await;
        reply.refused(400, "validation_failed", "invalid redirect_uri");
    }
    server.assert_log(before, &[]);
});

on_both_databases!(a_client_hears_what_is_wrong_with_its_request, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let before = server.head();
    let long = "x".repeat(2049);
    let good = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let with = |more: &[(&'static str, &'static str)]| [good.as_slice(), more].concat();
    let pkce = "PKCE flow requires both code_challenge and code_challenge_method";
    for (pairs, error, description) in [
        (vec![], "invalid_request", pkce),
        (vec![good[0]], "invalid_request", pkce),
        (vec![good[1]], "invalid_request", pkce),
        (
            vec![good[0], ("code_challenge_method", "s512")],
            "invalid_request",
            "code_challenge_method must be 'S256' or 'plain'",
        ),
        (
            vec![("code_challenge", "short"), good[1]],
            "invalid_request",
            "code challenge has to be between 43 and 128 characters",
        ),
        (with(&[("scope", "root")]), "invalid_request", "unsupported scope: root"),
        (with(&[("response_type", "token")]), "invalid_request", "only response_type=code is supported"),
        (with(&[("resource", "/x")]), "invalid_request", "resource must be an absolute URI"),
        (
            [good.as_slice(), &[("nonce", long.as_str())]].concat(),
            "invalid_request",
            "state, nonce and resource must not be longer than 2048 bytes",
        ),
    ] {
        let all = [
            &[("client_id", client.id.as_str()), ("redirect_uri", CALLBACK), ("state", "st-1")],
            pairs.as_slice(),
        ]
        .concat();
        let reply = server.get(&Anonymous, &format!("/oauth/authorize?{}", form(&all))).await;
        assert_eq!(reply.status, 302, "{}", reply.text);
        let expected = form(&[("error", error), ("error_description", description), ("state", "st-1")]);
        assert_eq!(reply.header("location"), format!("{CALLBACK}?{expected}"));
    }
    let silent = form(&[("client_id", client.id.as_str()), ("redirect_uri", CALLBACK)]);
    let reply = server.get(&Anonymous, &format!("/oauth/authorize?{silent}")).await;
    assert_eq!(in_query(reply.header("location"), "state"), None, "state comes back only if it was sent");
    server.assert_log(before, &[]);
});

on_both_databases!(a_request_may_leave_out_its_scopes_and_use_a_plain_challenge, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let pairs = form(&[
        ("client_id", client.id.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_challenge", VERIFIER),
        ("code_challenge_method", "PLAIN"),
    ]);
    let reply = server.get(&Anonymous, &format!("/oauth/authorize?{pairs}")).await;
    let id = in_query(reply.header("location"), "authorization_id").unwrap();
    assert_eq!(server.see(&ada, &id).await.ok()["scope"], "email");
    let decided = server.decide(&ada, &id, "approve").await.ok();
    let url = decided["redirect_url"].as_str().unwrap();
    assert_eq!(in_query(url, "state"), None);
    server.redeem(&client, &in_query(url, "code").unwrap()).await.ok();
});

on_both_databases!(without_a_consent_page_the_client_hears_of_it, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_OAUTH_SERVER_ENABLED", "true").start().await;
    let client = server.oauth_client(json!({})).await;
    let reply = server.authorize(&client, "email", &[]).await;
    assert_eq!(
        reply.header("location"),
        "https://photos.example.com/cb?error=server_error\
         &error_description=oauth+authorization+path+not+configured&state=st-1"
    );
});

on_both_databases!(a_client_of_refresh_tokens_alone_gets_no_code, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({ "grant_types": ["refresh_token"] })).await;
    let reply = server.authorize(&client, "email", &[]).await;
    assert_eq!(in_query(reply.header("location"), "error").as_deref(), Some("unauthorized_client"));
});

on_both_databases!(one_caller_cannot_fill_the_log_with_requests, async |database| {
    let server = with_oauth(&database).with("GOTRUE_RATE_LIMIT_TOKEN_REFRESH", "1").start().await;
    let client = server.oauth_client(json!({})).await;
    for _ in 0..30 {
        assert_eq!(server.authorize(&client, "email", &[]).await.status, 302);
    }
    let reply = server.authorize(&client, "email", &[]).await;
    reply.refused(429, "over_request_rate_limit", "Request rate limit reached");
});

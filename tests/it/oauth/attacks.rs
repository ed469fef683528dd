//! What a client, or whoever stole something of one, must not get.

use reqwest::Method;
use serde_json::json;

use super::{CALLBACK, CHALLENGE, Client, Tokens, claims, form, in_query, with_oauth};
use crate::support::{Bearer, Caller, ServiceRole, TestServer};

/// What a user does with their own token, and what it would be good for.
const OWN_ROUTES: &[(Method, &str)] = &[
    (Method::GET, "/user"),
    (Method::PUT, "/user"),
    (Method::POST, "/logout"),
    (Method::GET, "/user/oauth/grants"),
    (Method::DELETE, "/user/oauth/grants?client_id=11111111-1111-4111-8111-111111111111"),
    (Method::GET, "/auth/v1/user"),
    (Method::GET, "/user/nothing"),
];

async fn try_all(server: &TestServer, token: &str, code: &str, message: &str) {
    for (method, path) in OWN_ROUTES {
        let request = server.request(method.clone(), path).bearer_auth(token);
        let reply = server.send(request.json(&json!({ "data": { "x": 1 } }))).await;
        reply.refused(403, code, message);
    }
}

on_both_databases!(a_client_s_token_is_not_the_user_s_own, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    for scope in ["email", "openid profile email phone offline_access"] {
        let tokens = server.tokens_for(&ada, &client, scope).await;
        let before = server.head();
        let message = "This endpoint does not accept tokens of OAuth clients";
        try_all(&server, &tokens.access_token, "no_authorization", message).await;
        // A client must not grant itself more, either.
        let other = server.asked(&client, "phone").await;
        let reply = server.see(&tokens, &other).await;
        reply.refused(403, "no_authorization", message);
        let reply = server.decide(&tokens, &other, "approve").await;
        reply.refused(403, "no_authorization", message);
        server.assert_log(before, &["authorization.requested"]);
    }
});

on_both_databases!(an_id_token_opens_nothing, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let id_token = server.tokens_for(&ada, &client, "openid email").await.id_token.unwrap();
    let message = "invalid claim: missing session_id claim";
    try_all(&server, &id_token, "bad_jwt", message).await;
    server.get(&Bearer(id_token.clone()), "/oauth/userinfo").await.refused(403, "bad_jwt", message);
    let reply = server.get(&Bearer(id_token), "/admin/users").await;
    assert_eq!(reply.error_code(403), "not_admin");
});

on_both_databases!(a_client_of_a_mighty_user_does_not_administer, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    server.put(&ServiceRole, &path, json!({ "role": "service_role" })).await.ok();
    let ada = server.sign_in("ada@example.com").await;
    server.get(&ada, "/admin/users").await.ok();
    let tokens = server.tokens_for(&ada, &client, "openid email").await;
    assert_eq!(claims(&tokens.access_token)["role"], "service_role");
    assert_eq!(server.get(&tokens, "/admin/users").await.error_code(403), "not_admin");
});

on_both_databases!(an_owner_may_let_clients_act_as_their_users, async |database| {
    let server =
        with_oauth(&database).with("EVIDENT_OAUTH_SERVER_CLIENTS_ACT_AS_USERS", "true").start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "email").await;
    assert_eq!(server.get(&tokens, "/user").await.ok()["id"], ada.id);
    server.put(&tokens, "/user", json!({ "data": { "x": 1 } })).await.ok();
    // Not so once the client is gone.
    server.delete(&ServiceRole, &format!("/admin/oauth/clients/{}", client.id), None).await.no_content();
    assert_eq!(server.get(&tokens, "/user").await.error_code(403), "session_not_found");
});

on_both_databases!(a_code_that_comes_twice_ends_the_session_that_it_opened, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let code = server.granted(&ada, &client, "openid email").await;
    let tokens = Tokens::of(&server.redeem(&client, &code).await.ok());
    server.get(&tokens, "/oauth/userinfo").await.ok();

    // Who has the code and not the verifier never was near the session.
    let pairs = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", "x")];
    server.token(&client, &pairs).await.refused_by_oauth("invalid_grant", "Invalid authorization code");
    server.get(&tokens, "/oauth/userinfo").await.ok();

    let before = server.head();
    server.redeem(&client, &code).await.refused_by_oauth("invalid_grant", "Invalid authorization code");
    server.assert_log(before, &["session.revoked"]);
    assert_eq!(server.get(&tokens, "/oauth/userinfo").await.error_code(403), "session_not_found");
    let reply = server.refresh_as(&client, &tokens.refresh_token).await;
    reply.refused_by_oauth("invalid_grant", "Invalid Refresh Token: Refresh Token Not Found");
    let before = server.head();
    server.redeem(&client, &code).await.refused_by_oauth("invalid_grant", "Invalid authorization code");
    server.assert_log(before, &[]);
    server.get(&ada, "/user").await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(ids_and_codes_do_not_follow_from_what_others_see, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let code = server.granted(&ada, &client, "openid email").await;
    let secret = client.secret.clone().unwrap();
    let export = crate::privacy::stored_events(&server).await;
    for hidden in [code.as_str(), secret.as_str(), "st-1", "no-1"] {
        assert!(!export.contains(hidden), "{hidden} stands in the log");
    }
    // The stream's own id is no code.
    let events = server.events();
    let stream = &events.iter().find(|event| event.kind == "authorization.approved").unwrap().stream;
    let id = stream.rsplit([':', '/']).next().unwrap();
    server.redeem(&client, id).await.refused_by_oauth("invalid_grant", "Invalid authorization code");
});

on_both_databases!(odd_characters_make_no_5xx, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    for odd in ["%00", "%ff", "%0d%0aX:%20y", "%25%30", "\u{fffd}", "'%22%3E%3C", "%F0%9F%98%80"] {
        for path in [
            format!("/oauth/authorize?client_id={odd}"),
            format!("/oauth/authorize?client_id={}&redirect_uri={odd}", client.id),
            format!(
                "/oauth/authorize?client_id={}&redirect_uri={CALLBACK}&state={odd}&scope={odd}",
                client.id
            ),
            format!(
                "/oauth/authorize?client_id={}&redirect_uri={CALLBACK}&state={odd}&nonce={odd}&code_challenge={}&code_challenge_method=S256",
                client.id, CHALLENGE
            ),
            format!("/oauth/authorizations/{odd}"),
            format!("/user/oauth/grants?client_id={odd}"),
            format!("/admin/oauth/clients/{odd}"),
        ] {
            let reply = server.get(&ada, &path).await;
            assert!(reply.status < 500, "{path}: {} {}", reply.status, reply.text);
        }
        let form =
            format!("grant_type={odd}&code={odd}&client_id={odd}&client_secret={odd}&refresh_token={odd}");
        let request = server.request(Method::POST, "/oauth/token");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        assert_eq!(server.send(request).await.status, 400);
    }
    // What came with odd characters comes back as it was.
    let reply = server.authorize(&client, "email", &[]).await;
    assert_eq!(reply.status, 302);
    let state = "a\0b\r\n\u{1f600}&=#";
    let pairs = form(&[
        ("client_id", client.id.as_str()),
        ("redirect_uri", CALLBACK),
        ("state", state),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let reply = server.get(&ada, &format!("/oauth/authorize?{pairs}")).await;
    let id = in_query(reply.header("location"), "authorization_id").unwrap();
    server.see(&ada, &id).await.ok();
    let decided = server.decide(&ada, &id, "deny").await.ok();
    let url = decided["redirect_url"].as_str().unwrap();
    assert_eq!(in_query(url, "state").as_deref(), Some(state));
});

on_both_databases!(signing_out_everywhere_ends_what_clients_have, async |database| {
    let server = with_oauth(&database).start().await;
    let client: Client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "email").await;
    let waiting = server.asked(&client, "email").await;
    let bearer = ada.bearer().unwrap();
    server.post_empty(&ada, "/logout").await.no_content();
    assert_eq!(server.get(&tokens, "/oauth/userinfo").await.error_code(403), "session_not_found");
    assert_eq!(server.see(&Bearer(bearer), &waiting).await.error_code(403), "session_not_found");
});

//! The way there and back, and everything that can happen on it.

use serde_json::json;

use super::{come_by_gitlab, knows, with_gitlab};
use crate::support::{Anonymous, Bearer, FakeProvider, TestServer, fragment_of, query_of};

on_both_databases!(somebody_new_comes_back_with_tokens_in_the_fragment, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 4711, "Igor Ink", "igor@example.com", true);
    let server = with_gitlab(&database, &gitlab).start().await;
    let way = server
        .way_to(
            "provider=gitlab&redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fcb&scopes=api%20read_repository&access_type=offline",
        )
        .await;
    assert!(way.as_str().starts_with(&format!("{}/oauth/authorize?", gitlab.url())));
    for (name, value) in [
        ("access_type", "offline"),
        ("client_id", "gitlab-client"),
        ("redirect_to", "http://localhost:3000/cb"),
        ("redirect_uri", "http://localhost:9999/callback"),
        ("response_type", "code"),
        ("scope", "read_user api read_repository"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query_of(&way, name), value);
    }
    let back = format!("/callback?code=igor-1&state={}", query_of(&way, "state"));
    let reply = server.get(&Anonymous, &back).await;
    assert_eq!(reply.status, 302, "{}", reply.text);
    let location = reply.header("location");
    assert!(location.starts_with("http://localhost:3000/cb#access_token="), "{location}");
    assert_eq!(reply.header("cache-control"), "no-store");
    let fields = fragment_of(location);
    assert_eq!(fields["provider_token"], "token-of-4711");
    assert_eq!(fields["provider_refresh_token"], "refresh-of-4711");
    assert_eq!((fields["sb"].as_str(), fields["token_type"].as_str()), ("", "bearer"));
    assert!(!fields.contains_key("type"));

    let exchange = gitlab.asked("POST /oauth/token").remove(0);
    assert_eq!(exchange.headers["authorization"], "Basic Z2l0bGFiLWNsaWVudDpnaXRsYWItc2VjcmV0");
    assert!(exchange.body.starts_with("code=igor-1&grant_type=authorization_code&redirect_uri="));
    assert!(exchange.body.contains("&code_verifier="));
    assert_eq!(gitlab.asked("GET /api/v4/user")[0].headers["authorization"], "Bearer token-of-4711");

    let caller = Bearer(fields["access_token"].clone());
    let user = server.get(&caller, "/user").await.ok();
    assert_eq!(reply.header("sb-auth-user-id"), user["id"]);
    let told = json!({"avatar_url": "https://img.example.com/4711.png", "email": "igor@example.com",
        "email_verified": true, "full_name": "Igor Ink", "iss": gitlab.url(), "name": "Igor Ink",
        "phone_verified": false, "picture": "https://img.example.com/4711.png", "provider_id": "4711",
        "sub": "4711"});
    assert_eq!(user["user_metadata"], told);
    assert_eq!(user["app_metadata"], json!({"provider": "gitlab", "providers": ["gitlab"]}));
    assert_eq!(user["email"], "igor@example.com");
    assert!(user["email_confirmed_at"].is_string());
    let identity = &user["identities"][0];
    assert_eq!((&identity["id"], &identity["provider"]), (&json!("4711"), &json!("gitlab")));
    assert_eq!(identity["identity_data"], told);
    let claims = crate::support::decode_part(&fields["access_token"], 1);
    assert_eq!(claims["amr"][0]["method"], "oauth");

    // A state is good once.
    let again = server.get(&Anonymous, &back).await;
    assert_eq!(again.status, 303);
    assert_eq!(
        again.header("location"),
        "http://localhost:3000?error=invalid_request&error_code=bad_oauth_state&error_description=OAuth+state+not+found+or+expired"
    );
    server.assert_log_is_whole();
});

on_both_databases!(with_pkce_a_code_comes_back_and_the_tokens_are_fetched_once, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 4711, "Igor Ink", "igor@example.com", true);
    let server = with_gitlab(&database, &gitlab).start().await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let way = server
        .way_to("provider=gitlab&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=s256")
        .await;
    let back = format!("/callback?code=igor-1&state={}", query_of(&way, "state"));
    let reply = server.get(&Anonymous, &back).await;
    let location = reply.header("location").to_owned();
    let code = location.strip_prefix("http://localhost:3000?code=").expect(&location).to_owned();

    // Somebody who comes with the state later, or with the state in place of the code, gets nothing.
    let again = server.get(&Anonymous, &back).await;
    assert!(again.header("location").contains("error_code=flow_state_already_used"), "{again:?}");
    let redeem = |code: &str, verifier: &str| {
        let body = json!({"auth_code": code, "code_verifier": verifier});
        server.post(&Anonymous, "/token?grant_type=pkce", body)
    };
    let state = query_of(&way, "state");
    assert_eq!(redeem(&state, verifier).await.error_code(404), "flow_state_not_found");
    assert_eq!(redeem(&code, "another").await.error_code(400), "bad_code_verifier");
    let session = redeem(&code, verifier).await.ok();
    assert_eq!(session["provider_token"], "token-of-4711");
    assert_eq!(session["provider_refresh_token"], "refresh-of-4711");
    assert_eq!(session["user"]["email"], "igor@example.com");
    assert_eq!(redeem(&code, verifier).await.error_code(404), "flow_state_not_found");
});

on_both_databases!(whoever_is_kept_out_does_not_get_in_with_a_code_of_before, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 4711, "Igor Ink", "igor@example.com", true);
    let server = with_gitlab(&database, &gitlab).start().await;
    let reply = come_by_gitlab(
        &server,
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=s256",
    )
    .await;
    let code = reply.header("location").strip_prefix("http://localhost:3000/cb?code=").unwrap().to_owned();
    let users = server.get(&crate::support::ServiceRole, "/admin/users").await.ok();
    let id = users["users"][0]["id"].as_str().unwrap();
    let ban = json!({"ban_duration": "24h"});
    server.put(&crate::support::ServiceRole, &format!("/admin/users/{id}"), ban).await.ok();
    let body = json!({"auth_code": code, "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"});
    let redeemed = server.post(&Anonymous, "/token?grant_type=pkce", body).await;
    assert_eq!(redeemed.error_code(403), "user_banned");
    // Nor by coming again.
    let again = come_by_gitlab(&server, "").await;
    let location = again.header("location");
    assert!(location.contains("error=access_denied&error_code=user_banned"), "{location}");
});

on_both_databases!(what_cannot_be_asked_for_is_said_as_json, async |database| {
    let gitlab = FakeProvider::start().await;
    let server = with_gitlab(&database, &gitlab)
        .with("GOTRUE_EXTERNAL_DISCORD_ENABLED", "true")
        .with("GOTRUE_EXTERNAL_DISCORD_CLIENT_ID", "")
        .start()
        .await;
    for (query, problem) in [
        ("provider=nowhere", "Provider nowhere could not be found"),
        ("", "Provider  could not be found"),
        ("provider=email", "Provider email could not be found"),
        ("provider=custom:foo", "custom provider custom:foo not found"),
        ("provider=github", "provider is not enabled"),
        ("provider=discord", "missing OAuth client ID"),
    ] {
        let reply = server.get(&Anonymous, &format!("/authorize?{query}")).await;
        reply.refused(400, "validation_failed", &format!("Unsupported provider: {problem}"));
    }
    let reply = server.get(&Anonymous, "/authorize?provider=gitlab&invite_token=abc").await;
    reply.refused(404, "user_not_found", "User identified by token not found");
    let reply = server.get(&Anonymous, "/authorize?provider=gitlab&code_challenge=short").await;
    assert_eq!(reply.error_code(400), "validation_failed");
    let settings = server.get(&Anonymous, "/settings").await.ok();
    assert_eq!(settings["external"]["gitlab"], true);
    assert_eq!(settings["external"]["github"], false);
    // The start says what is missing, and goes on.
    assert!(server.log_text().contains("GOTRUE_EXTERNAL_DISCORD_CLIENT_ID"));
});

on_both_databases!(a_state_that_is_none_leads_home, async |database| {
    let server = TestServer::started(&database).await;
    for (query, code, description) in [
        ("code=x", "bad_oauth_callback", "OAuth+state+parameter+missing"),
        ("code=x&state=abc", "bad_oauth_state", "OAuth+state+parameter+is+invalid"),
        (
            "code=x&state=5a22e0a7-7822-4d54-b293-92173d462ab8",
            "bad_oauth_state",
            "OAuth+state+not+found+or+expired",
        ),
    ] {
        let reply = server.get(&Anonymous, &format!("/callback?{query}")).await;
        assert_eq!(reply.status, 303);
        assert_eq!(
            reply.header("location"),
            format!(
                "http://localhost:3000?error=invalid_request&error_code={code}&error_description={description}"
            )
        );
    }
});

on_both_databases!(what_goes_wrong_at_the_provider_stands_in_query_and_fragment, async |database| {
    let gitlab = FakeProvider::start().await;
    gitlab.says_raw("POST /oauth/token", 400, "application/json", r#"{"error":"invalid_grant"}"#);
    let server = with_gitlab(&database, &gitlab).start().await;
    for (back, news) in [
        (
            "error=access_denied&error_description=The+user+refused",
            "error=access_denied&error_description=The+user+refused",
        ),
        (
            "code=unknown",
            "error=server_error&error_code=unexpected_failure&error_description=Unable+to+exchange+external+code",
        ),
        (
            "",
            "error=invalid_request&error_code=bad_oauth_callback&error_description=OAuth+callback+with+missing+authorization+code+missing",
        ),
    ] {
        let way =
            server.way_to("provider=gitlab&redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fcb%3Fa%3D1").await;
        let state = query_of(&way, "state");
        let reply = server.get(&Anonymous, &format!("/callback?{back}&state={state}")).await;
        assert_eq!(reply.status, 302);
        let location = format!("http://localhost:3000/cb?a=1&{news}#{news}&sb=");
        assert_eq!(reply.header("location"), location);
    }
});

on_both_databases!(a_target_that_is_not_allowed_is_the_site_and_a_fixed_one_wins, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 1, "Igor", "igor@example.com", true);
    let mut server = with_gitlab(&database, &gitlab).start().await;
    let come = async |server: &TestServer| {
        let way = server.way_to("provider=gitlab&redirect_to=https%3A%2F%2Fevil.example.com%2F").await;
        let state = query_of(&way, "state");
        server.get(&Anonymous, &format!("/callback?code=x&state={state}")).await.header("location").to_owned()
    };
    assert!(come(&server).await.starts_with("http://localhost:3000#access_token="));
    server.stop();
    server.set("GOTRUE_EXTERNAL_REDIRECTURL", "https://app.example.com/welcome");
    server.start().await;
    assert!(come(&server).await.starts_with("https://app.example.com/welcome#access_token="));
});

on_both_databases!(whatever_a_provider_says_it_breaks_nothing, async |database| {
    let gitlab = FakeProvider::start().await;
    let server = with_gitlab(&database, &gitlab).start().await;
    let long = "x".repeat(2_000_000);
    for token in
        ["", "null", "[]", "{}", r#"{"access_token":42}"#, r#"{"access_token":""}"#, "<html>", long.as_str()]
    {
        gitlab.says_raw("POST /oauth/token", 200, "application/json", token);
        let reply = come_by_gitlab(&server, "").await;
        assert!(reply.header("location").contains("error=server_error"), "{token:.80}: {reply:?}");
    }
    knows(&gitlab, 1, "Igor", "igor@example.com", true);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for user in [
        "",
        "null",
        "[]",
        r#"{"id":{},"email":"a@example.com"}"#,
        r#"{"id":"","email":"a@example.com"}"#,
        r#"{"id":1,"email":42}"#,
        r#"{"id":1,"email":"not an address","confirmed_at":"x"}"#,
        r#"{"id":"a\u0000b","email":"a@example.com"}"#,
        deep.as_str(),
        long.as_str(),
    ] {
        gitlab.says_raw("GET /api/v4/user", 200, "application/json", user);
        let reply = come_by_gitlab(&server, "").await;
        assert!(reply.header("location").contains("error=server_error"), "{user:.80}: {reply:?}");
    }
    // What is odd, and still somebody, comes in; NUL and surrogates do no harm.
    gitlab.says_raw(
        "GET /api/v4/user",
        200,
        "application/json",
        r#"{"id":7,"name":"A\u0000B\ud83d\ude00","email":"A@Example.com","confirmed_at":"x","avatar_url":[1]}"#,
    );
    gitlab.says("GET /api/v4/user/emails", &json!([{"email": 1}, {"email": "\u{0}@x"}, 3]));
    let reply = come_by_gitlab(&server, "").await;
    let fields = fragment_of(reply.header("location"));
    let user = server.get(&Bearer(fields["access_token"].clone()), "/user").await.ok();
    assert_eq!(user["email"], "a@example.com");
    assert_eq!(user["user_metadata"]["name"], "A\u{fffd}B😀");
    server.assert_log_is_whole();
    assert!(!server.log_text().contains("token-of-1"), "tokens stay out of logs");
});

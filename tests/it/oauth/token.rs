//! `POST /oauth/token`: codes and refresh tokens for tokens.

use reqwest::Method;
use serde_json::json;

use super::{CALLBACK, Client, Tokens, VERIFIER, claims, form, in_query, with_oauth};
use crate::support::{Anonymous, Reply, TestServer};

on_both_databases!(a_client_redeems_its_code, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let code = server.granted(&ada, &client, "openid email").await;
    let before = server.head();
    let reply = server.redeem(&client, &code).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let document = reply.ok();
    let keys: Vec<_> = document.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["access_token", "expires_in", "id_token", "refresh_token", "token_type"]);
    assert_eq!((&document["expires_in"], &document["token_type"]), (&json!(3600), &json!("bearer")));
    assert_eq!(reply.header("sb-auth-user-id"), ada.id);
    let events = server.assert_log(before, &["session.started", "authorization.code_redeemed"]);
    assert!(events.iter().all(|event| event.actor == "visitor"));

    let tokens = Tokens::of(&document);
    let access = claims(&tokens.access_token);
    assert_eq!(access["session_id"], reply.header("sb-auth-session-id"));
    assert_ne!(access["session_id"], ada.session_id());
    assert_eq!((&access["sub"], &access["client_id"]), (&json!(ada.id), &json!(client.id)));
    assert_eq!((&access["scope"], &access["aal"]), (&json!("openid email"), &json!("aal1")));
    assert_eq!(access["amr"][0]["method"], "oauth_provider/authorization_code");
    assert_eq!(access["aud"], "authenticated");

    let id = claims(&tokens.id_token.unwrap());
    let iat = id["iat"].as_i64().unwrap();
    assert_eq!(
        id,
        json!({
            "iss": "http://localhost:9999",
            "sub": ada.id,
            "aud": client.id,
            "exp": iat + 3600,
            "iat": iat,
            "nonce": "no-1",
            "auth_time": id["auth_time"],
            "email": "ada@example.com",
            "email_verified": true,
            "client_id": client.id,
        })
    );
    assert!(id["auth_time"].as_i64().unwrap() <= iat);
    server.assert_log_is_whole();
});

on_both_databases!(a_client_proves_itself_as_it_is_registered, async |database| {
    let server = with_oauth(&database).start().await;
    let basic = server.oauth_client(json!({})).await;
    let post = server.oauth_client(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let public = server.oauth_client(json!({ "client_type": "public" })).await;
    let ada = server.sign_up("ada@example.com").await;
    let grant = |code: String| {
        vec![
            ("grant_type".to_owned(), "authorization_code".to_owned()),
            ("code".to_owned(), code),
            ("code_verifier".to_owned(), VERIFIER.to_owned()),
        ]
    };
    // A form in which the secret stands, and JSON in which none stands.
    let mut pairs = grant(server.granted(&ada, &post, "email").await);
    pairs.push(("client_id".to_owned(), post.id.clone()));
    pairs.push(("client_secret".to_owned(), post.secret.clone().unwrap()));
    let request = server.request(Method::POST, "/oauth/token").form(&pairs);
    server.send(request).await.ok();
    let code = server.granted(&ada, &public, "email").await;
    let body = json!({
        "grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "client_id": public.id,
    });
    server.post(&Anonymous, "/oauth/token", body).await.ok();

    let code = server.granted(&ada, &basic, "email").await;
    let with = |more: &[(&str, &str)]| {
        let mut pairs = grant(code.clone());
        pairs.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        server.request(Method::POST, "/oauth/token").form(&pairs)
    };
    let secret = basic.secret.as_deref().unwrap();
    let registered = |used: &str| {
        format!(
            "invalid authentication method: client is registered for 'client_secret_basic' but '{used}' was used"
        )
    };
    server.send(with(&[])).await.refused_client("Invalid client credentials: client_id is required");
    let reply = server.send(with(&[("client_id", &basic.id), ("client_secret", secret)])).await;
    reply.refused_client(&registered("client_secret_post"));
    server.send(with(&[("client_id", &basic.id)])).await.refused_client(&registered("none"));
    let invalid = "invalid client credentials";
    for wrong in ["wrong", "", "\u{e4}"] {
        server.send(with(&[]).basic_auth(&basic.id, Some(wrong))).await.refused_client(invalid);
    }
    let unknown = "11111111-1111-4111-8111-111111111111";
    server.send(with(&[]).basic_auth(unknown, Some(secret))).await.refused_client(invalid);
    server.send(with(&[]).basic_auth("x", Some(secret))).await.refused_client(invalid);
    server.send(with(&[]).header("authorization", "Basic !")).await.refused_client(invalid);
    let both = with(&[("client_id", &public.id)]).basic_auth(&basic.id, Some(secret));
    server.send(both).await.refused_client(invalid);
    let twice = with(&[("client_secret", secret)]).basic_auth(&basic.id, Some(secret));
    let reply = server.send(twice).await;
    reply.refused_by_oauth("invalid_request", "client credentials must be sent in one way only");
    // None of this used the code up.
    server.send(with(&[]).basic_auth(&basic.id, Some(secret))).await.ok();
});

on_both_databases!(a_new_secret_voids_the_old_one_and_a_deleted_client_gets_nothing, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "openid email").await;
    let code = server.granted(&ada, &client, "email").await;
    let path = format!("/admin/oauth/clients/{}", client.id);
    let again =
        server.post_empty(&crate::support::ServiceRole, &format!("{path}/regenerate_secret")).await.ok();
    server.refresh_as(&client, &tokens.refresh_token).await.refused_client("invalid client credentials");
    let client = Client { secret: again["client_secret"].as_str().map(str::to_owned), ..client };
    let tokens = Tokens::of(&server.refresh_as(&client, &tokens.refresh_token).await.ok_with(|document| {
        document["id_token"] = json!(null);
    }));

    server.delete(&crate::support::ServiceRole, &path, None).await.no_content();
    server.redeem(&client, &code).await.refused_client("invalid client credentials");
    server.refresh_as(&client, &tokens.refresh_token).await.refused_client("invalid client credentials");
    assert_eq!(server.get(&tokens, "/oauth/userinfo").await.error_code(403), "session_not_found");
    assert_eq!(server.get(&ada, "/user/oauth/grants").await.ok(), json!([]));
    let reply = server.authorize(&client, "email", &[]).await;
    reply.refused(400, "oauth_client_not_found", "invalid client_id");
});

impl Reply {
    /// The JSON of a 200, with something changed.
    #[track_caller]
    fn ok_with(&self, change: impl FnOnce(&mut serde_json::Value)) -> serde_json::Value {
        let mut document = self.ok();
        change(&mut document);
        document
    }
}

on_both_databases!(a_code_is_good_for_its_client_its_address_and_its_verifier, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let other = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let code = server.granted(&ada, &client, "openid email").await;
    let invalid = "Invalid authorization code";
    let pkce = "PKCE verification failed: code challenge does not match previously saved code verifier";
    let redeem = async |client: &Client, more: &[(&str, &str)]| {
        let pairs = [&[("grant_type", "authorization_code")], more].concat();
        server.token(client, &pairs).await
    };
    let verifier = ("code_verifier", VERIFIER);
    redeem(&client, &[verifier])
        .await
        .refused_by_oauth("invalid_request", "code is required for authorization_code grant");
    for unknown in ["x", "11111111-1111-4111-8111-111111111111", "\0"] {
        let reply = redeem(&client, &[("code", unknown), verifier]).await;
        if unknown == "\0" {
            assert_eq!(reply.status, 400);
        } else {
            reply.refused_by_oauth("invalid_grant", invalid);
        }
    }
    let mine = ("code", code.as_str());
    redeem(&other, &[mine, verifier]).await.refused_by_oauth("invalid_grant", invalid);
    redeem(&client, &[mine]).await.refused_by_oauth("invalid_grant", pkce);
    let wrong = "x".repeat(43);
    redeem(&client, &[mine, ("code_verifier", &wrong)]).await.refused_by_oauth("invalid_grant", pkce);
    let elsewhere = ("redirect_uri", "https://photos.example.com/other");
    redeem(&client, &[mine, verifier, elsewhere])
        .await
        .refused_by_oauth("invalid_grant", "Invalid redirect_uri");
    redeem(&client, &[mine, verifier]).await.ok();
});

on_both_databases!(grants_are_named_and_allowed, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    server.token(&client, &[]).await.refused_by_oauth("invalid_request", "grant_type is required");
    for grant in ["password", "client_credentials", "implicit"] {
        let message = format!("Client is not allowed to use grant type: {grant}");
        server
            .token(&client, &[("grant_type", grant)])
            .await
            .refused_by_oauth("unsupported_grant_type", &message);
    }
    let reply = server.token(&client, &[("grant_type", "refresh_token")]).await;
    reply.refused_by_oauth("invalid_request", "refresh_token is required for refresh_token grant");
    let twice = form(&[("grant_type", "refresh_token"), ("grant_type", "authorization_code")]);
    let request = server.request(Method::POST, "/oauth/token").body(twice);
    let request = request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let reply = server.send(request).await;
    reply.refused_by_oauth("invalid_request", "request parameters must not be included more than once");
    for body in ["", "{", "[]", "null", "\"x\""] {
        let request = server.request(Method::POST, "/oauth/token").body(body);
        assert_eq!(server.send(request).await.error_code(400), "bad_json", "{body}");
    }
});

on_both_databases!(a_client_without_the_grant_gets_no_refresh_token, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({ "grant_types": ["authorization_code"] })).await;
    let ada = server.sign_up("ada@example.com").await;
    let code = server.granted(&ada, &client, "email").await;
    let document = server.redeem(&client, &code).await.ok();
    assert_eq!(document.get("refresh_token"), None);
    let reply = server.refresh_as(&client, "aaaaaaaaaaaa").await;
    let message = "Client is not allowed to use grant type: refresh_token";
    reply.refused_by_oauth("unsupported_grant_type", message);
});

on_both_databases!(a_client_refreshes_its_session, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let first = server.tokens_for(&ada, &client, "openid email").await;
    let reply = server.refresh_as(&client, &first.refresh_token).await;
    assert_eq!(reply.header("sb-auth-refresh-token-reuse"), "false");
    assert_eq!(reply.header("cache-control"), "no-store");
    let document = reply.ok();
    assert_eq!(document.get("id_token"), None, "an ID token comes with a code only");
    let second = Tokens::of(&document);
    assert_ne!(second.refresh_token, first.refresh_token);
    let (before, after) = (claims(&first.access_token), claims(&second.access_token));
    for claim in ["session_id", "client_id", "scope", "amr", "sub"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    server.get(&second, "/oauth/userinfo").await.ok();
    for (token, message) in [
        ("aaaaaaaaaaaa", "Invalid Refresh Token: Refresh Token Not Found"),
        ("nonsense", "Refresh token is not valid"),
    ] {
        server.refresh_as(&client, token).await.refused_by_oauth("invalid_grant", message);
    }
});

on_both_databases!(a_stolen_refresh_token_ends_the_client_s_session, async |database| {
    let server =
        with_oauth(&database).with("GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL", "0").start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let first = server.tokens_for(&ada, &client, "email").await;
    let second = Tokens::of(&server.refresh_as(&client, &first.refresh_token).await.ok());
    let third = Tokens::of(&server.refresh_as(&client, &second.refresh_token).await.ok());
    let reply = server.refresh_as(&client, &first.refresh_token).await;
    reply.refused_by_oauth("invalid_grant", "Invalid Refresh Token: Already Used");
    assert_eq!(server.get(&third, "/oauth/userinfo").await.error_code(403), "session_not_found");
    server.get(&ada, "/user").await.ok();
});

on_both_databases!(refresh_tokens_are_good_at_their_own_endpoint_for_their_own_bearer, async |database| {
    let server =
        with_oauth(&database).with("GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL", "0").start().await;
    let client = server.oauth_client(json!({})).await;
    let other = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "email").await;
    for _ in 0..3 {
        let reply = server.try_refresh(&tokens.refresh_token).await;
        reply.refused_by_oauth("invalid_client", "Client authentication required for OAuth session");
        let reply = server.refresh_as(&other, &tokens.refresh_token).await;
        reply.refused_by_oauth("invalid_grant", "Refresh token was issued to another client");
        let reply = server.refresh_as(&client, &ada.refresh_token).await;
        reply.refused_by_oauth("invalid_client", "Client authentication not allowed for non-OAuth session");
    }
    // Nothing of that used a token up or ended a session.
    server.refresh_as(&client, &tokens.refresh_token).await.ok();
    server.try_refresh(&ada.refresh_token).await.ok();
});

on_both_databases!(tokens_are_for_the_service_that_was_asked_for, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let reply = server.authorize(&client, "email", &[("resource", "https://api.example.com/")]).await;
    let id = in_query(reply.header("location"), "authorization_id").unwrap();
    server.see(&ada, &id).await.ok();
    let decided = server.decide(&ada, &id, "approve").await.ok();
    let code = in_query(decided["redirect_url"].as_str().unwrap(), "code").unwrap();
    let redeem = |resource| {
        [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("resource", resource),
        ]
    };
    let reply = server.token(&client, &redeem("https://other.example.com/")).await;
    reply.refused_by_oauth("invalid_target", "resource does not match the authorization");
    server.token(&client, &redeem("https://api.example.com/")).await.ok();
});

on_both_databases!(without_a_key_that_others_can_check_there_is_no_id_token, async |database| {
    let server = with_oauth(&database).without("GOTRUE_JWT_KEYS").start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "openid email").await;
    assert_eq!(tokens.id_token, None);
    server.get(&tokens, "/oauth/userinfo").await.ok();
});

on_both_databases!(a_banned_user_s_code_and_tokens_are_refused, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "email").await;
    let code = server.granted(&ada, &client, "email").await;
    ban(&server, &ada.id).await;
    server.redeem(&client, &code).await.refused_by_oauth("invalid_grant", "User is banned");
    let reply = server.refresh_as(&client, &tokens.refresh_token).await;
    reply.refused_by_oauth("invalid_grant", "Invalid Refresh Token: User Banned");
    assert_eq!(server.get(&tokens, "/oauth/userinfo").await.error_code(403), "user_banned");
});

async fn ban(server: &TestServer, id: &str) {
    let body = json!({ "ban_duration": "24h" });
    server.put(&crate::support::ServiceRole, &format!("/admin/users/{id}"), body).await.ok();
}

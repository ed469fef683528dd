//! Providers that administrators register.

use serde_json::{Value, json};

use crate::support::{
    Anonymous, Bearer, FakeProvider, OpenIdProvider, ServiceRole, TestServer, fragment_of, query_of,
};

const PATH: &str = "/admin/custom-providers";

fn intranet() -> Value {
    json!({"provider_type": "oauth2", "identifier": "custom:intra", "name": "Intranet", "client_id": "cid",
        "client_secret": "shh-very-secret", "scopes": ["profile"],
        "authorization_url": "https://203.0.113.10/authorize", "token_url": "https://203.0.113.10/token",
        "userinfo_url": "https://203.0.113.10/me"})
}

on_both_databases!(a_provider_is_registered_read_changed_used_and_removed, async |database| {
    let server = TestServer::started(&database).await;
    assert_eq!(server.post(&Anonymous, PATH, intranet()).await.status, 401);
    let reply = server.post(&ServiceRole, PATH, intranet()).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let made = reply.json();
    let expected = json!({"id": made["id"], "provider_type": "oauth2", "identifier": "custom:intra",
        "name": "Intranet", "client_id": "cid", "acceptable_client_ids": [], "scopes": ["profile"],
        "pkce_enabled": true, "attribute_mapping": {}, "custom_claims_allowlist": [], "authorization_params": {},
        "enabled": true, "email_optional": false, "skip_nonce_check": false,
        "authorization_url": "https://203.0.113.10/authorize", "token_url": "https://203.0.113.10/token",
        "userinfo_url": "https://203.0.113.10/me", "created_at": made["created_at"],
        "updated_at": made["updated_at"]});
    assert_eq!(made, expected);
    let refused = server.post(&ServiceRole, PATH, intranet()).await;
    refused.refused(400, "conflict", "A custom OAuth provider with this identifier already exists");
    assert_eq!(
        server.get(&ServiceRole, &format!("{PATH}?type=oauth2")).await.ok(),
        json!({"providers": [made]})
    );
    assert_eq!(server.get(&ServiceRole, &format!("{PATH}?type=oidc")).await.ok(), json!({"providers": []}));
    let one = format!("{PATH}/custom:intra");
    assert_eq!(server.get(&ServiceRole, &one).await.ok(), made);
    let changed = server.put(&ServiceRole, &one, json!({"name": "Intranet 2", "enabled": true})).await.ok();
    assert_eq!((&changed["name"], &changed["client_id"]), (&json!("Intranet 2"), &json!("cid")));

    let way = server.way_to("provider=custom:intra&redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fcb").await;
    assert!(way.as_str().starts_with("https://203.0.113.10/authorize?client_id=cid&code_challenge="));
    assert_eq!(query_of(&way, "redirect_uri"), "http://localhost:9999/callback");
    assert_eq!(query_of(&way, "scope"), "profile");
    // What an administrator wrote over the network is called only where it is public.
    let back = format!("/callback?code=x&state={}", query_of(&way, "state"));
    let reply = server.get(&Anonymous, &back).await;
    assert!(reply.header("location").contains("Unable+to+exchange+external+code"), "{reply:?}");

    server.put(&ServiceRole, &one, json!({"enabled": false})).await.ok();
    let off = server.get(&Anonymous, "/authorize?provider=custom:intra").await;
    off.refused(400, "validation_failed", "Unsupported provider: provider is not enabled");
    server.delete(&ServiceRole, &one, None).await.no_content();
    let gone = [
        server.delete(&ServiceRole, &one, None).await,
        server.get(&ServiceRole, &one).await,
        server.put(&ServiceRole, &one, json!({"name": "x"})).await,
    ];
    for reply in gone {
        reply.refused(404, "custom_provider_not_found", "Custom OAuth provider not found");
    }
    // The name is free again.
    assert_eq!(server.post(&ServiceRole, PATH, intranet()).await.status, 201);
    server.assert_log_is_whole();
    let log = server.evident(&["events", "list", "--json"]).ok();
    assert!(log.contains("provider.registered") && !log.contains("shh-very-secret"));
    assert!(!server.log_text().contains("shh-very-secret"));
});

on_both_databases!(what_will_not_do_is_refused, async |database| {
    let mut server = TestServer::on(&database).with("GOTRUE_CUSTOM_OAUTH_MAX_PROVIDERS", "1").start().await;
    let with = |changes: Value| {
        let mut body = intranet();
        for (key, value) in changes.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    for (changes, message) in [
        (json!({"identifier": "intra"}), "identifier must start with 'custom:' prefix, e.g. 'custom:intra'"),
        (json!({"provider_type": "saml"}), "provider_type must be either 'oauth2' or 'oidc'"),
        (json!({"client_secret": null}), "client_secret is required"),
        (json!({"name": ""}), "name is required"),
        (json!({"provider_type": "oidc"}), "issuer is required"),
        (json!({"token_url": null}), "token_url is required"),
        (json!({"token_url": "http://203.0.113.10/token"}), "URL must use HTTPS"),
        (
            json!({"token_url": "https://localhost/token"}),
            "URL cannot point to localhost or loopback addresses",
        ),
        (json!({"token_url": "https://10.0.0.1/token"}), "URL cannot resolve to private network addresses"),
        (json!({"token_url": "https://does-not-exist.invalid/token"}), "Unable to resolve hostname"),
        (
            json!({"authorization_params": {"state": "x"}}),
            "authorization_params may not hold reserved parameters",
        ),
        (json!({"authorization_params": {"a": 1}}), "authorization_params must be an object of strings"),
    ] {
        let reply = server.post(&ServiceRole, PATH, with(changes.clone())).await;
        assert_eq!(reply.error_code(400), "validation_failed", "{changes}");
        assert_eq!(reply.json()["msg"], message);
        assert!(!reply.text.contains("shh-very-secret"));
    }
    for identifier in ["custom:", "custom:Ä", "custom:a b", "custom:A", &format!("custom:{}", "a".repeat(60))]
    {
        let reply = server.post(&ServiceRole, PATH, with(json!({"identifier": identifier}))).await;
        assert_eq!(reply.error_code(400), "validation_failed", "{identifier}");
    }
    let reply = server.post(&ServiceRole, PATH, with(json!({"scopes": "profile"}))).await;
    assert_eq!(reply.error_code(400), "bad_json");
    assert_eq!(server.post(&ServiceRole, PATH, intranet()).await.status, 201);
    let second = server.post(&ServiceRole, PATH, with(json!({"identifier": "custom:two"}))).await;
    assert_eq!(second.error_code(400), "over_custom_provider_quota");
    server.stop();
    server.set("GOTRUE_CUSTOM_OAUTH_ENABLED", "false");
    server.start().await;
    let reply = server.get(&ServiceRole, PATH).await;
    reply.refused(404, "feature_disabled", "Custom OAuth providers are disabled");
    let reply = server.get(&Anonymous, "/authorize?provider=custom:intra").await;
    reply.refused(400, "validation_failed", "Unsupported provider: custom provider custom:intra not found");
});

on_both_databases!(people_come_by_a_registered_openid_provider, async |database| {
    let Some(provider) = OpenIdProvider::start("", &[]).await else { return };
    let host = provider.origin().replace("http://", "");
    let server = TestServer::on(&database)
        .with_confirmation()
        .with("EVIDENT_CUSTOM_PROVIDERS_TRUSTED_HOSTS", &host)
        .start()
        .await;
    let body = json!({"provider_type": "oidc", "identifier": "custom:real", "name": "Real", "client_id": "evident",
        "client_secret": "evident-secret", "issuer": provider.issuer(), "scopes": ["email", "profile"],
        "custom_claims_allowlist": ["department"], "attribute_mapping": {"nickname": "name"}});
    let made = server.post(&ServiceRole, PATH, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let way = server.way_to("provider=custom:real").await;
    assert_eq!(query_of(&way, "scope"), "openid email profile");
    let back = provider.sign_in(way.as_str(), "ann").await;
    let reply = server.get(&Anonymous, &back.path()).await;
    let fields = fragment_of(reply.header("location"));
    let ann = server.get(&Bearer(fields["access_token"].clone()), "/user").await.ok();
    assert_eq!(
        (&ann["email"], &ann["app_metadata"]["provider"]),
        (&json!("ann@example.com"), &json!("custom:real"))
    );
    assert_eq!(ann["user_metadata"]["custom_claims"], json!({"department": "sales"}));
    assert_eq!(ann["user_metadata"]["nickname"], "Ann Lee");
    // The provider is taken out of service while somebody is away.
    let way = server.way_to("provider=custom:real").await;
    let back = provider.sign_in(way.as_str(), "ann").await;
    server.delete(&ServiceRole, &format!("{PATH}/custom:real"), None).await.no_content();
    let reply = server.get(&Anonymous, &back.path()).await;
    assert!(reply.header("location").contains("error_code=oauth_provider_not_supported"), "{reply:?}");
    server.assert_log_is_whole();
});

on_both_databases!(people_come_by_a_registered_oauth_provider, async |database| {
    let provider = FakeProvider::start().await;
    provider.says("POST /token", &json!({"access_token": "t"}));
    provider.says("GET /me", &json!({"id": 42, "mail": "ann@example.com", "mail_ok": true, "title": "Dr"}));
    let server = TestServer::on(&database)
        .with("EVIDENT_CUSTOM_PROVIDERS_TRUSTED_HOSTS", &provider.url().replace("http://", ""))
        .start()
        .await;
    let url = |path: &str| format!("{}/{path}", provider.url());
    let mapping = json!({"sub": "id", "email": "mail", "email_verified": "mail_ok"});
    let body = json!({"provider_type": "oauth2", "identifier": "custom:intra", "name": "I", "client_id": "c",
        "client_secret": "s", "authorization_url": url("authorize"), "token_url": url("token"),
        "userinfo_url": url("me"), "attribute_mapping": mapping, "authorization_params": {"prompt": "login"},
        "custom_claims_allowlist": ["title"]});
    let made = server.post(&ServiceRole, PATH, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let way = server.way_to("provider=custom:intra").await;
    assert_eq!(query_of(&way, "prompt"), "login");
    let back = format!("/callback?code=x&state={}", query_of(&way, "state"));
    let reply = server.get(&Anonymous, &back).await;
    let fields = fragment_of(reply.header("location"));
    let ann = server.get(&Bearer(fields["access_token"].clone()), "/user").await.ok();
    assert_eq!(ann["identities"][0]["id"], "42");
    assert_eq!(ann["email"], "ann@example.com");
    assert_eq!(ann["user_metadata"]["custom_claims"], json!({"title": "Dr"}));
    assert!(provider.asked("POST /token")[0].body.contains("code_verifier="));
});

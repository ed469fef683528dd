//! Against a real, certified OpenID provider: the whole dance, and what is not taken for a sign-in.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{
    Anonymous, Back, Bearer, OpenIdProvider, ServerSetup, TestDatabase, TestServer, fragment_of, query_of,
};

const KEYCLOAK: &str = r#"{"authorization":"/protocol/openid-connect/auth","token":"/protocol/openid-connect/token",
    "userinfo":"/protocol/openid-connect/userinfo"}"#;

async fn keycloak(more: &[(&str, &str)]) -> Option<OpenIdProvider> {
    let mut settings = vec![("ROUTES", KEYCLOAK)];
    settings.extend_from_slice(more);
    OpenIdProvider::start("/realms/demo", &settings).await
}

fn with(database: &TestDatabase, name: &str, url: &str) -> ServerSetup {
    let key = |rest: &str| format!("GOTRUE_EXTERNAL_{name}_{rest}");
    TestServer::on(database)
        .with_confirmation()
        .with(&key("ENABLED"), "true")
        .with(&key("CLIENT_ID"), "evident")
        .with(&key("SECRET"), "evident-secret")
        .with(&key("URL"), url)
}

async fn user_of(server: &TestServer, back: &str) -> Value {
    let reply = server.get(&Anonymous, back).await;
    let fields = fragment_of(reply.header("location"));
    let token = fields.get("access_token").unwrap_or_else(|| panic!("{}", reply.header("location")));
    server.get(&Bearer(token.clone()), "/user").await.ok()
}

on_both_databases!(keycloak_s_way_there_and_back, async |database| {
    let Some(provider) = keycloak(&[]).await else { return };
    let server = with(&database, "KEYCLOAK", provider.issuer()).start().await;
    let way = server.way_to("provider=keycloak&scopes=openid").await;
    let back = provider.sign_in(way.as_str(), "ann").await;
    assert_eq!(back.parameter("state"), query_of(&way, "state"));
    let ann = user_of(&server, &back.path()).await;
    assert_eq!(
        (&ann["email"], &ann["user_metadata"]["name"]),
        (&json!("ann@example.com"), &json!("Ann Lee"))
    );
    assert_eq!(ann["user_metadata"]["custom_claims"], json!({"department": "sales"}));
    assert_eq!(ann["user_metadata"]["iss"], provider.issuer());
    // The code of one flow is nothing to another: its verifier is another one.
    let (one, two) =
        (server.way_to("provider=keycloak&scopes=openid").await, server.way_to("provider=keycloak").await);
    let stolen = provider.sign_in(one.as_str(), "ann").await.parameter("code");
    let swapped = format!("/callback?code={stolen}&state={}", query_of(&two, "state"));
    let reply = server.get(&Anonymous, &swapped).await;
    assert!(reply.header("location").contains("Unable+to+exchange+external+code"), "{reply:?}");
    // Who has no verified address there gets a mail.
    let way = server.way_to("provider=keycloak&scopes=openid").await;
    let back = provider.sign_in(way.as_str(), "una").await;
    let reply = server.get(&Anonymous, &back.path()).await;
    assert!(reply.header("location").contains("error_code=provider_email_needs_verification"), "{reply:?}");
    server.mail_to("una@example.com", 1).await;
    // Who says no there is told so here.
    let way = server.way_to("provider=keycloak&scopes=openid").await;
    let back = provider.sign_in(way.as_str(), "nobody").await;
    let reply = server.get(&Anonymous, &back.path()).await;
    assert!(reply.header("location").contains("error=access_denied&error_description=The+user+refused"));
    server.assert_log_is_whole();
});

on_both_databases!(google_s_id_token_carries_the_nonce_of_the_sign_in, async |database| {
    let routes = r#"{"authorization":"/o/oauth2/v2/auth","token":"/token"}"#;
    let settings =
        [("ROUTES", routes), ("CLAIMS_IN_ID_TOKEN", "true"), ("AUTH_METHOD", "client_secret_post")];
    let Some(provider) = OpenIdProvider::start("", &settings).await else { return };
    let server = with(&database, "GOOGLE", provider.issuer()).start().await;
    let way = server.way_to("provider=google&scopes=openid").await;
    assert_eq!(query_of(&way, "nonce").len(), 43);
    let back = provider.sign_in(way.as_str(), "ann").await;
    let ann = user_of(&server, &back.path()).await;
    assert_eq!(
        (&ann["email"], &ann["app_metadata"]["provider"]),
        (&json!("ann@example.com"), &json!("google"))
    );
    // An ID token of another sign-in has another nonce.
    let way = server.way_to("provider=google&scopes=openid").await;
    let other = way.as_str().replace(&query_of(&way, "nonce"), "another-nonce");
    let back = provider.sign_in(&other, "ann").await;
    let reply = server.get(&Anonymous, &back.path()).await;
    let news =
        "error=server_error&error_code=unexpected_failure&error_description=Error+getting+user+profile";
    assert!(reply.header("location").contains(news), "{reply:?}");
});

on_both_databases!(apple_sends_a_form_and_the_name_beside_it, async |database| {
    let routes = r#"{"authorization":"/auth/authorize","token":"/auth/token"}"#;
    let settings = [
        ("ROUTES", routes),
        ("CLAIMS_IN_ID_TOKEN", "true"),
        ("AUTH_METHOD", "client_secret_post"),
        ("PKCE", "false"),
    ];
    let Some(provider) = OpenIdProvider::start("", &settings).await else { return };
    let server = with(&database, "APPLE", provider.issuer()).start().await;
    let way = server.way_to("provider=apple&scopes=openid").await;
    assert_eq!(
        (query_of(&way, "response_mode"), query_of(&way, "scope")),
        ("form_post".into(), "email name openid".into())
    );
    let Back::ByForm(mut fields) = provider.sign_in(way.as_str(), "ann").await else { panic!("no form") };
    fields.push(("user".to_owned(), json!({"name": {"firstName": "Ann", "lastName": "Apple"}}).to_string()));
    let request = server.request(reqwest::Method::POST, "/callback").form(&fields);
    let reply = server.send(request).await;
    assert_eq!(reply.status, 302, "{}", reply.text);
    let token = fragment_of(reply.header("location"))["access_token"].clone();
    let ann = server.get(&Bearer(token), "/user").await.ok();
    assert_eq!(
        (&ann["email"], &ann["user_metadata"]["full_name"]),
        (&json!("ann@example.com"), &json!("Ann Apple"))
    );
});

/// Gets an ID token as an app does, without this server.
async fn id_token(provider: &OpenIdProvider, client: &str, nonce: &str, who: &str) -> Value {
    let (secret, redirect) = match client {
        "evident" => ("evident-secret", "http://localhost:9999/callback"),
        _ => ("other-secret", "http://localhost:1/cb"),
    };
    let mut way = url::Url::parse(&format!("{}/protocol/openid-connect/auth", provider.issuer())).unwrap();
    way.query_pairs_mut().extend_pairs([
        ("client_id", client),
        ("redirect_uri", redirect),
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("nonce", nonce),
    ]);
    let code = provider.sign_in(way.as_str(), who).await.parameter("code");
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{}/protocol/openid-connect/token", provider.issuer()))
        .basic_auth(client, Some(secret))
        .form(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect)])
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}

on_both_databases!(an_id_token_signs_in_and_only_a_good_one, async |database| {
    let Some(provider) = keycloak(&[("CLAIMS_IN_ID_TOKEN", "true"), ("PKCE", "false")]).await else { return };
    let server = with(&database, "KEYCLOAK", provider.issuer())
        .with("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true")
        .start()
        .await;
    let raw = "n-0S6_WzA2Mj";
    let nonce = hex::encode(Sha256::digest(raw));
    let tokens = id_token(&provider, "evident", &nonce, "ann").await;
    let token = tokens["id_token"].as_str().unwrap();
    let exchange = async |body: Value| server.post(&Anonymous, "/token?grant_type=id_token", body).await;

    let session = exchange(json!({"provider": "keycloak", "id_token": token, "nonce": raw})).await.ok();
    assert_eq!(session["user"]["email"], "ann@example.com");
    assert_eq!(session["user"]["user_metadata"]["aud"], json!(["evident"]));
    assert!(session.get("provider_token").is_none());
    let by_issuer =
        json!({"client_id": "evident", "issuer": provider.issuer(), "id_token": token, "nonce": raw});
    exchange(by_issuer).await.ok();
    let with_access = |access: &str| json!({"provider": "keycloak", "id_token": token, "nonce": raw, "access_token": access});
    exchange(with_access(tokens["access_token"].as_str().unwrap())).await.ok();

    let other = id_token(&provider, "other-app", "", "ann").await;
    let other = other["id_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    let forged = format!("{}.{}.{}", parts[0], parts[1], "A".repeat(parts[2].len()));
    let told = |error: &str, description: &str| json!({"error": error, "error_description": description});
    for (body, expected) in [
        (
            json!({"provider": "keycloak", "id_token": token, "nonce": "other"}),
            told("invalid nonce", "Nonces mismatch"),
        ),
        (
            json!({"provider": "keycloak", "id_token": token}),
            told("invalid request", "Passed nonce and nonce in id_token should either both exist or not."),
        ),
        (
            json!({"provider": "keycloak", "id_token": other}),
            told("invalid request", "Unacceptable audience in id_token: [other-app]"),
        ),
        (
            json!({"client_id": "other-app", "issuer": provider.issuer(), "id_token": other}),
            told("invalid request", "Unacceptable audience in id_token: [other-app]"),
        ),
        (json!({"provider": "keycloak", "id_token": "abc"}), told("invalid request", "Bad ID token")),
        (
            json!({"provider": "keycloak", "id_token": unsigned, "nonce": raw}),
            told("invalid request", "Bad ID token"),
        ),
        (
            json!({"provider": "keycloak", "id_token": forged, "nonce": raw}),
            told("invalid request", "Bad ID token"),
        ),
        (json!({"provider": "keycloak"}), told("invalid request", "id_token required")),
        (json!({"id_token": token}), told("invalid request", "provider or client_id and issuer required")),
    ] {
        let reply = exchange(body).await;
        assert_eq!((reply.status, reply.json()), (400, expected));
    }
    let reply = exchange(json!({"provider": "google", "id_token": token})).await;
    reply.refused(
        400,
        "provider_disabled",
        r#"Provider (issuer "https://accounts.google.com") is not enabled"#,
    );
    let reply =
        exchange(json!({"issuer": "https://evil.example.com", "client_id": "x", "id_token": token})).await;
    reply.refused(400, "validation_failed", r#"Custom OIDC provider "https://evil.example.com" not allowed"#);

    // None of them is a session of ours.
    for foreign in [token, other, tokens["access_token"].as_str().unwrap()] {
        let reply = server.get(&Bearer(foreign.to_owned()), "/user").await;
        assert_eq!(reply.error_code(403), "bad_jwt");
    }

    // Linking by token: to whom the caller is, once.
    let una = id_token(&provider, "evident", "", "una").await;
    let link = json!({"provider": "keycloak", "id_token": una["id_token"], "link_identity": true});
    let reply = exchange(link.clone()).await;
    let expected = told("invalid request", "Linking requires a valid user access token in Authorization");
    assert_eq!((reply.status, reply.json()), (400, expected));
    let ann = Bearer(session["access_token"].as_str().unwrap().to_owned());
    let linked = server.post(&ann, "/token?grant_type=id_token", link.clone()).await.ok();
    assert_eq!(linked["user"]["identities"].as_array().unwrap().len(), 2);
    let again = server.post(&ann, "/token?grant_type=id_token", link).await;
    again.refused(422, "identity_already_exists", "Identity is already linked");
    server.assert_log_is_whole();
});

on_both_databases!(a_provider_may_change_its_keys, async |database| {
    let Some(provider) = keycloak(&[("CLAIMS_IN_ID_TOKEN", "true"), ("PKCE", "false")]).await else { return };
    let server = with(&database, "KEYCLOAK", provider.issuer()).start().await;
    let before = id_token(&provider, "evident", "", "ann").await;
    let body = |tokens: &Value| json!({"provider": "keycloak", "id_token": tokens["id_token"]});
    let exchange = async |body: Value| server.post(&Anonymous, "/token?grant_type=id_token", body).await;
    exchange(body(&before)).await.ok();
    let rotate = format!("{}/rotate", provider.origin());
    reqwest::Client::builder().no_proxy().build().unwrap().get(rotate).send().await.unwrap();
    let after = id_token(&provider, "evident", "", "ann").await;
    // Unknown keys are looked for once in half a minute, so that nobody makes this server ask without end.
    let soon = exchange(body(&after)).await;
    assert_eq!(soon.json()["error_description"], "Bad ID token");
    exchange(body(&before)).await.ok();
});

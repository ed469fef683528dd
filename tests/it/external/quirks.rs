//! Providers that go another way: Twitter's OAuth 1.0a, Facebook's proof, GitHub's list of addresses.

use serde_json::json;

use crate::support::{
    Anonymous, Bearer, FakeProvider, ServerSetup, TestDatabase, TestServer, fragment_of, query_of,
};

fn with(database: &TestDatabase, name: &str, provider: &FakeProvider) -> ServerSetup {
    let key = |rest: &str| format!("GOTRUE_EXTERNAL_{name}_{rest}");
    TestServer::on(database)
        .with(&key("ENABLED"), "true")
        .with(&key("CLIENT_ID"), "client")
        .with(&key("SECRET"), "secret")
        .with(&key("URL"), provider.url())
}

on_both_databases!(twitter_speaks_oauth_1, async |database| {
    let twitter = FakeProvider::start().await;
    let form = "application/x-www-form-urlencoded";
    twitter.says_raw(
        "POST /oauth/request_token",
        200,
        form,
        "oauth_token=rt&oauth_token_secret=rts&oauth_callback_confirmed=true",
    );
    twitter.says_raw(
        "POST /oauth/access_token",
        200,
        form,
        "oauth_token=at&oauth_token_secret=ats&user_id=38895958",
    );
    twitter.says(
        "GET /1.1/account/verify_credentials.json",
        &json!({"id_str": "38895958", "screen_name": "theSeanCook", "name": "Sean Cook",
            "email": "sean@example.com", "profile_image_url_https": "https://pbs.example.com/sean.jpg"}),
    );
    let server = with(&database, "TWITTER", &twitter).start().await;
    let way = server.way_to("provider=twitter&redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fcb").await;
    assert_eq!(way.path(), "/oauth/authenticate");
    assert_eq!(query_of(&way, "oauth_token"), "rt");
    let asked = twitter.asked("POST /oauth/request_token").remove(0);
    let header = &asked.headers["authorization"];
    assert!(header.starts_with("OAuth oauth_consumer_key=\"client\""), "{header}");
    assert!(header.contains("oauth_signature_method=\"HMAC-SHA1\""), "{header}");
    let callback = header.split("oauth_callback=\"").nth(1).unwrap().split('"').next().unwrap();
    let state = callback.split("state%3D").nth(1).unwrap().to_owned();
    // With another request token than the one that was handed out it leads nowhere.
    let again = server.way_to("provider=twitter").await;
    assert_eq!(query_of(&again, "oauth_token"), "rt");
    let asked = twitter.asked("POST /oauth/request_token").remove(1);
    let other = asked.headers["authorization"].split("state%3D").nth(1).unwrap()[..36].to_owned();
    let reply =
        server.get(&Anonymous, &format!("/callback?oauth_token=xx&oauth_verifier=v&state={other}")).await;
    assert!(reply.header("location").contains("Unable+to+exchange+external+code"), "{reply:?}");

    let reply =
        server.get(&Anonymous, &format!("/callback?oauth_token=rt&oauth_verifier=v&state={state}")).await;
    let fields = fragment_of(reply.header("location"));
    assert_eq!((fields["provider_token"].as_str(), fields["provider_refresh_token"].as_str()), ("at", "ats"));
    let exchange = twitter.asked("POST /oauth/access_token").remove(0);
    assert!(exchange.headers["authorization"].contains("oauth_token=\"rt\""));
    assert!(exchange.headers["authorization"].contains("oauth_verifier=\"v\""));
    let user = server.get(&Bearer(fields["access_token"].clone()), "/user").await.ok();
    assert_eq!(user["email"], "sean@example.com");
    assert_eq!(user["user_metadata"]["user_name"], "theSeanCook");
    assert_eq!(user["app_metadata"]["provider"], "twitter");
    // Whoever says no there is told so here.
    let way = server.way_to("provider=twitter").await;
    assert_eq!(query_of(&way, "oauth_token"), "rt");
    let asked = twitter.asked("POST /oauth/request_token").remove(2);
    let state = asked.headers["authorization"].split("state%3D").nth(1).unwrap()[..36].to_owned();
    let reply = server.get(&Anonymous, &format!("/callback?denied=rt&state={state}")).await;
    assert!(reply.header("location").contains("error=access_denied"));
    server.assert_log_is_whole();
});

on_both_databases!(github_s_proven_addresses_count_and_facebook_is_shown_a_proof, async |database| {
    let provider = FakeProvider::start().await;
    // GitHub's older form of the answer.
    provider.says_raw(
        "POST /login/oauth/access_token",
        200,
        "application/x-www-form-urlencoded",
        "access_token=gho_1&scope=user&token_type=bearer",
    );
    provider.says(
        "GET /api/v3/user",
        &json!({"id": 1, "login": "gh", "name": "Gh One", "email": "public@example.com"}),
    );
    provider.says(
        "GET /api/v3/user/emails",
        &json!([{"email": "old@example.com", "primary": false, "verified": false},
            {"email": "gh@example.com", "primary": true, "verified": true}]),
    );
    provider.says("POST /oauth/access_token", &json!({"access_token": "fb-token"}));
    provider.says(
        "GET /me",
        &json!({"id": "77", "first_name": "Fay", "last_name": "Book", "email": "fay@example.com"}),
    );
    let server = with(&database, "GITHUB", &provider)
        .with("GOTRUE_EXTERNAL_FACEBOOK_ENABLED", "true")
        .with("GOTRUE_EXTERNAL_FACEBOOK_CLIENT_ID", "fb")
        .with("GOTRUE_EXTERNAL_FACEBOOK_SECRET", "fb-secret")
        .with("GOTRUE_EXTERNAL_FACEBOOK_URL", provider.url())
        .start()
        .await;
    for (name, email) in [("github", "gh@example.com"), ("facebook", "fay@example.com")] {
        let way = server.way_to(&format!("provider={name}")).await;
        let state = query_of(&way, "state");
        let reply = server.get(&Anonymous, &format!("/callback?code=c&state={state}")).await;
        let fields = fragment_of(reply.header("location"));
        let user = server.get(&Bearer(fields["access_token"].clone()), "/user").await.ok();
        assert_eq!(user["email"], email);
    }
    let query = provider.asked("GET /me").remove(0).query;
    // HMAC-SHA256 of the token under the secret.
    let proof = "appsecret_proof=";
    assert_eq!(query.split(proof).nth(1).unwrap().len(), 64, "{query}");
    let form = provider.asked("POST /oauth/access_token").remove(0).body;
    assert!(form.contains("client_id=fb&client_secret=fb-secret"), "{form}");
});

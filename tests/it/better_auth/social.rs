//! Signing in and linking by other providers.

use serde_json::{Value, json};

use crate::external::{come_by_gitlab, knows, with_gitlab};
use crate::support::{
    Bearer, Browser, FakeProvider, PASSWORD, Reply, ServiceRole, TestServer, fragment_of, query_of,
};

/// Goes to the fake GitLab, and gives the state.
async fn go(browser: &Browser<'_>, path: &str) -> String {
    let body = json!({
        "provider": "gitlab",
        "callbackURL": "/dashboard",
        "errorCallbackURL": "/oops",
        "newUserCallbackURL": "/welcome",
    });
    let reply = browser.post(path, body).await;
    let answer = reply.ok();
    assert_eq!(answer["redirect"], true);
    let url = answer["url"].as_str().unwrap();
    assert_eq!(reply.header("location"), url);
    let url = &url::Url::parse(url).unwrap();
    assert_eq!(query_of(url, "redirect_uri"), "http://localhost:9999/api/auth/callback/gitlab");
    query_of(url, "state")
}

/// Comes back with a code.
async fn come_back(browser: &Browser<'_>, state: &str) -> Reply {
    browser.get(&format!("/callback/gitlab?code=igor-1&state={state}")).await
}

on_both_databases!(somebody_new_comes_by_a_provider_and_comes_back, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider).start().await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    let reply = come_back(&browser, &state).await;
    assert_eq!((reply.status, reply.header("location")), (302, "/welcome"));
    assert!(browser.cookie("better-auth.state").is_none());
    let exchange = &provider.asked("POST /oauth/token")[0];
    assert!(
        exchange.body.contains("redirect_uri=http%3A%2F%2Flocalhost%3A9999%2Fapi%2Fauth%2Fcallback%2Fgitlab")
    );
    let user = browser.session().await["user"].clone();
    assert_eq!((&user["name"], &user["email"]), (&json!("Igor"), &json!("igor@example.com")));
    assert_eq!(
        (&user["emailVerified"], &user["image"]),
        (&json!(true), &json!("https://img.example.com/7.png"))
    );

    let again = Browser::on(&server);
    let state = go(&again, "/sign-in/social").await;
    assert_eq!(come_back(&again, &state).await.header("location"), "/dashboard", "known by now");
    assert_eq!(again.session().await["user"]["id"], user["id"]);

    let accounts = browser.get("/list-accounts").await.ok();
    assert_eq!((&accounts[0]["providerId"], &accounts[0]["accountId"]), (&json!("gitlab"), &json!("7")));
    let info =
        browser.get(&format!("/account-info?accountId={}", accounts[0]["id"].as_str().unwrap())).await.ok();
    assert_eq!(
        (&info["user"]["email"], &info["account"]["providerId"]),
        (&json!("igor@example.com"), &json!("gitlab"))
    );
});

on_both_databases!(the_state_is_good_once_and_in_its_own_browser, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider).start().await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let (browser, thief) = (Browser::on(&server), Browser::on(&server));
    let page = "http://localhost:9999/api/auth/error?error=";
    let none = browser.get("/callback/gitlab?code=x").await;
    assert_eq!(none.header("location"), format!("{page}state_not_found"));
    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&thief, &state).await.header("location"), "/oops?error=state_mismatch");
    assert_eq!(thief.session().await, Value::Null);

    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&browser, &state).await.status, 302);
    browser.keep("better-auth.state", "kept.nonsense");
    assert_eq!(come_back(&browser, &state).await.header("location"), format!("{page}state_mismatch"));
});

on_both_databases!(what_goes_wrong_is_told_at_the_place_for_it, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider).start().await;
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    let refused = format!("/callback/gitlab?error=access_denied&error_description=no&state={state}");
    let told = browser.get(&refused).await;
    assert_eq!(told.header("location"), "/oops?error=access_denied&error_description=no");
    let state = go(&browser, "/sign-in/social").await;
    let no_code = browser.get(&format!("/callback/gitlab?state={state}")).await;
    assert_eq!(no_code.header("location"), "/oops?error=no_code");
    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/oops?error=invalid_code");

    let unknown = browser.post("/sign-in/social", json!({ "provider": "nowhere" })).await;
    unknown.denied(404, "PROVIDER_NOT_FOUND", "Provider not found");
    let token = json!({ "provider": "gitlab", "idToken": { "token": "abc" } });
    let token = browser.post("/sign-in/social", token).await;
    assert_eq!(token.status, 404, "{}", token.text);
});

on_both_databases!(a_user_links_an_account_and_unlinks_it, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider).start().await;
    knows(&provider, 9, "Frida", "frida@example.com", true);
    let browser = Browser::on(&server);
    browser.sign_up("frida@example.com").await;
    let token = browser.session().await["session"]["token"].clone();
    let state = go(&browser, "/link-social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/dashboard");
    assert_eq!(browser.session().await["session"]["token"], token, "the session is the same");
    let accounts = browser.get("/list-accounts").await.ok();
    assert_eq!(accounts.as_array().unwrap().len(), 2, "{accounts}");
    let gitlab =
        accounts.as_array().unwrap().iter().find(|account| account["providerId"] == "gitlab").unwrap();
    browser.post("/unlink-account", json!({ "accountId": gitlab["id"] })).await.ok();
    assert_eq!(browser.get("/list-accounts").await.ok().as_array().unwrap().len(), 1);

    knows(&provider, 10, "Greta", "greta@example.com", true);
    let state = go(&browser, "/link-social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/oops?error=email_does_not_match");
    let nobody = Browser::on(&server).post("/link-social", json!({ "provider": "gitlab" })).await;
    nobody.denied(401, "UNAUTHORIZED", "Unauthorized");
});

on_both_databases!(a_password_is_a_way_in_beside_the_only_provider, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider)
        .with("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true")
        .start()
        .await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    come_back(&browser, &state).await;
    let gitlab = browser.get("/list-accounts").await.ok()[0].clone();
    let chosen = json!({ "accountId": gitlab["id"] });
    let last = ("FAILED_TO_UNLINK_LAST_ACCOUNT", "You can't unlink your last account");
    browser.post("/unlink-account", chosen.clone()).await.denied(400, last.0, last.1);
    // The other protocol counts identities, and this is the only one.
    let user = browser.session().await["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/users/{user}");
    server.put(&ServiceRole, &path, json!({ "password": PASSWORD })).await.ok();
    let person = server.sign_in("igor@example.com").await;
    let path = format!("/user/identities/{}", gitlab["id"].as_str().unwrap());
    let refused = server.delete(&person, &path, None).await;
    assert_eq!(
        (refused.status, &refused.json()["error_code"]),
        (422, &json!("single_identity_not_deletable"))
    );
    let browser = Browser::on(&server);
    browser.sign_in("igor@example.com").await;
    browser.post("/unlink-account", chosen).await.ok();
    let accounts = browser.get("/list-accounts").await.ok();
    assert_eq!((accounts.as_array().unwrap().len(), &accounts[0]["providerId"]), (1, &json!("credential")));
    // The address stays: it is what the password goes with.
    Browser::on(&server).sign_in("igor@example.com").await;
    let credential = json!({ "providerId": "credential" });
    browser.post("/unlink-account", credential).await.denied(400, last.0, last.1);
});

on_both_databases!(the_last_way_in_goes_where_the_owner_lets_it, async |database| {
    let provider = FakeProvider::start().await;
    let server =
        with_gitlab(&database, &provider).with("EVIDENT_BETTER_AUTH_UNLINK_ALL", "true").start().await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    come_back(&browser, &state).await;
    let unlink = async |account: &str| browser.post("/unlink-account", json!({ "accountId": account })).await;
    unlink("unknown").await.denied(400, "ACCOUNT_NOT_FOUND", "Account not found");
    let gitlab = browser.get("/list-accounts").await.ok()[0]["id"].as_str().unwrap().to_owned();
    unlink(&gitlab).await.ok();
    assert_eq!(browser.get("/list-accounts").await.ok(), json!([]));
    // Whoever comes by it again is the owner of the address, as before.
    let again = Browser::on(&server);
    let state = go(&again, "/sign-in/social").await;
    come_back(&again, &state).await;
    assert_eq!(again.session().await["user"]["id"], browser.session().await["user"]["id"]);
});

/// What the fake GitLab hands out, with an end.
fn hands_out(provider: &FakeProvider, access: &str, life: i64) {
    provider.says(
        "POST /oauth/token",
        &json!({ "access_token": access, "refresh_token": format!("after-{access}"), "expires_in": life,
            "scope": "read_user openid" }),
    );
}

on_both_databases!(the_tokens_of_a_provider_are_kept_and_renewed, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider).start().await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    hands_out(&provider, "first-token", 1);
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    come_back(&browser, &state).await;
    let account = browser.get("/list-accounts").await.ok()[0].clone();
    assert_eq!(account["scopes"], json!(["read_user", "openid"]));
    let chosen = json!({ "accountId": account["id"] });
    let get = async || browser.post("/get-access-token", chosen.clone()).await;
    let refresh = async || browser.post("/refresh-token", chosen.clone()).await;

    // It is over already, so that another one is fetched.
    hands_out(&provider, "second-token", 7200);
    let answer = get().await.ok();
    assert_eq!((&answer["accessToken"], &answer["scopes"]), (&json!("second-token"), &account["scopes"]));
    let asked = provider.asked("POST /oauth/token").pop().unwrap();
    assert_eq!(asked.body, "grant_type=refresh_token&refresh_token=after-first-token");
    assert!(asked.headers["authorization"].starts_with("Basic "));
    let asked = provider.asked("POST /oauth/token").len();
    assert_eq!(get().await.ok(), answer, "it is good for long");
    assert_eq!(provider.asked("POST /oauth/token").len(), asked);

    hands_out(&provider, "third-token", 7200);
    let answer = refresh().await.ok();
    assert_eq!(
        (&answer["accessToken"], &answer["refreshToken"], &answer["accountId"], &answer["providerId"]),
        (&json!("third-token"), &json!("after-third-token"), &account["id"], &json!("gitlab"))
    );
    // What the provider says now, not what it said then.
    knows(&provider, 7, "Igor II", "igor@example.com", true);
    let info = browser.get(&format!("/account-info?accountId={}", account["id"].as_str().unwrap())).await;
    assert_eq!(info.ok()["user"]["name"], "Igor II");
    let bearer = provider.asked("GET /api/v4/user").pop().unwrap().headers["authorization"].clone();
    assert_eq!(bearer, "Bearer third-token");

    provider.says_raw("POST /oauth/token", 400, "application/json", "{}");
    let failed = ("FAILED_TO_REFRESH_ACCESS_TOKEN", "Failed to refresh access token");
    refresh().await.denied(400, failed.0, failed.1);
    assert_eq!(get().await.ok()["accessToken"], "third-token", "what was kept stays");

    // Nobody else gets it, and nothing of it stands in the log or the tables.
    let other = Browser::on(&server);
    other.sign_up("other@example.com").await;
    let stolen = other.post("/get-access-token", chosen.clone()).await;
    stolen.denied(400, "ACCOUNT_NOT_FOUND", "Account not found");
    let log = server.evident(&["events", "list", "--json"]).ok();
    assert!(log.contains("user.provider_tokens_kept"));
    for token in ["first-token", "second-token", "third-token"] {
        assert!(!log.contains(token), "{token} is in the log");
    }
});

on_both_databases!(no_tokens_are_kept_where_the_owner_wants_none, async |database| {
    let provider = FakeProvider::start().await;
    let server =
        with_gitlab(&database, &provider).with("EVIDENT_BETTER_AUTH_PROVIDER_TOKENS", "false").start().await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    come_back(&browser, &state).await;
    let account = browser.get("/list-accounts").await.ok()[0].clone();
    assert_eq!(account["scopes"], json!([]));
    let chosen = json!({ "accountId": account["id"] });
    let none = browser.post("/get-access-token", chosen.clone()).await;
    none.denied(400, "FAILED_TO_GET_ACCESS_TOKEN", "Failed to get a valid access token");
    let none = browser.post("/refresh-token", chosen.clone()).await;
    none.denied(400, "REFRESH_TOKEN_NOT_FOUND", "Refresh token not found");
    let info = browser.post("/account-info", chosen).await.ok();
    assert_eq!(info["user"]["name"], "Igor", "what it told then is known");
    let log = server.evident(&["events", "list", "--json"]).ok();
    assert!(!log.contains("user.provider_tokens_kept"));
});

on_both_databases!(somebody_unknown_who_comes_by_a_provider_is_known, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider)
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .start()
        .await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let browser = Browser::on(&server);
    let nobody = browser.post("/sign-in/anonymous", json!({})).await.ok();
    let state = go(&browser, "/sign-in/social").await;
    come_back(&browser, &state).await;
    assert_eq!(browser.session().await["user"]["email"], "igor@example.com");
    let path = format!("/admin/users/{}", nobody["user"]["id"].as_str().unwrap());
    assert_eq!(server.get(&ServiceRole, &path).await.status, 404);
});

/// Somebody comes twice by a provider that does not vouch for an address: before and after the account with it has
/// confirmed it. Gives where they are sent the second time, and whether they are that account's user then.
async fn comes_unvouched(server: &TestServer, provider: &FakeProvider) -> (String, bool) {
    knows(provider, 6, "Igor", "igor@example.com", false);
    let own = Browser::on(server);
    let user = own.sign_up("igor@example.com").await["user"]["id"].as_str().unwrap().to_owned();
    // Whoever has only claimed the address is nobody to come to.
    let browser = Browser::on(server);
    let state = go(&browser, "/sign-in/social").await;
    assert!(come_back(&browser, &state).await.header("location").starts_with("/oops?error="));
    let path = format!("/admin/users/{user}");
    server.put(&ServiceRole, &path, json!({ "email_confirm": true })).await.ok();
    knows(provider, 7, "Igor", "igor@example.com", false);
    let state = go(&browser, "/sign-in/social").await;
    let back = come_back(&browser, &state).await.header("location").to_owned();
    (back, browser.session().await["user"]["id"] == user.as_str())
}

on_both_databases!(a_trusted_provider_leads_to_whoever_has_confirmed_the_address, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider)
        .with("EVIDENT_BETTER_AUTH_TRUSTED_PROVIDERS", "gitlab")
        .start()
        .await;
    assert_eq!(comes_unvouched(&server, &provider).await, ("/dashboard".to_owned(), true));
});

on_both_databases!(another_provider_leads_to_nobody_by_an_address_it_does_not_vouch_for, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider).start().await;
    let (back, same) = comes_unvouched(&server, &provider).await;
    assert!(back.starts_with("/oops?error=") && !same, "{back}");
});

on_both_databases!(somebody_new_gets_an_account_where_the_client_asks_for_one, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider)
        .with("EVIDENT_BETTER_AUTH_IMPLICIT_SIGN_UP_DISABLED", "true")
        .start()
        .await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/oops?error=signup_disabled");
    let body = json!({ "provider": "gitlab", "callbackURL": "/dashboard", "requestSignUp": true });
    let url = browser.post("/sign-in/social", body).await.ok()["url"].as_str().unwrap().to_owned();
    let state = query_of(&url::Url::parse(&url).unwrap(), "state");
    assert_eq!(come_back(&browser, &state).await.header("location"), "/dashboard");
    // Whoever is known needs not ask.
    let again = Browser::on(&server);
    let state = go(&again, "/sign-in/social").await;
    assert_eq!(come_back(&again, &state).await.header("location"), "/dashboard");
});

on_both_databases!(whoever_came_by_a_provider_there_is_the_same_here, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider).start().await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let back = come_by_gitlab(&server, "").await;
    let token = fragment_of(back.header("location"))["access_token"].clone();
    let there = server.get(&Bearer(token.clone()), "/user").await.ok();
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/dashboard", "known by now");
    let user = browser.session().await["user"].clone();
    assert_eq!((&user["id"], &user["email"]), (&there["id"], &there["email"]));
    // What was linked here stands there, and goes with both.
    knows(&provider, 8, "Igor", "igor@example.com", true);
    let state = go(&browser, "/link-social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/dashboard");
    let there = server.get(&Bearer(token.clone()), "/user").await.ok();
    assert_eq!(there["identities"].as_array().unwrap().len(), 2);
    let second = browser.get("/list-accounts").await.ok()[1]["id"].clone();
    browser.post("/unlink-account", json!({ "accountId": second })).await.ok();
    let there = server.get(&Bearer(token), "/user").await.ok();
    assert_eq!(there["identities"].as_array().unwrap().len(), 1);
});

on_both_databases!(nothing_is_linked_where_the_owner_wants_no_linking, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider)
        .with("EVIDENT_BETTER_AUTH_ACCOUNT_LINKING_ENABLED", "false")
        .start()
        .await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let own = Browser::on(&server);
    own.sign_up("igor@example.com").await;
    let by_hand = own.post("/link-social", json!({ "provider": "gitlab" })).await;
    by_hand.denied(401, "LINKING_NOT_ALLOWED", "Account not linked - linking not allowed");
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/oops?error=account_not_linked");
    assert_eq!(browser.session().await, Value::Null);
    assert_eq!(own.get("/list-accounts").await.ok().as_array().unwrap().len(), 1);
});

on_both_databases!(accounts_are_linked_by_hand_alone_where_the_owner_wants_it, async |database| {
    let provider = FakeProvider::start().await;
    let server = with_gitlab(&database, &provider)
        .with("EVIDENT_BETTER_AUTH_IMPLICIT_LINKING_DISABLED", "true")
        .with("EVIDENT_BETTER_AUTH_LINK_DIFFERENT_EMAILS", "true")
        .start()
        .await;
    knows(&provider, 7, "Igor", "igor@example.com", true);
    let own = Browser::on(&server);
    let user = own.sign_up("igor@example.com").await["user"]["id"].clone();
    let browser = Browser::on(&server);
    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/oops?error=account_not_linked");
    // An account with another address is linked by hand, too.
    knows(&provider, 7, "Igor", "igor.at.work@example.com", true);
    let state = go(&own, "/link-social").await;
    assert_eq!(come_back(&own, &state).await.header("location"), "/dashboard");
    let state = go(&browser, "/sign-in/social").await;
    assert_eq!(come_back(&browser, &state).await.header("location"), "/dashboard");
    assert_eq!(browser.session().await["user"]["id"], user);
});

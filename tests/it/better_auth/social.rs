//! Signing in and linking by other providers.

use serde_json::{Value, json};

use crate::external::{knows, with_gitlab};
use crate::support::{Browser, FakeProvider, Reply, query_of};

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

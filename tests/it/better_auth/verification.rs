//! Confirming an address, and changing it.

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, ServerSetup, ServiceRole, TestDatabase, TestServer};

fn unconfirmed(database: &TestDatabase) -> ServerSetup {
    TestServer::on(database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_SMTP_MAX_FREQUENCY", "1ms")
}

/// The path of the newest mail's link, below the surface.
async fn link(server: &TestServer, email: &str, number: usize) -> String {
    let link = server.mail_to(email, number).await.link();
    link.strip_prefix("/api/auth").unwrap_or_else(|| panic!("{link}")).to_owned()
}

on_both_databases!(an_address_is_confirmed_by_the_link_of_a_mail, async |database| {
    let server = unconfirmed(&database).start().await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let asked = json!({ "email": "ann@example.com", "callbackURL": "/verified?a=b" });
    assert_eq!(browser.post("/send-verification-email", asked).await.ok(), json!({ "status": true }));
    let path = link(&server, "ann@example.com", 1).await;
    assert!(path.ends_with("&callbackURL=%2Fverified%3Fa%3Db"), "{path}");
    let opened = browser.get(&path).await;
    assert_eq!((opened.status, opened.header("location")), (302, "/verified?a=b"));
    assert_eq!(browser.session().await["user"]["emailVerified"], true);
    let again = browser.get(&path).await;
    assert_eq!(again.header("location"), "/verified?a=b&error=INVALID_TOKEN", "a link is good once");
    server.try_sign_in("ann@example.com", PASSWORD).await.ok();
});

on_both_databases!(asking_for_the_mail_tells_strangers_nothing, async |database| {
    let server = unconfirmed(&database).start().await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let stranger = Browser::on(&server);
    let ask = async |browser: &Browser<'_>, email: &str| {
        browser.post("/send-verification-email", json!({ "email": email })).await
    };
    for email in ["ann@example.com", "nobody@example.com"] {
        assert_eq!(ask(&stranger, email).await.ok(), json!({ "status": true }));
    }
    ask(&browser, "bob@example.com").await.denied(400, "EMAIL_MISMATCH", "Email mismatch");
    let malformed = "[body.email] Invalid email address";
    ask(&stranger, "bob@").await.denied(400, "VALIDATION_ERROR", malformed);
    let path = link(&server, "ann@example.com", 1).await;
    let plain = path.split("&callbackURL").next().unwrap().to_owned();
    assert_eq!(stranger.get(&plain).await.ok(), json!({ "status": true, "user": null }));
    ask(&browser, "ann@example.com").await.denied(400, "EMAIL_ALREADY_VERIFIED", "Email is already verified");
    assert_eq!(server.mails_to("nobody@example.com"), 0);
});

on_both_databases!(one_address_is_not_flooded_with_mails_that_confirm_it, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_MAILER_AUTOCONFIRM", "false").start().await;
    Browser::on(&server).sign_up("ann@example.com").await;
    for n in 0..60 {
        let request = server.request(reqwest::Method::POST, "/api/auth/send-verification-email");
        let request = request.header("x-forwarded-for", format!("198.51.100.{n}"));
        let asked = Browser::on(&server).send(request.json(&json!({ "email": "ann@example.com" }))).await;
        assert_eq!(asked.ok(), json!({ "status": true }));
    }
    server.mail_to("ann@example.com", 1).await;
    assert_eq!(server.mails_to("ann@example.com"), 1);
});

on_both_databases!(a_link_that_is_none_says_so, async |database| {
    let server =
        unconfirmed(&database).with("EVIDENT_BETTER_AUTH_VERIFICATION_EXPIRES_IN", "1ms").start().await;
    let browser = Browser::on(&server);
    browser.get("/verify-email?token=abc").await.denied(401, "INVALID_TOKEN", "Invalid token");
    let gone = browser.get("/verify-email?token=abc&callbackURL=/a?x=1").await;
    assert_eq!(gone.header("location"), "/a?x=1&error=INVALID_TOKEN");
    browser.get("/verify-email").await.denied(
        400,
        "VALIDATION_ERROR",
        "[query.token] Invalid input: expected string, received undefined",
    );
    let evil = browser.get("/verify-email?token=abc&callbackURL=https://evil.example.net").await;
    evil.denied(403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
    browser.sign_up("ann@example.com").await;
    browser.post("/send-verification-email", json!({ "email": "ann@example.com" })).await.ok();
    let path = link(&server, "ann@example.com", 1).await;
    assert_eq!(browser.get(&path).await.header("location"), "/?error=TOKEN_EXPIRED");
});

on_both_databases!(where_addresses_must_be_confirmed_the_link_signs_in, async |database| {
    let server = unconfirmed(&database)
        .with("EVIDENT_BETTER_AUTH_REQUIRE_EMAIL_VERIFICATION", "true")
        .with("EVIDENT_BETTER_AUTH_VERIFICATION_ON_SIGN_IN", "true")
        .with("EVIDENT_BETTER_AUTH_SIGN_IN_AFTER_VERIFICATION", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up("dora@example.com").await;
    link(&server, "dora@example.com", 1).await;
    browser.try_sign_in("dora@example.com", PASSWORD).await.denied(
        403,
        "EMAIL_NOT_VERIFIED",
        "Email not verified",
    );
    let path = link(&server, "dora@example.com", 2).await;
    let opened = browser.get(&path).await;
    assert_eq!((opened.status, opened.header("location")), (302, "/"));
    assert_eq!(browser.session().await["user"]["email"], "dora@example.com");
});

on_both_databases!(another_address_is_asked_after_the_one_so_far_agreed, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_SMTP_MAX_FREQUENCY", "1ms")
        .with("EVIDENT_BETTER_AUTH_CHANGE_EMAIL_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_CHANGE_EMAIL_CONFIRMATION", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    Browser::on(&server).sign_up("bob@example.com").await;
    let change = async |email: &str| {
        browser.post("/change-email", json!({ "newEmail": email, "callbackURL": "/changed" })).await
    };
    let same = change("ann@example.com").await;
    assert_eq!((same.status, same.json()), (400, json!({ "message": "Email is the same" })));
    assert_eq!(change("bob@example.com").await.ok(), json!({ "status": true }), "taken, and nobody tells");
    assert_eq!(change("ann.archer@example.com").await.ok(), json!({ "status": true }));

    let first = link(&server, "ann@example.com", 1).await;
    assert_eq!(browser.get(&first).await.header("location"), "/changed");
    assert_eq!(browser.session().await["user"]["email"], "ann@example.com");
    let second = link(&server, "ann.archer@example.com", 1).await;
    let opened = browser.get(&second).await;
    assert_eq!(opened.header("location"), "/changed");
    assert_eq!(opened.set_cookies().len(), 1);
    let user = browser.session().await["user"].clone();
    assert_eq!((&user["email"], &user["emailVerified"]), (&json!("ann.archer@example.com"), &json!(true)));
    assert_eq!(server.mails_to("bob@example.com"), 0);
    server.try_sign_in("ann.archer@example.com", PASSWORD).await.ok();
});

on_both_databases!(an_address_changes_only_where_the_owner_allows_it, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let wanted = json!({ "newEmail": "x@example.com" });
    browser.post("/change-email", wanted.clone()).await.denied(
        400,
        "CHANGE_EMAIL_DISABLED",
        "Change email is disabled",
    );
    let nobody = Browser::on(&server).post("/change-email", wanted).await;
    nobody.denied(401, "UNAUTHORIZED", "Unauthorized");
});

on_both_databases!(an_unconfirmed_address_may_change_at_once, async |database| {
    let server = unconfirmed(&database)
        .with("EVIDENT_BETTER_AUTH_CHANGE_EMAIL_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_CHANGE_UNVERIFIED_EMAIL_AT_ONCE", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up("tom@example.com").await;
    browser.post("/change-email", json!({ "newEmail": "tom.new@example.com" })).await.ok();
    let user = browser.session().await["user"].clone();
    assert_eq!(
        (&user["email"], &user["emailVerified"]),
        (&json!("tom.new@example.com"), &Value::Bool(false))
    );
    let path = link(&server, "tom.new@example.com", 1).await;
    browser.get(&path).await;
    assert_eq!(browser.session().await["user"]["emailVerified"], true);
});

on_both_databases!(an_address_that_changes_on_one_side_is_the_same_on_the_other, async |database| {
    let server = unconfirmed(&database)
        .with("EVIDENT_BETTER_AUTH_CHANGE_EMAIL_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_CHANGE_UNVERIFIED_EMAIL_AT_ONCE", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    let user = browser.sign_up("ann@example.com").await["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/users/{user}");
    browser.post("/change-email", json!({ "newEmail": "ann.two@example.com" })).await.ok();
    assert_eq!(server.get(&ServiceRole, &path).await.ok()["email"], "ann.two@example.com");
    let body = json!({ "email": "ann.three@example.com", "email_confirm": true });
    server.put(&ServiceRole, &path, body).await.ok();
    let seen = browser.session().await["user"].clone();
    assert_eq!((&seen["email"], &seen["emailVerified"]), (&json!("ann.three@example.com"), &json!(true)));
    let other = Browser::on(&server);
    other.sign_in("ann.three@example.com").await;
    assert_eq!(other.try_sign_in("ann@example.com", PASSWORD).await.status, 401);
});

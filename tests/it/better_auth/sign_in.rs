//! `POST /sign-in/email`

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, TestServer};

on_both_databases!(a_password_opens_a_session, async |database| {
    let server = TestServer::started(&database).await;
    Browser::on(&server).sign_up("ann@example.com").await;
    let browser = Browser::on(&server);
    let reply = browser.try_sign_in("Ann@example.com", PASSWORD).await;
    let answer = reply.ok();
    assert_eq!((&answer["redirect"], answer.get("url")), (&json!(false), None));
    assert_eq!(answer["user"]["email"], "ann@example.com");
    assert_eq!(browser.session().await["session"]["token"], answer["token"]);
});

on_both_databases!(whoever_is_refused_learns_nothing_about_the_account, async |database| {
    let server = TestServer::started(&database).await;
    Browser::on(&server).sign_up("ann@example.com").await;
    let browser = Browser::on(&server);
    for (email, password) in [("ann@example.com", "wrong password"), ("nobody@example.com", PASSWORD)] {
        let reply = browser.try_sign_in(email, password).await;
        reply.denied(401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
        assert!(reply.set_cookies().is_empty());
    }
    browser.try_sign_in("ann@", "x").await.denied(400, "INVALID_EMAIL", "Invalid email");
});

on_both_databases!(the_client_goes_on_to_where_it_wants_if_it_may, async |database| {
    let server = TestServer::started(&database).await;
    Browser::on(&server).sign_up("ann@example.com").await;
    let browser = Browser::on(&server);
    let body = |url: &str| json!({ "email": "ann@example.com", "password": PASSWORD, "callbackURL": url });
    let reply = browser.post("/sign-in/email", body("/dashboard")).await;
    assert_eq!(reply.header("location"), "/dashboard");
    let answer = reply.ok();
    assert_eq!((&answer["redirect"], &answer["url"]), (&json!(true), &json!("/dashboard")));
    let evil = browser.post("/sign-in/email", body("https://evil.example.net/x")).await;
    evil.denied(403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
});

on_both_databases!(a_session_that_is_not_remembered_goes_with_the_browsers_window, async |database| {
    let server = TestServer::started(&database).await;
    Browser::on(&server).sign_up("ann@example.com").await;
    let browser = Browser::on(&server);
    let body = json!({ "email": "ann@example.com", "password": PASSWORD, "rememberMe": false });
    let reply = browser.post("/sign-in/email", body).await;
    let lines = reply.set_cookies();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("better-auth.session_token=") && !lines[0].contains("Max-Age"), "{lines:?}");
    assert!(
        lines[1].starts_with("better-auth.dont_remember=true.") && !lines[1].contains("Max-Age"),
        "{lines:?}"
    );
    let session = browser.session().await;
    let moment = |name: &str| {
        let text = session["session"][name].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(text).unwrap()
    };
    assert_eq!((moment("expiresAt") - moment("createdAt")).num_hours(), 24);
});

on_both_databases!(failed_sign_ins_of_one_account_are_slowed_down_whoever_asks, async |database| {
    let server = TestServer::started(&database).await;
    Browser::on(&server).sign_up("ann@example.com").await;
    let mut slowed = None;
    for attempt in 0..30 {
        let request = server.request(reqwest::Method::POST, "/api/auth/sign-in/email");
        let request = request.header("x-forwarded-for", format!("198.51.100.{attempt}"));
        let body = json!({ "email": "ann@example.com", "password": "wrong password" });
        let reply = Browser::on(&server).send(request.json(&body)).await;
        if reply.status == 429 {
            slowed = Some(reply);
            break;
        }
        assert_eq!(reply.status, 401, "{}", reply.text);
    }
    let slowed = slowed.expect("nobody guesses for ever");
    assert!(slowed.header("x-retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(slowed.json(), json!({ "message": "Too many requests. Please try again later." }));
});

on_both_databases!(one_person_is_the_same_in_both_protocols, async |database| {
    let server = TestServer::started(&database).await;
    let here = Browser::on(&server).sign_up("ann@example.com").await;
    let there = server.sign_in("ann@example.com").await;
    assert_eq!(here["user"]["id"], there.id.as_str());
    assert_eq!(there.user["user_metadata"]["name"], "Ann Archer");

    server.sign_up("bob@example.com").await;
    let browser = Browser::on(&server);
    browser.sign_in("bob@example.com").await;

    // Signing out everywhere there ends the session here.
    let bob = server.sign_in("bob@example.com").await;
    server.post_empty(&bob, "/logout?scope=global").await.no_content();
    assert_eq!(browser.session().await, Value::Null);
});

on_both_databases!(who_is_banned_there_is_kept_out_here_at_once, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    let ann = browser.sign_up("ann@example.com").await;
    let path = format!("/admin/users/{}", ann["user"]["id"].as_str().unwrap());
    server.put(&crate::support::ServiceRole, &path, json!({ "ban_duration": "24h" })).await.ok();
    assert_eq!(browser.session().await, Value::Null);
    browser.try_sign_in("ann@example.com", PASSWORD).await.denied(
        403,
        "BANNED_USER",
        "You have been banned from this application. Please contact support if you believe this is an error.",
    );
});

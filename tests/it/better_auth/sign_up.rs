//! `POST /sign-up/email`

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, TestServer};

on_both_databases!(who_signs_up_is_signed_in_and_gets_a_cookie, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_MAILER_AUTOCONFIRM", "false").start().await;
    let browser = Browser::on(&server);
    let before = server.head();
    let body = json!({
        "name": "Ann Archer",
        "email": "Ann@Example.com",
        "password": PASSWORD,
        "image": "https://img.example.com/ann.png",
    });
    let reply = browser.post("/sign-up/email", body).await;
    let answer = reply.ok();
    let token = answer["token"].as_str().unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
    let lines = reply.set_cookies();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with(&format!("better-auth.session_token={token}.")), "{}", lines[0]);
    assert!(lines[0].ends_with("; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"), "{}", lines[0]);
    assert!(reply.header("set-auth-token").starts_with(&format!("{token}.")));
    let mut user = answer["user"].clone();
    for field in ["id", "createdAt", "updatedAt"] {
        assert!(
            user.as_object_mut().unwrap().remove(field).is_some_and(|value| value.is_string()),
            "{field}"
        );
    }
    let expected = json!({
        "name": "Ann Archer",
        "email": "ann@example.com",
        "emailVerified": false,
        "image": "https://img.example.com/ann.png",
        "twoFactorEnabled": false,
        "username": null,
        "displayUsername": null,
        "isAnonymous": false,
        "phoneNumber": null,
        "phoneNumberVerified": null,
        "role": "user",
        "banned": false,
        "banReason": null,
        "banExpires": null,
    });
    assert_eq!(user, expected);
    assert_eq!(server.mails_to("ann@example.com"), 0);
    server.assert_log(before, &["user.signed_up", "user.identity_linked", "session.started"]);
    let session = browser.session().await;
    assert_eq!(session["session"]["token"], token);
    assert_eq!(session["user"]["id"], answer["user"]["id"]);
});

on_both_databases!(a_sign_up_is_refused_in_the_words_of_the_protocol, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let stranger = Browser::on(&server);
    let tried = async |change: &[(&str, Value)]| {
        let mut body = json!({ "name": "X", "email": "x@example.com", "password": PASSWORD });
        for (name, value) in change {
            body[*name] = value.clone();
        }
        stranger.post("/sign-up/email", body).await
    };
    tried(&[("email", json!("ANN@example.com"))]).await.denied(
        422,
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
        "User already exists. Use another email.",
    );
    tried(&[("password", json!("short"))]).await.denied(400, "PASSWORD_TOO_SHORT", "Password too short");
    let long = "x".repeat(129);
    tried(&[("password", json!(long))]).await.denied(400, "PASSWORD_TOO_LONG", "Password too long");
    let malformed = "[body.email] Invalid email address";
    tried(&[("email", json!("x@"))]).await.denied(400, "VALIDATION_ERROR", malformed);
    tried(&[("role", json!("admin"))]).await.denied(
        400,
        "FIELD_NOT_ALLOWED",
        "role is not allowed to be set",
    );
    let nameless = json!({ "email": "x@example.com", "password": PASSWORD });
    stranger.post("/sign-up/email", nameless).await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.name] Invalid input: expected string, received undefined",
    );
    assert_eq!(stranger.session().await, Value::Null);
});

on_both_databases!(a_long_password_opens_the_account_that_it_made, async |database| {
    let server = TestServer::started(&database).await;
    let password = "ä".repeat(128);
    let body = json!({ "name": "Ann", "email": "ann@example.com", "password": password });
    Browser::on(&server).post("/sign-up/email", body).await.ok();
    let browser = Browser::on(&server);
    browser.try_sign_in("ann@example.com", &password).await.ok();
    let other = "ä".repeat(127);
    browser.try_sign_in("ann@example.com", &other).await.denied(
        401,
        "INVALID_EMAIL_OR_PASSWORD",
        "Invalid email or password",
    );
});

on_both_databases!(where_addresses_must_be_confirmed_a_known_one_looks_like_a_new_one, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("EVIDENT_BETTER_AUTH_REQUIRE_EMAIL_VERIFICATION", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    let first = browser.sign_up("ann@example.com").await;
    let again = Browser::on(&server).sign_up("ann@example.com").await;
    for answer in [&first, &again] {
        assert_eq!(answer["token"], Value::Null);
        assert_eq!(answer["user"]["role"], "user");
        assert_eq!(answer["user"]["emailVerified"], false);
    }
    assert_ne!(first["user"]["id"], again["user"]["id"]);
    // All that is in it but what differs from account to account.
    let named = async |email: &str, username: &str| {
        let body = json!({ "name": "Ann", "email": email, "password": PASSWORD, "username": username,
            "image": "https://img.example.com/a.png" });
        let answer = Browser::on(&server).post("/sign-up/email", body).await.ok();
        let mut user = answer["user"].as_object().unwrap().clone();
        assert_eq!(user["updatedAt"], user["createdAt"]);
        for name in ["id", "createdAt", "updatedAt", "email", "username", "displayUsername"] {
            assert!(user.remove(name).unwrap().is_string(), "{name}");
        }
        user
    };
    assert_eq!(named("new@example.com", "ann_1").await, named("ann@example.com", "ann_2").await);
    assert!(browser.cookie("better-auth.session_token").is_none());
    browser.try_sign_in("ann@example.com", PASSWORD).await.denied(
        403,
        "EMAIL_NOT_VERIFIED",
        "Email not verified",
    );
});

on_both_databases!(who_had_a_session_before_the_owner_came_loses_it, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let thief = Browser::on(&server);
    thief.sign_up("ann@example.com").await;
    assert!(thief.session().await.is_object());

    // The owner of the address signs in by a link in a mail, through the other protocol.
    let anonymous = crate::support::Anonymous;
    let asked = server.post(&anonymous, "/otp", json!({ "email": "ann@example.com" })).await;
    asked.ok();
    let code = server.mail_to("ann@example.com", 1).await.code();
    let proof = json!({ "type": "email", "email": "ann@example.com", "token": code });
    server.post(&anonymous, "/verify", proof).await.ok();
    assert_eq!(thief.session().await, Value::Null, "the thief is out");
    assert_eq!(thief.try_sign_in("ann@example.com", PASSWORD).await.status, 401);
});

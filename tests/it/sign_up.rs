//! POST /signup: new accounts by e-mail and by phone.

use serde_json::{Value, json};

use crate::support::{Anonymous, PASSWORD, Person, ServiceRole, TestServer};

on_both_databases!(with_autoconfirm_the_answer_is_a_session, async |database| {
    let server = TestServer::started(&database).await;
    let reply = server
        .post(
            &Anonymous,
            "/signup",
            json!({ "email": "Ada@Example.com", "password": PASSWORD, "data": { "full_name": "Ada Lovelace" } }),
        )
        .await;
    let session = reply.ok();
    let ada = Person::of_session(&session);

    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["expires_in"], 3600);
    assert_eq!(session["expires_at"], ada.claims()["exp"]);
    assert_eq!(reply.header("sb-auth-user-id"), ada.id);
    assert_eq!(reply.header("sb-auth-session-id"), ada.session_id());

    let user = &ada.user;
    assert_eq!(user["aud"], "authenticated");
    assert_eq!(user["role"], "authenticated");
    assert_eq!(user["email"], "ada@example.com", "addresses are lower-cased");
    assert_eq!(user["phone"], "");
    assert_eq!(user["is_anonymous"], false);
    assert!(user["email_confirmed_at"].is_string() && user["last_sign_in_at"].is_string());
    assert_eq!(user["app_metadata"], json!({ "provider": "email", "providers": ["email"] }));
    assert_eq!(
        user["user_metadata"],
        json!({ "email": "ada@example.com", "email_verified": true, "full_name": "Ada Lovelace",
                "phone_verified": false, "sub": ada.id })
    );
    let identity = &user["identities"][0];
    assert_eq!(identity["provider"], "email");
    assert_eq!((&identity["id"], &identity["user_id"]), (&json!(ada.id), &json!(ada.id)));
    assert_eq!(identity["email"], "ada@example.com");
    for time in ["created_at", "updated_at", "last_sign_in_at"] {
        assert!(user[time].as_str().unwrap().ends_with('Z'), "{time} in UTC");
        assert!(identity[time].is_string(), "{time}");
    }
    for absent in ["deleted_at", "banned_until", "factors", "new_email", "new_phone", "invited_at"] {
        assert!(user.get(absent).is_none(), "{absent}");
    }
});

on_both_databases!(each_sign_up_is_told_in_the_log_with_who_when_and_from_where, async |database| {
    let server = TestServer::started(&database).await;
    let before = server.head();
    let ada = server.sign_up("ada@example.com").await;

    let events = server.events_since(before);
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds[..3], ["user.signed_up", "user.identity_linked", "user.email_confirmed"]);
    assert_eq!(kinds[kinds.len() - 1], "session.started");
    for event in &events {
        assert_eq!(event.request_id, events[0].request_id, "one request");
        assert_eq!(event.ip.as_deref(), Some("127.0.0.1"));
        assert!(chrono::DateTime::parse_from_rfc3339(&event.occurred_at).is_ok());
        assert_eq!(event.subject, Some(ada.subject()), "{}", event.kind);
        assert_eq!(event.actor, "visitor");
    }
    assert_ne!(events[0].stream, events[events.len() - 1].stream, "a session has a stream of its own");
    server.assert_log_is_whole();
});

on_both_databases!(without_autoconfirm_the_answer_is_the_user_and_a_mail_is_sent, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_MAILER_AUTOCONFIRM", "false").start().await;
    let user = server
        .post(&Anonymous, "/signup", json!({ "email": "ada@example.com", "password": PASSWORD }))
        .await
        .ok();

    assert!(user.get("access_token").is_none());
    assert!(user["confirmation_sent_at"].is_string());
    assert!(user.get("email_confirmed_at").is_none() && user.get("confirmed_at").is_none());
    assert_eq!(user["role"], "authenticated");
    assert_eq!(user["identities"][0]["identity_data"]["email_verified"], false);

    let mail = server.mail_to("ada@example.com", 1).await;
    assert!(mail.text.contains("Subject: Confirm your email address"), "{}", mail.text);
    assert_eq!(mail.link_parameter("type"), "signup");
});

on_both_databases!(a_confirmed_address_is_not_told_to_be_known, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    server
        .post(
            &ServiceRole,
            "/admin/users",
            json!({ "email": "ada@example.com", "password": PASSWORD, "email_confirm": true }),
        )
        .await
        .ok();
    let before = server.head();
    let sign_up = |email: &str| json!({ "email": email, "password": "another password", "data": { "full_name": "Mallory" } });
    let known = server.post(&Anonymous, "/signup", sign_up("ada@example.com")).await.ok();
    let unknown = server.post(&Anonymous, "/signup", sign_up("new@example.com")).await.ok();

    assert_eq!(known["identities"], json!([]));
    assert_eq!(known["email"], "ada@example.com");
    assert_eq!(known["user_metadata"], json!({ "full_name": "Mallory" }));
    let keys = |user: &Value| user.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&known), keys(&unknown), "the same fields");
    server.try_sign_in("ada@example.com", PASSWORD).await.ok();
    server.try_sign_in("ada@example.com", "another password").await.refused(
        400,
        "invalid_credentials",
        "Invalid login credentials",
    );
    assert!(
        server.events_since(before).iter().filter(|event| event.kind == "user.signed_up").count() == 1,
        "only the new address makes an account"
    );
    let repeated =
        server.events_since(before).iter().filter(|e| e.kind == "attempt.sign_up_repeated").count();
    assert_eq!(repeated, 1, "the log knows");
    server.mail_to("new@example.com", 1).await;
    assert_eq!(server.mails_to("ada@example.com"), 0);
});

on_both_databases!(with_autoconfirm_a_known_address_is_refused, async |database| {
    let server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    let body = json!({ "email": "ADA@example.com", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.refused(
        422,
        "user_already_exists",
        "User already registered",
    );
});

on_both_databases!(a_second_mail_within_the_interval_is_refused, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body.clone()).await.ok();
    let reply = server.post(&Anonymous, "/signup", body).await;
    assert_eq!(reply.error_code(429), "over_email_send_rate_limit");
    let message = reply.json()["msg"].as_str().unwrap().to_owned();
    assert!(message.starts_with("For security purposes, you can only request this after "), "{message}");
});

on_both_databases!(a_phone_is_signed_up_with_a_text, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let body = json!({ "phone": "+1 500 555 0001", "password": PASSWORD, "channel": "sms" });
    let user = server.post(&Anonymous, "/signup", body).await.ok();

    assert_eq!((&user["phone"], &user["email"]), (&json!("15005550001"), &json!("")));
    assert_eq!(user["app_metadata"], json!({ "provider": "phone", "providers": ["phone"] }));
    assert_eq!(
        user["identities"][0]["identity_data"],
        json!({ "email_verified": false, "phone_verified": false, "sub": user["id"] })
    );
    let sign_in = json!({ "phone": "15005550001", "password": PASSWORD });
    server.post(&Anonymous, "/token?grant_type=password", sign_in.clone()).await.refused(
        400,
        "phone_not_confirmed",
        "Phone not confirmed",
    );

    let text = server.text_to("15005550001", 1).await;
    let wrong = if text.code() == "000000" { "000001" } else { "000000" };
    let verify = |code: &str| json!({ "type": "sms", "phone": "+15005550001", "token": code });
    server.post(&Anonymous, "/verify", verify(wrong)).await.refused(
        403,
        "otp_expired",
        "Token has expired or is invalid",
    );
    let session = server.post(&Anonymous, "/verify", verify(&text.code())).await.ok();
    assert!(session["user"]["phone_confirmed_at"].is_string());
    server.post(&Anonymous, "/token?grant_type=password", sign_in).await.ok();
});

on_both_databases!(phones_can_be_confirmed_at_once, async |database| {
    let server = TestServer::on(&database)
        .without("GOTRUE_MAILER_AUTOCONFIRM")
        .with("GOTRUE_SMS_AUTOCONFIRM", "true")
        .start()
        .await;
    let body = json!({ "phone": "15005550001", "password": PASSWORD });
    let pia = Person::of_session(&server.post(&Anonymous, "/signup", body).await.ok());
    assert_eq!(pia.claims()["phone"], "15005550001");
});

on_both_databases!(what_is_no_sign_up_is_refused_with_the_right_words, async |database| {
    let server = TestServer::started(&database).await;
    let before = server.head();
    let long = "a".repeat(73);
    for (body, code, message) in [
        (json!({ "email": "zoe@example.com" }), "validation_failed", "Signup requires a valid password"),
        (
            json!({ "email": "zoe@example.com", "password": "" }),
            "validation_failed",
            "Signup requires a valid password",
        ),
        (
            json!({ "email": "zoe@example.com", "password": long }),
            "validation_failed",
            "Password cannot be longer than 72 characters",
        ),
        (
            json!({ "email": "zoe@example.com", "phone": "15005550001", "password": PASSWORD }),
            "validation_failed",
            "Only an email address or phone number should be provided on signup.",
        ),
        (
            json!({ "email": "zoe@", "password": PASSWORD }),
            "validation_failed",
            "Unable to validate email address: invalid format",
        ),
        (
            json!({ "email": format!("{}@example.com", "a".repeat(250)), "password": PASSWORD }),
            "validation_failed",
            "An email address is too long",
        ),
        (
            json!({ "phone": "0123", "password": PASSWORD }),
            "validation_failed",
            "Invalid phone number format (E.164 required)",
        ),
    ] {
        server.post(&Anonymous, "/signup", body).await.refused(400, code, message);
    }
    assert_eq!(server.head(), before);
});

on_both_databases!(a_weak_password_is_refused_with_reasons, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_PASSWORD_MIN_LENGTH", "10")
        .with("GOTRUE_PASSWORD_REQUIRED_CHARACTERS", "abcdefghijklmnopqrstuvwxyz:0123456789")
        .start()
        .await;
    let weak = |password: &str| json!({ "email": "zoe@example.com", "password": password });
    let reply = server.post(&Anonymous, "/signup", weak("short")).await;
    assert_eq!(
        reply.json(),
        json!({ "code": 422, "error_code": "weak_password",
            "msg": "Password should be at least 10 characters. Password should contain at least one \
                    character of each: abcdefghijklmnopqrstuvwxyz, 0123456789.",
            "weak_password": { "reasons": ["length", "characters"] } })
    );
    let request = server
        .request(reqwest::Method::POST, "/signup")
        .header("x-supabase-api-version", "2024-01-01")
        .json(&weak("onlyletters"));
    let reply = server.send(request).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["code"], "weak_password");
    assert_eq!(reply.json()["weak_password"], json!({ "reasons": ["characters"] }));
    server.post(&Anonymous, "/signup", weak("letters and 1 digit")).await.ok();
});

on_both_databases!(closed_doors_stay_closed, async |database| {
    let mut server = TestServer::on(&database).with("GOTRUE_DISABLE_SIGNUP", "true").start().await;
    let by_email = json!({ "email": "zoe@example.com", "password": PASSWORD });
    let by_phone = json!({ "phone": "15005550001", "password": PASSWORD });
    server.post(&Anonymous, "/signup", by_email.clone()).await.refused(
        422,
        "signup_disabled",
        "Signups not allowed for this instance",
    );
    assert_eq!(server.get(&Anonymous, "/settings").await.ok()["disable_signup"], true);

    server.stop();
    server.set("GOTRUE_DISABLE_SIGNUP", "false");
    server.set("GOTRUE_EXTERNAL_EMAIL_ENABLED", "false");
    server.set("GOTRUE_EXTERNAL_PHONE_ENABLED", "false");
    server.start().await;
    server.post(&Anonymous, "/signup", by_email).await.refused(
        400,
        "email_provider_disabled",
        "Email signups are disabled",
    );
    server.post(&Anonymous, "/signup", by_phone).await.refused(
        400,
        "phone_provider_disabled",
        "Phone signups are disabled",
    );
    server.post(&Anonymous, "/signup", json!({})).await.refused(
        422,
        "anonymous_provider_disabled",
        "Anonymous sign-ins are disabled",
    );
});

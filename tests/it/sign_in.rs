//! `POST /token?grant_type=password`.

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, Reply, ServiceRole, TestServer};

on_both_databases!(a_password_opens_a_session_of_its_own, async |database| {
    let server = TestServer::started(&database).await;
    let first = server.sign_up("ada@example.com").await;
    let before = server.head();
    let second = server.sign_in("Ada@Example.com").await;

    assert_eq!(second.id, first.id);
    assert_ne!(second.session_id(), first.session_id());
    server.get(&first, "/user").await.ok();
    let user = server.get(&second, "/user").await.ok();
    assert_eq!(user["last_sign_in_at"], second.user["last_sign_in_at"]);
    assert_ne!(user["last_sign_in_at"], first.user["last_sign_in_at"]);

    let events = server.assert_log(before, &["session.started"]);
    assert_eq!(events[0].subject, Some(first.subject()));
});

on_both_databases!(a_wrong_password_and_an_unknown_person_look_the_same, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    let wrong = server.try_sign_in("ada@example.com", "wrong password").await;
    let unknown = server.try_sign_in("nobody@example.com", "wrong password").await;
    for reply in [&wrong, &unknown] {
        reply.refused(400, "invalid_credentials", "Invalid login credentials");
    }
    let names = |reply: &Reply| {
        let names = reply.headers.keys().map(|name| name.as_str().to_owned());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(&wrong), names(&unknown));

    let events = server.assert_log(before, &["attempt.sign_in_failed", "attempt.sign_in_failed"]);
    assert_ne!(events[0].stream, events[1].stream, "each attempt has a stream of its own");
    assert!(events.iter().all(|event| event.ip.as_deref() == Some("127.0.0.1")));
    assert_eq!(events[0].subject, Some(ada.subject()));
    server.assert_log_is_whole();
});

on_both_databases!(who_has_not_confirmed_learns_it_only_with_the_password, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.ok();
    server.try_sign_in("ada@example.com", PASSWORD).await.refused(
        400,
        "email_not_confirmed",
        "Email not confirmed",
    );
    server.try_sign_in("ada@example.com", "wrong password").await.refused(
        400,
        "invalid_credentials",
        "Invalid login credentials",
    );
});

on_both_databases!(a_ban_is_told_only_after_the_right_password, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    server.put(&ServiceRole, &path, json!({ "ban_duration": "24h" })).await.ok();

    server.try_sign_in("ada@example.com", "wrong password").await.refused(
        400,
        "invalid_credentials",
        "Invalid login credentials",
    );
    server.try_sign_in("ada@example.com", PASSWORD).await.refused(400, "user_banned", "User is banned");

    server.put(&ServiceRole, &path, json!({ "ban_duration": "none" })).await.ok();
    server.sign_in("ada@example.com").await;
});

on_both_databases!(what_is_no_sign_in_is_refused_with_the_right_words, async |database| {
    let server = TestServer::started(&database).await;
    let password_grant = "/token?grant_type=password";
    server.post(&Anonymous, password_grant, json!({ "password": PASSWORD })).await.refused(
        400,
        "validation_failed",
        "missing email or phone",
    );
    let both = json!({ "email": "ada@example.com", "phone": "15005550001", "password": PASSWORD });
    server.post(&Anonymous, password_grant, both).await.refused(
        400,
        "validation_failed",
        "Only an email address or phone number should be provided on login.",
    );
    for path in ["/token", "/token?grant_type=", "/token?grant_type=client_credentials"] {
        server.post(&Anonymous, path, json!({})).await.refused(
            400,
            "invalid_credentials",
            "unsupported_grant_type",
        );
    }
    // The address is looked up as it stands, it need not be one.
    server.try_sign_in("no address", PASSWORD).await.refused(
        400,
        "invalid_credentials",
        "Invalid login credentials",
    );
});

on_both_databases!(switched_off_providers_do_not_sign_in, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_EXTERNAL_EMAIL_ENABLED", "false")
        .with("GOTRUE_EXTERNAL_PHONE_ENABLED", "false")
        .start()
        .await;
    server.try_sign_in("ada@example.com", PASSWORD).await.refused(
        422,
        "email_provider_disabled",
        "Email logins are disabled",
    );
    let body = json!({ "phone": "15005550001", "password": PASSWORD });
    server.post(&Anonymous, "/token?grant_type=password", body).await.refused(
        422,
        "phone_provider_disabled",
        "Phone logins are disabled",
    );
});

on_both_databases!(a_password_that_became_weak_still_signs_in_and_is_reported, async |database| {
    let mut server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    assert!(server.stop().success(), "a clean end");
    server.set("GOTRUE_PASSWORD_MIN_LENGTH", "60");
    server.start().await;
    let session = server.try_sign_in("ada@example.com", PASSWORD).await.ok();
    assert_eq!(session["weak_password"]["reasons"], json!(["length"]));
});

on_both_databases!(guessing_is_slowed_down_for_known_and_unknown_alike, async |database| {
    let server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    server.sign_up("bob@example.com").await;
    let mut until_refused = Vec::new();
    for address in ["ada@example.com", "nobody@example.com"] {
        let mut guesses = 0;
        loop {
            let reply = server.try_sign_in(address, "a guess").await;
            if reply.status == 429 {
                reply.refused(429, "over_request_rate_limit", "Request rate limit reached");
                break;
            }
            reply.refused(400, "invalid_credentials", "Invalid login credentials");
            guesses += 1;
            assert!(guesses < 50, "{guesses} guesses at {address} in a row");
        }
        until_refused.push(guesses);
    }
    assert_eq!(until_refused[0], until_refused[1], "the count does not tell who is known");
    // The delay is the account's, not the address's that everybody comes from.
    server.sign_in("bob@example.com").await;
});

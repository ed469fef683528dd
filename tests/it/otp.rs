//! POST /otp and /magiclink: coming in by a code or link.

use serde_json::json;

use crate::support::{Anonymous, Bearer, Person, ServiceRole, TestServer};

/// The access token in the fragment of a redirect.
fn bearer(location: &str) -> Bearer {
    let token = location.split_once("#access_token=").unwrap_or_else(|| panic!("{location}")).1;
    Bearer(token.split('&').next().unwrap().to_owned())
}

async fn confirmed(server: &TestServer, email: &str) {
    let body = json!({ "email": email, "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", body).await.ok();
}

on_both_databases!(a_link_lets_a_known_person_in_once, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    confirmed(&server, "bob@example.com").await;
    let path = "/otp?redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fin";
    let body =
        json!({ "email": "bob@example.com", "create_user": true, "data": {}, "gotrue_meta_security": {} });
    assert_eq!(server.post(&Anonymous, path, body).await.ok(), json!({}));
    let mail = server.mail_to("bob@example.com", 1).await;
    assert!(mail.text.contains("Subject: Your sign-in link"), "{}", mail.text);
    assert_eq!(mail.link_parameter("type"), "magiclink");

    let reply = server.get(&Anonymous, &mail.link()).await;
    let location = reply.header("location").to_owned();
    assert!(location.starts_with("http://localhost:3000/in#access_token="), "{location}");
    assert!(location.ends_with("&type=magiclink"), "{location}");
    let user = server.get(&bearer(&location), "/user").await.ok();
    assert_eq!(user["email"], "bob@example.com");
    assert!(user["recovery_sent_at"].is_string());
    let again = server.get(&Anonymous, &mail.link()).await;
    assert!(again.header("location").contains("error_code=otp_expired"));
});

on_both_databases!(the_code_of_the_mail_is_as_good_as_its_link, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    confirmed(&server, "bob@example.com").await;
    server.post(&Anonymous, "/otp", json!({ "email": "bob@example.com", "create_user": false })).await.ok();
    let code = server.mail_to("bob@example.com", 1).await.code();
    let verify = json!({ "type": "email", "email": "bob@example.com", "token": code });
    let bob = Person::of_session(&server.post(&Anonymous, "/verify", verify.clone()).await.ok());
    assert_eq!(bob.claims()["amr"][0]["method"], "otp");
    server.post(&Anonymous, "/verify", verify).await.refused(
        403,
        "otp_expired",
        "Token has expired or is invalid",
    );
});

on_both_databases!(a_stranger_is_signed_up_by_the_mail_of_a_sign_up, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let body = json!({ "email": "finn@example.com", "data": { "full_name": "Finn Field" } });
    assert_eq!(server.post(&Anonymous, "/otp", body).await.ok(), json!({}));
    let mail = server.mail_to("finn@example.com", 1).await;
    assert!(mail.text.contains("Subject: Confirm your email address"), "{}", mail.text);
    assert_eq!(mail.link_parameter("type"), "signup");
    let verify = json!({ "type": "email", "email": "finn@example.com", "token": mail.code() });
    let finn = Person::of_session(&server.post(&Anonymous, "/verify", verify).await.ok());
    assert_eq!(
        finn.user["user_metadata"],
        json!({ "email": "finn@example.com", "email_verified": true, "full_name": "Finn Field",
                "phone_verified": false, "sub": finn.id })
    );
    server.assert_log_is_whole();
});

on_both_databases!(with_autoconfirm_a_stranger_gets_a_sign_in_link_at_once, async |database| {
    let server =
        TestServer::on(&database).with_mails().with("GOTRUE_MAILER_AUTOCONFIRM", "true").start().await;
    server.post(&Anonymous, "/magiclink", json!({ "email": "finn@example.com" })).await.ok();
    let mail = server.mail_to("finn@example.com", 1).await;
    assert_eq!(mail.link_parameter("type"), "magiclink");
    let verify = json!({ "type": "magiclink", "token_hash": mail.link_parameter("token") });
    server.post(&Anonymous, "/verify", verify).await.ok();
});

on_both_databases!(a_text_lets_a_number_in, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    for number in 1..=2 {
        let body = json!({ "phone": "+1 500 555 0001", "channel": "sms" });
        assert_eq!(server.post(&Anonymous, "/otp", body).await.ok(), json!({}));
        let code = server.text_to("15005550001", number).await.code();
        let verify = json!({ "type": "sms", "phone": "15005550001", "token": code });
        let session = server.post(&Anonymous, "/verify", verify).await.ok();
        assert!(session["user"]["phone_confirmed_at"].is_string());
    }
});

on_both_databases!(the_numbers_of_test_suites_have_fixed_codes_and_get_no_text, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_SMS_TEST_OTP", "15005550009:123456")
        .with("GOTRUE_RATE_LIMIT_SMS_SENT", "0")
        .start()
        .await;
    let ask = || json!({ "phone": "15005550009" });
    let verify = |phone: &str| json!({ "type": "sms", "phone": phone, "token": "123456" });
    assert_eq!(server.post(&Anonymous, "/otp", ask()).await.ok(), json!({}));
    server.post(&Anonymous, "/verify", verify("15005550009")).await.ok();
    assert_eq!(server.post(&Anonymous, "/otp", ask()).await.ok(), json!({ "message_id": "test-otp" }));
    server.post(&Anonymous, "/verify", verify("15005550009")).await.ok();
    server.post(&Anonymous, "/verify", verify("15005550009")).await.refused(
        403,
        "otp_expired",
        "Token has expired or is invalid",
    );
    server.post(&Anonymous, "/verify", verify("15005550010")).await.refused(
        403,
        "otp_expired",
        "Token has expired or is invalid",
    );
    assert_eq!(server.texts_to("15005550009"), 0);
});

on_both_databases!(wrong_arguments_are_refused_with_the_right_words, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let before = server.head();
    let challenge = "a".repeat(43);
    for (path, body, status, code, message) in [
        ("/otp", json!({}), 400, "validation_failed", "One of email or phone must be set"),
        (
            "/otp",
            json!({ "email": "bob@example.com", "phone": "15005550001" }),
            400,
            "validation_failed",
            "Only an email address or phone number should be provided",
        ),
        (
            "/otp",
            json!({ "email": "bob@example.com", "channel": "sms" }),
            400,
            "validation_failed",
            "Channel should only be specified with Phone OTP",
        ),
        (
            "/otp",
            json!({ "email": "nobody@example.com", "create_user": false }),
            422,
            "otp_disabled",
            "Signups not allowed for otp",
        ),
        (
            "/otp",
            json!({ "phone": "15005550077", "create_user": false }),
            422,
            "otp_disabled",
            "Signups not allowed for otp",
        ),
        (
            "/otp",
            json!({ "email": "bob@example.com", "code_challenge": challenge }),
            400,
            "validation_failed",
            "PKCE flow requires code_challenge_method and code_challenge",
        ),
        (
            "/otp",
            json!({ "email": "bob@example.com", "code_challenge": "short", "code_challenge_method": "s256" }),
            400,
            "validation_failed",
            "code challenge has to be between 43 and 128 characters",
        ),
        (
            "/magiclink",
            json!({ "email": "" }),
            422,
            "validation_failed",
            "Password recovery requires an email",
        ),
        (
            "/magiclink",
            json!({ "email": "bob@" }),
            400,
            "validation_failed",
            "Unable to validate email address: invalid format",
        ),
    ] {
        server.post(&Anonymous, path, body).await.refused(status, code, message);
    }
    assert_eq!(server.head(), before, "nothing of it is written down");
});

on_both_databases!(closed_doors_say_which, async |database| {
    let mut server =
        TestServer::on(&database).with_mails().with("GOTRUE_DISABLE_SIGNUP", "true").start().await;
    let by_email = json!({ "email": "zoe@example.com" });
    server.post(&Anonymous, "/otp", by_email.clone()).await.refused(
        422,
        "signup_disabled",
        "Signups not allowed for this instance",
    );
    server.stop();
    server.set("GOTRUE_EXTERNAL_EMAIL_MAGIC_LINK_ENABLED", "false");
    server.start().await;
    server.post(&Anonymous, "/otp", by_email.clone()).await.refused(
        422,
        "email_provider_disabled",
        "Login with magic link is disabled",
    );
    server.stop();
    server.set("GOTRUE_EXTERNAL_EMAIL_ENABLED", "false");
    server.set("GOTRUE_EXTERNAL_PHONE_ENABLED", "false");
    server.start().await;
    server.post(&Anonymous, "/otp", by_email).await.refused(
        422,
        "email_provider_disabled",
        "Email logins are disabled",
    );
    server.post(&Anonymous, "/otp", json!({ "phone": "15005550004" })).await.refused(
        400,
        "phone_provider_disabled",
        "Unsupported phone provider",
    );
});

on_both_databases!(one_code_at_a_time_opens_one_session, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    confirmed(&server, "bob@example.com").await;
    server.post(&Anonymous, "/otp", json!({ "email": "bob@example.com" })).await.ok();
    let code = server.mail_to("bob@example.com", 1).await.code();
    let verify = || {
        server.post(
            &Anonymous,
            "/verify",
            json!({ "type": "email", "email": "bob@example.com", "token": code }),
        )
    };
    let replies = futures::future::join_all((0..8).map(|_| verify())).await;
    let opened = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(opened, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 403)));
    assert_eq!(server.events().iter().filter(|event| event.kind == "session.started").count(), 1);
});

on_both_databases!(known_and_unknown_addresses_are_answered_and_limited_alike, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    confirmed(&server, "known@example.com").await;
    for path in ["/otp", "/recover"] {
        for email in ["known@example.com", "unknown@example.com"] {
            let body = json!({ "email": email });
            assert_eq!(server.post(&Anonymous, path, body.clone()).await.ok(), json!({}), "{path} {email}");
            let reply = server.post(&Anonymous, path, body).await;
            assert_eq!(reply.error_code(429), "over_email_send_rate_limit", "{path} {email}");
            assert!(reply.text.contains("For security purposes, you can only request this after"));
        }
    }
});

on_both_databases!(codes_that_are_sent_anew_give_no_new_guesses_for_ever, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    confirmed(&server, "bob@example.com").await;
    let verify = |code: &str| json!({ "type": "email", "email": "bob@example.com", "token": code });
    let mut number = 0;
    for _ in 0..10 {
        number += 1;
        server.post(&Anonymous, "/otp", json!({ "email": "bob@example.com" })).await.ok();
        let code = server.mail_to("bob@example.com", number).await.code();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let guesses = (0..5).map(|_| server.post(&Anonymous, "/verify", verify(wrong)));
        for reply in futures::future::join_all(guesses).await {
            assert_eq!(reply.error_code(403), "otp_expired");
        }
    }
    server.post(&Anonymous, "/otp", json!({ "email": "bob@example.com" })).await.ok();
    let mail = server.mail_to("bob@example.com", number + 1).await;
    let reply = server.post(&Anonymous, "/verify", verify(&mail.code())).await;
    assert_eq!(reply.error_code(403), "otp_expired", "fifty wrong codes a day are enough");
    assert!(server.get(&Anonymous, &mail.link()).await.header("location").contains("#access_token="));
});

//! POST /resend: confirmations once more.

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, Person, ServiceRole, TestServer};

on_both_databases!(a_sign_up_is_sent_once_more_with_another_token, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.ok();
    let first = server.mail_to("ann@example.com", 1).await.link_parameter("token");
    let again = json!({ "type": "signup", "email": "ann@example.com" });
    assert_eq!(server.post(&Anonymous, "/resend", again).await.ok(), json!({}));
    let second = server.mail_to("ann@example.com", 2).await.link_parameter("token");
    let verify = |hash: &str| json!({ "type": "signup", "token_hash": hash });
    assert_eq!(server.post(&Anonymous, "/verify", verify(&first)).await.error_code(403), "otp_expired");
    server.post(&Anonymous, "/verify", verify(&second)).await.ok();
    server.try_sign_in("ann@example.com", PASSWORD).await.ok();
});

on_both_databases!(a_change_of_address_is_sent_once_more_to_both_whichever_address_asks, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let ann = json!({ "email": "ann@example.com", "password": PASSWORD, "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", ann).await.ok();
    let ann = server.sign_in("ann@example.com").await;
    server.put(&ann, "/user", json!({ "email": "archer@example.com" })).await.ok();
    for (number, asks) in [(2, "ann@example.com"), (3, "archer@example.com")] {
        let again = json!({ "type": "email_change", "email": asks });
        assert_eq!(server.post(&Anonymous, "/resend", again).await.ok(), json!({}));
        server.mail_to("ann@example.com", number).await;
        server.mail_to("archer@example.com", number).await;
    }
    let current = server.mail_to("ann@example.com", 3).await;
    let halfway = server.get(&Anonymous, &current.link()).await;
    assert!(halfway.header("location").contains("#message=Confirmation+link+accepted"));
    let code = server.mail_to("archer@example.com", 3).await.code();
    let verify = json!({ "type": "email_change", "email": "archer@example.com", "token": code });
    let session = server.post(&Anonymous, "/verify", verify).await.ok();
    assert_eq!(session["user"]["email"], "archer@example.com");
});

on_both_databases!(texts_are_sent_once_more, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    server.post(&Anonymous, "/otp", json!({ "phone": "15005550001" })).await.ok();
    server.text_to("15005550001", 1).await;
    server.post(&Anonymous, "/resend", json!({ "type": "sms", "phone": "15005550001" })).await.ok();
    let code = server.text_to("15005550001", 2).await.code();
    let verify = json!({ "type": "sms", "phone": "15005550001", "token": code });
    let pia = Person::of_session(&server.post(&Anonymous, "/verify", verify).await.ok());
    server.put(&pia, "/user", json!({ "phone": "15005550002" })).await.ok();
    server.post(&Anonymous, "/resend", json!({ "type": "phone_change", "phone": "15005550001" })).await.ok();
    let code = server.text_to("15005550002", 2).await.code();
    let verify = json!({ "type": "phone_change", "phone": "15005550002", "token": code });
    let session = server.post(&Anonymous, "/verify", verify).await.ok();
    assert_eq!(session["user"]["phone"], "15005550002");
});

on_both_databases!(known_and_unknown_confirmed_and_not_are_answered_alike, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let known = json!({ "email": "known@example.com", "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", known).await.ok();
    server.post(&ServiceRole, "/admin/users", json!({ "email": "waiting@example.com" })).await.ok();
    for kind in ["signup", "email_change"] {
        for email in ["known@example.com", "waiting@example.com", "nobody@example.com"] {
            let again = json!({ "type": kind, "email": email });
            assert_eq!(server.post(&Anonymous, "/resend", again.clone()).await.ok(), json!({}), "{email}");
            let reply = server.post(&Anonymous, "/resend", again).await;
            assert_eq!(reply.error_code(429), "over_email_send_rate_limit", "{kind} {email}");
        }
    }
    server.mail_to("waiting@example.com", 1).await;
    assert_eq!(server.mails_to("known@example.com") + server.mails_to("nobody@example.com"), 0);
});

on_both_databases!(a_sign_up_and_its_resend_share_the_interval, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.ok();
    let again = json!({ "type": "signup", "email": "ann@example.com" });
    assert_eq!(server.post(&Anonymous, "/resend", again).await.error_code(429), "over_email_send_rate_limit");
    // Whoever asks for what nobody waits for keeps nobody from signing up.
    server.post(&Anonymous, "/resend", json!({ "type": "signup", "email": "new@example.com" })).await.ok();
    let body = json!({ "email": "new@example.com", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.ok();
});

on_both_databases!(wrong_arguments_are_refused_with_the_right_words, async |database| {
    let server = TestServer::started(&database).await;
    for (body, message) in [
        (
            json!({ "type": "magiclink", "email": "ann@example.com" }),
            "Missing one of these types: signup, email_change, sms, phone_change",
        ),
        (json!({ "type": "signup", "phone": "15005550001" }), "Type provided requires an email address"),
        (json!({ "type": "sms", "email": "ann@example.com" }), "Type provided requires a phone number"),
        (json!({ "type": "signup" }), "Missing email address or phone number"),
        (
            json!({ "type": "signup", "email": "ann@example.com", "phone": "15005550001" }),
            "Only an email address or phone number should be provided.",
        ),
    ] {
        server.post(&Anonymous, "/resend", body).await.refused(400, "validation_failed", message);
    }
});

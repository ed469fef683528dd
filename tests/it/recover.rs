//! POST /recover: a forgotten password.

use serde_json::json;

use crate::support::{Anonymous, Bearer, PASSWORD, ServiceRole, TestServer};

on_both_databases!(the_link_leads_to_a_new_password, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let ann = json!({ "email": "ann@example.com", "password": PASSWORD, "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", ann).await.ok();
    let other = server.sign_in("ann@example.com").await;
    let path = "/recover?redirect_to=http%3A%2F%2Flocalhost%3A3000%2Freset";
    let body = json!({ "email": "ann@example.com", "gotrue_meta_security": {} });
    assert_eq!(server.post(&Anonymous, path, body).await.ok(), json!({}));
    let mail = server.mail_to("ann@example.com", 1).await;
    assert!(mail.text.contains("Subject: Reset your password"), "{}", mail.text);

    let location = server.get(&Anonymous, &mail.link()).await.header("location").to_owned();
    let fragment = location.strip_prefix("http://localhost:3000/reset#access_token=").unwrap();
    assert!(fragment.ends_with("&type=recovery"), "{location}");
    let session = Bearer(fragment.split('&').next().unwrap().to_owned());
    let new = json!({ "password": "ann's second password" });
    let user = server.put(&session, "/user", new).await.ok();
    assert!(user.get("recovery_sent_at").is_none());
    server.try_sign_in("ann@example.com", "ann's second password").await.ok();
    assert_eq!(server.get(&other, "/user").await.error_code(403), "session_not_found");
});

on_both_databases!(token_hash_and_code_do_the_same, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let ann = json!({ "email": "ann@example.com", "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", ann).await.ok();
    for number in 1..=2 {
        server.post(&Anonymous, "/recover", json!({ "email": "ann@example.com" })).await.ok();
        let mail = server.mail_to("ann@example.com", number).await;
        let verify = match number {
            1 => json!({ "type": "recovery", "token_hash": mail.link_parameter("token") }),
            _ => json!({ "type": "recovery", "email": "ann@example.com", "token": mail.code() }),
        };
        server.post(&Anonymous, "/verify", verify).await.ok();
    }
    let nothing = json!({ "type": "recovery", "token_hash": "0".repeat(56) });
    server.post(&Anonymous, "/verify", nothing).await.refused(
        403,
        "otp_expired",
        "Email link is invalid or has expired",
    );
});

on_both_databases!(a_recovery_is_no_sign_up_and_a_sign_up_no_recovery, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.ok();
    let sign_up = server.mail_to("ann@example.com", 1).await.link_parameter("token");
    server.post(&Anonymous, "/recover", json!({ "email": "ann@example.com" })).await.ok();
    let recovery = server.mail_to("ann@example.com", 2).await.link_parameter("token");
    for (kind, hash) in
        [("recovery", &sign_up), ("magiclink", &sign_up), ("signup", &recovery), ("email_change", &recovery)]
    {
        let verify = json!({ "type": kind, "token_hash": hash });
        assert_eq!(server.post(&Anonymous, "/verify", verify).await.error_code(403), "otp_expired");
    }
});

on_both_databases!(nobody_gets_no_mail_and_the_same_answer, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let reply = server.post(&Anonymous, "/recover", json!({ "email": "nobody@example.com" })).await;
    assert_eq!(reply.ok(), json!({}));
    server.post(&Anonymous, "/recover", json!({})).await.refused(
        400,
        "validation_failed",
        "Password recovery requires an email",
    );
    assert_eq!(server.mails_to("nobody@example.com"), 0);
    assert!(!server.events().iter().any(|event| event.kind == "user.signed_up"));
});

on_both_databases!(where_mail_is_off_nothing_is_looked_at, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_EXTERNAL_EMAIL_ENABLED", "false").start().await;
    for body in [json!({ "email": "ann@example.com" }), json!({})] {
        server.post(&Anonymous, "/recover", body).await.refused(
            400,
            "email_provider_disabled",
            "Email logins are disabled",
        );
    }
});

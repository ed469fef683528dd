//! How many messages leave, and how many requests one caller may make for them.

use serde_json::{Value, json};

use crate::support::{Anonymous, PASSWORD, Reply, ServiceRole, TestServer};

/// A request that a trusted proxy passes on for somebody.
async fn post_from(server: &TestServer, ip: &str, path: &str, body: Value) -> Reply {
    let request = server.request(reqwest::Method::POST, path).header("x-forwarded-for", ip).json(&body);
    server.send(request).await
}

on_both_databases!(the_budget_of_mails_is_used_up_with_the_right_words, async |database| {
    let server =
        TestServer::on(&database).with_mails().with("GOTRUE_RATE_LIMIT_EMAIL_SENT", "1").start().await;
    let sign_up = |email: &str| json!({ "email": email, "password": PASSWORD });
    server.post(&Anonymous, "/signup", sign_up("one@example.com")).await.ok();
    let message = "email rate limit exceeded";
    let before = server.head();
    server.post(&Anonymous, "/signup", sign_up("two@example.com")).await.refused(
        429,
        "over_email_send_rate_limit",
        message,
    );
    for path in ["/otp", "/recover", "/magiclink"] {
        for email in ["one@example.com", "nobody@example.com"] {
            let reply = server.post(&Anonymous, path, json!({ "email": email })).await;
            reply.refused(429, "over_email_send_rate_limit", message);
        }
    }
    server.post(&ServiceRole, "/invite", json!({ "email": "lena@example.com" })).await.refused(
        429,
        "over_email_send_rate_limit",
        message,
    );
    assert_eq!(server.head(), before, "what is refused leaves nothing");
});

on_both_databases!(one_stranger_does_not_use_up_everybodys_mails, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("EVIDENT_SERVER_TRUSTED_PROXIES", "127.0.0.1/32")
        .with("GOTRUE_RATE_LIMIT_EMAIL_SENT", "6")
        .start()
        .await;
    let mut sent = 0;
    for number in 0..10 {
        let body = json!({ "email": format!("unknown{number}@example.com") });
        let path = if number % 2 == 0 { "/recover" } else { "/otp" };
        let reply = post_from(&server, "198.51.100.1", path, body).await;
        assert!(matches!(reply.status, 200 | 429), "{}", reply.text);
        sent += usize::from(reply.status == 200);
    }
    assert_eq!(sent, 3, "a stranger has half");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(post_from(&server, "198.51.100.2", "/signup", body).await.status, 200);
    server.mail_to("ada@example.com", 1).await;
});

on_both_databases!(texts_have_a_budget_too, async |database| {
    let server = TestServer::on(&database).with_mails().with("GOTRUE_RATE_LIMIT_SMS_SENT", "1").start().await;
    server.post(&Anonymous, "/otp", json!({ "phone": "15005550001" })).await.ok();
    server.post(&Anonymous, "/otp", json!({ "phone": "15005550002" })).await.refused(
        429,
        "over_sms_send_rate_limit",
        "SMS rate limit exceeded",
    );
});

on_both_databases!(each_route_has_a_bucket_of_its_own_for_each_caller, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_RATE_LIMIT_OTP", "1").start().await;
    for path in ["/otp", "/magiclink", "/recover", "/resend"] {
        for _ in 0..30 {
            assert!(matches!(server.post(&Anonymous, path, json!({})).await.status, 400 | 422));
        }
        server.post(&Anonymous, path, json!({})).await.refused(
            429,
            "over_request_rate_limit",
            "Request rate limit reached",
        );
    }
});

on_both_databases!(links_name_a_listed_host_by_which_the_request_came, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_MAILER_EXTERNAL_HOSTS", "auth.example.com")
        .start()
        .await;
    for (number, host, expected) in [
        (1, "auth.example.com", "https://auth.example.com/verify?"),
        (2, "evil.example", "http://localhost:9999/verify?"),
    ] {
        let body = json!({ "email": "ada@example.com" });
        let request =
            server.request(reqwest::Method::POST, "/otp").header("x-forwarded-host", host).json(&body);
        server.send(request).await.ok();
        let mail = server.mail_to("ada@example.com", number).await;
        assert!(mail.text.contains(expected), "{}", mail.text);
        assert!(!mail.text.contains("evil.example"));
    }
});

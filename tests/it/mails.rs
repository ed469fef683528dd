//! Mails: texts behind web addresses, news of changes, and whom they are sent to.

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, Peer, Person, Says, TestServer};

on_both_databases!(a_text_behind_a_web_address_is_fetched_and_kept, async |database| {
    let peer =
        Peer::that(|_| Says::plain(200, "text/html", "<p>Fetched: {{ .Token }} {{ .Email }}</p>")).await;
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_SITE_URL", &peer.url("/app"))
        .with("GOTRUE_MAILER_TEMPLATES_CONFIRMATION", "/mails/confirm.html")
        .with("GOTRUE_MAILER_SUBJECTS_CONFIRMATION", "Hello {{ .Email }}")
        .start()
        .await;
    for name in ["ada", "bob"] {
        let address = format!("{name}@example.com");
        let body = json!({ "email": address, "password": PASSWORD });
        server.post(&Anonymous, "/signup", body).await.ok();
        let mail = server.mail_to(&address, 1).await;
        assert!(mail.text.contains(&format!("Subject: Hello {address}")), "{}", mail.text);
        assert!(mail.text.contains("<p>Fetched: "), "{}", mail.text);
    }
    assert_eq!(peer.calls("GET /mails/confirm.html").len(), 1);
});

on_both_databases!(a_text_that_cannot_be_fetched_leaves_the_built_in_one, async |database| {
    let peer = Peer::that(|_| Says::status(500)).await;
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_MAILER_TEMPLATES_CONFIRMATION", &peer.url("/confirm.html"))
        .with("GOTRUE_MAILER_SUBJECTS_CONFIRMATION", "Hello")
        .with("GOTRUE_MAILER_TEMPLATE_RETRY_INTERVAL", "1ms")
        .start()
        .await;
    for (number, says) in [
        Says::status(404),
        Says::plain(200, "text/html", "<p>{{ .Broken </p>"),
        Says::plain(200, "text/html", "a".repeat(1_000_001)),
        Says::plain(200, "text/html", *b"\xff\xfe"),
        Says::status(302).with("location", "http://127.0.0.1:1/"),
    ]
    .into_iter()
    .enumerate()
    {
        peer.now(move |_| says.clone());
        let address = format!("p{number}@example.com");
        let body = json!({ "email": address, "password": PASSWORD });
        server.post(&Anonymous, "/signup", body).await.ok();
        let mail = server.mail_to(&address, 1).await;
        assert!(mail.text.contains("Subject: Hello"), "{}", mail.text);
        assert_eq!(mail.link_parameter("type"), "signup", "the built-in text has a link");
    }
    assert_eq!(peer.calls("GET").len(), 5);
});

on_both_databases!(changes_are_told_where_the_owner_wants_it, async |database| {
    let mut server = TestServer::on(&database)
        .with("GOTRUE_SMS_AUTOCONFIRM", "true")
        .with("GOTRUE_MAILER_NOTIFICATIONS_PASSWORD_CHANGED_ENABLED", "true")
        .with("GOTRUE_MAILER_NOTIFICATIONS_EMAIL_CHANGED_ENABLED", "true")
        .with("GOTRUE_MAILER_NOTIFICATIONS_PHONE_CHANGED_ENABLED", "true")
        .with("GOTRUE_MAILER_SUBJECTS_PASSWORD_CHANGED_NOTIFICATION", "News of {{ .Email }}")
        .with("GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED", "false")
        .start()
        .await;
    let ada = server.sign_up("ada@example.com").await;
    server.put(&ada, "/user", json!({ "password": "another good password" })).await.ok();
    let mail = server.mail_to("ada@example.com", 1).await;
    assert!(mail.text.contains("Subject: News of ada@example.com"), "{}", mail.text);

    server.put(&ada, "/user", json!({ "phone": "15005550001" })).await.ok();
    let mail = server.mail_to("ada@example.com", 2).await;
    assert!(mail.text.contains("15005550001"), "{}", mail.text);

    server.put(&ada, "/user", json!({ "email": "ada@example.org" })).await.ok();
    let asked = server.mail_to("ada@example.org", 1).await;
    let verify = json!({ "type": "email_change", "token_hash": asked.link_parameter("token") });
    let ada = Person::of_session(&server.post(&Anonymous, "/verify", verify).await.ok());
    let told = server.mail_to("ada@example.com", 3).await;
    assert!(told.text.contains("from ada@example.com to ada@example.org"), "{}", told.text);

    server.stop();
    server.unset("GOTRUE_MAILER_NOTIFICATIONS_PASSWORD_CHANGED_ENABLED");
    server.start().await;
    server.put(&ada, "/user", json!({ "password": "a third good password" })).await.ok();
    server.put(&ada, "/user", json!({ "phone": "15005550002" })).await.ok();
    let mail = server.mail_to("ada@example.org", 2).await;
    assert!(mail.text.contains("15005550002"), "the news of the number, and none of the password");
});

on_both_databases!(only_authorized_addresses_get_mails, async |database| {
    let mut server = TestServer::on(&database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES", "ada@example.com,bob@example.com")
        .start()
        .await;
    let sign_up = |email: &str| json!({ "email": email, "password": PASSWORD });
    let before = server.head();
    server.post(&Anonymous, "/signup", sign_up("eve@example.com")).await.refused(
        400,
        "email_address_not_authorized",
        "Email address \"eve@example.com\" cannot be used as it is not authorized",
    );
    assert_eq!(server.head(), before);
    server.post(&Anonymous, "/signup", sign_up("ada+test@example.com")).await.ok();
    server.mail_to("ada+test@example.com", 1).await;

    server.stop();
    server.unset("GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES");
    server.set("GOTRUE_MAILER_EMAIL_VALIDATION_EXTENDED", "true");
    server.start().await;
    server.post(&Anonymous, "/signup", sign_up("bob@example.com")).await.refused(
        400,
        "email_address_invalid",
        "Email address \"bob@example.com\" is invalid",
    );
    server.post(&Anonymous, "/signup", sign_up("bob@evident.dev")).await.ok();
});

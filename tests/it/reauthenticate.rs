//! GET /reauthenticate, and the nonce that a new password may ask for.

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, ServiceRole, TestServer};

on_both_databases!(a_code_goes_to_the_address_and_not_again_at_once, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    for path in ["/reauthenticate", "/reauthenticate/"] {
        server.get(&Anonymous, path).await.refused(
            401,
            "no_authorization",
            "This endpoint requires a valid Bearer token",
        );
    }
    assert_eq!(server.get(&ada, "/reauthenticate").await.ok(), json!({}));
    let mail = server.mail_to("ada@example.com", 1).await;
    assert!(mail.text.contains("is your verification code"), "{}", mail.text);
    assert_eq!(server.get(&ada, "/reauthenticate").await.error_code(429), "over_email_send_rate_limit");
    assert_eq!(server.post_empty(&ada, "/reauthenticate").await.status, 405);
    assert!(server.get(&ada, "/user").await.ok()["reauthentication_sent_at"].is_string());
});

on_both_databases!(who_has_nothing_confirmed_gets_none, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true").start().await;
    let nobody = server.post(&Anonymous, "/signup", json!({})).await.ok();
    let nobody = crate::support::Person::of_session(&nobody);
    server.get(&nobody, "/reauthenticate").await.refused(
        400,
        "validation_failed",
        "Reauthentication requires the user to have an email or a phone number",
    );
    let bob = json!({ "email": "bob@example.com", "phone": "15005550001", "phone_confirm": true,
                      "password": PASSWORD });
    server.post(&ServiceRole, "/admin/users", bob).await.ok();
    let sign_in = json!({ "phone": "15005550001", "password": PASSWORD });
    let bob = server.post(&Anonymous, "/token?grant_type=password", sign_in).await.ok();
    server.get(&crate::support::Person::of_session(&bob), "/reauthenticate").await.refused(
        422,
        "email_not_confirmed",
        "Please verify your email first.",
    );
});

on_both_databases!(where_there_is_only_a_number_the_code_goes_by_text, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_SMS_AUTOCONFIRM", "true").start().await;
    let body = json!({ "phone": "15005550001", "password": PASSWORD });
    let pia = server.post(&Anonymous, "/signup", body).await.ok();
    let pia = crate::support::Person::of_session(&pia);
    assert_eq!(server.get(&pia, "/reauthenticate").await.ok(), json!({}));
    server.text_to("15005550001", 1).await.code();
    assert_eq!(server.get(&pia, "/reauthenticate").await.error_code(429), "over_sms_send_rate_limit");
});

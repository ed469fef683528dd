//! Anonymous users, and how they become somebody.

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, Person, TestServer};

async fn nobody(server: &TestServer) -> Person {
    let body = json!({ "data": { "theme": "dark" }, "gotrue_meta_security": {} });
    Person::of_session(&server.post(&Anonymous, "/signup", body).await.ok())
}

on_both_databases!(who_gives_nothing_gets_a_session, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true").start().await;
    assert_eq!(server.get(&Anonymous, "/settings").await.ok()["external"]["anonymous_users"], true);
    let nobody = nobody(&server).await;
    assert_eq!(nobody.user["is_anonymous"], true);
    assert_eq!((&nobody.user["email"], &nobody.user["phone"]), (&json!(""), &json!("")));
    assert_eq!(nobody.user["app_metadata"], json!({}));
    assert_eq!(nobody.user["user_metadata"], json!({ "theme": "dark" }));
    assert_eq!(nobody.user["identities"], json!([]));
    let claims = nobody.claims();
    assert_eq!((&claims["is_anonymous"], &claims["amr"][0]["method"]), (&json!(true), &json!("anonymous")));
    server.put(&nobody, "/user", json!({ "password": PASSWORD })).await.refused(
        422,
        "validation_failed",
        "Updating password of an anonymous user without an email or phone is not allowed",
    );
    server.try_refresh(&nobody.refresh_token).await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(an_address_makes_somebody_of_them, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .start()
        .await;
    let nobody = nobody(&server).await;
    let user = server.put(&nobody, "/user", json!({ "email": "nora@example.com" })).await.ok();
    assert_eq!((&user["is_anonymous"], &user["new_email"]), (&json!(true), &json!("nora@example.com")));
    let code = server.mail_to("nora@example.com", 1).await.code();
    let verify = json!({ "type": "email_change", "email": "nora@example.com", "token": code });
    let nora = Person::of_session(&server.post(&Anonymous, "/verify", verify).await.ok());
    assert_eq!((&nora.id, &nora.user["is_anonymous"]), (&nobody.id, &json!(false)));
    assert_eq!(nora.user["app_metadata"], json!({ "provider": "email", "providers": ["email"] }));
    assert_eq!(nora.user["user_metadata"]["theme"], "dark");
    server.put(&nora, "/user", json!({ "password": PASSWORD })).await.ok();
    server.sign_in("nora@example.com").await;
});

on_both_databases!(a_number_makes_somebody_of_them, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .start()
        .await;
    let nobody = nobody(&server).await;
    server.put(&nobody, "/user", json!({ "phone": "15005550001" })).await.ok();
    let code = server.text_to("15005550001", 1).await.code();
    let verify = json!({ "type": "phone_change", "phone": "15005550001", "token": code });
    let pia = server.post(&Anonymous, "/verify", verify).await.ok();
    assert_eq!(pia["user"]["is_anonymous"], false);
});

on_both_databases!(with_autoconfirm_the_address_is_theirs_at_once, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true").start().await;
    let nobody = nobody(&server).await;
    let body = json!({ "email": "nora@example.com", "password": PASSWORD });
    let user = server.put(&nobody, "/user", body).await.ok();
    assert_eq!((&user["is_anonymous"], &user["email"]), (&json!(false), &json!("nora@example.com")));
    server.sign_in("nora@example.com").await;
});

on_both_databases!(they_have_a_limit_of_their_own, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .with("GOTRUE_RATE_LIMIT_ANONYMOUS_USERS", "2")
        .start()
        .await;
    nobody(&server).await;
    nobody(&server).await;
    server.post(&Anonymous, "/signup", json!({})).await.refused(
        429,
        "over_request_rate_limit",
        "Request rate limit reached",
    );
    server.sign_up("ada@example.com").await;
});

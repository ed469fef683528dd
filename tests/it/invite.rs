//! POST /invite: an administrator asks somebody in.

use serde_json::json;

use crate::support::{Anonymous, Bearer, PASSWORD, ServiceRole, TestServer};

on_both_databases!(who_is_invited_comes_in_by_the_link_and_sets_a_password, async |database| {
    let server = TestServer::on(&database).with_mails().with("GOTRUE_DISABLE_SIGNUP", "true").start().await;
    let path = "/invite?redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fjoin";
    let body = json!({ "email": "lena@example.com", "data": { "team": "blue" } });
    let user = server.post(&ServiceRole, path, body.clone()).await.ok();
    assert!(user["invited_at"].is_string());
    assert_eq!(user["invited_at"], user["confirmation_sent_at"]);
    assert_eq!(user["user_metadata"], json!({ "team": "blue" }));
    assert_eq!(
        user["identities"][0]["identity_data"],
        json!({ "email": "lena@example.com", "email_verified": false, "phone_verified": false,
                "sub": user["id"] })
    );
    // Again, at once: the account is the same, its data stay.
    let again = json!({ "email": "lena@example.com", "data": { "team": "red" } });
    let again = server.post(&ServiceRole, path, again).await.ok();
    assert_eq!((&again["id"], &again["user_metadata"]), (&user["id"], &json!({ "team": "blue" })));

    let mail = server.mail_to("lena@example.com", 2).await;
    assert!(mail.text.contains("Subject: You've been invited"), "{}", mail.text);
    assert_eq!(mail.link_parameter("type"), "invite");
    let location = server.get(&Anonymous, &mail.link()).await.header("location").to_owned();
    let fragment = location.strip_prefix("http://localhost:3000/join#access_token=").unwrap();
    assert!(fragment.ends_with("&type=invite"), "{location}");
    let lena = Bearer(fragment.split('&').next().unwrap().to_owned());
    let user = server.put(&lena, "/user", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(user["user_metadata"], json!({ "email_verified": true, "team": "blue" }));
    server.sign_in("lena@example.com").await;
    server.post(&ServiceRole, "/invite", body).await.refused(
        422,
        "email_exists",
        "A user with this email address has already been registered",
    );
    server.assert_log_is_whole();
});

on_both_databases!(only_administrators_invite, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let body = json!({ "email": "x@example.com" });
    server.post(&ada, "/invite", body.clone()).await.refused(403, "not_admin", "User not allowed");
    assert_eq!(server.post(&Anonymous, "/invite", body).await.error_code(401), "no_authorization");
    server.post(&ServiceRole, "/invite", json!({ "email": "lena@" })).await.refused(
        400,
        "validation_failed",
        "Unable to validate email address: invalid format",
    );
});

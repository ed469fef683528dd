//! A stranger signs up with somebody's address and waits for its owner to confirm it: their password must
//! not open the account then.

use serde_json::{Value, json};

use crate::support::{Anonymous, Bearer, PASSWORD, Person, ServiceRole, TestDatabase, TestServer};

const VICTIM: &str = "victim@example.com";
const STRANGERS: &str = "the stranger's password";

async fn signed_up_by_a_stranger(server: &TestServer) {
    let body = json!({ "email": VICTIM, "password": STRANGERS });
    server.post(&Anonymous, "/signup", body).await.ok();
    server.mail_to(VICTIM, 1).await;
}

/// The victim proves the address; the stranger stays outside.
async fn confirm(server: &TestServer, verify: Value) {
    server.post(&Anonymous, "/verify", verify).await.ok();
    server.try_sign_in(VICTIM, STRANGERS).await.refused(
        400,
        "invalid_credentials",
        "Invalid login credentials",
    );
}

on_both_databases!(a_recovery_voids_the_strangers_password, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    signed_up_by_a_stranger(&server).await;
    server.post(&Anonymous, "/recover", json!({ "email": VICTIM })).await.ok();
    let mail = server.mail_to(VICTIM, 2).await;
    confirm(&server, json!({ "type": "recovery", "token_hash": mail.link_parameter("token") })).await;
});

on_both_databases!(a_code_to_come_in_by_voids_it, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    signed_up_by_a_stranger(&server).await;
    server.post(&Anonymous, "/otp", json!({ "email": VICTIM })).await.ok();
    let mail = server.mail_to(VICTIM, 2).await;
    confirm(&server, json!({ "type": "email", "email": VICTIM, "token": mail.code() })).await;
});

on_both_databases!(a_magic_link_voids_it, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    signed_up_by_a_stranger(&server).await;
    server.post(&Anonymous, "/magiclink", json!({ "email": VICTIM })).await.ok();
    let link = server.mail_to(VICTIM, 2).await.link();
    assert!(server.get(&Anonymous, &link).await.header("location").contains("access_token"));
    assert_eq!(server.try_sign_in(VICTIM, STRANGERS).await.error_code(400), "invalid_credentials");
});

on_both_databases!(an_invitation_voids_it_and_the_link_from_before, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    signed_up_by_a_stranger(&server).await;
    let before = server.mail_to(VICTIM, 1).await.link_parameter("token");
    server.post(&ServiceRole, "/invite", json!({ "email": VICTIM })).await.ok();
    let before = json!({ "type": "signup", "token_hash": before });
    assert_eq!(server.post(&Anonymous, "/verify", before).await.error_code(403), "otp_expired");
    let mail = server.mail_to(VICTIM, 2).await;
    confirm(&server, json!({ "type": "invite", "token_hash": mail.link_parameter("token") })).await;
});

on_both_databases!(a_link_made_for_the_owner_voids_it, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    signed_up_by_a_stranger(&server).await;
    let body = json!({ "type": "signup", "email": VICTIM, "password": PASSWORD });
    let link = server.post(&ServiceRole, "/admin/generate_link", body).await.ok();
    confirm(&server, json!({ "type": "signup", "token_hash": link["hashed_token"] })).await;
    server.try_sign_in(VICTIM, PASSWORD).await.ok();
});

on_both_databases!(of_two_sign_ups_neither_password_stands_whoever_came_first, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    for (email, order) in
        [("first@example.com", [PASSWORD, STRANGERS]), ("second@example.com", [STRANGERS, PASSWORD])]
    {
        for password in order {
            let body = json!({ "email": email, "password": password });
            let user = server.post(&Anonymous, "/signup", body).await.ok();
            assert_eq!(user["identities"].as_array().unwrap().len(), 1, "the real user");
        }
        let code = server.mail_to(email, 2).await.code();
        let verify = json!({ "type": "signup", "email": email, "token": code });
        let session = server.post(&Anonymous, "/verify", verify).await.ok();
        for password in order {
            assert_eq!(server.try_sign_in(email, password).await.error_code(400), "invalid_credentials");
        }
        // Who has the mails sets another.
        let owner = Person::of_session(&session);
        server.put(&owner, "/user", json!({ "password": "the owner's password" })).await.ok();
        server.try_sign_in(email, "the owner's password").await.ok();
    }
});

on_both_databases!(who_signs_up_twice_with_one_password_keeps_it, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    for _ in 0..2 {
        let body = json!({ "email": VICTIM, "password": PASSWORD });
        server.post(&Anonymous, "/signup", body).await.ok();
    }
    server.post(&Anonymous, "/resend", json!({ "type": "signup", "email": VICTIM })).await.ok();
    let mail = server.mail_to(VICTIM, 3).await;
    let verify = json!({ "type": "signup", "token_hash": mail.link_parameter("token") });
    server.post(&Anonymous, "/verify", verify).await.ok();
    server.try_sign_in(VICTIM, PASSWORD).await.ok();
});

on_both_databases!(by_phone_it_is_the_same, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let phone = "15005550001";
    let body = json!({ "phone": phone, "password": STRANGERS });
    server.post(&Anonymous, "/signup", body.clone()).await.ok();
    server.text_to(phone, 1).await;
    server.post(&Anonymous, "/otp", json!({ "phone": phone })).await.ok();
    let code = server.text_to(phone, 2).await.code();
    let verify = json!({ "type": "sms", "phone": phone, "token": code });
    server.post(&Anonymous, "/verify", verify).await.ok();
    let reply = server.post(&Anonymous, "/token?grant_type=password", body).await;
    assert_eq!(reply.error_code(400), "invalid_credentials");
});

on_both_databases!(who_asks_for_a_recovery_may_open_the_mail_from_before, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    signed_up_by_a_stranger(&server).await;
    let before = server.mail_to(VICTIM, 1).await.link_parameter("token");
    server.post(&Anonymous, "/recover", json!({ "email": VICTIM })).await.ok();
    confirm(&server, json!({ "type": "signup", "token_hash": before })).await;
});

/// The pair of RFC 7636, appendix B: what the client that signs up proves later.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A server whose owner does not take whoever opens a mail for who signed up.
async fn wary(database: &TestDatabase) -> TestServer {
    let setup = TestServer::on(database).with_mails();
    setup.with("EVIDENT_SECURITY_CONFIRMATION_KEEPS_PASSWORD", "false").start().await
}

/// Opens the mail's link in a browser.
async fn open(server: &TestServer, number: usize) -> String {
    let link = server.mail_to(VICTIM, number).await.link();
    server.get(&Anonymous, &link).await.header("location").to_owned()
}

on_both_databases!(a_wary_owner_s_link_or_code_leaves_no_password_from_before, async |database| {
    let server = wary(&database).await;
    signed_up_by_a_stranger(&server).await;
    let location = open(&server, 1).await;
    assert_eq!(server.try_sign_in(VICTIM, STRANGERS).await.error_code(400), "invalid_credentials");
    // Whoever has the mail sets one.
    let token = location.split("access_token=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    server.put(&Bearer(token), "/user", json!({ "password": PASSWORD })).await.ok();
    server.try_sign_in(VICTIM, PASSWORD).await.ok();

    let body = json!({ "email": "other@example.com", "password": STRANGERS });
    server.post(&Anonymous, "/signup", body).await.ok();
    let code = server.mail_to("other@example.com", 1).await.code();
    let verify = json!({ "type": "signup", "email": "other@example.com", "token": code });
    server.post(&Anonymous, "/verify", verify).await.ok();
    let reply = server.try_sign_in("other@example.com", STRANGERS).await;
    assert_eq!(reply.error_code(400), "invalid_credentials");
});

on_both_databases!(
    a_wary_owner_keeps_the_password_of_who_opens_the_link_where_they_signed_up,
    async |database| {
        let server = wary(&database).await;
        let body = json!({ "email": VICTIM, "password": PASSWORD, "code_challenge": CHALLENGE,
                       "code_challenge_method": "s256" });
        server.post(&Anonymous, "/signup", body).await.ok();
        let location = open(&server, 1).await;
        let code = location.split("code=").nth(1).unwrap().to_owned();
        // The link alone proves no more than that somebody reads the mails.
        assert_eq!(server.try_sign_in(VICTIM, PASSWORD).await.error_code(400), "invalid_credentials");
        let redeem = |verifier: &str| json!({ "auth_code": code, "code_verifier": verifier });
        let wrong = server.post(&Anonymous, "/token?grant_type=pkce", redeem(&"x".repeat(43))).await;
        assert_eq!(wrong.error_code(400), "bad_code_verifier");
        assert_eq!(server.try_sign_in(VICTIM, PASSWORD).await.error_code(400), "invalid_credentials");
        server.post(&Anonymous, "/token?grant_type=pkce", redeem(VERIFIER)).await.ok();
        server.try_sign_in(VICTIM, PASSWORD).await.ok();
        server.assert_log_is_whole();
    }
);

on_both_databases!(an_anonymous_stranger_s_password_does_not_open_the_owner_s_account, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .start()
        .await;
    let nobody = Person::of_session(&server.post(&Anonymous, "/signup", json!({})).await.ok());
    let body = json!({ "email": VICTIM, "password": STRANGERS });
    server.put(&nobody, "/user", body).await.ok();
    let mail = server.mail_to(VICTIM, 1).await;
    confirm(&server, json!({ "type": "email_change", "token_hash": mail.link_parameter("token") })).await;

    let phone = "15005550001";
    let nobody = Person::of_session(&server.post(&Anonymous, "/signup", json!({})).await.ok());
    server.put(&nobody, "/user", json!({ "phone": phone, "password": STRANGERS })).await.ok();
    let code = server.text_to(phone, 1).await.code();
    let verify = json!({ "type": "phone_change", "phone": phone, "token": code });
    server.post(&Anonymous, "/verify", verify).await.ok();
    let body = json!({ "phone": phone, "password": STRANGERS });
    let reply = server.post(&Anonymous, "/token?grant_type=password", body).await;
    assert_eq!(reply.error_code(400), "invalid_credentials");
    server.assert_log_is_whole();
});

on_both_databases!(
    with_pkce_an_anonymous_user_keeps_the_password_that_came_with_the_address,
    async |database| {
        let server = TestServer::on(&database)
            .with_mails()
            .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
            .start()
            .await;
        let nobody = Person::of_session(&server.post(&Anonymous, "/signup", json!({})).await.ok());
        let body = json!({ "email": VICTIM, "password": PASSWORD, "code_challenge": CHALLENGE,
                       "code_challenge_method": "s256" });
        server.put(&nobody, "/user", body).await.ok();
        let location = open(&server, 1).await;
        assert_eq!(server.try_sign_in(VICTIM, PASSWORD).await.error_code(400), "invalid_credentials");
        let code = location.split("code=").nth(1).unwrap();
        let redeem = json!({ "auth_code": code, "code_verifier": VERIFIER });
        server.post(&Anonymous, "/token?grant_type=pkce", redeem).await.ok();
        server.try_sign_in(VICTIM, PASSWORD).await.ok();
    }
);

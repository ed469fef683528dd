//! PKCE (RFC 7636) for links in mails: the link carries a code, which only who asked for it redeems.

use serde_json::{Value, json};

use crate::support::{Anonymous, PASSWORD, Person, Reply, ServiceRole, TestServer};

/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn with_challenge(mut body: Value) -> Value {
    body["code_challenge"] = json!(CHALLENGE);
    body["code_challenge_method"] = json!("s256");
    body
}

async fn redeem(server: &TestServer, code: &str, verifier: &str) -> Reply {
    let body = json!({ "auth_code": code, "code_verifier": verifier });
    server.post(&Anonymous, "/token?grant_type=pkce", body).await
}

/// Opens the newest mail's link and gives the code of the redirect.
async fn open(server: &TestServer, email: &str, number: usize) -> String {
    let mail = server.mail_to(email, number).await;
    assert!(mail.link_parameter("token").starts_with("pkce_"), "{}", mail.link());
    let reply = server.get(&Anonymous, &mail.link()).await;
    assert_eq!(reply.status, 303);
    let location = reply.header("location").to_owned();
    let code = location.split_once("?code=").unwrap_or_else(|| panic!("{location}")).1;
    assert!(!location.contains("access_token"), "{location}");
    code.to_owned()
}

async fn bob(server: &TestServer) -> String {
    let body = json!({ "email": "bob@example.com", "email_confirm": true });
    let user = server.post(&ServiceRole, "/admin/users", body).await.ok();
    user["id"].as_str().unwrap().to_owned()
}

async fn code_of_bob(server: &TestServer) -> String {
    let body = with_challenge(json!({ "email": "bob@example.com" }));
    server.post(&Anonymous, "/otp", body).await.ok();
    open(server, "bob@example.com", 1).await
}

on_both_databases!(the_code_of_a_link_is_redeemed_once_by_who_has_the_verifier, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    bob(&server).await;
    let code = code_of_bob(&server).await;
    let mismatch = "code challenge does not match previously saved code verifier";
    redeem(&server, &code, &"x".repeat(43)).await.refused(400, "bad_code_verifier", mismatch);
    let reply = redeem(&server, &code, VERIFIER).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let session = reply.ok();
    assert_eq!(Person::of_session(&session).claims()["amr"][0]["method"], "magiclink");
    assert!(session.get("provider_token").is_none());
    let gone = "invalid flow state, no valid flow state found";
    redeem(&server, &code, VERIFIER).await.refused(404, "flow_state_not_found", gone);
    redeem(&server, "no uuid", VERIFIER).await.refused(404, "flow_state_not_found", gone);
    redeem(&server, &uuid::Uuid::nil().to_string(), VERIFIER).await.refused(
        404,
        "flow_state_not_found",
        gone,
    );
    redeem(&server, &code, "").await.refused(
        400,
        "validation_failed",
        "invalid request: both auth code and code verifier should be non-empty",
    );
    server.assert_log_is_whole();
});

on_both_databases!(sign_up_recovery_and_change_of_address_go_on_with_a_code, async |database| {
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED", "false")
        .start()
        .await;
    let email = "ada@example.com";
    let amr = |session: &Value| Person::of_session(session).claims()["amr"][0]["method"].clone();
    let body = with_challenge(json!({ "email": email, "password": PASSWORD }));
    server.post(&Anonymous, "/signup", body).await.ok();
    let code = open(&server, email, 1).await;
    assert_eq!(amr(&redeem(&server, &code, VERIFIER).await.ok()), "email/signup");

    server.post(&Anonymous, "/recover", with_challenge(json!({ "email": email }))).await.ok();
    let code = open(&server, email, 2).await;
    let session = redeem(&server, &code, VERIFIER).await.ok();
    assert_eq!(amr(&session), "recovery");

    let ada = Person::of_session(&session);
    let body = with_challenge(json!({ "email": "lovelace@example.com" }));
    server.put(&ada, "/user", body).await.ok();
    let code = open(&server, "lovelace@example.com", 1).await;
    let session = redeem(&server, &code, VERIFIER).await.ok();
    assert_eq!(amr(&session), "email_change");
    assert_eq!(session["user"]["email"], "lovelace@example.com");
});

on_both_databases!(what_a_client_posts_itself_needs_no_verifier, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    bob(&server).await;
    for number in 1..=2 {
        server.post(&Anonymous, "/otp", with_challenge(json!({ "email": "bob@example.com" }))).await.ok();
        let mail = server.mail_to("bob@example.com", number).await;
        let verify = match number {
            1 => json!({ "type": "magiclink", "token_hash": mail.link_parameter("token") }),
            _ => json!({ "type": "magiclink", "email": "bob@example.com", "token": mail.code() }),
        };
        let session = server.post(&Anonymous, "/verify", verify).await.ok();
        assert_eq!(Person::of_session(&session).claims()["amr"][0]["method"], "otp");
    }
});

on_both_databases!(a_used_link_says_so_in_query_and_fragment, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    bob(&server).await;
    let path = "/recover?redirect_to=http%3A%2F%2Flocalhost%3A3000%2Freset%3Flang%3Den";
    server.post(&Anonymous, path, with_challenge(json!({ "email": "bob@example.com" }))).await.ok();
    let link = server.mail_to("bob@example.com", 1).await.link();
    let first = server.get(&Anonymous, &link).await;
    assert!(first.header("location").starts_with("http://localhost:3000/reset?code="));
    let news = "error=access_denied&error_code=otp_expired\
                &error_description=Email+link+is+invalid+or+has+expired";
    assert_eq!(
        server.get(&Anonymous, &link).await.header("location"),
        format!("http://localhost:3000/reset?{news}&lang=en#{news}&sb=")
    );
});

on_both_databases!(one_code_at_a_time_is_redeemed_once, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    bob(&server).await;
    let code = code_of_bob(&server).await;
    let replies = futures::future::join_all((0..8).map(|_| redeem(&server, &code, VERIFIER))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 404)));
    assert_eq!(server.events().iter().filter(|event| event.kind == "session.started").count(), 1);
});

on_both_databases!(a_banned_person_redeems_nothing, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let id = bob(&server).await;
    let code = code_of_bob(&server).await;
    let path = format!("/admin/users/{id}");
    server.put(&ServiceRole, &path, json!({ "ban_duration": "1h" })).await.ok();
    redeem(&server, &code, VERIFIER).await.refused(403, "user_banned", "User is banned");
    server.put(&ServiceRole, &path, json!({ "ban_duration": "none" })).await.ok();
    redeem(&server, &code, VERIFIER).await.error_code(404);
});

on_both_databases!(a_new_password_voids_the_codes_from_before, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let id = bob(&server).await;
    let code = code_of_bob(&server).await;
    let path = format!("/admin/users/{id}");
    server.put(&ServiceRole, &path, json!({ "password": PASSWORD })).await.ok();
    assert_eq!(redeem(&server, &code, VERIFIER).await.error_code(404), "flow_state_not_found");
});

on_both_databases!(by_phone_there_is_no_flow, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let body = with_challenge(json!({ "phone": "15005550003", "password": PASSWORD }));
    server.post(&Anonymous, "/signup", body).await.refused(
        400,
        "validation_failed",
        "PKCE not supported for phone signups",
    );
});

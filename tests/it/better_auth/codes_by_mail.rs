//! Codes by mail: signing in, confirming, forgotten passwords, another address.

use serde_json::{Value, json};

use super::admin::id;
use crate::support::{Browser, PASSWORD, ServiceRole, TestDatabase, TestServer};

const ADMIN_ID: &str = "0a11a11a-0000-4000-8000-000000000001";
const NEW: &str = "a brand new password";

async fn started(database: &TestDatabase, more: &[(&str, &str)]) -> TestServer {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
    let setup =
        TestServer::on(database).with_mails().with("GOTRUE_MAILER_TEMPLATES_REAUTHENTICATION", template);
    let setup = setup.with("EVIDENT_BETTER_AUTH_EMAIL_OTP_CHANGE_EMAIL", "true");
    let setup = setup.with("EVIDENT_BETTER_AUTH_VERIFICATION_EMAILS", "false");
    more.iter().fold(setup, |setup, (name, value)| setup.with(name, value)).start().await
}

/// Asks for a code, and gives the newest of so many.
async fn code(server: &TestServer, email: &str, kind: &str, number: usize) -> String {
    let body = json!({ "email": email, "type": kind });
    let answer = Browser::on(server).post("/email-otp/send-verification-otp", body).await.ok();
    assert_eq!(answer, json!({ "success": true }));
    server.mail_to(email, number).await.code()
}

fn other(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

on_both_databases!(a_code_signs_in_and_up, async |database| {
    let server = started(&database, &[]).await;
    let right = code(&server, "rosa@example.com", "sign-in", 1).await;
    let rosa = Browser::on(&server);
    let sign_in = async |code: &str| {
        rosa.post("/sign-in/email-otp", json!({ "email": "Rosa@example.com", "otp": code })).await
    };
    sign_in(other(&right)).await.denied(400, "INVALID_OTP", "Invalid OTP");
    let (one, two) = tokio::join!(sign_in(&right), sign_in(&right));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "one code, one session");
    let session = rosa.session().await;
    assert_eq!((&session["user"]["name"], &session["user"]["emailVerified"]), (&json!(""), &json!(true)));
    sign_in(&right).await.denied(400, "INVALID_OTP", "Invalid OTP");
});

on_both_databases!(known_and_unknown_addresses_are_tried_alike, async |database| {
    let server = started(&database, &[("EVIDENT_BETTER_AUTH_EMAIL_OTP_SIGN_UP_DISABLED", "true")]).await;
    Browser::on(&server).sign_up("rosa@example.com").await;
    for kind in ["sign-in", "forget-password", "email-verification"] {
        let mut answers = Vec::new();
        for email in ["rosa@example.com", "nobody@example.com"] {
            let browser = Browser::on(&server);
            let body = json!({ "email": email, "type": kind });
            let mut seen = vec![browser.post("/email-otp/send-verification-otp", body).await.text];
            let check = json!({ "email": email, "type": kind, "otp": "12345" });
            for _ in 0..5 {
                let reply = browser.post("/email-otp/check-verification-otp", check.clone()).await;
                seen.push(format!("{} {}", reply.status, reply.text));
            }
            answers.push(seen);
        }
        assert_eq!(answers[0], answers[1], "{kind}");
        assert!(answers[0][4].contains("TOO_MANY_ATTEMPTS"), "{:?}", answers[0]);
        assert!(answers[0][5].contains("INVALID_OTP"), "{:?}", answers[0]);
    }
    assert_eq!(server.mails_to("nobody@example.com"), 0);
});

on_both_databases!(a_code_confirms_and_is_looked_at_before, async |database| {
    let server = started(&database, &[]).await;
    let bob = Browser::on(&server);
    assert_eq!(bob.sign_up("bob@example.com").await["user"]["emailVerified"], false);
    let right = code(&server, "bob@example.com", "email-verification", 1).await;
    let check = async |code: &str| {
        let body = json!({ "email": "bob@example.com", "type": "email-verification", "otp": code });
        bob.post("/email-otp/check-verification-otp", body).await
    };
    assert_eq!(check(&right).await.ok(), json!({ "success": true }));
    check(other(&right)).await.denied(400, "INVALID_OTP", "Invalid OTP");
    let body = json!({ "email": "bob@example.com", "otp": right });
    let done = Browser::on(&server).post("/email-otp/verify-email", body.clone()).await.ok();
    assert_eq!((&done["status"], &done["token"]), (&json!(true), &Value::Null));
    assert_eq!(done["user"]["emailVerified"], true);
    let again = bob.post("/email-otp/verify-email", body).await;
    again.denied(400, "INVALID_OTP", "Invalid OTP");
    // Who signed up keeps the password and the session.
    assert_eq!(bob.session().await["user"]["emailVerified"], true);
    Browser::on(&server).sign_in("bob@example.com").await;
    let broken = json!({ "email": "rosa@", "type": "sign-in" });
    let refused = bob.post("/email-otp/send-verification-otp", broken).await;
    refused.denied(400, "INVALID_EMAIL", "Invalid email");
    let unknown = json!({ "email": "rosa@example.com", "type": "other" });
    let refused = bob.post("/email-otp/send-verification-otp", unknown).await;
    let message = "[body.type] Invalid option: expected one of \"email-verification\"|\"sign-in\"|\"forget-password\"|\"change-email\"";
    refused.denied(400, "VALIDATION_ERROR", message);
});

on_both_databases!(whoever_has_the_address_throws_a_stranger_out, async |database| {
    let server = started(&database, &[]).await;
    let stranger = Browser::on(&server);
    stranger.sign_up("rosa@example.com").await;
    let right = code(&server, "rosa@example.com", "sign-in", 1).await;
    let rosa = Browser::on(&server);
    rosa.post("/sign-in/email-otp", json!({ "email": "rosa@example.com", "otp": right })).await.ok();
    assert_eq!(stranger.session().await, Value::Null);
    assert_eq!(stranger.try_sign_in("rosa@example.com", PASSWORD).await.status, 401);
    assert_eq!(rosa.session().await["user"]["emailVerified"], true);
});

on_both_databases!(a_forgotten_password_is_set_once_and_by_the_newest_code, async |database| {
    let server = started(&database, &[]).await;
    let browser = Browser::on(&server);
    let user = id(&browser.sign_up("rosa@example.com").await);
    let ask = async |path: &str, email: &str| browser.post(path, json!({ "email": email })).await.ok();
    assert_eq!(
        ask("/email-otp/request-password-reset", "rosa@example.com").await,
        json!({ "success": true })
    );
    let old = server.mail_to("rosa@example.com", 1).await.code();
    ask("/forget-password/email-otp", "rosa@example.com").await;
    let right = server.mail_to("rosa@example.com", 2).await.code();
    assert_eq!(
        ask("/email-otp/request-password-reset", "nobody@example.com").await,
        json!({ "success": true })
    );
    let reset = async |email: &str, code: &str, password: &str| {
        let body = json!({ "email": email, "otp": code, "password": password });
        browser.post("/email-otp/reset-password", body).await
    };
    reset("rosa@example.com", &right, "short").await.denied(400, "PASSWORD_TOO_SHORT", "Password too short");
    if old != right {
        reset("rosa@example.com", &old, NEW).await.denied(400, "INVALID_OTP", "Invalid OTP");
    }
    reset("nobody@example.com", "000000", NEW).await.denied(400, "INVALID_OTP", "Invalid OTP");
    assert_eq!(reset("rosa@example.com", &right, NEW).await.ok(), json!({ "success": true }));
    reset("rosa@example.com", &right, NEW).await.denied(400, "INVALID_OTP", "Invalid OTP");
    let signed_in = Browser::on(&server).try_sign_in("rosa@example.com", NEW).await.ok();
    assert_eq!((&signed_in["user"]["id"], &signed_in["user"]["emailVerified"]), (&json!(user), &json!(true)));
});

on_both_databases!(a_code_is_void_once_the_password_is_another, async |database| {
    let server = started(&database, &[("EVIDENT_BETTER_AUTH_ADMIN_USER_IDS", ADMIN_ID)]).await;
    let body =
        json!({ "id": ADMIN_ID, "email": "admin@example.com", "password": PASSWORD, "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", body).await.ok();
    let admin = Browser::on(&server);
    admin.sign_in("admin@example.com").await;
    let user = id(&Browser::on(&server).sign_up("rosa@example.com").await);
    let first = code(&server, "rosa@example.com", "forget-password", 1).await;
    let body = json!({ "userId": user, "newPassword": "yet another password" });
    admin.post("/admin/set-user-password", body).await.ok();
    let body = json!({ "email": "rosa@example.com", "otp": first, "password": NEW });
    let late = Browser::on(&server).post("/email-otp/reset-password", body).await;
    late.denied(400, "INVALID_OTP", "Invalid OTP");
});

on_both_databases!(another_address_is_taken_by_a_code, async |database| {
    let server = started(&database, &[]).await;
    let rosa = Browser::on(&server);
    rosa.sign_up("rosa@example.com").await;
    Browser::on(&server).sign_up("bob@example.com").await;
    let ask =
        async |email: &str| rosa.post("/email-otp/request-email-change", json!({ "newEmail": email })).await;
    assert_eq!(ask("rosa.new@example.com").await.ok(), json!({ "success": true }));
    let right = server.mail_to("rosa.new@example.com", 1).await.code();
    let change = async |browser: &Browser<'_>, code: &str| {
        let body = json!({ "newEmail": "rosa.new@example.com", "otp": code });
        browser.post("/email-otp/change-email", body).await
    };
    change(&rosa, other(&right)).await.denied(400, "INVALID_OTP", "Invalid OTP");
    let eve = Browser::on(&server);
    eve.sign_up("eve@example.com").await;
    change(&eve, &right).await.denied(400, "INVALID_OTP", "Invalid OTP");
    assert_eq!(change(&rosa, &right).await.ok(), json!({ "success": true }));
    let user = rosa.session().await["user"].clone();
    assert_eq!((&user["email"], &user["emailVerified"]), (&json!("rosa.new@example.com"), &json!(true)));
    assert_eq!(ask("bob@example.com").await.ok(), json!({ "success": true }));
    assert_eq!(server.mails_to("bob@example.com"), 0);
    let same = ask("rosa.new@example.com").await;
    assert_eq!((same.status, same.json()), (400, json!({ "message": "Email is the same" })));
    let body = json!({ "newEmail": "x@example.com" });
    let signed_out = Browser::on(&server).post("/email-otp/request-email-change", body).await;
    signed_out.denied(401, "UNAUTHORIZED", "Unauthorized");
});

on_both_databases!(sixty_mails_go_to_nobody, async |database| {
    let server = started(&database, &[("EVIDENT_BETTER_AUTH_EMAIL_OTP_PER_HOUR", "3")]).await;
    Browser::on(&server).sign_up("rosa@example.com").await;
    let mut refused = 0;
    for n in 0..8 {
        let address = format!("198.51.100.{n}");
        let request = server.request(reqwest::Method::POST, "/api/auth/email-otp/send-verification-otp");
        let request = request.header("x-forwarded-for", address);
        let body = json!({ "email": "rosa@example.com", "type": "sign-in" });
        let reply = Browser::on(&server).send(request.json(&body)).await;
        refused += usize::from(reply.status == 429);
    }
    assert_eq!(refused, 5);
});

/// A server that sends codes at a sign-up by one of its settings.
async fn with_codes(database: &TestDatabase, name: &str, more: &[(&str, &str)]) -> TestServer {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
    let setup = TestServer::on(database)
        .with_mails()
        .with("GOTRUE_MAILER_TEMPLATES_REAUTHENTICATION", template)
        .with(name, "true");
    more.iter().fold(setup, |setup, (name, value)| setup.with(name, value)).start().await
}

async fn confirm(browser: &Browser<'_>, email: &str, code: &str) {
    browser.post("/email-otp/verify-email", json!({ "email": email, "otp": code })).await.ok();
}

on_both_databases!(who_signs_up_gets_a_code_where_the_owner_wants_it, async |database| {
    let server = with_codes(&database, "EVIDENT_BETTER_AUTH_EMAIL_OTP_ON_SIGN_UP", &[]).await;
    let browser = Browser::on(&server);
    let email = "ann@example.com";
    browser.sign_up(email).await;
    let code = server.mail_to(email, 1).await.code();
    confirm(&browser, email, &code).await;
    assert_eq!(browser.session().await["user"]["emailVerified"], true);
});

on_both_databases!(codes_take_the_place_of_links_where_the_owner_wants_it, async |database| {
    let required = [("EVIDENT_BETTER_AUTH_REQUIRE_EMAIL_VERIFICATION", "true")];
    let server = with_codes(&database, "EVIDENT_BETTER_AUTH_EMAIL_OTP_INSTEAD_OF_LINKS", &required).await;
    let browser = Browser::on(&server);
    let email = "ann@example.com";
    let body = json!({ "email": email, "password": PASSWORD, "name": "Ann" });
    assert_eq!(browser.post("/sign-up/email", body).await.ok()["token"], Value::Null);
    server.mail_to(email, 1).await.code();
    // Asked for once more, it is a code again.
    browser.post("/send-verification-email", json!({ "email": email })).await.ok();
    let code = server.mail_to(email, 2).await.code();
    confirm(&browser, email, &code).await;
    browser.sign_in(email).await;
    assert_eq!(browser.session().await["user"]["emailVerified"], true);
});

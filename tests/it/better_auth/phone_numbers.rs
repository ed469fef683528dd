//! Numbers: codes by text message, signing in, forgotten passwords.

use serde_json::{Value, json};

use super::admin::id;
use crate::support::{Browser, PASSWORD, TestDatabase, TestServer};

const PIA: &str = "+15005550001";
const NEW: &str = "a brand new password";

async fn started(database: &TestDatabase) -> TestServer {
    TestServer::on(database)
        .with("EVIDENT_BETTER_AUTH_PHONE_SIGN_UP", "true")
        .with("EVIDENT_BETTER_AUTH_PHONE_EMAIL_DOMAIN", "phone.example.com")
        .start()
        .await
}

/// Asks for a code, and gives the newest of so many.
async fn code(server: &TestServer, phone: &str, number: usize) -> String {
    let answer =
        Browser::on(server).post("/phone-number/send-otp", json!({ "phoneNumber": phone })).await.ok();
    assert_eq!(answer, json!({ "message": "code sent" }));
    server.text_to(phone.trim_start_matches('+'), number).await.code()
}

fn other(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

on_both_databases!(a_code_for_a_number_signs_up_and_in, async |database| {
    let server = started(&database).await;
    let right = code(&server, PIA, 1).await;
    let pia = Browser::on(&server);
    let verify = async |body: Value| pia.post("/phone-number/verify", body).await;
    let with = |code: &str| json!({ "phoneNumber": PIA, "code": code });
    verify(with(other(&right))).await.denied(400, "INVALID_OTP", "Invalid OTP");
    let done = verify(with(&right)).await.ok();
    let user = &done["user"];
    assert_eq!(
        (&done["status"], &user["name"], &user["phoneNumber"]),
        (&json!(true), &json!(PIA), &json!(PIA))
    );
    assert_eq!(
        (&user["email"], &user["phoneNumberVerified"]),
        (&json!("15005550001@phone.example.com"), &json!(true))
    );
    assert_eq!(pia.session().await["session"]["token"], done["token"]);
    verify(with(&right)).await.denied(400, "OTP_NOT_FOUND", "OTP not found");
    let right = code(&server, PIA, 2).await;
    let body = json!({ "phoneNumber": PIA, "code": right, "disableSession": true });
    let known = Browser::on(&server).post("/phone-number/verify", body).await.ok();
    assert_eq!((&known["token"], &known["user"]["id"]), (&Value::Null, &user["id"]));
    let right = code(&server, PIA, 3).await;
    for _ in 0..3 {
        verify(with(other(&right))).await.denied(400, "INVALID_OTP", "Invalid OTP");
    }
    verify(with(&right)).await.denied(403, "TOO_MANY_ATTEMPTS", "Too many attempts");
    let broken = pia.post("/phone-number/send-otp", json!({ "phoneNumber": "nonsense" })).await;
    broken.denied(400, "INVALID_PHONE_NUMBER", "Invalid phone number");
});

on_both_databases!(somebody_takes_a_number_and_signs_in_with_it, async |database| {
    let server = started(&database).await;
    let hugo = Browser::on(&server);
    let user = id(&hugo.sign_up("hugo@example.com").await);
    let right = code(&server, PIA, 1).await;
    let take = |code: &str| json!({ "phoneNumber": PIA, "code": code, "updatePhoneNumber": true });
    let nobody = Browser::on(&server).post("/phone-number/verify", take(&right)).await;
    nobody.denied(401, "USER_NOT_FOUND", "User not found");
    let done = hugo.post("/phone-number/verify", take(&right)).await.ok();
    assert_eq!((&done["user"]["id"], &done["user"]["phoneNumber"]), (&json!(user), &json!(PIA)));
    let eve = Browser::on(&server);
    eve.sign_up("eve@example.com").await;
    let right = code(&server, PIA, 2).await;
    eve.post("/phone-number/verify", take(&right)).await.denied(
        400,
        "PHONE_NUMBER_EXIST",
        "Phone number already exists",
    );
    let sign_in = async |phone: &str, password: &str| {
        let body = json!({ "phoneNumber": phone, "password": password });
        Browser::on(&server).post("/sign-in/phone-number", body).await
    };
    assert_eq!(sign_in(PIA, PASSWORD).await.ok()["user"]["id"], user);
    for (phone, password) in [(PIA, "wrong password"), ("+15005550099", PASSWORD)] {
        let refused = sign_in(phone, password).await;
        refused.denied(401, "INVALID_PHONE_NUMBER_OR_PASSWORD", "Invalid phone number or password");
    }
});

on_both_databases!(a_forgotten_password_is_set_by_a_text, async |database| {
    let server = started(&database).await;
    let hugo = Browser::on(&server);
    hugo.sign_up("hugo@example.com").await;
    let right = code(&server, PIA, 1).await;
    let take = json!({ "phoneNumber": PIA, "code": right, "updatePhoneNumber": true });
    hugo.post("/phone-number/verify", take).await.ok();
    let browser = Browser::on(&server);
    for (path, phone) in [
        ("/phone-number/forget-password", PIA),
        ("/phone-number/request-password-reset", PIA),
        ("/phone-number/request-password-reset", "+15005550099"),
    ] {
        let answer = browser.post(path, json!({ "phoneNumber": phone })).await.ok();
        assert_eq!(answer, json!({ "status": true }), "{path} {phone}");
    }
    let right = server.text_to("15005550001", 3).await.code();
    assert_eq!(server.texts_to("15005550099"), 0);
    let reset = async |code: &str, password: &str| {
        let body = json!({ "phoneNumber": PIA, "otp": code, "newPassword": password });
        browser.post("/phone-number/reset-password", body).await
    };
    reset(&right, "short").await.denied(400, "PASSWORD_TOO_SHORT", "Password too short");
    reset(other(&right), NEW).await.denied(400, "INVALID_OTP", "Invalid OTP");
    assert_eq!(reset(&right, NEW).await.ok(), json!({ "status": true }));
    reset(&right, NEW).await.denied(400, "OTP_NOT_FOUND", "OTP not found");
    Browser::on(&server).try_sign_in("hugo@example.com", NEW).await.ok();
});

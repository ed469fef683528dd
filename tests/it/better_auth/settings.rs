//! What the owner of a server decides about the surface: a server with other settings answers otherwise.

use chrono::{DateTime, TimeDelta};
use reqwest::Method;
use serde_json::{Value, json};

use super::admin::id;
use crate::support::{Anonymous, Browser, PASSWORD, ServiceRole, TestDatabase, TestServer};

const NEW: &str = "a brand new password";

/// A server on which some settings of the surface are others.
async fn with(database: &TestDatabase, settings: &[(&str, &str)]) -> TestServer {
    let setup = TestServer::on(database).with("GOTRUE_SMTP_MAX_FREQUENCY", "1ms");
    let variable = |name: &str| format!("EVIDENT_BETTER_AUTH_{name}");
    settings.iter().fold(setup, |setup, (name, value)| setup.with(&variable(name), value)).start().await
}

fn newcomer(password: &str) -> Value {
    json!({ "name": "Ann", "email": "ann@example.com", "password": password })
}

/// How long a session lives from its start.
fn lifetime(session: &Value) -> TimeDelta {
    let moment = |name: &str| DateTime::parse_from_rfc3339(session[name].as_str().unwrap()).unwrap();
    moment("expiresAt") - moment("createdAt")
}

/// The token of the newest link to a forgotten password.
async fn reset_token(server: &TestServer, number: usize) -> String {
    let asked = json!({ "email": "ann@example.com", "redirectTo": "/reset" });
    Browser::on(server).post("/request-password-reset", asked).await.ok();
    let link = server.mail_to("ann@example.com", number).await.link();
    link.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned()
}

on_both_databases!(passwords_are_as_long_as_the_owner_wants, async |database| {
    let settings = [
        ("MIN_PASSWORD_LENGTH", "10"),
        ("MAX_PASSWORD_LENGTH", "12"),
        ("AUTO_SIGN_IN", "false"),
        ("RESET_PASSWORD_ENABLED", "false"),
    ];
    let server = with(&database, &settings).await;
    let browser = Browser::on(&server);
    let sign_up = async |password: &str| browser.post("/sign-up/email", newcomer(password)).await;
    sign_up("123456789").await.denied(400, "PASSWORD_TOO_SHORT", "Password too short");
    sign_up("1234567890123").await.denied(400, "PASSWORD_TOO_LONG", "Password too long");
    assert_eq!(sign_up("123456789012").await.ok()["token"], Value::Null);
    assert_eq!(browser.session().await, Value::Null, "nobody is signed in by signing up");
    browser.try_sign_in("ann@example.com", "123456789012").await.ok();
    let reset = browser.post("/request-password-reset", json!({ "email": "ann@example.com" })).await;
    reset.denied(400, "RESET_PASSWORD_DISABLED", "Reset password isn't enabled");
});

on_both_databases!(nobody_uses_a_password_or_signs_up_where_that_is_off, async |database| {
    let server = with(&database, &[("EMAIL_PASSWORD_ENABLED", "false")]).await;
    let browser = Browser::on(&server);
    let off = "Email and password sign up is not enabled";
    browser.post("/sign-up/email", newcomer(PASSWORD)).await.denied(
        400,
        "EMAIL_PASSWORD_SIGN_UP_DISABLED",
        off,
    );
    let refused = browser.try_sign_in("ann@example.com", PASSWORD).await;
    refused.denied(400, "EMAIL_PASSWORD_DISABLED", "Email and password is not enabled");
});

on_both_databases!(nobody_new_signs_up_where_that_is_off, async |database| {
    let server = with(&database, &[("SIGN_UP_DISABLED", "true")]).await;
    server
        .post(&Anonymous, "/signup", json!({ "email": "ann@example.com", "password": PASSWORD }))
        .await
        .ok();
    let browser = Browser::on(&server);
    let off = "Email and password sign up is not enabled";
    let body = json!({ "name": "Bob", "email": "bob@example.com", "password": PASSWORD });
    browser.post("/sign-up/email", body).await.denied(400, "EMAIL_PASSWORD_SIGN_UP_DISABLED", off);
    browser.sign_in("ann@example.com").await;
});

on_both_databases!(sessions_live_as_long_as_the_owner_wants, async |database| {
    let settings = [
        ("SESSION_EXPIRES_IN", "48h"),
        ("SESSION_FORGOTTEN_AFTER", "2h"),
        ("SESSION_UPDATE_AGE", "0s"),
        ("SESSION_REFRESH_DISABLED", "true"),
        ("COOKIE_CACHE", "true"),
        ("COOKIE_CACHE_MAX_AGE", "30s"),
    ];
    let server = with(&database, &settings).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let before = server.head();
    let reply = browser.get("/get-session").await;
    let lines = reply.set_cookies();
    assert_eq!(lines.len(), 1, "the copy, and no new end: {lines:?}");
    assert!(lines[0].contains("session_data=") && lines[0].contains("; Max-Age=30;"), "{lines:?}");
    assert_eq!(lifetime(&reply.ok()["session"]).num_hours(), 48);
    server.assert_log(before, &[]);
    let other = Browser::on(&server);
    let body = json!({ "email": "ann@example.com", "password": PASSWORD, "rememberMe": false });
    other.post("/sign-in/email", body).await.ok();
    assert_eq!(lifetime(&other.session().await["session"]).num_hours(), 2);
});

on_both_databases!(the_surface_stands_where_the_owner_wants_and_shows_errors_there, async |database| {
    let settings = [("BASE_PATH", "/accounts/v9"), ("ERROR_URL", "https://app.example.com/oops?from=auth")];
    let server = with(&database, &settings).await;
    let browser = Browser::on(&server);
    let request = server.request(Method::POST, "/accounts/v9/sign-up/email").json(&newcomer(PASSWORD));
    browser.send(request).await.ok();
    let session = browser.send(server.request(Method::GET, "/accounts/v9/get-session")).await.ok();
    assert_eq!(session["user"]["email"], "ann@example.com");
    assert_eq!(browser.get("/ok").await.status, 404, "nothing stands where it usually does");
    let back = browser.send(server.request(Method::GET, "/accounts/v9/callback/gitlab")).await;
    assert_eq!(back.header("location"), "https://app.example.com/oops?from=auth&error=state_not_found");
});

on_both_databases!(cookies_stay_below_a_path_and_apart_from_other_frames, async |database| {
    let settings = [("COOKIE_PATH", "/api"), ("COOKIE_PARTITIONED", "true"), ("SECURE_COOKIES", "true")];
    let server = with(&database, &settings).await;
    let lines = Browser::on(&server).post("/sign-up/email", newcomer(PASSWORD)).await.set_cookies();
    assert!(lines[0].ends_with("; Path=/api; HttpOnly; Secure; SameSite=Lax; Partitioned"), "{}", lines[0]);
});

/// From a page that nobody trusts, where a setting is on; and whether links may lead there.
async fn acts_from_another_page(database: &TestDatabase, setting: &str) -> bool {
    let server = with(database, &[(setting, "true")]).await;
    let browser = Browser::on(&server).from(Some("https://evil.example.net"));
    browser.sign_up("ann@example.com").await;
    browser.post("/update-user", json!({ "name": "Anna" })).await.ok();
    let body = json!({ "email": "ann@example.com", "redirectTo": "https://evil.example.net/x" });
    browser.post("/request-password-reset", body).await.status == 200
}

on_both_databases!(requests_come_from_anywhere_where_the_owner_checks_none, async |database| {
    assert!(!acts_from_another_page(&database, "CSRF_CHECK_DISABLED").await);
});

on_both_databases!(links_lead_anywhere_where_the_owner_checks_none, async |database| {
    assert!(acts_from_another_page(&database, "ORIGIN_CHECK_DISABLED").await);
});

on_both_databases!(links_are_good_as_long_as_the_owner_wants, async |database| {
    let settings = [
        ("RESET_PASSWORD_EXPIRES_IN", "1ms"),
        ("DELETE_USER_ENABLED", "true"),
        ("DELETE_USER_CONFIRMATION", "true"),
        ("DELETE_USER_EXPIRES_IN", "1ms"),
    ];
    let server = with(&database, &settings).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let token = reset_token(&server, 1).await;
    let body = json!({ "newPassword": NEW, "token": token });
    browser.post("/reset-password", body).await.denied(400, "INVALID_TOKEN", "Invalid token");
    browser.post("/delete-user", json!({})).await.ok();
    let link = server.mail_to("ann@example.com", 2).await.link();
    let late = browser.get(link.strip_prefix("/api/auth").unwrap()).await;
    late.denied(404, "INVALID_TOKEN", "Invalid token");
    assert!(browser.session().await.is_object());
});

on_both_databases!(sessions_outlive_a_forgotten_password_where_the_owner_wants_it, async |database| {
    let server = with(&database, &[("REVOKE_SESSIONS_ON_PASSWORD_RESET", "false")]).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let body = json!({ "newPassword": NEW, "token": reset_token(&server, 1).await });
    Browser::on(&server).post("/reset-password", body).await.ok();
    assert!(browser.session().await.is_object());
    browser.try_sign_in("ann@example.com", NEW).await.ok();
});

on_both_databases!(a_mail_confirms_an_address_that_need_not_be_confirmed, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("EVIDENT_BETTER_AUTH_VERIFICATION_ON_SIGN_UP", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    assert!(browser.sign_up("ann@example.com").await["token"].is_string());
    let link = server.mail_to("ann@example.com", 1).await.link();
    browser.get(link.strip_prefix("/api/auth").unwrap()).await;
    assert_eq!(browser.session().await["user"]["emailVerified"], true);
});

on_both_databases!(
    a_password_from_before_the_confirmation_opens_nothing_where_the_owner_is_wary,
    async |database| {
        let server = TestServer::on(&database)
            .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
            .with("EVIDENT_BETTER_AUTH_VERIFICATION_ON_SIGN_UP", "true")
            .with("EVIDENT_BETTER_AUTH_VERIFICATION_KEEPS_PASSWORD", "false")
            .start()
            .await;
        let (stranger, owner) = (Browser::on(&server), Browser::on(&server));
        stranger.sign_up("ann@example.com").await;
        let link = server.mail_to("ann@example.com", 1).await.link();
        owner.get(link.strip_prefix("/api/auth").unwrap()).await;
        assert_eq!(stranger.try_sign_in("ann@example.com", PASSWORD).await.status, 401);
    }
);

on_both_databases!(administrators_keep_out_and_act_as_the_owner_wants, async |database| {
    let settings = [
        ("ADMIN_EMAILS", "root@example.com"),
        ("ADMIN_DEFAULT_ROLE", "guest"),
        ("DEFAULT_BAN_REASON", "Rude"),
        ("DEFAULT_BAN_DURATION", "1h"),
        ("BANNED_USER_MESSAGE", "Go away"),
        ("IMPERSONATION_DURATION", "5m"),
        ("ORGANIZATION_CREATION_ROLES", "founder"),
    ];
    let server = with(&database, &settings).await;
    let (root, ann) = (Browser::on(&server), Browser::on(&server));
    root.sign_up("root@example.com").await;
    let made = ann.sign_up("ann@example.com").await;
    assert_eq!(made["user"]["role"], "guest");
    let user = id(&made);

    let boats = json!({ "name": "Blue Boats", "slug": "blue-boats" });
    let refused = "You are not allowed to create a new organization";
    let code = "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_ORGANIZATION";
    ann.post("/organization/create", boats.clone()).await.denied(403, code, refused);
    root.post("/admin/set-role", json!({ "userId": user, "role": "guest,founder" })).await.ok();
    ann.post("/organization/create", boats).await.ok();

    let acting = root.post("/admin/impersonate-user", json!({ "userId": user })).await.ok();
    assert_eq!(lifetime(&root.session().await["session"]).num_minutes(), 5, "{acting}");
    root.post("/admin/stop-impersonating", json!({})).await.ok();
    let banned = root.post("/admin/ban-user", json!({ "userId": user })).await.ok();
    assert_eq!(banned["user"]["banReason"], "Rude");
    assert!(banned["user"]["banExpires"].is_string(), "{banned}");
    ann.try_sign_in("ann@example.com", PASSWORD).await.denied(403, "BANNED_USER", "Go away");
});

on_both_databases!(names_are_as_the_owner_wants_them, async |database| {
    let settings = [
        ("USERNAME_MIN_LENGTH", "2"),
        ("USERNAME_MAX_LENGTH", "5"),
        ("USERNAME_EXTRA_CHARACTERS", "-"),
        ("USERNAME_IMMUTABLE", "true"),
    ];
    let server = with(&database, &settings).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let take = async |name: &str| browser.post("/update-user", json!({ "username": name })).await;
    take("a").await.denied(400, "USERNAME_TOO_SHORT", "Username is too short");
    take("anneli").await.denied(400, "USERNAME_TOO_LONG", "Username is too long");
    take("an_n").await.denied(400, "INVALID_USERNAME", "Username is invalid");
    take("an-n").await.ok();
    take("An-N").await.ok();
    take("anna").await.denied(400, "USERNAME_IS_IMMUTABLE", "Username cannot be updated");
});

on_both_databases!(people_whom_nobody_knows_are_called_as_the_owner_wants, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_ANONYMOUS_NAME", "Guest")
        .with("EVIDENT_BETTER_AUTH_ANONYMOUS_EMAIL_DOMAIN", "anon.example.com")
        .with("EVIDENT_BETTER_AUTH_ANONYMOUS_MAY_DELETE", "false")
        .with("EVIDENT_BETTER_AUTH_ANONYMOUS_KEPT_AFTER_LINKING", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    let nobody = browser.post("/sign-in/anonymous", json!({})).await.ok();
    let email = nobody["user"]["email"].as_str().unwrap();
    assert!(email.starts_with("temp-") && email.ends_with("@anon.example.com"), "{email}");
    assert_eq!(nobody["user"]["name"], "Guest");
    let stays = browser.post("/delete-anonymous-user", json!({})).await;
    stays.denied(400, "DELETE_ANONYMOUS_USER_DISABLED", "Deleting anonymous users is disabled");
    browser.sign_up("ann@example.com").await;
    let path = format!("/admin/users/{}", id(&nobody));
    server.get(&ServiceRole, &path).await.ok();
});

on_both_databases!(codes_by_mail_are_as_the_owner_wants_them, async |database| {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_MAILER_TEMPLATES_REAUTHENTICATION", template)
        .with("EVIDENT_BETTER_AUTH_VERIFICATION_EMAILS", "false")
        .with("EVIDENT_BETTER_AUTH_EMAIL_OTP_CHANGE_EMAIL", "true")
        .with("EVIDENT_BETTER_AUTH_EMAIL_OTP_VERIFY_CURRENT_EMAIL", "true")
        .with("EVIDENT_BETTER_AUTH_EMAIL_OTP_LENGTH", "8")
        .with("EVIDENT_BETTER_AUTH_EMAIL_OTP_ATTEMPTS", "1")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let send = async |kind: &str, number: usize| {
        let body = json!({ "email": "ann@example.com", "type": kind });
        browser.post("/email-otp/send-verification-otp", body).await.ok();
        server.mail_to("ann@example.com", number).await
    };
    let code = send("sign-in", 1).await.digits(8);
    let sign_in = async |code: &str| {
        let body = json!({ "email": "ann@example.com", "otp": code });
        browser.post("/sign-in/email-otp", body).await
    };
    sign_in("00000000").await.denied(400, "INVALID_OTP", "Invalid OTP");
    sign_in(&code).await.denied(403, "TOO_MANY_ATTEMPTS", "Too many attempts");
    let code = send("sign-in", 2).await.digits(8);
    sign_in(&code).await.ok();

    let wanted = json!({ "newEmail": "new@example.com" });
    let refused = browser.post("/email-otp/request-email-change", wanted).await;
    assert_eq!(refused.status, 400, "the present address has to agree: {}", refused.text);
    let code = send("email-verification", 3).await.digits(8);
    let wanted = json!({ "newEmail": "new@example.com", "otp": code });
    browser.post("/email-otp/request-email-change", wanted).await.ok();
    let code = server.mail_to("new@example.com", 1).await.digits(8);
    browser.post("/email-otp/change-email", json!({ "newEmail": "new@example.com", "otp": code })).await.ok();
    assert_eq!(browser.session().await["user"]["email"], "new@example.com");
});

on_both_databases!(codes_last_and_texts_come_as_the_owner_wants, async |database| {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
    let server = TestServer::on(&database)
        .with_mails()
        .with("GOTRUE_MAILER_TEMPLATES_REAUTHENTICATION", template)
        .with("EVIDENT_BETTER_AUTH_EMAIL_OTP_EXPIRES_IN", "1ms")
        .with("EVIDENT_BETTER_AUTH_PHONE_SIGN_UP", "true")
        .with("EVIDENT_BETTER_AUTH_PHONE_OTP_LENGTH", "8")
        .with("EVIDENT_BETTER_AUTH_PHONE_OTP_ATTEMPTS", "1")
        .with("EVIDENT_BETTER_AUTH_PHONE_OTP_PER_HOUR", "2")
        .with("EVIDENT_BETTER_AUTH_PHONE_VERIFICATION_REQUIRED", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    let body = json!({ "email": "ann@example.com", "type": "sign-in" });
    browser.post("/email-otp/send-verification-otp", body).await.ok();
    let code = server.mail_to("ann@example.com", 1).await.code();
    let late = browser.post("/sign-in/email-otp", json!({ "email": "ann@example.com", "otp": code })).await;
    late.denied(400, "OTP_EXPIRED", "OTP expired");

    let pia = "+15005550001";
    let send = async || browser.post("/phone-number/send-otp", json!({ "phoneNumber": pia })).await;
    let verify = async |code: &str| {
        browser.post("/phone-number/verify", json!({ "phoneNumber": pia, "code": code })).await
    };
    send().await.ok();
    let code = server.text_to("15005550001", 1).await.digits(8);
    verify("00000000").await.denied(400, "INVALID_OTP", "Invalid OTP");
    verify(&code).await.denied(403, "TOO_MANY_ATTEMPTS", "Too many attempts");
    send().await.ok();
    let code = server.text_to("15005550001", 2).await.digits(8);
    verify(&code).await.ok();
    assert_eq!(send().await.status, 429, "so many texts an hour");

    let body = json!({ "phone": "15005550002", "password": PASSWORD, "phone_confirm": false });
    server.post(&ServiceRole, "/admin/users", body).await.ok();
    let body = json!({ "phoneNumber": "+15005550002", "password": PASSWORD });
    let refused = browser.post("/sign-in/phone-number", body).await;
    assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("PHONE_NUMBER_NOT_VERIFIED")));
});

on_both_databases!(so_many_requests_are_answered_as_the_owner_wants, async |database| {
    let settings = [("RATE_LIMIT_ENABLED", "true"), ("RATE_LIMIT_MAX", "2"), ("RATE_LIMIT_WINDOW", "1h")];
    let server = with(&database, &settings).await;
    let browser = Browser::on(&server);
    for _ in 0..2 {
        browser.get("/ok").await.ok();
    }
    let refused = browser.get("/ok").await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("x-retry-after").parse::<u64>().unwrap() > 3_500);
});

//! Second steps: securing an account, codes of apps, mailed codes, backup codes, trusted devices.

use serde_json::{Value, json};

use crate::support::{App, Browser, PASSWORD, TestDatabase, TestServer};

const GINA: &str = "gina@example.com";

async fn started(database: &TestDatabase) -> TestServer {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
    TestServer::on(database)
        .with("GOTRUE_MAILER_TEMPLATES_REAUTHENTICATION", template)
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_ISSUER", "Example")
        .start()
        .await
}

/// Gina, signed in, with an app that has shown a code, and her backup codes.
async fn secured(server: &TestServer) -> (Browser<'_>, App, Vec<String>) {
    let browser = Browser::on(server);
    browser.sign_up(GINA).await;
    let answer = browser.post("/two-factor/enable", json!({ "password": PASSWORD })).await.ok();
    let app = App::reading(answer["totpURI"].as_str().unwrap());
    let codes = answer["backupCodes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    browser.post("/two-factor/verify-totp", json!({ "code": app.code(-1) })).await.ok();
    (browser, app, codes)
}

/// A browser in which the password was right.
async fn waiting(server: &TestServer) -> Browser<'_> {
    let browser = Browser::on(server);
    let answer = browser.try_sign_in(GINA, PASSWORD).await.ok();
    assert_eq!(answer, json!({ "twoFactorRedirect": true, "twoFactorMethods": ["totp", "otp"] }));
    assert_eq!(browser.session().await, Value::Null);
    browser
}

async fn totp(browser: &Browser<'_>, code: &str) -> crate::support::Reply {
    browser.post("/two-factor/verify-totp", json!({ "code": code })).await
}

on_both_databases!(an_account_is_secured_once_its_app_has_shown_a_code, async |database| {
    let server = started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up(GINA).await;
    let wrong = browser.post("/two-factor/enable", json!({ "password": "wrong password" })).await;
    wrong.denied(400, "INVALID_PASSWORD", "Invalid password");
    let body = json!({ "password": PASSWORD });
    let refused = browser.post("/two-factor/generate-backup-codes", body.clone()).await;
    refused.denied(400, "TWO_FACTOR_NOT_ENABLED", "Two factor isn't enabled");
    let refused = browser.post("/two-factor/get-totp-uri", body.clone()).await;
    refused.denied(400, "TOTP_NOT_ENABLED", "TOTP not enabled");
    let answer = browser.post("/two-factor/enable", body.clone()).await.ok();
    assert_eq!((&answer["method"], answer["backupCodes"].as_array().unwrap().len()), (&json!("totp"), 10));
    let uri = answer["totpURI"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Example:gina%40example.com?secret="), "{uri}");
    assert!(uri.ends_with("&issuer=Example&digits=6&period=30"), "{uri}");
    // It does not count yet.
    Browser::on(&server).sign_in(GINA).await;
    let app = App::reading(uri);
    totp(&browser, "000000").await.denied(401, "INVALID_CODE", "Invalid code");
    let before = browser.session().await["session"]["token"].clone();
    let done = totp(&browser, &app.code(0)).await.ok();
    assert_eq!(done["user"]["twoFactorEnabled"], true);
    let after = browser.session().await;
    assert_ne!(after["session"]["token"], before);
    assert_eq!(after["session"]["token"], done["token"]);
    waiting(&server).await;
    let again = browser.post("/two-factor/enable", body.clone()).await;
    assert_eq!(again.json()["code"], "TOTP_ALREADY_ENABLED");
    assert_eq!(browser.post("/two-factor/get-totp-uri", body.clone()).await.ok()["totpURI"], uri);
    let signed_out = Browser::on(&server).post("/two-factor/enable", body).await;
    signed_out.denied(401, "UNAUTHORIZED", "Unauthorized");
    // The other protocol knows the app, too.
    let person = server.sign_in(GINA).await;
    let factors = server.factors_of(&person).await;
    assert_eq!((factors.len(), &factors[0]["status"]), (1, &json!("verified")));
});

on_both_databases!(the_same_code_opens_one_session, async |database| {
    let server = started(&database).await;
    let (_, app, _) = secured(&server).await;
    let (one, two) = (waiting(&server).await, waiting(&server).await);
    let code = app.code(0);
    totp(&one, "000000").await.denied(401, "INVALID_CODE", "Invalid code");
    let (first, second) = tokio::join!(totp(&one, &code), totp(&two, &code));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let third = waiting(&server).await;
    totp(&third, &code).await.denied(401, "INVALID_CODE", "Invalid code");
    let nobody = Browser::on(&server);
    let cookie = "Invalid two factor cookie";
    totp(&nobody, &app.code(1)).await.denied(401, "INVALID_TWO_FACTOR_COOKIE", cookie);
    // A sign-in that was finished is no second one.
    let winner = if first.status == 200 { &one } else { &two };
    assert_eq!(winner.session().await["user"]["twoFactorEnabled"], true);
    assert_eq!(winner.cookie("better-auth.two_factor"), None);
});

on_both_databases!(a_mailed_code_lets_in_once_whoever_guesses_in_parallel, async |database| {
    let server = started(&database).await;
    secured(&server).await;
    let browser = waiting(&server).await;
    let otp = async |code: &str| browser.post("/two-factor/verify-otp", json!({ "code": code })).await;
    otp("123456").await.denied(400, "OTP_HAS_EXPIRED", "OTP has expired");
    assert_eq!(browser.post("/two-factor/send-otp", json!({})).await.ok(), json!({ "status": true }));
    let code = server.mail_to(GINA, 1).await.code();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    otp(wrong).await.denied(401, "INVALID_CODE", "Invalid code");
    let (one, two, three) = tokio::join!(otp(&code), otp(&code), otp(&code));
    let opened = [one.status, two.status, three.status].iter().filter(|status| **status == 200).count();
    assert_eq!(opened, 1);
    // Five wrong ones void the code, and then it is gone.
    let browser = waiting(&server).await;
    let otp = async |code: &str| browser.post("/two-factor/verify-otp", json!({ "code": code })).await;
    browser.post("/two-factor/send-otp", json!({})).await.ok();
    let code = server.mail_to(GINA, 2).await.code();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(otp(wrong).await.status, 401);
    }
    let message = "Too many attempts. Please request a new code.";
    otp(&code).await.denied(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", message);
    otp(&code).await.denied(400, "OTP_HAS_EXPIRED", "OTP has expired");
});

on_both_databases!(a_backup_code_is_good_once_and_new_ones_replace_it, async |database| {
    let server = started(&database).await;
    let (gina, _, codes) = secured(&server).await;
    let try_code =
        async |browser: &Browser<'_>, body: Value| browser.post("/two-factor/verify-backup-code", body).await;
    let invalid = ("INVALID_BACKUP_CODE", "Invalid backup code");
    let browser = waiting(&server).await;
    try_code(&browser, json!({ "code": "aaaaa-bbbbb" })).await.denied(401, invalid.0, invalid.1);
    let done = try_code(&browser, json!({ "code": codes[0] })).await.ok();
    assert_eq!(browser.session().await["session"]["token"], done["token"]);
    let browser = waiting(&server).await;
    try_code(&browser, json!({ "code": codes[0] })).await.denied(401, invalid.0, invalid.1);
    let closed = try_code(&browser, json!({ "code": codes[1], "disableSession": true })).await.ok();
    assert_eq!((closed.get("token"), &closed["user"]["email"]), (None, &json!(GINA)));
    assert_eq!(browser.session().await, Value::Null);
    let fresh = gina.post("/two-factor/generate-backup-codes", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(fresh["backupCodes"].as_array().unwrap().len(), 10);
    let browser = waiting(&server).await;
    try_code(&browser, json!({ "code": codes[2] })).await.denied(401, invalid.0, invalid.1);
    try_code(&browser, json!({ "code": fresh["backupCodes"][3] })).await.ok();
});

on_both_databases!(a_trusted_device_needs_the_password_alone_until_it_changes, async |database| {
    let server = started(&database).await;
    let (_, app, _) = secured(&server).await;
    let browser = waiting(&server).await;
    let body = json!({ "code": app.code(0), "trustDevice": true });
    browser.post("/two-factor/verify-totp", body).await.ok();
    let first = browser.cookie("better-auth.trust_device").unwrap();
    for _ in 0..2 {
        browser.post("/sign-out", json!({})).await.ok();
        assert_eq!(browser.sign_in(GINA).await["user"]["email"], GINA);
    }
    // What it showed before is void.
    assert_ne!(browser.cookie("better-auth.trust_device"), Some(first.clone()));
    let thief = Browser::on(&server);
    thief.keep("better-auth.trust_device", &first);
    assert_eq!(thief.try_sign_in(GINA, PASSWORD).await.ok()["twoFactorRedirect"], true);
    // So is everything after a new password.
    let person = server.sign_in(GINA).await;
    let person = server.show_app(&person, &server_app(&server, &person, &app).await, 1).await;
    server.put(&person, "/user", json!({ "password": "a brand new password" })).await.ok();
    let answer = browser.try_sign_in(GINA, "a brand new password").await.ok();
    assert_eq!(answer["twoFactorRedirect"], true);
});

/// The same app, as the other protocol names it.
async fn server_app(server: &TestServer, person: &crate::support::Person, app: &App) -> App {
    let factors = server.factors_of(person).await;
    let mut app = app.clone();
    factors[0]["id"].as_str().unwrap().clone_into(&mut app.factor);
    app
}

on_both_databases!(guessing_locks_the_account_over_all_sign_ins, async |database| {
    let server = started(&database).await;
    let (_, app, _) = secured(&server).await;
    for _ in 0..2 {
        let browser = waiting(&server).await;
        for _ in 0..5 {
            totp(&browser, "000000").await.denied(401, "INVALID_CODE", "Invalid code");
        }
    }
    let browser = waiting(&server).await;
    let locked = totp(&browser, &app.code(0)).await;
    assert_eq!((locked.status, &locked.json()["code"]), (429, &json!("ACCOUNT_TEMPORARILY_LOCKED")));
});

on_both_databases!(five_wrong_answers_end_a_sign_in, async |database| {
    let server = started(&database).await;
    let (_, app, _) = secured(&server).await;
    let browser = waiting(&server).await;
    for _ in 0..5 {
        assert_eq!(totp(&browser, "000000").await.status, 401);
    }
    let message = "Too many attempts. Please request a new code.";
    totp(&browser, &app.code(0)).await.denied(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", message);
    let cookie = "Invalid two factor cookie";
    totp(&browser, &app.code(0)).await.denied(401, "INVALID_TWO_FACTOR_COOKIE", cookie);
});

on_both_databases!(codes_by_mail_alone_and_nothing_at_all, async |database| {
    let server = started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up(GINA).await;
    let body = json!({ "password": PASSWORD, "method": "otp" });
    assert_eq!(browser.post("/two-factor/enable", body).await.ok(), json!({ "method": "otp" }));
    assert_eq!(browser.session().await["user"]["twoFactorEnabled"], true);
    let other = Browser::on(&server);
    let asked = other.try_sign_in(GINA, PASSWORD).await.ok();
    assert_eq!(asked, json!({ "twoFactorRedirect": true, "twoFactorMethods": ["otp"] }));
    totp(&other, "123456").await.denied(400, "TOTP_NOT_ENABLED", "TOTP not enabled");
    let backup = other.post("/two-factor/verify-backup-code", json!({ "code": "aaaaa-bbbbb" })).await;
    backup.denied(400, "BACKUP_CODES_NOT_ENABLED", "Backup codes aren't enabled");
    let wrong = browser.post("/two-factor/disable", json!({ "password": "wrong password" })).await;
    wrong.denied(400, "INVALID_PASSWORD", "Invalid password");
    let before = browser.session().await["session"]["token"].clone();
    assert_eq!(
        browser.post("/two-factor/disable", json!({ "password": PASSWORD })).await.ok(),
        json!({ "status": true })
    );
    let after = browser.session().await;
    assert_ne!(after["session"]["token"], before);
    assert_eq!(after["user"]["twoFactorEnabled"], false);
    other.sign_in(GINA).await;
});

on_both_databases!(a_session_that_began_with_the_password_alone_opens_nothing_here, async |database| {
    let server = started(&database).await;
    let (browser, ..) = secured(&server).await;
    let own = browser.session().await["session"]["token"].clone();
    // The other protocol begins sessions before the second step.
    server.sign_in(GINA).await;
    let listed = browser.get("/list-sessions").await.ok();
    let half = listed.as_array().unwrap().iter().find(|session| session["token"] != own).unwrap();
    let token = half["token"].as_str().unwrap();
    let thief = Browser::on(&server);
    let ask = || server.request(reqwest::Method::GET, "/api/auth/get-session").bearer_auth(token);
    assert_eq!(thief.send(ask()).await.ok(), Value::Null);
    assert_eq!(browser.session().await["session"]["token"], own);
});

on_both_databases!(an_app_counts_at_once_where_the_owner_wants_it, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_SKIP_VERIFICATION_ON_ENABLE", "true")
        .start()
        .await;
    let browser = Browser::on(&server);
    browser.sign_up(GINA).await;
    let answer = browser.post("/two-factor/enable", json!({ "password": PASSWORD })).await.ok();
    let app = App::reading(answer["totpURI"].as_str().unwrap());
    assert_eq!(browser.session().await["user"]["twoFactorEnabled"], true);
    let other = waiting(&server).await;
    totp(&other, &app.code(0)).await.ok();
    assert_eq!(other.session().await["user"]["email"], GINA);
});

on_both_databases!(second_steps_are_as_the_owner_wants_them, async |database| {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_TEMPLATES_REAUTHENTICATION", template)
        .with("EVIDENT_BETTER_AUTH_BACKUP_CODES", "4")
        .with("EVIDENT_BETTER_AUTH_TRUST_DEVICE_LIFETIME", "1h")
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_CHALLENGE_LIFETIME", "90s")
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_ATTEMPTS", "2")
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_CODE_LENGTH", "8")
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_CODES_PER_HOUR", "1")
        .start()
        .await;
    let (_, app, codes) = secured(&server).await;
    assert_eq!(codes.len(), 4);
    let browser = Browser::on(&server);
    let lines = browser.try_sign_in(GINA, PASSWORD).await.set_cookies();
    let challenge = lines.iter().find(|line| line.contains(".two_factor=")).unwrap();
    assert!(challenge.contains("; Max-Age=90;"), "{challenge}");
    browser.post("/two-factor/send-otp", json!({})).await.ok();
    let code = server.mail_to(GINA, 1).await.digits(8);
    browser.post("/two-factor/verify-otp", json!({ "code": code })).await.ok();
    let browser = waiting(&server).await;
    assert_eq!(browser.post("/two-factor/send-otp", json!({})).await.status, 429, "one mail an hour");
    for _ in 0..2 {
        assert_eq!(totp(&browser, "000000").await.status, 401);
    }
    let message = "Too many attempts. Please request a new code.";
    totp(&browser, &app.code(0)).await.denied(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", message);
    let browser = waiting(&server).await;
    let body = json!({ "code": app.code(0), "trustDevice": true });
    let lines = browser.post("/two-factor/verify-totp", body).await.set_cookies();
    let trusted = lines.iter().find(|line| line.contains(".trust_device=")).unwrap();
    assert!(trusted.contains("; Max-Age=3600;"), "{trusted}");
});

on_both_databases!(an_account_is_locked_when_the_owner_wants_it, async |database| {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_TEMPLATES_REAUTHENTICATION", template)
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_LOCK_AFTER", "2")
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_LOCK_DURATION", "3s")
        .with("EVIDENT_BETTER_AUTH_TWO_FACTOR_CODE_LIFETIME", "1ms")
        .start()
        .await;
    let (_, app, _) = secured(&server).await;
    let browser = waiting(&server).await;
    browser.post("/two-factor/send-otp", json!({})).await.ok();
    let late = json!({ "code": server.mail_to(GINA, 1).await.code() });
    let late = browser.post("/two-factor/verify-otp", late).await;
    late.denied(400, "OTP_HAS_EXPIRED", "OTP has expired");
    for _ in 0..2 {
        assert_eq!(totp(&browser, "000000").await.status, 401);
    }
    let locked = totp(&browser, &app.code(0)).await;
    assert_eq!((locked.status, &locked.json()["code"]), (429, &json!("ACCOUNT_TEMPORARILY_LOCKED")));
    // After its time it is open again.
    let since = std::time::Instant::now();
    while totp(&browser, &app.code(0)).await.status == 429 {
        assert!(since.elapsed().as_secs() < 20, "the lock does not end");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    assert!(browser.session().await.is_object());
});

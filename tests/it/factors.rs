//! `/factors`: authenticator apps as second factors, and what a session gains by them.

use serde_json::json;

use crate::support::{Anonymous, Bearer, JWT_SECRET, Person, TestServer, sign_hs256};

const LOW: &str = "AAL2 session is required to update email or password when MFA is enabled.";

on_both_databases!(an_app_is_enrolled_shown_and_makes_the_session_surer, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let before = server.head();
    let body = json!({ "factor_type": "totp", "friendly_name": "Gina's phone", "issuer": "Example" });
    let enrolled = server.post(&gina, "/factors", body).await.ok();
    assert_eq!((&enrolled["type"], &enrolled["friendly_name"]), (&json!("totp"), &json!("Gina's phone")));
    assert!(enrolled.get("phone").is_none());
    let totp = &enrolled["totp"];
    let secret = totp["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    assert_eq!(
        totp["uri"],
        format!(
            "otpauth://totp/Example:gina@example.com?algorithm=SHA1&digits=6&issuer=Example&period=30&secret={secret}"
        )
    );
    assert!(totp["qr_code"].as_str().unwrap().contains("<svg"));
    let shown = server.factors_of(&gina).await;
    assert_eq!((&shown[0]["status"], &shown[0]["factor_type"]), (&json!("unverified"), &json!("totp")));
    assert_eq!((&shown[0]["phone"], &shown[0]["last_challenged_at"]), (&json!(""), &json!(null)));
    server.assert_log(before, &["user.factor_enrolled"]);

    let app = server.enroll_app(&gina, "other").await;
    let other = server.sign_in("gina@example.com").await;
    let asked = server.post_empty(&gina, &format!("/factors/{}/challenge", app.factor)).await.ok();
    assert_eq!(asked["type"], "totp");
    assert!(asked["expires_at"].as_i64().unwrap() > 1_700_000_000);
    let challenge = asked["id"].as_str().unwrap();
    let wrong = if app.code(0) == "000000" { "111111" } else { "000000" };
    server.answer(&gina, &app.factor, challenge, wrong).await.refused(
        422,
        "mfa_verification_failed",
        "Invalid TOTP code entered",
    );
    let before = server.head();
    let reply = server.answer(&gina, &app.factor, challenge, &app.code(0)).await;
    assert_eq!(reply.header("sb-auth-session-id"), "");
    assert_eq!(reply.header("cache-control"), "no-store");
    let surer = Person::of_session(&reply.ok());
    // The streams of a commit have no order among themselves.
    let mut happened: Vec<_> = server.events_since(before).into_iter().map(|event| event.kind).collect();
    happened.sort();
    let expected = ["session.revoked", "session.stepped_up", "user.factor_removed", "user.factor_verified"];
    assert_eq!(happened, expected);
    let claims = surer.claims();
    assert_eq!(claims["aal"], "aal2");
    let methods: Vec<_> = claims["amr"].as_array().unwrap().iter().map(|entry| &entry["method"]).collect();
    assert_eq!(methods, ["totp", "password"]);
    assert_eq!(surer.session_id(), gina.session_id());
    assert_eq!(surer.user["factors"][0]["status"], "verified");
    assert_eq!(surer.user["factors"].as_array().unwrap().len(), 1, "the unverified one of its kind is gone");

    // The sessions that have shown nothing, and the refresh token from before, are void.
    assert_eq!(server.get(&other, "/user").await.error_code(403), "session_not_found");
    assert_eq!(server.try_refresh(&gina.refresh_token).await.error_code(400), "refresh_token_already_used");
    let next = Person::of_session(&server.try_refresh(&surer.refresh_token).await.ok());
    assert_eq!(next.claims()["aal"], "aal2");
    server.get(&gina, "/user").await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(a_new_sign_in_starts_low_and_may_not_touch_the_ways_in, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let surer = server.show_app(&gina, &app, 0).await;
    let low = server.sign_in("gina@example.com").await;
    assert_eq!(low.claims()["aal"], "aal1");
    assert_eq!(low.user["factors"][0]["status"], "verified");
    for body in [
        json!({ "password": "another password" }),
        json!({ "email": "gina@example.net" }),
        json!({ "phone": "+15550001111" }),
        json!({ "password": crate::support::PASSWORD }),
    ] {
        server.put(&low, "/user", body).await.refused(401, "insufficient_aal", LOW);
    }
    server.put(&low, "/user", json!({ "data": { "a": 1 } })).await.ok();
    let bare = json!({ "sub": gina.id, "aud": "authenticated", "role": "authenticated" });
    let bare = Bearer(sign_hs256(&bare, JWT_SECRET));
    server.put(&bare, "/user", json!({ "password": "another password" })).await.refused(
        401,
        "insufficient_aal",
        LOW,
    );
    server.post(&low, "/factors", json!({ "factor_type": "totp", "friendly_name": "2" })).await.refused(
        403,
        "insufficient_aal",
        "AAL2 required to enroll a new factor",
    );
    let path = format!("/factors/{}", app.factor);
    server.delete(&low, &path, None).await.refused(
        422,
        "insufficient_aal",
        "AAL2 required to unenroll verified factor",
    );
    server.put(&surer, "/user", json!({ "password": "another password" })).await.ok();
});

on_both_databases!(without_the_factor_its_proof_counts_no_more, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let surer = server.show_app(&gina, &app, 0).await;
    let before = server.head();
    let path = format!("/factors/{}", app.factor);
    let removed = server.delete(&surer, &path, None).await.ok();
    assert_eq!(removed, json!({ "id": app.factor }));
    server.assert_log(before, &["user.factor_removed", "session.stepped_down"]);
    server.delete(&surer, &path, None).await.refused(404, "mfa_factor_not_found", "Factor not found");
    assert!(server.get(&surer, "/user").await.ok().get("factors").is_none());
    let next = Person::of_session(&server.try_refresh(&surer.refresh_token).await.ok());
    assert_eq!(next.claims()["aal"], "aal1");
    assert_eq!(next.claims()["amr"].as_array().unwrap().len(), 1);
    server.put(&next, "/user", json!({ "password": "another password" })).await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(of_two_factors_the_one_that_stays_still_counts, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let first = server.enroll_app(&gina, "first").await;
    let surer = server.show_app(&gina, &first, 0).await;
    let second = server.enroll_app(&surer, "second").await;
    let both = server.show_app(&surer, &second, 0).await;
    server.delete(&both, &format!("/factors/{}", first.factor), None).await.ok();
    let next = Person::of_session(&server.try_refresh(&both.refresh_token).await.ok());
    assert_eq!(next.claims()["aal"], "aal2");
    // Checks and tokens have one source: the route agrees with the token.
    server.delete(&next, &format!("/factors/{}", second.factor), None).await.ok();
});

on_both_databases!(what_cannot_be_enrolled, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_MFA_MAX_ENROLLED_FACTORS", "2")
        .with("GOTRUE_MFA_PHONE_ENROLL_ENABLED", "true")
        .start()
        .await;
    let gina = server.sign_up("gina@example.com").await;
    let enroll = async |body| server.post(&gina, "/factors", body).await;
    enroll(json!({ "factor_type": "carrier pigeon" })).await.refused(
        400,
        "validation_failed",
        "factor_type needs to be totp, phone, or webauthn",
    );
    enroll(json!({ "factor_type": "webauthn" })).await.refused(
        422,
        "mfa_webauthn_enroll_not_enabled",
        "MFA enroll is disabled for WebAuthn",
    );
    enroll(json!({ "factor_type": "phone" })).await.refused(
        400,
        "validation_failed",
        "Phone number required to enroll Phone factor",
    );
    enroll(json!({ "factor_type": "phone", "phone": "x" })).await.refused(
        400,
        "validation_failed",
        "Invalid phone number format (E.164 required)",
    );
    enroll(json!({ "factor_type": "totp", "issuer": "x".repeat(256) })).await.error_code(400);
    enroll(json!({ "factor_type": "totp", "issuer": "a&b <script>\u{1f600}" })).await.ok();
    enroll(json!({ "factor_type": "totp" })).await.ok();
    enroll(json!({ "factor_type": "totp", "friendly_name": "third" })).await.refused(
        422,
        "too_many_enrolled_mfa_factors",
        "Maximum number of verified factors reached, unenroll to continue",
    );
    let other = server.sign_up("other@example.com").await;
    server.enroll_app(&other, "app").await;
    server.post(&other, "/factors", json!({ "factor_type": "totp", "friendly_name": "app" })).await.refused(
        422,
        "mfa_factor_name_conflict",
        "A factor with the friendly name \"app\" for this user already exists",
    );
    server.post(&Anonymous, "/factors", json!({ "factor_type": "totp" })).await.refused(
        401,
        "no_authorization",
        "This endpoint requires a valid Bearer token",
    );
    let bare = json!({ "sub": other.id, "aud": "authenticated", "role": "authenticated" });
    let reply = server
        .post(&Bearer(sign_hs256(&bare, JWT_SECRET)), "/factors", json!({ "factor_type": "totp" }))
        .await;
    assert_eq!(reply.error_code(403), "bad_jwt");
});

on_both_databases!(what_is_no_answer, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let bob = server.sign_up("bob@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let unknown = "11111111-1111-4111-8111-111111111111";
    server.answer(&gina, &app.factor, unknown, "123456").await.refused(
        422,
        "mfa_factor_not_found",
        "MFA factor with the provided challenge ID not found",
    );
    let challenge = server.challenge(&gina, &app.factor).await;
    let path = format!("/factors/{}/verify", app.factor);
    server.post(&gina, &path, json!({ "challenge_id": challenge })).await.refused(
        400,
        "validation_failed",
        "Code needs to be non-empty",
    );
    assert_eq!(server.post(&gina, &path, json!({ "challenge_id": "x" })).await.error_code(400), "bad_json");
    for code in ["x", "1234567890123", "\u{0}", "１２３４５６", "-00001"] {
        let status = server.answer(&gina, &app.factor, &challenge, code).await.status;
        assert!((400..500).contains(&status), "{code:?}: {status}");
    }
    server.post(&gina, &format!("/factors/{unknown}/challenge"), json!({})).await.refused(
        404,
        "mfa_factor_not_found",
        "Factor not found",
    );
    server.post(&gina, "/factors/x/challenge", json!({})).await.refused(
        404,
        "validation_failed",
        "factor_id must be an UUID",
    );
    for (method, rest) in [("POST", "/challenge"), ("POST", "/verify"), ("DELETE", "")] {
        let path = format!("/factors/{}{rest}", app.factor);
        let request = server.request(method.parse().unwrap(), &path).bearer_auth(&bob.access_token);
        assert_eq!(server.send(request.json(&json!({}))).await.error_code(404), "mfa_factor_not_found");
    }
});

on_both_databases!(apps_may_be_switched_off, async |database| {
    let mut server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    server.stop();
    server.set("GOTRUE_MFA_TOTP_ENROLL_ENABLED", "false");
    server.set("GOTRUE_MFA_TOTP_VERIFY_ENABLED", "false");
    server.start().await;
    server.post(&gina, "/factors", json!({ "factor_type": "totp" })).await.refused(
        422,
        "mfa_totp_enroll_not_enabled",
        "MFA enroll is disabled for TOTP",
    );
    for rest in ["challenge", "verify"] {
        let path = format!("/factors/{}/{rest}", app.factor);
        server.post(&gina, &path, json!({})).await.refused(
            422,
            "mfa_totp_verify_not_enabled",
            "MFA verification is disabled for TOTP",
        );
    }
});

on_both_databases!(factors_that_come_and_go_are_told_by_mail, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_NOTIFICATIONS_MFA_FACTOR_ENROLLED_ENABLED", "true")
        .with("GOTRUE_MAILER_NOTIFICATIONS_MFA_FACTOR_UNENROLLED_ENABLED", "true")
        .with("GOTRUE_MAILER_SUBJECTS_MFA_FACTOR_ENROLLED_NOTIFICATION", "{{ .FactorType }} came")
        .with("GOTRUE_MAILER_SUBJECTS_MFA_FACTOR_UNENROLLED_NOTIFICATION", "{{ .FactorType }} went")
        .start()
        .await;
    let ada = server.sign_up("ada@example.com").await;
    // What was never shown is no news.
    let left = server.enroll_app(&ada, "left").await;
    server.delete(&ada, &format!("/factors/{}", left.factor), None).await.ok();
    let app = server.enroll_app(&ada, "app").await;
    let ada = server.show_app(&ada, &app, -1).await;
    let mail = server.mail_to("ada@example.com", 1).await;
    assert!(mail.text.contains("Subject: totp came"), "{}", mail.text);
    // Showing it again is none, either.
    let ada = server.show_app(&ada, &app, 0).await;
    server.delete(&ada, &format!("/factors/{}", app.factor), None).await.ok();
    let mail = server.mail_to("ada@example.com", 2).await;
    assert!(mail.text.contains("Subject: totp went"), "{}", mail.text);
});

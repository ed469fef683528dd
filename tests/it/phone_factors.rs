//! Phones as second factors.

use serde_json::json;

use crate::support::{Person, TestDatabase, TestServer};

async fn server(database: &TestDatabase) -> TestServer {
    TestServer::on(database)
        .with("GOTRUE_MFA_PHONE_ENROLL_ENABLED", "true")
        .with("GOTRUE_MFA_PHONE_VERIFY_ENABLED", "true")
        .with("GOTRUE_MFA_PHONE_TEMPLATE", "Second factor: {{ .Code }}")
        .start()
        .await
}

on_both_databases!(a_phone_gets_a_code_and_the_code_is_the_proof, async |database| {
    let server = server(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let body = json!({ "factor_type": "phone", "friendly_name": "text", "phone": "+1 500 555 0101" });
    let enrolled = server.post(&gina, "/factors", body).await.ok();
    let id = enrolled["id"].as_str().unwrap();
    assert_eq!(
        enrolled,
        json!({ "id": id, "type": "phone", "friendly_name": "text", "phone": "+1 500 555 0101" })
    );
    assert_eq!(server.factors_of(&gina).await[0]["phone"], "15005550101");
    let challenge_path = format!("/factors/{id}/challenge");
    assert_eq!(server.post_empty(&gina, &challenge_path).await.error_code(400), "bad_json");
    assert_eq!(
        server.post(&gina, &challenge_path, json!({ "channel": "pigeon" })).await.error_code(400),
        "validation_failed"
    );
    let before = server.head();
    let asked = server.post(&gina, &challenge_path, json!({ "channel": "sms" })).await.ok();
    server.assert_log(before, &["user.factor_challenged"]);
    let challenge = asked["id"].as_str().unwrap();
    let text = server.text_to("15005550101", 1).await;
    assert!(text.text.contains("Second factor: "), "{}", text.text);
    let again = server.post(&gina, &challenge_path, json!({})).await;
    assert_eq!(again.error_code(429), "over_sms_send_rate_limit");
    assert!(again.text.contains("For security purposes, you can only request this after"));
    let wrong = if text.code() == "000000" { "111111" } else { "000000" };
    server.answer(&gina, id, challenge, wrong).await.refused(
        422,
        "mfa_verification_failed",
        "Invalid MFA Phone code entered",
    );
    let surer = Person::of_session(&server.answer(&gina, id, challenge, &text.code()).await.ok());
    assert_eq!(surer.claims()["aal"], "aal2");
    assert_eq!(surer.claims()["amr"][0]["method"], "mfa/phone");
    let again = json!({ "factor_type": "phone", "phone": "15005550101" });
    server.post(&surer, "/factors", again).await.refused(
        422,
        "mfa_verified_factor_exists",
        "A verified phone factor already exists, unenroll the existing factor to continue",
    );
    server.assert_log_is_whole();
});

on_both_databases!(a_number_enrolled_again_takes_the_place_of_the_unverified_one, async |database| {
    let server = server(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let body = json!({ "factor_type": "phone", "phone": "15005550101" });
    let first = server.post(&gina, "/factors", body.clone()).await.ok();
    let second = server.post(&gina, "/factors", body).await.ok();
    assert_ne!(first["id"], second["id"]);
    let factors = server.factors_of(&gina).await;
    assert_eq!(factors.len(), 1);
    assert_eq!(factors[0]["id"], second["id"]);
});

on_both_databases!(a_code_by_text_opens_one_step_up, async |database| {
    let server = server(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let body = json!({ "factor_type": "phone", "phone": "15005550101" });
    let enrolled = server.post(&gina, "/factors", body).await.ok();
    let id = enrolled["id"].as_str().unwrap();
    let challenge = server.challenge(&gina, id).await;
    let code = server.text_to("15005550101", 1).await.code();
    let replies =
        futures::future::join_all((0..6).map(|_| server.answer(&gina, id, &challenge, &code))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
});

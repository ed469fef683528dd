//! Authenticators (Web Authentication) as second factors.

use serde_json::{Value, json};

use crate::support::{Person, Reply, SoftwareKey, TestDatabase, TestServer};

async fn server(database: &TestDatabase) -> TestServer {
    TestServer::on(database)
        .with("GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED", "true")
        .with("GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED", "true")
        .with("GOTRUE_WEBAUTHN_RP_ID", "localhost")
        .with("GOTRUE_WEBAUTHN_RP_DISPLAY_NAME", "Example")
        .with("GOTRUE_WEBAUTHN_RP_ORIGINS", "http://localhost:3000")
        .start()
        .await
}

async fn ask(server: &TestServer, person: &Person, factor: &str) -> (String, Value) {
    let asked = server.post(person, &format!("/factors/{factor}/challenge"), json!({})).await.ok();
    (asked["id"].as_str().unwrap().to_owned(), asked["webauthn"].clone())
}

async fn answer(
    server: &TestServer,
    person: &Person,
    factor: &str,
    challenge: &str,
    kind: &str,
    response: &Value,
) -> Reply {
    let body = json!({
        "challenge_id": challenge, "webauthn": { "type": kind, "credential_response": response }
    });
    server.post(person, &format!("/factors/{factor}/verify"), body).await
}

/// A factor that has shown itself, its key, and the session that is surer by it.
async fn with_key(server: &TestServer, person: &Person) -> (String, SoftwareKey, Person) {
    let body = json!({ "factor_type": "webauthn", "friendly_name": "key" });
    let factor = server.post(person, "/factors", body).await.ok()["id"].as_str().unwrap().to_owned();
    let (challenge, asked) = ask(server, person, &factor).await;
    let mut key = SoftwareKey::new();
    let made = key.create(&asked["credential_options"]["publicKey"]);
    let reply = answer(server, person, &factor, &challenge, "create", &made).await;
    (factor, key, Person::of_session(&reply.ok()))
}

const NOT_GOOD: &str = "Failed to validate WebAuthn MFA response";

on_both_databases!(an_authenticator_makes_its_key_and_signs_later, async |database| {
    let server = server(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let body = json!({ "factor_type": "webauthn", "friendly_name": "key" });
    let enrolled = server.post(&gina, "/factors", body).await.ok();
    let factor = enrolled["id"].as_str().unwrap();
    assert_eq!(enrolled, json!({ "id": factor, "type": "webauthn", "friendly_name": "key" }));
    let (challenge, asked) = ask(&server, &gina, factor).await;
    assert_eq!(asked["type"], "create");
    let options = &asked["credential_options"]["publicKey"];
    assert_eq!(options["rp"], json!({ "name": "Example", "id": "localhost" }));
    assert_eq!(options["user"]["name"], "gina@example.com");
    assert_eq!(options["authenticatorSelection"], json!({}));
    let mut key = SoftwareKey::new();
    let made = key.create(options);
    let reply = answer(&server, &gina, factor, &challenge, "create", &made).await;
    let surer = Person::of_session(&reply.ok());
    assert_eq!(surer.claims()["amr"][0]["method"], "mfa/webauthn");
    let shown = &surer.user["factors"][0];
    assert_eq!(shown["web_authn_aaguid"], "00000000-0000-0000-0000-000000000000");
    assert!(shown.get("last_webauthn_challenge_data").is_none());

    let low = server.sign_in("gina@example.com").await;
    let (challenge, asked) = ask(&server, &low, factor).await;
    assert_eq!(asked["type"], "request");
    let options = &asked["credential_options"]["publicKey"];
    assert_eq!(options["rpId"], "localhost");
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
    let signed = key.sign(options);
    let surer = answer(&server, &low, factor, &challenge, "request", &signed).await.ok();
    assert_eq!(Person::of_session(&surer).claims()["aal"], "aal2");
    let again = answer(&server, &low, factor, &challenge, "request", &signed).await;
    assert_eq!(again.error_code(422), "mfa_ip_address_mismatch");
    server.assert_log_is_whole();
});

on_both_databases!(what_no_key_of_this_factor_signed_is_refused, async |database| {
    let server = server(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let (factor, mut key, _) = with_key(&server, &gina).await;
    let low = server.sign_in("gina@example.com").await;
    let (challenge, asked) = ask(&server, &low, &factor).await;
    let options = asked["credential_options"]["publicKey"].clone();
    let other_challenge = {
        let mut options = options.clone();
        options["challenge"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        key.sign(&options)
    };
    let elsewhere = SoftwareKey { origin: "https://evil.example".to_owned(), ..key.clone() }.sign(&options);
    let somebody = SoftwareKey::new().sign(&options);
    for forged in [other_challenge, elsewhere, somebody] {
        let reply = answer(&server, &low, &factor, &challenge, "request", &forged).await;
        reply.refused(422, "mfa_verification_failed", NOT_GOOD);
    }
    // Whoever asks for a new key of a factor that has one gets none.
    let made = SoftwareKey::new().create(&json!({
        "rp": { "id": "localhost" }, "user": { "id": "x" }, "challenge": options["challenge"]
    }));
    let reply = answer(&server, &low, &factor, &challenge, "create", &made).await;
    reply.refused(422, "mfa_verification_failed", NOT_GOOD);
    let good = answer(&server, &low, &factor, &challenge, "request", &key.sign(&options)).await;
    good.ok();
});

on_both_databases!(a_counter_that_went_back_is_noticed, async |database| {
    let server = server(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let (factor, mut key, _) = with_key(&server, &gina).await;
    key.counter = 0;
    let low = server.sign_in("gina@example.com").await;
    let (challenge, asked) = ask(&server, &low, &factor).await;
    let before = server.head();
    let signed = key.sign(&asked["credential_options"]["publicKey"]);
    let reply = answer(&server, &low, &factor, &challenge, "request", &signed).await;
    reply.refused(422, "mfa_verification_failed", NOT_GOOD);
    let kinds: Vec<_> = server.events_since(before).into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&"attempt.authenticator_suspected".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"user.factor_challenge_missed".to_owned()), "{kinds:?}");
});

on_both_databases!(what_does_not_read, async |database| {
    let server = server(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let (factor, _, surer) = with_key(&server, &gina).await;
    let (challenge, _) = ask(&server, &surer, &factor).await;
    let path = format!("/factors/{factor}/verify");
    let send = async |webauthn: Value| {
        let body = json!({ "challenge_id": challenge, "webauthn": webauthn });
        server.post(&surer, &path, body).await
    };
    send(Value::Null).await.refused(400, "validation_failed", "WebAuthn config required");
    send(json!({ "type": "x" })).await.refused(
        400,
        "validation_failed",
        "WebAuthn type must be create or request",
    );
    send(json!({ "type": "request" })).await.refused(
        400,
        "validation_failed",
        "credential_response required",
    );
    for hostile in [
        json!("x"),
        json!([]),
        json!({}),
        json!({ "id": "", "rawId": "", "type": "", "response": {} }),
        json!({ "id": 1 }),
    ] {
        send(json!({ "type": "request", "credential_response": hostile })).await.refused(
            400,
            "validation_failed",
            "Invalid credential_response",
        );
    }
    for bytes in ["", "AA", "oA", "n5-fn5-fn58", "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUEA"] {
        let response = json!({
            "clientDataJSON": bytes, "attestationObject": bytes,
            "authenticatorData": bytes, "signature": bytes,
        });
        let hostile = json!({ "id": "AA", "rawId": "AA", "type": "public-key", "response": response });
        for kind in ["create", "request"] {
            let status = send(json!({ "type": kind, "credential_response": hostile })).await.status;
            assert!((400..500).contains(&status), "{bytes} {kind}: {status}");
        }
    }
});

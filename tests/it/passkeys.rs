//! `/passkeys`: signing in without a password.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Anonymous, Caller, Person, Reply, ServiceRole, SoftwareKey, TestDatabase, TestServer};

pub(super) async fn server(database: &TestDatabase) -> TestServer {
    TestServer::on(database)
        .with("GOTRUE_PASSKEY_ENABLED", "true")
        .with("GOTRUE_PASSKEY_MAX_PASSKEYS_PER_USER", "2")
        .with("GOTRUE_WEBAUTHN_RP_ID", "localhost")
        .with("GOTRUE_WEBAUTHN_RP_DISPLAY_NAME", "Example")
        .with("GOTRUE_WEBAUTHN_RP_ORIGINS", "http://localhost:3000")
        .start()
        .await
}

/// Asks; gives the question's id and the options.
async fn ask(server: &TestServer, caller: &impl Caller, what: &str) -> (String, Value) {
    let asked = server.post(caller, &format!("/passkeys/{what}/options"), json!({})).await.ok();
    (asked["challenge_id"].as_str().unwrap().to_owned(), asked["options"].clone())
}

async fn answer(
    server: &TestServer,
    caller: &impl Caller,
    what: &str,
    id: &str,
    credential: &Value,
) -> Reply {
    let body = json!({ "challenge_id": id, "credential": credential });
    server.post(caller, &format!("/passkeys/{what}/verify"), body).await
}

pub(super) async fn with_passkey(server: &TestServer, person: &Person) -> (String, SoftwareKey) {
    let (id, options) = ask(server, person, "registration").await;
    let mut key = SoftwareKey::new();
    let made = key.create(&options);
    let added = answer(server, person, "registration", &id, &made).await.ok();
    (added["id"].as_str().unwrap().to_owned(), key)
}

async fn sign_in(server: &TestServer, key: &mut SoftwareKey) -> Reply {
    let (id, options) = ask(server, &Anonymous, "authentication").await;
    let signed = key.sign(&options);
    answer(server, &Anonymous, "authentication", &id, &signed).await
}

const USED: &str = "Challenge not found or already used";
const NOT_GOOD: &str = "Credential verification failed";

on_both_databases!(a_passkey_is_added_signs_in_is_renamed_and_goes, async |database| {
    let server = server(&database).await;
    assert_eq!(server.get(&Anonymous, "/settings").await.ok()["passkeys_enabled"], true);
    let hugo = server.sign_up("hugo@example.com").await;
    let before = server.head();
    let (id, options) = ask(&server, &hugo, "registration").await;
    server.assert_log(before, &[]);
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "preferred");
    assert!(options.get("excludeCredentials").is_none());
    let mut key = SoftwareKey::new();
    let made = key.create(&options);
    let added = answer(&server, &hugo, "registration", &id, &made).await.ok();
    assert_eq!(added["friendly_name"], "Passkey");
    assert!(added.get("last_used_at").is_none());
    server.assert_log(before, &["user.passkey_added", "flow.answered"]);
    let (_, options) = ask(&server, &hugo, "registration").await;
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1);
    answer(&server, &hugo, "registration", &id, &made).await.refused(
        400,
        "webauthn_challenge_not_found",
        USED,
    );
    assert_eq!(server.get(&hugo, "/passkeys").await.ok(), json!([added]));

    let (_, options) = ask(&server, &Anonymous, "authentication").await;
    assert_eq!(options["userVerification"], "preferred");
    assert!(options.get("allowCredentials").is_none() && options.get("publicKey").is_none());
    let reply = sign_in(&server, &mut key).await;
    assert_eq!(reply.header("sb-auth-user-id"), hugo.id);
    let back = Person::of_session(&reply.ok());
    assert_eq!((back.id.as_str(), &back.claims()["aal"]), (hugo.id.as_str(), &json!("aal1")));
    assert_eq!(back.claims()["amr"][0]["method"], "passkey");
    assert!(server.get(&back, "/passkeys").await.ok()[0]["last_used_at"].is_string());

    let path = format!("/passkeys/{}", added["id"].as_str().unwrap());
    let patch = async |body: Value| {
        let request = server.request(reqwest::Method::PATCH, &path).bearer_auth(&back.access_token);
        server.send(request.json(&body)).await
    };
    let renamed = patch(json!({ "friendly_name": "Hugo's laptop" })).await.ok();
    assert_eq!(renamed["friendly_name"], "Hugo's laptop");
    patch(json!({})).await.refused(400, "validation_failed", "friendly_name is required");
    patch(json!({ "friendly_name": "x".repeat(121) })).await.refused(
        400,
        "validation_failed",
        "friendly_name must be 120 characters or less",
    );
    server.delete(&back, &path, None).await.no_content();
    server.delete(&back, &path, None).await.refused(404, "validation_failed", "Passkey not found");
    server.delete(&back, "/passkeys/x", None).await.refused(404, "validation_failed", "Passkey not found");
    assert_eq!(server.get(&back, "/passkeys").await.ok(), json!([]));
    sign_in(&server, &mut key).await.refused(400, "webauthn_verification_failed", NOT_GOOD);
    server.assert_log_is_whole();
});

on_both_databases!(one_answer_opens_one_session, async |database| {
    let server = server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let (_, mut key) = with_passkey(&server, &hugo).await;
    let (id, options) = ask(&server, &Anonymous, "authentication").await;
    let signed = key.sign(&options);
    let replies = join_all((0..6).map(|_| answer(&server, &Anonymous, "authentication", &id, &signed))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    let refused = replies.iter().find(|reply| reply.status != 200).unwrap();
    refused.refused(400, "webauthn_challenge_not_found", USED);
});

on_both_databases!(what_proves_nothing_uses_the_question_up, async |database| {
    let server = server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let bob = server.sign_up("bob@example.com").await;
    let (_, mut key) = with_passkey(&server, &hugo).await;
    let (id, options) = ask(&server, &Anonymous, "authentication").await;
    let stolen_name =
        SoftwareKey { user_handle: key.user_handle.clone(), ..SoftwareKey::new() }.sign(&options);
    answer(&server, &Anonymous, "authentication", &id, &stolen_name).await.refused(
        400,
        "webauthn_verification_failed",
        NOT_GOOD,
    );
    let good = key.sign(&options);
    answer(&server, &Anonymous, "authentication", &id, &good).await.refused(
        400,
        "webauthn_challenge_not_found",
        USED,
    );
    // A key says whose it is; another name is not believed.
    let (id, options) = ask(&server, &Anonymous, "authentication").await;
    let (_, for_bob) = ask(&server, &bob, "registration").await;
    let handle = for_bob["user"]["id"].as_str().unwrap().to_owned();
    let renamed = SoftwareKey { user_handle: Some(handle), ..key.clone() }.sign(&options);
    answer(&server, &Anonymous, "authentication", &id, &renamed).await.refused(
        400,
        "webauthn_verification_failed",
        NOT_GOOD,
    );
    // Questions to one person are not answered by another, nor for another purpose.
    let (id, options) = ask(&server, &hugo, "registration").await;
    let made = SoftwareKey::new().create(&options);
    for (caller, what) in [(&bob, "registration"), (&bob, "authentication")] {
        let reply = answer(&server, caller, what, &id, &made).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
    answer(&server, &hugo, "registration", &id, &made).await.ok();
    let unknown = "11111111-1111-4111-8111-111111111111";
    answer(&server, &hugo, "registration", unknown, &made).await.refused(
        400,
        "webauthn_challenge_not_found",
        USED,
    );
    for body in [json!({}), json!({ "challenge_id": unknown })] {
        let reply = server.post(&Anonymous, "/passkeys/authentication/verify", body).await;
        assert_eq!(reply.error_code(400), "validation_failed");
    }
    let reply = answer(&server, &Anonymous, "authentication", unknown, &json!({ "id": "x" })).await;
    reply.refused(400, "webauthn_verification_failed", "Invalid credential response");
});

on_both_databases!(a_copied_key_is_noticed, async |database| {
    let server = server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let (_, mut key) = with_passkey(&server, &hugo).await;
    let mut copy = key.clone();
    sign_in(&server, &mut key).await.ok();
    let before = server.head();
    sign_in(&server, &mut copy).await.refused(400, "webauthn_verification_failed", NOT_GOOD);
    let kinds: Vec<_> = server.events_since(before).into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&"attempt.authenticator_suspected".to_owned()), "{kinds:?}");
});

on_both_databases!(a_key_is_one_passkey_and_there_are_no_more_than_allowed, async |database| {
    let server = server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let bob = server.sign_up("bob@example.com").await;
    let (_, key) = with_passkey(&server, &hugo).await;
    let (id, options) = ask(&server, &bob, "registration").await;
    answer(&server, &bob, "registration", &id, &key.clone().create(&options)).await.refused(
        422,
        "webauthn_credential_exists",
        "This credential is already registered",
    );
    let questions = join_all((0..4).map(|_| ask(&server, &hugo, "registration"))).await;
    let made: Vec<_> = questions.iter().map(|(_, options)| SoftwareKey::new().create(options)).collect();
    let replies = join_all(
        questions.iter().zip(&made).map(|((id, _), made)| answer(&server, &hugo, "registration", id, made)),
    )
    .await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    let reply = server.post(&hugo, "/passkeys/registration/options", json!({})).await;
    assert_eq!(reply.error_code(422), "too_many_passkeys");
});

on_both_databases!(the_banned_and_the_unprotected_stay_out, async |database| {
    let server = server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let (passkey, mut key) = with_passkey(&server, &hugo).await;
    let app = server.enroll_app(&hugo, "app").await;
    server.show_app(&hugo, &app, 0).await;
    let low = Person::of_session(&sign_in(&server, &mut key).await.ok());
    let message = "AAL2 session is required to manage passkeys when MFA is enabled";
    server.post(&low, "/passkeys/registration/options", json!({})).await.refused(
        403,
        "insufficient_aal",
        message,
    );
    server.delete(&low, &format!("/passkeys/{passkey}"), None).await.refused(
        403,
        "insufficient_aal",
        message,
    );
    server.get(&low, "/passkeys").await.ok();
    let ban = json!({ "ban_duration": "1h" });
    server.put(&ServiceRole, &format!("/admin/users/{}", hugo.id), ban).await.ok();
    sign_in(&server, &mut key).await.refused(403, "user_banned", "User is banned");
});

on_both_databases!(an_administrator_lists_and_removes_passkeys, async |database| {
    let server = server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let (passkey, mut key) = with_passkey(&server, &hugo).await;
    let path = format!("/admin/users/{}/passkeys", hugo.id);
    assert_eq!(server.get(&ServiceRole, &path).await.ok(), server.get(&hugo, "/passkeys").await.ok());
    let one = format!("{path}/{passkey}");
    assert_eq!(server.delete(&hugo, &one, None).await.error_code(403), "not_admin");
    server.delete(&ServiceRole, &one, None).await.no_content();
    server.delete(&ServiceRole, &one, None).await.refused(404, "validation_failed", "Passkey not found");
    sign_in(&server, &mut key).await.refused(400, "webauthn_verification_failed", NOT_GOOD);
    server.get(&ServiceRole, "/admin/users/11111111-1111-4111-8111-111111111111/passkeys").await.refused(
        404,
        "user_not_found",
        "User not found",
    );
});

on_both_databases!(where_passkeys_are_off_that_is_all_that_is_told, async |database| {
    let server = TestServer::started(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    for (method, path) in [
        ("GET", "/passkeys"),
        ("POST", "/passkeys/authentication/options"),
        ("POST", "/passkeys/registration/options"),
        ("PATCH", "/passkeys/x"),
        ("PUT", "/passkeys"),
    ] {
        let request = server.request(method.parse().unwrap(), path).json(&json!({}));
        server.send(request).await.refused(404, "passkey_disabled", "Passkeys are disabled");
    }
    let path = format!("/admin/users/{}/passkeys", hugo.id);
    assert_eq!(server.get(&ServiceRole, &path).await.ok(), json!([]));
});

on_both_databases!(a_closed_account_has_no_passkey_to_remove, async |database| {
    let server = server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let (passkey, _) = with_passkey(&server, &hugo).await;
    let path = format!("/admin/users/{}", hugo.id);
    server.delete(&ServiceRole, &path, Some(json!({ "should_soft_delete": true }))).await.ok();
    let reply = server.delete(&ServiceRole, &format!("{path}/passkeys/{passkey}"), None).await;
    reply.refused(404, "validation_failed", "Passkey not found");
});

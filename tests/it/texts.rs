//! Text messages by services, and by a webhook of the owner's.

use evident_commands::hooks::{WebhookSecret, signatures};
use serde_json::{Value, json};

use crate::support::{
    Anonymous, Bearer, Call, JWT_SECRET, PASSWORD, Peer, Person, Says, TestDatabase, TestServer, sign_hs256,
};

const SECRET: &str = "v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

async fn server_with(database: &TestDatabase, peer: &Peer, settings: &[(&str, &str)]) -> TestServer {
    let mut setup = TestServer::on(database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_SMS_MAX_FREQUENCY", "1ms")
        .with("EVIDENT_SMS_SERVICE_URL", &peer.url(""));
    for (name, value) in settings {
        setup = setup.with(name, value);
    }
    setup.start().await
}

const TWILIO: [(&str, &str); 4] = [
    ("GOTRUE_SMS_PROVIDER", "twilio"),
    ("GOTRUE_SMS_TWILIO_ACCOUNT_SID", "AC1"),
    ("GOTRUE_SMS_TWILIO_AUTH_TOKEN", "hush-hush"),
    ("GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID", "MG1"),
];

fn sign_up(channel: &str) -> Value {
    json!({ "phone": "15005550001", "password": PASSWORD, "channel": channel })
}

fn field(call: &Call, name: &str) -> String {
    call.form().into_iter().find(|(field, _)| field == name).map(|(_, value)| value).unwrap_or_default()
}

on_both_databases!(a_code_travels_by_twilio, async |database| {
    let peer = Peer::that(|_| Says::json(201, &json!({ "sid": "SM1", "status": "queued" }))).await;
    let server = server_with(&database, &peer, &TWILIO).await;
    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let call = peer.call("POST /2010-04-01/Accounts/AC1/Messages.json", 1).await;
    assert_eq!(call.header("authorization"), "Basic QUMxOmh1c2gtaHVzaA==");
    assert_eq!((field(&call, "To"), field(&call, "From")), ("+15005550001".into(), "MG1".into()));
    let text = field(&call, "Body");
    let code = text.strip_prefix("Your code is ").unwrap();
    let verify = json!({ "type": "sms", "phone": "15005550001", "token": code });
    server.post(&Anonymous, "/verify", verify).await.ok();

    let body = json!({ "phone": "15005550002", "password": PASSWORD, "channel": "whatsapp" });
    server.post(&Anonymous, "/signup", body).await.ok();
    let call = peer.call("POST", 2).await;
    assert_eq!(field(&call, "To"), "whatsapp:+15005550002");
    server.post(&Anonymous, "/signup", sign_up("pigeon")).await.refused(
        400,
        "validation_failed",
        "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio \
         or Twilio Verify is used as the provider.",
    );
    server.assert_log_is_whole();
});

on_both_databases!(a_service_that_fails_fails_no_sign_up_and_no_secret_is_told, async |database| {
    let refused = json!({ "code": 21211, "message": "hush-hush +15005550001" });
    let peer = Peer::that(move |_| Says::json(400, &refused)).await;
    let server = server_with(&database, &peer, &TWILIO).await;
    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let code = field(&peer.call("POST", 1).await, "Body");
    let log = async {
        loop {
            let log = server.log_text();
            if log.contains("the text message service twilio answered 400 21211") {
                return log;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let log = tokio::time::timeout(std::time::Duration::from_secs(10), log).await.unwrap();
    for hidden in ["hush-hush", "15005550001", &code] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
});

on_both_databases!(twilio_verify_makes_and_checks_the_codes, async |database| {
    let peer = Peer::that(|call| {
        let good = call.form().contains(&("Code".to_owned(), "424242".to_owned()));
        Says::json(200, &json!({ "sid": "VE1", "status": if good { "approved" } else { "pending" } }))
    })
    .await;
    let server = server_with(
        &database,
        &peer,
        &[
            ("GOTRUE_SMS_PROVIDER", "twilio_verify"),
            ("GOTRUE_SMS_TWILIO_VERIFY_ACCOUNT_SID", "AC1"),
            ("GOTRUE_SMS_TWILIO_VERIFY_AUTH_TOKEN", "hush-hush"),
            ("GOTRUE_SMS_TWILIO_VERIFY_MESSAGE_SERVICE_SID", "VA1"),
            ("GOTRUE_SMS_TEST_OTP", "15005550009:123456"),
        ],
    )
    .await;
    let verify = |phone: &str, code: &str| json!({ "type": "sms", "phone": phone, "token": code });
    server.post(&Anonymous, "/verify", verify("15005550001", "424242")).await.error_code(403);
    assert!(peer.calls("POST").is_empty(), "there is nothing to ask about");

    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let call = peer.call("POST /v2/Services/VA1/Verifications", 1).await;
    assert_eq!(call.text(), "To=%2B15005550001&Channel=sms");
    server.post(&Anonymous, "/verify", verify("15005550001", "111111")).await.error_code(403);
    server.post(&Anonymous, "/verify", verify("15005550001", "424242")).await.ok();
    let checks = peer.calls("POST /v2/Services/VA1/VerificationCheck");
    assert_eq!(checks.len(), 2);
    server.post(&Anonymous, "/verify", verify("15005550001", "424242")).await.error_code(403);
    assert_eq!(peer.calls("POST /v2/Services/VA1/VerificationCheck").len(), 2, "the code is used up");

    let body = json!({ "phone": "15005550009", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.ok();
    server.post(&Anonymous, "/verify", verify("15005550009", "123456")).await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(a_signed_webhook_carries_texts, async |database| {
    let peer = Peer::that(|_| Says::status(204)).await;
    let webhook = [
        ("GOTRUE_SMS_PROVIDER", "webhook"),
        ("EVIDENT_SMS_WEBHOOK_URL", &*peer.url("/texts")),
        ("EVIDENT_SMS_WEBHOOK_SECRETS", SECRET),
    ];
    let server = server_with(&database, &peer, &webhook).await;
    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let call = peer.call("POST /texts", 1).await;
    let secret = [WebhookSecret::parse(SECRET).unwrap()];
    let timestamp = call.header("webhook-timestamp").parse().unwrap();
    let expected = signatures(&secret, call.header("webhook-id"), timestamp, &call.body).unwrap();
    assert_eq!(call.header("webhook-signature"), expected);
    let payload = call.json();
    assert_eq!(payload["id"], call.header("webhook-id"));
    assert_eq!((&payload["to"], &payload["channel"]), (&json!("+15005550001"), &json!("sms")));
    assert_eq!(payload["text"], format!("Your code is {}", payload["code"].as_str().unwrap()));
    let verify = json!({ "type": "sms", "phone": "15005550001", "token": payload["code"] });
    server.post(&Anonymous, "/verify", verify).await.ok();
});

on_both_databases!(twilio_verify_checks_second_factors_and_codes_of_reauthentications, async |database| {
    let peer = Peer::that(|call| {
        let good = call.form().contains(&("Code".to_owned(), "424242".to_owned()));
        Says::json(200, &json!({ "sid": "VE1", "status": if good { "approved" } else { "pending" } }))
    })
    .await;
    let server = server_with(
        &database,
        &peer,
        &[
            ("GOTRUE_SMS_PROVIDER", "twilio_verify"),
            ("GOTRUE_SMS_TWILIO_VERIFY_ACCOUNT_SID", "AC1"),
            ("GOTRUE_SMS_TWILIO_VERIFY_AUTH_TOKEN", "hush-hush"),
            ("GOTRUE_SMS_TWILIO_VERIFY_MESSAGE_SERVICE_SID", "VA1"),
            ("GOTRUE_SMS_AUTOCONFIRM", "true"),
            ("GOTRUE_MFA_PHONE_ENROLL_ENABLED", "true"),
            ("GOTRUE_MFA_PHONE_VERIFY_ENABLED", "true"),
            ("GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION", "true"),
        ],
    )
    .await;
    let checks = || peer.calls("POST /v2/Services/VA1/VerificationCheck").len();
    let pia = Person::of_session(&server.post(&Anonymous, "/signup", sign_up("sms")).await.ok());

    // A session of today needs no code.
    server.put(&pia, "/user", json!({ "password": "another password", "nonce": "424242" })).await.ok();
    assert_eq!(checks(), 0, "nobody is asked about a code that is not needed");

    let body = json!({ "factor_type": "phone", "phone": "15005550002" });
    let factor = server.post(&pia, "/factors", body).await.ok();
    let factor = factor["id"].as_str().unwrap();
    let nothing = uuid::Uuid::nil().to_string();
    assert_eq!(server.answer(&pia, factor, &nothing, "424242").await.error_code(422), "mfa_factor_not_found");
    assert_eq!(checks(), 0, "nobody is asked about a challenge that is none");
    let challenge = server.challenge(&pia, factor).await;
    let call = peer.call("POST /v2/Services/VA1/Verifications", 1).await;
    assert_eq!(field(&call, "To"), "+15005550002");
    let wrong = server.answer(&pia, factor, &challenge, "111111").await;
    assert_eq!(wrong.error_code(422), "mfa_verification_failed");
    let surer = Person::of_session(&server.answer(&pia, factor, &challenge, "424242").await.ok());
    assert_eq!(surer.claims()["aal"], "aal2");
    assert_eq!(checks(), 2);
    let again = server.answer(&surer, factor, &challenge, "424242").await;
    assert_eq!(again.error_code(422), "mfa_ip_address_mismatch");
    assert_eq!(checks(), 2, "the challenge is answered");

    let body = json!({ "phone": "15005550003", "password": PASSWORD });
    let rita = Person::of_session(&server.post(&Anonymous, "/signup", body).await.ok());
    server.get(&rita, "/reauthenticate").await.ok();
    // A token that names no session counts as old.
    let claims = json!({ "sub": rita.id, "aud": "authenticated", "role": "authenticated",
                         "exp": rita.claims()["exp"] });
    let old = Bearer(sign_hs256(&claims, JWT_SECRET));
    let change = |nonce: &str| json!({ "password": "a new password of hers", "nonce": nonce });
    assert_eq!(server.put(&old, "/user", change("")).await.error_code(400), "reauthentication_needed");
    assert_eq!(
        server.put(&old, "/user", change("111111")).await.error_code(422),
        "reauthentication_not_valid"
    );
    server.put(&old, "/user", change("424242")).await.ok();
    assert_eq!(checks(), 4);
    server.assert_log_is_whole();
});
